// Feature maps that are stored before their instance norm and activation: readers that are no convolution, and the
// gradient behind all readers.
//
//   a = scale x + shift,  value = a > 0 ? a : slope a,  g = dL/da
//   dbeta = sum g,  dgamma = rstd sum g (x - mean)
//   dx = scale (g - mean(g) - (x - mean) rstd^2 mean(g (x - mean)))
//
// Each sample is cut into pieces of about 32 K elements; sums are float64 per piece, added in index order. Bound by
// memory: apply reads x and writes y; backward reads x and dy and writes g; backward_input reads x and g and writes dx.
#include "conv_fusion.h"
#include "rows.h"

#include <vector>

namespace vg {

namespace {

struct Table {
  Table(const float *norm, int64_t sample, int64_t c) : rows(norm + sample * VG_NORM_ROWS * c), channels(c) {}
  float at(vg_norm_row row, int64_t channel) const { return rows[row * channels + channel]; }
  float before(float x, int64_t channel) const { return at(VG_NORM_SCALE, channel) * x + at(VG_NORM_SHIFT, channel); }

  const float *rows;
  int64_t channels;
};

// Calls body(sample, piece, voxel) for all voxels, a piece on one thread.
template <class Body> void for_voxels(const vg_context *context, const vg_map &p, Body &&body) {
  const Pieces pieces{p.voxels, voxel_grain(p.c)};
  parallel_for(context, p.n * pieces.count(), [&](int64_t i) {
    const int64_t sample = i / pieces.count(), piece = i % pieces.count();
    for (int64_t v = pieces.begin(piece); v < pieces.end(piece); ++v) body(sample, i, sample * p.voxels + v);
  });
}

} // namespace

void norm_apply(vg_context *context, const vg_map &p, const float *x, const float *norm, float *y) {
  for_voxels(context, p, [&](int64_t sample, int64_t, int64_t v) {
    const Table table(norm, sample, p.c);
    for (int64_t c = 0; c < p.c; ++c) {
      const float a = table.before(x[v * p.x_stride + c], c);
      y[v * p.y_stride + c] = a > 0 ? a : table.at(VG_NORM_SLOPE, c) * a;
    }
  });
}

void norm_backward(vg_context *context, const vg_map &p, const float *x, const float *norm, const float *dy, float *g,
                   float *sums) {
  const int64_t pieces = Pieces{p.voxels, voxel_grain(p.c)}.count();
  std::vector<double> partial(static_cast<size_t>(p.n * pieces * 2 * p.c));
  for_voxels(context, p, [&](int64_t sample, int64_t piece, int64_t v) {
    const Table table(norm, sample, p.c);
    double *sum = partial.data() + piece * 2 * p.c;
    for (int64_t c = 0; c < p.c; ++c) {
      const float from = x[v * p.x_stride + c], d = dy[v * p.y_stride + c];
      const float gradient = table.before(from, c) > 0 ? d : table.at(VG_NORM_SLOPE, c) * d;
      g[v * p.y_stride + c] = gradient;
      sum[c] += gradient;
      sum[p.c + c] += gradient * (from - table.at(VG_NORM_MEAN, c));
    }
  });
  for (int64_t sample = 0; sample < p.n; ++sample)
    for (int64_t j = 0; j < 2 * p.c; ++j) {
      double total = 0;
      for (int64_t i = 0; i < pieces; ++i) total += partial[static_cast<size_t>((sample * pieces + i) * 2 * p.c + j)];
      sums[sample * 2 * p.c + j] = static_cast<float>(total);
    }
}

static void norm_backward_input(vg_context *context, const vg_map &p, const float *x, const float *norm, const float *g,
                                const float *sums, float *dx, float *dgamma, float *dbeta) {
  const float share = 1.0f / static_cast<float>(p.voxels);
  for_voxels(context, p, [&](int64_t sample, int64_t, int64_t v) {
    const Table table(norm, sample, p.c);
    const float *sum = sums + sample * 2 * p.c;
    for (int64_t c = 0; c < p.c; ++c) {
      const float rstd = table.at(VG_NORM_RSTD, c), off = x[v * p.x_stride + c] - table.at(VG_NORM_MEAN, c);
      dx[v * p.y_stride + c] = table.at(VG_NORM_SCALE, c) *
                               ((g[v * p.y_stride + c] - share * sum[c]) - off * rstd * rstd * share * sum[p.c + c]);
    }
  });
  if (dgamma == nullptr) return;
  for (int64_t c = 0; c < p.c; ++c) {
    double gamma = 0, beta = 0;
    for (int64_t sample = 0; sample < p.n; ++sample) {
      beta += sums[sample * 2 * p.c + c];
      gamma += static_cast<double>(Table(norm, sample, p.c).at(VG_NORM_RSTD, c)) * sums[sample * 2 * p.c + p.c + c];
    }
    dgamma[c] = static_cast<float>(gamma);
    dbeta[c] = static_cast<float>(beta);
  }
}

static void check_map(const vg_map *problem, const float *x, const float *norm) {
  require_map(problem, true, true);
  require_pointer("x", x);
  require_pointer("norm", norm);
}

} // namespace vg

extern "C" {

int32_t vg_norm_apply(vg_context *context, const vg_map *problem, const float *x, const float *norm, float *y) {
  return vg::dispatch(
      context, __func__,
      [&] {
        vg::check_map(problem, x, norm);
        vg::require_pointer("y", y);
      },
      [&] { vg::norm_apply(context, *problem, x, norm, y); });
}

int32_t vg_norm_backward(vg_context *context, const vg_map *problem, const float *x, const float *norm, const float *dy,
                         float *g, float *sums) {
  return vg::dispatch(
      context, __func__,
      [&] {
        vg::check_map(problem, x, norm);
        vg::require_pointer("dy", dy);
        vg::require_pointer("g", g);
        vg::require_pointer("sums", sums);
      },
      [&] { vg::norm_backward(context, *problem, x, norm, dy, g, sums); });
}

int32_t vg_norm_backward_input(vg_context *context, const vg_map *problem, const float *x, const float *norm,
                               const float *g, const float *sums, float *dx, float *dgamma, float *dbeta) {
  return vg::dispatch(
      context, __func__,
      [&] {
        vg::check_map(problem, x, norm);
        vg::require_pointer("g", g);
        vg::require_pointer("sums", sums);
        vg::require_pointer("dx", dx);
        VG_REQUIRE((dgamma == nullptr) == (dbeta == nullptr), "dgamma and dbeta must both be given or both be NULL");
      },
      [&] { vg::norm_backward_input(context, *problem, x, norm, g, sums, dx, dgamma, dbeta); });
}

} // extern "C"

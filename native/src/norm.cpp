// Feature maps that are stored before their instance norm and activation: readers that are no convolution, and the
// gradient behind all readers.
//
//   a = scale x + shift,  value = a > 0 ? a : slope a,  g = dL/da
//   dbeta = sum g,  dgamma = rstd sum g (x - mean)
//   dx = scale (g - mean(g) - (x - mean) rstd^2 mean(g (x - mean)))
//
// Each sample is cut into pieces of about 32 K elements; sums are float32 over at most 64 voxels, then float64, added
// in index order. Bound by memory: apply reads x and writes y; backward reads x and dy and writes g; backward_input
// reads x and g and writes dx.
#include "conv_fusion.h"
#include "norm_tile.h"
#include "rows.h"

namespace vg {

namespace {

// Calls body(run, sample, item) for all pieces of all samples; the run has their count, channels and table.
template <class Body> void for_pieces(const vg_context *context, const vg_map &p, const float *norm, Body &&body) {
  const Pieces pieces{p.voxels, voxel_grain(p.c)};
  parallel_for(context, p.n * pieces.count(), [&](int64_t i) {
    const int64_t sample = i / pieces.count(), piece = i % pieces.count();
    const int64_t first = sample * p.voxels + pieces.begin(piece);
    NormRun run{};
    run.count = pieces.end(piece) - pieces.begin(piece);
    run.channels = run.norm_row = run.sums_row = p.c;
    run.x_step = p.x_stride;
    run.y_step = p.y_stride;
    run.norm = norm + sample * VG_NORM_ROWS * p.c;
    body(run, sample, first);
  });
}

} // namespace

static void norm_apply(vg_context *context, const vg_map &p, const float *x, const float *norm, float *y) {
  for_pieces(context, p, norm, [&](NormRun &run, int64_t, int64_t voxel) {
    run.x = x + voxel * p.x_stride;
    run.y = y + voxel * p.y_stride;
    VG_PICK(context, norm_values)(run);
  });
}

void norm_backward(vg_context *context, const vg_map &p, const float *x, const float *norm, const float *dy, float *g,
                   float *sums) {
  vg_conv_fusion fusion{};
  fusion.x_norm = norm;
  fusion.x = x;
  fusion.x_stride = p.x_stride;
  fusion.sums = sums;
  fuse_outputs(context, p, {nullptr, nullptr, &fusion}, dy, g);
}

static void norm_backward_input(vg_context *context, const vg_map &p, const float *x, const float *norm, const float *g,
                                const float *sums, float *dx, float *dgamma, float *dbeta) {
  for_pieces(context, p, norm, [&](NormRun &run, int64_t sample, int64_t voxel) {
    run.x = x + voxel * p.x_stride;
    run.g = g + voxel * p.y_stride;
    run.y = dx + voxel * p.y_stride;
    run.sums = sums + sample * 2 * p.c;
    run.share = 1.0f / static_cast<float>(p.voxels);
    VG_PICK(context, norm_input_gradient)(run);
  });
  if (dgamma == nullptr) return;
  for (int64_t c = 0; c < p.c; ++c) {
    double gamma = 0, beta = 0;
    for (int64_t sample = 0; sample < p.n; ++sample) {
      const float *rstd = norm + (sample * VG_NORM_ROWS + VG_NORM_RSTD) * p.c, *sum = sums + sample * 2 * p.c;
      beta += static_cast<double>(sum[c]);
      gamma += static_cast<double>(rstd[c]) * static_cast<double>(sum[p.c + c]);
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

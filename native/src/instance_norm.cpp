// Instance norm with fused activation, forward and backward.
//
//   mean, var (biased) per sample and channel;  rstd = 1/sqrt(var + eps)
//   xhat = (x - mean) rstd;  z = xhat gamma + beta;  y = act(z)
//   dz = dy act'(z);  dgamma = sum dz xhat;  dbeta = sum dz
//   dx = gamma rstd (dz - mean(dz) - xhat mean(dz xhat))
//
// x, y: [n][voxels][c] with voxel strides. Each sample is cut into pieces of about 32 K elements (they stay in L2). A
// piece takes its mean first, then the deviations from it, in float32 blocks of 64 rows summed in float64; the pieces
// are merged in index order in float64. So a mean of 1000 with spread 1 costs no digits, and a constant channel has
// variance exactly 0 and gives act(beta). Backward recomputes xhat and z. Bound by memory: forward reads x twice and
// writes y, backward reads x and dy twice and writes dx. Matches torch.nn.functional.instance_norm (use_input_stats)
// followed by leaky_relu or mish; voxels < 2 is an error there too. The mean is subtracted before scaling, and forward
// keeps what rounding it to float32 loses.
#include "instance_norm_tiles.h"
#include "internal.h"
#include "moments.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace vg;

namespace {

// How channels become the columns of a tile: `fold` voxels in one row of fold * c columns.
struct Columns {
  int64_t fold, width;
};
Columns columns_of(const vg_instance_norm &p) {
  const int64_t fold = p.x_stride == p.c && p.y_stride == p.c ? 8 / std::gcd(p.c, int64_t{8}) : 1;
  return {fold, fold * p.c};
}

// Calls body(tile, column offset) for the tiles that cover voxels [begin, end) of one sample; column j of a tile
// belongs to channel (offset + j) % c. Coefficients must be periodic with at least `width` entries.
template <class Body>
void for_tiles(const vg_instance_norm &p, const NormTile &sample, int64_t begin, int64_t end, Body &&body) {
  const Columns columns = columns_of(p);
  const auto cover = [&](int64_t first, int64_t rows, int64_t fold) {
    if (rows == 0) return;
    for (int64_t offset = 0; offset < fold * p.c; offset += norm_width_limit) {
      NormTile t = sample;
      t.rows = rows;
      t.width = std::min(norm_width_limit, fold * p.c - offset);
      t.x_stride = p.x_stride * fold;
      t.y_stride = p.y_stride * fold;
      const auto shift = [&](auto *&pointer, int64_t by) {
        if (pointer != nullptr) pointer += by;
      };
      shift(t.x, first * p.x_stride + offset);
      shift(t.dy, first * p.y_stride + offset);
      shift(t.y, first * (sample.dy != nullptr ? p.x_stride : p.y_stride) + offset);
      for (const float **coefficient : {&t.mean, &t.rstd, &t.gamma, &t.beta, &t.scale, &t.mean_dz, &t.mean_dzx})
        shift(*coefficient, offset);
      body(t, offset);
    }
  };
  const int64_t rows = (end - begin) / columns.fold;
  cover(begin, rows, columns.fold);
  cover(begin + rows * columns.fold, end - begin - rows * columns.fold, 1);
}

// Pieces of one sample, a multiple of eight voxels so that only the last one has a ragged end.
Pieces pieces_of(const vg_instance_norm &p) { return {p.voxels, (voxel_grain(p.c) + 7) / 8 * 8}; }

void check(const vg_instance_norm *problem) {
  require_size(problem);
  require_tensor("x", problem->n, problem->voxels, problem->c, problem->x_stride);
  require_tensor("y", problem->n, problem->voxels, problem->c, problem->y_stride);
  VG_REQUIRE(problem->voxels >= 2, "voxels is %lld; a norm over a single voxel has no spread, at least 2 are needed",
             static_cast<long long>(problem->voxels));
  VG_REQUIRE(problem->eps > 0 && std::isfinite(problem->eps), "eps is %g, must be positive",
             static_cast<double>(problem->eps));
  VG_REQUIRE(problem->activation == VG_ACTIVATION_IDENTITY || problem->activation == VG_ACTIVATION_LEAKY_RELU ||
                 problem->activation == VG_ACTIVATION_MISH,
             "activation is %d; use IDENTITY, LEAKY_RELU or MISH", problem->activation);
}

// Two float64 values per channel of every piece, merged in index order.
struct Partials {
  double *memory;
  int64_t pieces, c;
  double *first(int64_t sample, int64_t piece) const { return memory + (sample * pieces + piece) * 2 * c; }
  double *second(int64_t sample, int64_t piece) const { return first(sample, piece) + c; }
};

void piece_statistics(vg_context *context, const vg_instance_norm &p, const float *x, const Partials &partials,
                      int64_t sample, int64_t piece) {
  const auto tile = VG_PICK(context, norm_statistics);
  const Pieces pieces = pieces_of(p);
  double *mean = partials.first(sample, piece), *deviation = partials.second(sample, piece);
  double column_mean[norm_width_limit], column_deviation[norm_width_limit];
  NormTile whole{};
  whole.x = x + sample * p.voxels * p.x_stride;
  // Columns of a channel come in ascending order, `seen` voxels of it so far.
  const int64_t fold = columns_of(p).fold;
  const int64_t folded = (pieces.end(piece) - pieces.begin(piece)) / fold;
  for (int64_t c = 0; c < p.c; ++c) mean[c] = deviation[c] = 0;
  for_tiles(p, whole, pieces.begin(piece), pieces.end(piece), [&](const NormTile &t, int64_t offset) {
    tile(t, column_mean, column_deviation);
    const bool ragged = t.x_stride != p.x_stride * fold;
    for (int64_t j = 0; j < t.width; ++j) {
      const int64_t channel = (offset + j) % p.c;
      double seen = static_cast<double>(ragged ? folded * fold : (offset + j) / p.c * t.rows);
      if (seen == 0) {
        mean[channel] = column_mean[j];
        deviation[channel] = column_deviation[j];
      } else {
        merge_moments(seen, mean[channel], deviation[channel], static_cast<double>(t.rows), column_mean[j],
                      column_deviation[j]);
      }
    }
  });
}

constexpr int64_t forward_rows = 3; // mean, gamma rstd, beta minus what the rounded mean leaves over

struct Statistics {
  double mean, variance;
};
Statistics merge_pieces(const vg_instance_norm &p, const Partials &partials, int64_t sample, int64_t channel) {
  const Pieces pieces = pieces_of(p);
  double total = static_cast<double>(pieces.end(0)), mean = partials.first(sample, 0)[channel];
  double deviation = partials.second(sample, 0)[channel];
  for (int64_t i = 1; i < pieces.count(); ++i)
    merge_moments(total, mean, deviation, static_cast<double>(pieces.end(i) - pieces.begin(i)),
                  partials.first(sample, i)[channel], partials.second(sample, i)[channel]);
  return {mean, deviation / total};
}

// Merges the pieces of every sample and channel into mean and rstd, and writes the coefficients
// [n][forward_rows][width].
void finish_statistics(const vg_instance_norm &p, const Partials &partials, const float *gamma, const float *beta,
                       float *mean, float *rstd, float *coefficients) {
  const int64_t width = columns_of(p).width;
  for (int64_t b = 0; b < p.n; ++b) {
    float *to = coefficients + b * forward_rows * width;
    for (int64_t c = 0; c < p.c; ++c) {
      const auto [m, variance] = merge_pieces(p, partials, b, c);
      const double r = 1.0 / std::sqrt(variance + static_cast<double>(p.eps));
      mean[b * p.c + c] = static_cast<float>(m);
      rstd[b * p.c + c] = static_cast<float>(r);
      const double scale = gamma != nullptr ? gamma[c] * r : r;
      const double residue = m - static_cast<double>(static_cast<float>(m));
      const double offset = (beta != nullptr ? beta[c] : 0.0) - residue * scale;
      for (int64_t j = c; j < width; j += p.c) {
        to[j] = static_cast<float>(m);
        to[width + j] = static_cast<float>(scale);
        to[2 * width + j] = static_cast<float>(offset);
      }
    }
  }
}

} // namespace

extern "C" int32_t vg_instance_norm_forward(vg_context *context, const vg_instance_norm *problem, const float *x,
                                            const float *gamma, const float *beta, float *mean, float *rstd, float *y) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem);
        require_pointer("x", x);
        require_pointer("mean", mean);
        require_pointer("rstd", rstd);
        require_pointer("y", y);
        VG_REQUIRE((gamma == nullptr) == (beta == nullptr), "gamma and beta must both be given or both be NULL");
      },
      [&] {
        const vg_instance_norm &p = *problem;
        const Pieces pieces = pieces_of(p);
        const Columns columns = columns_of(p);
        Workspace partial_memory(context, p.n * pieces.count() * 2 * p.c * static_cast<int64_t>(sizeof(double)));
        const Partials partials{partial_memory.as<double>(), pieces.count(), p.c};
        parallel_for(context, p.n * pieces.count(), [&](int64_t i) {
          piece_statistics(context, p, x, partials, i / pieces.count(), i % pieces.count());
        });
        Workspace coefficients(context, p.n * forward_rows * columns.width * static_cast<int64_t>(sizeof(float)));
        finish_statistics(p, partials, gamma, beta, mean, rstd, coefficients.as<float>());
        const auto tile = VG_PICK(context, norm_apply);
        parallel_for(context, p.n * pieces.count(), [&](int64_t i) {
          const int64_t b = i / pieces.count(), piece = i % pieces.count();
          const float *from = coefficients.as<float>() + b * forward_rows * columns.width;
          NormTile whole{};
          whole.x = x + b * p.voxels * p.x_stride;
          whole.y = y + b * p.voxels * p.y_stride;
          whole.activation = p.activation;
          whole.slope = p.slope;
          whole.mean = from;
          whole.gamma = from + columns.width;
          whole.beta = from + 2 * columns.width;
          for_tiles(p, whole, pieces.begin(piece), pieces.end(piece), [&](const NormTile &t, int64_t) { tile(t); });
        });
      });
}

namespace {

constexpr int64_t backward_rows = 7; // mean, rstd, gamma, beta, scale, mean_dz, mean_dzx

NormTile backward_tile(const vg_instance_norm &p, const float *x, const float *dy, float *dx, const float *from,
                       int64_t sample) {
  const int64_t width = columns_of(p).width;
  NormTile t{};
  t.x = x + sample * p.voxels * p.x_stride;
  t.dy = dy + sample * p.voxels * p.y_stride;
  if (dx != nullptr) t.y = dx + sample * p.voxels * p.x_stride;
  t.activation = p.activation;
  t.slope = p.slope;
  from += sample * backward_rows * width;
  const float **rows[backward_rows] = {&t.mean, &t.rstd, &t.gamma, &t.beta, &t.scale, &t.mean_dz, &t.mean_dzx};
  for (int64_t r = 0; r < backward_rows; ++r) *rows[r] = from + r * width;
  return t;
}

// The first five rows of the coefficients [n][backward_rows][width].
void start_gradient(const vg_instance_norm &p, const float *gamma, const float *beta, const float *mean,
                    const float *rstd, float *coefficients) {
  const int64_t width = columns_of(p).width;
  for (int64_t b = 0; b < p.n; ++b)
    for (int64_t j = 0; j < width; ++j) {
      float *to = coefficients + b * backward_rows * width + j;
      const int64_t c = j % p.c;
      to[0] = mean[b * p.c + c];
      to[width] = rstd[b * p.c + c];
      to[2 * width] = gamma != nullptr ? gamma[c] : 1.0f;
      to[3 * width] = beta != nullptr ? beta[c] : 0.0f;
      to[4 * width] = to[2 * width] * to[width];
    }
}

void piece_gradient_sums(vg_context *context, const vg_instance_norm &p, const NormTile &whole,
                         const Partials &partials, int64_t sample, int64_t piece) {
  const auto tile = VG_PICK(context, norm_gradient_sums);
  const Pieces pieces = pieces_of(p);
  double *first = partials.first(sample, piece), *second = partials.second(sample, piece);
  double column_first[norm_width_limit], column_second[norm_width_limit];
  for (int64_t c = 0; c < p.c; ++c) first[c] = second[c] = 0;
  for_tiles(p, whole, pieces.begin(piece), pieces.end(piece), [&](const NormTile &t, int64_t offset) {
    tile(t, column_first, column_second);
    for (int64_t j = 0; j < t.width; ++j) {
      first[(offset + j) % p.c] += column_first[j];
      second[(offset + j) % p.c] += column_second[j];
    }
  });
}

// Adds the pieces: the last two rows of the coefficients, and dgamma, dbeta over the samples.
void finish_gradient_sums(const vg_instance_norm &p, const Partials &partials, float *coefficients, float *dgamma,
                          float *dbeta) {
  const int64_t width = columns_of(p).width;
  const double voxels = static_cast<double>(p.voxels);
  for (int64_t c = 0; c < p.c; ++c) {
    double total_first = 0, total_second = 0;
    for (int64_t b = 0; b < p.n; ++b) {
      double first = 0, second = 0;
      for (int64_t i = 0; i < partials.pieces; ++i) {
        first += partials.first(b, i)[c];
        second += partials.second(b, i)[c];
      }
      float *to = coefficients + b * backward_rows * width;
      for (int64_t j = c; j < width; j += p.c) {
        to[5 * width + j] = static_cast<float>(first / voxels);
        to[6 * width + j] = static_cast<float>(second / voxels);
      }
      total_first += first;
      total_second += second;
    }
    if (dgamma == nullptr) continue;
    dgamma[c] = static_cast<float>(total_second);
    dbeta[c] = static_cast<float>(total_first);
  }
}

} // namespace

extern "C" int32_t vg_instance_norm_backward(vg_context *context, const vg_instance_norm *problem, const float *x,
                                             const float *gamma, const float *beta, const float *mean,
                                             const float *rstd, const float *dy, float *dx, float *dgamma,
                                             float *dbeta) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem);
        require_pointer("x", x);
        require_pointer("mean", mean);
        require_pointer("rstd", rstd);
        require_pointer("dy", dy);
        require_pointer("dx", dx);
        VG_REQUIRE((gamma == nullptr) == (beta == nullptr), "gamma and beta must both be given or both be NULL");
        VG_REQUIRE((gamma == nullptr) == (dgamma == nullptr) && (gamma == nullptr) == (dbeta == nullptr),
                   "dgamma and dbeta must be given exactly when gamma is");
        VG_REQUIRE(dx != dy || problem->x_stride == problem->y_stride, "dx is dy, but the strides differ");
      },
      [&] {
        const vg_instance_norm &p = *problem;
        const Pieces pieces = pieces_of(p);
        const int64_t width = columns_of(p).width;
        Workspace coefficients(context, p.n * backward_rows * width * static_cast<int64_t>(sizeof(float)));
        start_gradient(p, gamma, beta, mean, rstd, coefficients.as<float>());
        Workspace partial_memory(context, p.n * pieces.count() * 2 * p.c * static_cast<int64_t>(sizeof(double)));
        const Partials partials{partial_memory.as<double>(), pieces.count(), p.c};
        parallel_for(context, p.n * pieces.count(), [&](int64_t i) {
          const int64_t b = i / pieces.count();
          piece_gradient_sums(context, p, backward_tile(p, x, dy, nullptr, coefficients.as<float>(), b), partials, b,
                              i % pieces.count());
        });
        finish_gradient_sums(p, partials, coefficients.as<float>(), dgamma, dbeta);
        const auto tile = VG_PICK(context, norm_gradient);
        parallel_for(context, p.n * pieces.count(), [&](int64_t i) {
          const int64_t b = i / pieces.count(), piece = i % pieces.count();
          const NormTile whole = backward_tile(p, x, dy, dx, coefficients.as<float>(), b);
          for_tiles(p, whole, pieces.begin(piece), pieces.end(piece), [&](const NormTile &t, int64_t) { tile(t); });
        });
      });
}

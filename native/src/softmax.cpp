// Softmax and log-softmax over the channels of each voxel, their gradients, and the arg-max.
//
//   M = max_c x_c,  Z = sum_c exp(x_c - M),  y_c = exp(x_c - M)/Z  or  x_c - M - log Z
//   softmax      dx_c = y_c (dy_c - sum_k y_k dy_k)
//   log-softmax  dx_c = dy_c - exp(y_c) sum_k dy_k
//
// Tensors [n][voxels][c] with voxel strides; pieces of about 32 K elements, each voxel on its own. Arithmetic (exp)
// bounds the forward pass. Z - 1 is summed without the largest class, so log Z keeps its relative accuracy near 0.
// Matches torch.softmax and log_softmax on the channel axis: a NaN or +inf among the channels makes the voxel NaN.
// Arg-max takes the lowest index on ties, as torch.argmax does on the CPU, but refuses NaN.
#include "rows.h"
#include "softmax_tiles.h"

#include <cmath>
#include <vector>

using namespace vg;

static int32_t forward(vg_context *context, const char *function, const vg_map *problem, const float *x, float *y,
                       bool logarithm) {
  return dispatch(
      context, function,
      [&] {
        require_map(problem, true, true);
        require_pointer("x", x);
        require_pointer("y", y);
      },
      [&] {
        const vg_map &p = *problem;
        const int64_t rows = p.n * p.voxels;
        const float *end = x + (rows - 1) * p.x_stride + p.c;
        const auto tile = VG_PICK(context, softmax_forward);
        const Pieces pieces{rows, (voxel_grain(p.c) + 7) / 8 * 8};
        parallel_for(context, pieces.count(), [&](int64_t i) {
          const int64_t v = pieces.begin(i);
          tile(
              {pieces.end(i) - v, p.c, p.x_stride, p.y_stride, logarithm, x + v * p.x_stride, end, y + v * p.y_stride});
        });
      });
}

static int32_t backward(vg_context *context, const char *function, const vg_map *problem, const float *y,
                        const float *dy, float *dx, bool logarithm) {
  return dispatch(
      context, function,
      [&] {
        require_map(problem, true, true);
        require_pointer("y", y);
        require_pointer("dy", dy);
        require_pointer("dx", dx);
      },
      [&] {
        const vg_map &p = *problem;
        const Pieces pieces{p.n * p.voxels, voxel_grain(p.c)};
        parallel_for(context, pieces.count(), [&](int64_t i) {
          for (int64_t v = pieces.begin(i); v < pieces.end(i); ++v) {
            const float *yv = y + v * p.y_stride, *g = dy + v * p.y_stride;
            float *to = dx + v * p.x_stride;
            double sum = 0;
            for (int64_t c = 0; c < p.c; ++c) sum += logarithm ? g[c] : static_cast<double>(yv[c]) * g[c];
            for (int64_t c = 0; c < p.c; ++c)
              to[c] = static_cast<float>(logarithm ? g[c] - std::exp(static_cast<double>(yv[c])) * sum
                                                   : yv[c] * (g[c] - sum));
          }
        });
      });
}

extern "C" int32_t vg_softmax_forward(vg_context *context, const vg_map *problem, const float *x, float *y) {
  return forward(context, __func__, problem, x, y, false);
}

extern "C" int32_t vg_softmax_backward(vg_context *context, const vg_map *problem, const float *y, const float *dy,
                                       float *dx) {
  return backward(context, __func__, problem, y, dy, dx, false);
}

extern "C" int32_t vg_log_softmax_forward(vg_context *context, const vg_map *problem, const float *x, float *y) {
  return forward(context, __func__, problem, x, y, true);
}

extern "C" int32_t vg_log_softmax_backward(vg_context *context, const vg_map *problem, const float *y, const float *dy,
                                           float *dx) {
  return backward(context, __func__, problem, y, dy, dx, true);
}

extern "C" int32_t vg_argmax(vg_context *context, const vg_map *problem, const float *x, uint8_t *labels) {
  return dispatch(
      context, __func__,
      [&] {
        require_map(problem, true, false);
        VG_REQUIRE(problem->c <= 256, "c is %lld, labels are bytes: at most 256", static_cast<long long>(problem->c));
        require_pointer("x", x);
        require_pointer("labels", labels);
      },
      [&] {
        const vg_map &p = *problem;
        const Pieces pieces{p.n * p.voxels, voxel_grain(p.c)};
        std::vector<int64_t> first_nan(static_cast<size_t>(pieces.count()), -1);
        parallel_for(context, pieces.count(), [&](int64_t i) {
          for (int64_t v = pieces.begin(i); v < pieces.end(i); ++v) {
            const float *s = x + v * p.x_stride;
            float best = s[0];
            int64_t at = 0;
            bool nan = std::isnan(best);
            for (int64_t c = 1; c < p.c; ++c) {
              nan |= std::isnan(s[c]);
              if (s[c] > best) {
                best = s[c];
                at = c;
              }
            }
            labels[v] = static_cast<uint8_t>(at);
            if (nan && first_nan[static_cast<size_t>(i)] < 0) first_nan[static_cast<size_t>(i)] = v;
          }
        });
        for (const int64_t v : first_nan)
          VG_REQUIRE(v < 0, "sample %lld, voxel %lld holds a NaN", static_cast<long long>(v / p.voxels),
                     static_cast<long long>(v % p.voxels));
      });
}

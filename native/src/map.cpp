// y = value;  y = alpha x;  y = y + alpha x.
//
// Tensors [n][voxels][c] with voxel strides. Work is cut into pieces of 32 K elements; every element is computed on its
// own, so pieces do not matter for the result. Bound by memory: one or two streams in, one out.
// Matches torch.full, x * alpha and torch.add(y, x, alpha=alpha). A copy (alpha = 1) keeps every bit, NaNs included.
#include "rows.h"

using namespace vg;

extern "C" int32_t vg_fill(vg_context *context, const vg_map *problem, float value, float *y) {
  return dispatch(
      context, __func__,
      [&] {
        require_map(problem, false, true);
        require_pointer("y", y);
      },
      [&] {
        const vg_map &p = *problem;
        parallel_runs(context, p.n * p.voxels, p.c, p.y_stride, p.y_stride, [&](int64_t, int64_t at, int64_t count) {
          for (int64_t i = 0; i < count; ++i) y[at + i] = value;
        });
      });
}

extern "C" int32_t vg_scale(vg_context *context, const vg_map *problem, float alpha, const float *x, float *y) {
  return dispatch(
      context, __func__,
      [&] {
        require_map(problem, true, true);
        require_pointer("x", x);
        require_pointer("y", y);
        VG_REQUIRE(x != y || problem->x_stride == problem->y_stride,
                   "x and y are the same tensor, but x_stride is %lld "
                   "and y_stride is %lld",
                   static_cast<long long>(problem->x_stride), static_cast<long long>(problem->y_stride));
      },
      [&] {
        const vg_map &p = *problem;
        if (alpha == 1.0f && x == y) return;
        parallel_runs(context, p.n * p.voxels, p.c, p.x_stride, p.y_stride, [&](int64_t xi, int64_t yi, int64_t count) {
          const float *from = x + xi;
          float *to = y + yi;
          if (alpha == 1.0f)
            std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
          else
            for (int64_t i = 0; i < count; ++i) to[i] = alpha * from[i];
        });
      });
}

extern "C" int32_t vg_add(vg_context *context, const vg_map *problem, float alpha, const float *x, float *y) {
  return dispatch(
      context, __func__,
      [&] {
        require_map(problem, true, true);
        require_pointer("x", x);
        require_pointer("y", y);
      },
      [&] {
        const vg_map &p = *problem;
        parallel_runs(context, p.n * p.voxels, p.c, p.x_stride, p.y_stride, [&](int64_t xi, int64_t yi, int64_t count) {
          const float *__restrict from = x + xi;
          float *__restrict to = y + yi;
          for (int64_t i = 0; i < count; ++i) to[i] += alpha * from[i];
        });
      });
}

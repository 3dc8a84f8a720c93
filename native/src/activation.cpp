// y = f(x) and dx = dy f'(x), element by element, for identity, leaky ReLU, mish, sigmoid and softplus.
//
//   leaky ReLU  x > 0 ? x : slope x              derivative x > 0 ? 1 : slope  (at exactly 0: slope)
//   mish        x tanh(softplus(x))              w + x sigmoid(x) (1 - w^2), w = tanh(softplus(x))
//   sigmoid     1/(1 + exp(-x))                  p (1 - p)
//   softplus    log(1 + exp(beta x))/beta        sigmoid(beta x); x and 1 where beta x > threshold
//
// Tensors [n][voxels][c] with voxel strides; pieces of 32 K elements, each element on its own. Everything exponential
// works on exp(-|x|), so nothing overflows. Leaky ReLU is bound by memory, mish and softplus by arithmetic.
// Matches torch.nn.functional.leaky_relu, mish, sigmoid and softplus; NaN gives NaN.
#include "activation_tiles.h"
#include "rows.h"

#include <cmath>

using namespace vg;

static void check(const vg_activation *problem) {
  require_size(problem);
  require_tensor("x", problem->n, problem->voxels, problem->c, problem->x_stride);
  require_tensor("y", problem->n, problem->voxels, problem->c, problem->y_stride);
  VG_REQUIRE(problem->kind >= VG_ACTIVATION_IDENTITY && problem->kind <= VG_ACTIVATION_SOFTPLUS,
             "kind is %d, not a vg_activation_kind", problem->kind);
  VG_REQUIRE(problem->kind != VG_ACTIVATION_SOFTPLUS || (problem->beta > 0 && std::isfinite(problem->beta)),
             "beta of softplus is %g, must be positive", static_cast<double>(problem->beta));
}

static ActivationShape shape_of(const vg_activation &p) { return {p.kind, p.slope, p.beta, p.threshold}; }

extern "C" int32_t vg_activation_forward(vg_context *context, const vg_activation *problem, const float *x, float *y) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem);
        require_pointer("x", x);
        require_pointer("y", y);
      },
      [&] {
        const vg_activation &p = *problem;
        const ActivationShape shape = shape_of(p);
        const auto tile = VG_PICK(context, activation_forward);
        parallel_runs(context, p.n * p.voxels, p.c, p.x_stride, p.y_stride,
                      [&](int64_t xi, int64_t yi, int64_t count) { tile(shape, x + xi, y + yi, count); });
      });
}

extern "C" int32_t vg_activation_backward(vg_context *context, const vg_activation *problem, const float *x,
                                          const float *dy, float *dx) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem);
        require_pointer("x", x);
        require_pointer("dy", dy);
        require_pointer("dx", dx);
        VG_REQUIRE(dx != dy || problem->x_stride == problem->y_stride, "dx is dy, but the strides differ");
      },
      [&] {
        const vg_activation &p = *problem;
        const ActivationShape shape = shape_of(p);
        const auto tile = VG_PICK(context, activation_backward);
        parallel_runs(context, p.n * p.voxels, p.c, p.x_stride, p.y_stride,
                      [&](int64_t xi, int64_t yi, int64_t count) { tile(shape, x + xi, dy + yi, dx + xi, count); });
      });
}

// Transposed convolution with kernel = stride and no padding, PyTorch's conv_transpose3d, and its gradients.
//
//   y[s * v + r][o] = b[o] + sum over i of x[v][i] * w[i][r][o],  0 <= r < s per axis
//
// x [n][d][h][w][ci], y [n][d*kd][h*kh][w*kw][co], w [ci][kd][kh][kw][co]. Every output voxel belongs to one input
// voxel, so the forward direction is one matrix product [voxels x ci] * [ci x kd*kh*kw*co] whose rows are scattered: a
// correlation with a single tap and one head per r. With x and y exchanged the operation is an ordinary convolution of
// stride s, whose forward direction gives dx and whose weight gradient gives dw. Work is split as in correlate.cpp;
// bound by memory for few channels, by arithmetic from about 32 on.
#include "conv3d.h"
#include "correlate.h"

namespace vg {

static void check_transpose(const vg_conv3d *problem) {
  check_conv_sizes(problem);
  const vg_conv3d &p = *problem;
  require_tensor("x", p.n, checked_product("x", {p.d, p.h, p.w}), p.ci, p.x_stride);
  require_tensor("y", p.n, checked_product("y", {p.d, p.kd, p.h, p.kh, p.w, p.kw}), p.co, p.y_stride);
}

// The convolution that this is the transpose of: from y to x.
static vg_conv3d adjoint(const vg_conv3d &p) {
  vg_conv3d c = p;
  c.d = p.d * p.kd, c.h = p.h * p.kh, c.w = p.w * p.kw;
  c.ci = p.co, c.co = p.ci;
  c.sd = p.kd, c.sh = p.kh, c.sw = p.kw;
  c.pd = c.ph = c.pw = 0;
  c.x_stride = p.y_stride, c.y_stride = p.x_stride;
  return c;
}

static void transpose_forward(vg_context *context, const vg_conv3d &p, const float *x, const float *w, const float *b,
                              float *y, const Fused &fused) {
  const Correlation grid{p.n,
                         p.ci,
                         p.co,
                         {{p.d, p.d, 1, 1, 0, p.d * p.kd, 0, p.kd},
                          {p.h, p.h, 1, 1, 0, p.h * p.kh, 0, p.kh},
                          {p.w, p.w, 1, 1, 0, p.w * p.kw, 0, p.kw}},
                         p.x_stride,
                         p.y_stride};
  Weights weights{w, 1, p.kd * p.kh * p.kw * p.co, {}};
  for (int64_t rz = 0; rz < p.kd; ++rz)
    for (int64_t ry = 0; ry < p.kh; ++ry)
      for (int64_t rx = 0; rx < p.kw; ++rx)
        weights.heads.push_back(
            {{((rz * p.kh + ry) * p.kw + rx) * p.co}, ((rz * p.h * p.kh + ry) * p.w * p.kw + rx) * p.y_stride});
  correlate(context, grid, x, weights, b, y, fused);
}

} // namespace vg

extern "C" {

int32_t vg_conv_transpose3d_forward(vg_context *context, const vg_conv3d *problem, const vg_conv_fusion *fusion,
                                    const float *x, const float *w, const float *b, float *y) {
  return vg::dispatch(
      context, __func__,
      [&] {
        vg::check_transpose(problem);
        vg::require_pointer("x", x);
        vg::require_pointer("w", w);
        vg::require_pointer("y", y);
        vg::check_fusion(fusion, {});
      },
      [&] { vg::transpose_forward(context, *problem, x, w, b, y, vg::fused_forward(fusion)); });
}

int32_t vg_conv_transpose3d_backward_input(vg_context *context, const vg_conv3d *problem, const vg_conv_fusion *fusion,
                                           const float *dy, const float *w, float *dx) {
  return vg::dispatch(
      context, __func__,
      [&] {
        vg::check_transpose(problem);
        vg::require_pointer("dy", dy);
        vg::require_pointer("w", w);
        vg::require_pointer("dx", dx);
        vg::check_fusion(fusion, {.gradient = problem->ci});
      },
      [&] {
        vg::conv3d_forward(context, vg::adjoint(*problem), dy, w, nullptr, dx, vg::fused_backward_input(fusion));
      });
}

int32_t vg_conv_transpose3d_backward_weight(vg_context *context, const vg_conv3d *problem, const vg_conv_fusion *fusion,
                                            const float *x, const float *dy, float *dw, float *db) {
  return vg::dispatch(
      context, __func__,
      [&] {
        vg::check_transpose(problem);
        vg::require_pointer("x", x);
        vg::require_pointer("dy", dy);
        vg::require_pointer("dw", dw);
        vg::check_fusion(fusion, {});
      },
      [&] {
        const vg_conv3d &p = *problem;
        vg::Fused fused;
        fused.dy_norm = vg::fused_backward_weight(fusion).x_norm;
        vg::conv3d_backward_weight(context, vg::adjoint(p), dy, x, dw, fused);
        if (db == nullptr) return;
        vg::sum_channels(context, p.n * p.d * p.kd * p.h * p.kh * p.w * p.kw, p.co, p.y_stride, dy, db);
      });
}

} // extern "C"

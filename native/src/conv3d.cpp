// 3D convolution, PyTorch's conv3d (cross-correlation, zero padding, no groups or dilation) and its gradients.
//
//   y[p][o] = b[o] + sum over taps t, channels i of x[p * s + t - padding][i] * w[o][t][i]
//   dx[q][i] = sum over all (p, t) with p * s + t - padding = q, channels o of dy[p][o] * w[o][t][i]
//   dw[o][t][i] = sum over p of dy[p][o] * x[p * s + t - padding][i],  db[o] = sum over p of dy[p][o]
//
// x [n][d][h][w][ci], y [n][od][oh][ow][co], w [co][kd][kh][kw][ci]. All three are correlations (correlate*.cpp, which
// say how work is split and what bounds it). For dx the inputs fall into classes by (q + padding) mod s: within a
// class dx is a correlation of dy with the taps of that class in reverse order, so nothing is scattered. With stride 2
// the classes share products where that pays (winograd_strided.cpp).
#include "conv3d.h"
#include "correlate.h"
#include "panels.h"
#include "winograd.h"

#include <algorithm>
#include <initializer_list>

namespace vg {

int64_t checked_product(const char *what, std::initializer_list<int64_t> factors) {
  int64_t total = 1;
  for (const int64_t f : factors)
    VG_REQUIRE(!__builtin_mul_overflow(total, f, &total) && total < (int64_t{1} << 60), "%s is too large", what);
  return total;
}

ConvAxes conv_axes(const vg_conv3d &p) {
  return {{{p.d, p.kd, p.sd, p.pd}, {p.h, p.kh, p.sh, p.ph}, {p.w, p.kw, p.sw, p.pw}}};
}

void check_conv_sizes(const vg_conv3d *problem) {
  require_size(problem);
  const vg_conv3d &p = *problem;
  VG_REQUIRE(p.precision == VG_PRECISION_DEFAULT || p.precision == VG_PRECISION_FAST,
             "precision is %d, must be VG_PRECISION_DEFAULT or VG_PRECISION_FAST", p.precision);
  require_positive("n", p.n);
  require_positive("ci", p.ci);
  require_positive("co", p.co);
  static constexpr const char *sizes[] = {"d", "h", "w"}, *kernels[] = {"kd", "kh", "kw"};
  const ConvAxes axes = conv_axes(p);
  for (int k = 0; k < 3; ++k) {
    require_positive(sizes[k], axes[k].in);
    require_positive(kernels[k], axes[k].kernel);
    constexpr int64_t most = int64_t{1} << 31; // sums of a few such numbers cannot overflow
    VG_REQUIRE(axes[k].in < most && axes[k].kernel < most, "%s or %s is 2^31 or more", sizes[k], kernels[k]);
  }
  checked_product("the weight tensor", {p.co, p.kd, p.kh, p.kw, p.ci});
}

int64_t output_voxels(const vg_conv3d &p) {
  const ConvAxes axes = conv_axes(p);
  return axes[0].out() * axes[1].out() * axes[2].out();
}

static void check(const vg_conv3d *problem) {
  check_conv_sizes(problem);
  const vg_conv3d &p = *problem;
  static constexpr const char *names = "dhw";
  const ConvAxes axes = conv_axes(p);
  for (int k = 0; k < 3; ++k) {
    const ConvAxis &a = axes[k];
    VG_REQUIRE(a.stride >= 1 && a.stride < (int64_t{1} << 31), "stride s%c is %lld, must be at least 1 (below 2^31)",
               names[k], static_cast<long long>(a.stride));
    VG_REQUIRE(a.padding >= 0 && a.padding < (int64_t{1} << 31),
               "padding p%c is %lld, must not be negative (nor 2^31 or more)", names[k],
               static_cast<long long>(a.padding));
    VG_REQUIRE(a.in + 2 * a.padding >= a.kernel,
               "kernel k%c = %lld is larger than the padded input %c + 2 * p%c = %lld; there is no output", names[k],
               static_cast<long long>(a.kernel), names[k], names[k], static_cast<long long>(a.in + 2 * a.padding));
  }
  require_tensor("x", p.n, checked_product("x", {p.d, p.h, p.w}), p.ci, p.x_stride);
  require_tensor("y", p.n, checked_product("y", {axes[0].out(), axes[1].out(), axes[2].out()}), p.co, p.y_stride);
}

static Correlation forward_grid(const vg_conv3d &p) {
  Correlation c{p.n, p.ci, p.co, {}, p.x_stride, p.y_stride, p.precision == VG_PRECISION_FAST};
  const ConvAxes axes = conv_axes(p);
  for (int k = 0; k < 3; ++k) {
    const ConvAxis &a = axes[k];
    c.axis[k] = {a.in, a.out(), a.kernel, a.stride, -a.padding, a.out(), 0, 1};
  }
  return c;
}

void conv3d_forward(vg_context *context, const vg_conv3d &p, const float *x, const float *w, const float *b, float *y,
                    const Fused &fused) {
  const Correlation grid = forward_grid(p);
  Head head{{}, 0};
  for (int64_t t = 0; t < grid.taps(); ++t) head.tap.push_back(t * p.ci);
  correlate(context, grid, x, {w, grid.taps() * p.ci, 1, {head}}, b, y, fused);
}

void conv3d_backward_weight(vg_context *context, const vg_conv3d &p, const float *x, const float *dy, float *dw,
                            const Fused &fused) {
  correlate_weight(context, forward_grid(p), x, dy, dw, fused);
}

// Inputs q = place, place + s, ... of one axis. With q + padding = s * first + rest, the taps rest + s * j reach them
// from output first - j.
static GridAxis input_class(const ConvAxis &a, int64_t place) {
  const int64_t rest = (place + a.padding) % a.stride, first = (place + a.padding) / a.stride;
  const int64_t taps = rest < a.kernel ? (a.kernel - 1 - rest) / a.stride + 1 : 0;
  return {a.out(), (a.in - 1 - place) / a.stride + 1, taps, 1, first - (taps - 1), a.in, place, a.stride};
}

static void backward_input(vg_context *context, const vg_conv3d &p, const float *dy, const float *w, float *dx,
                           const Fused &fused) {
  if (winograd_strided_pays(p)) return winograd_strided_input(context, p, dy, w, dx, fused);
  // The sums of the classes would have to be merged for each sample: one pass over dx instead.
  const bool single = p.sd == 1 && p.sh == 1 && p.sw == 1;
  const ConvAxes axes = conv_axes(p);
  Correlation c{p.n, p.co, p.ci, {}, p.y_stride, p.x_stride, p.precision == VG_PRECISION_FAST};
  const auto visit = [&] {
    Head head{{}, 0};
    int64_t first_tap[3];
    for (int k = 0; k < 3; ++k) first_tap[k] = (c.axis[k].place + axes[k].padding) % axes[k].stride;
    for (int64_t z = c.axis[0].taps - 1; z >= 0; --z)
      for (int64_t y = c.axis[1].taps - 1; y >= 0; --y)
        for (int64_t x = c.axis[2].taps - 1; x >= 0; --x)
          head.tap.push_back(
              (((first_tap[0] + p.sd * z) * p.kh + first_tap[1] + p.sh * y) * p.kw + first_tap[2] + p.sw * x) * p.ci);
    correlate(context, c, dy, {w, 1, p.kd * p.kh * p.kw * p.ci, {head}}, nullptr, dx, single ? fused : Fused{});
  };
  // Where a class of planes or lines has no tap, all of its voxels are zero: one class.
  const auto visit_from = [&](const auto &self, int k) -> void {
    if (k == 3) return visit();
    for (int64_t place = 0; place < std::min(axes[k].stride, axes[k].in); ++place) {
      c.axis[k] = input_class(axes[k], place);
      if (c.axis[k].taps > 0) {
        self(self, k + 1);
      } else {
        for (int j = k + 1; j < 3; ++j) c.axis[j] = {axes[j].out(), axes[j].in, 0, 1, 0, axes[j].in, 0, 1};
        visit();
      }
    }
  };
  visit_from(visit_from, 0);
  if (!single)
    fuse_outputs(context, {sizeof(vg_map), p.n, p.d * p.h * p.w, p.ci, p.x_stride, p.x_stride}, fused, dx, dx);
}

void sum_channels(vg_context *context, int64_t voxels, int64_t c, int64_t stride, const float *dy, float *db) {
  constexpr int64_t most = 64; // pieces, each with sums of its own
  const Pieces pieces{voxels, std::max(voxel_grain(c), ceil_div(voxels, most))};
  Workspace memory(context, pieces.count() * c * static_cast<int64_t>(sizeof(double)));
  double *sums = memory.as<double>();
  parallel_for(context, pieces.count(), [&](int64_t i) {
    double *sum = sums + i * c;
    std::fill_n(sum, c, 0.0);
    const auto at = [&](int64_t v, int64_t k) { return static_cast<double>(dy[v * stride + k]); };
    int64_t v = pieces.begin(i);
    for (; v + 4 <= pieces.end(i); v += 4)
      for (int64_t k = 0; k < c; ++k) sum[k] += (at(v, k) + at(v + 1, k)) + (at(v + 2, k) + at(v + 3, k));
    for (; v < pieces.end(i); ++v)
      for (int64_t k = 0; k < c; ++k) sum[k] += at(v, k);
  });
  for (int64_t k = 0; k < c; ++k) {
    double total = 0;
    for (int64_t i = 0; i < pieces.count(); ++i) total += sums[i * c + k];
    db[k] = static_cast<float>(total);
  }
}

} // namespace vg

extern "C" {

int32_t vg_conv3d_forward(vg_context *context, const vg_conv3d *problem, const vg_conv_fusion *fusion, const float *x,
                          const float *w, const float *b, float *y) {
  return vg::dispatch(
      context, __func__,
      [&] {
        vg::check(problem);
        vg::require_pointer("x", x);
        vg::require_pointer("w", w);
        vg::require_pointer("y", y);
        vg::check_fusion(fusion, {.statistics = vg::output_voxels(*problem)});
      },
      [&] { vg::conv3d_forward(context, *problem, x, w, b, y, vg::fused_forward(fusion)); });
}

int32_t vg_conv3d_backward_input(vg_context *context, const vg_conv3d *problem, const vg_conv_fusion *fusion,
                                 const float *dy, const float *w, float *dx) {
  return vg::dispatch(
      context, __func__,
      [&] {
        vg::check(problem);
        vg::require_pointer("dy", dy);
        vg::require_pointer("w", w);
        vg::require_pointer("dx", dx);
        vg::check_fusion(fusion, {.gradient = problem->ci});
      },
      [&] { vg::backward_input(context, *problem, dy, w, dx, vg::fused_backward_input(fusion)); });
}

int32_t vg_conv3d_backward_weight(vg_context *context, const vg_conv3d *problem, const vg_conv_fusion *fusion,
                                  const float *x, const float *dy, float *dw, float *db) {
  return vg::dispatch(
      context, __func__,
      [&] {
        vg::check(problem);
        vg::require_pointer("x", x);
        vg::require_pointer("dy", dy);
        vg::require_pointer("dw", dw);
        vg::check_fusion(fusion, {});
      },
      [&] {
        const vg_conv3d &p = *problem;
        vg::conv3d_backward_weight(context, p, x, dy, dw, vg::fused_backward_weight(fusion));
        if (db != nullptr) vg::sum_channels(context, p.n * vg::output_voxels(p), p.co, p.y_stride, dy, db);
      });
}

} // extern "C"

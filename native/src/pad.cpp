// Padding after the last index of each axis, with copies of the edge voxel or with zeros, and its gradient.
//
//   y[z,y,x] = x[min(z, d-1), min(y, h-1), min(x, w-1)], or 0 outside;  dx = sum of dy over the voxels that copy it
//
// x, dx: [n][d][h][w][c], y, dy: [n][d+after_d][h+after_h][w+after_w][c] with voxel strides. Work is cut by rows of the
// written tensor; the gradient is gathered, in row-major order. Bound by memory.
// Matches torch.nn.functional.pad (mode replicate or constant).
#include "internal.h"

#include <algorithm>

using namespace vg;

namespace {

struct Padded {
  int64_t d, h, w;
};

Padded check(const vg_pad *problem) {
  require_size(problem);
  const vg_pad &p = *problem;
  const int64_t sizes[] = {p.n, p.d, p.h, p.w, p.c};
  const char *const names[] = {"n", "d", "h", "w", "c"};
  for (int i = 0; i < 5; ++i) require_positive(names[i], sizes[i]);
  VG_REQUIRE(p.after_d >= 0 && p.after_h >= 0 && p.after_w >= 0,
             "after_d, after_h, after_w are %lld, %lld, %lld; "
             "negative padding is not supported",
             static_cast<long long>(p.after_d), static_cast<long long>(p.after_h), static_cast<long long>(p.after_w));
  const Padded out{p.d + p.after_d, p.h + p.after_h, p.w + p.after_w};
  require_tensor("x", p.n, p.d * p.h * p.w, p.c, p.x_stride);
  require_tensor("y", p.n, out.d * out.h * out.w, p.c, p.y_stride);
  return out;
}

int64_t row_grain(const vg_pad &p, int64_t w) { return std::max<int64_t>(1, voxel_grain(p.c) / w); }

} // namespace

extern "C" int32_t vg_pad_forward(vg_context *context, const vg_pad *problem, const float *x, float *y) {
  Padded out{};
  return dispatch(
      context, __func__,
      [&] {
        out = check(problem);
        require_pointer("x", x);
        require_pointer("y", y);
      },
      [&] {
        const vg_pad &p = *problem;
        const Pieces pieces{p.n * out.d * out.h, row_grain(p, out.w)};
        parallel_for(context, pieces.count(), [&](int64_t i) {
          for (int64_t row = pieces.begin(i); row < pieces.end(i); ++row) {
            const int64_t b = row / (out.d * out.h), oz = row / out.h % out.d, oy = row % out.h;
            const bool inside = oz < p.d && oy < p.h;
            const float *from =
                x + ((b * p.d + std::min(oz, p.d - 1)) * p.h + std::min(oy, p.h - 1)) * p.w * p.x_stride;
            for (int64_t ox = 0; ox < out.w; ++ox) {
              float *to = y + (row * out.w + ox) * p.y_stride;
              if (p.replicate != 0 || (inside && ox < p.w))
                std::copy_n(from + std::min(ox, p.w - 1) * p.x_stride, p.c, to);
              else
                std::fill_n(to, p.c, 0.0f);
            }
          }
        });
      });
}

extern "C" int32_t vg_pad_backward(vg_context *context, const vg_pad *problem, const float *dy, float *dx) {
  Padded out{};
  return dispatch(
      context, __func__,
      [&] {
        out = check(problem);
        require_pointer("dy", dy);
        require_pointer("dx", dx);
      },
      [&] {
        const vg_pad &p = *problem;
        // Copies of index i along an axis of n indices: 1, and `after` more for the last one.
        const auto copies = [&](int64_t i, int64_t n, int64_t after) {
          return p.replicate != 0 && i == n - 1 ? 1 + after : 1;
        };
        const Pieces pieces{p.n * p.d * p.h, row_grain(p, p.w)};
        parallel_for(context, pieces.count(), [&](int64_t i) {
          for (int64_t row = pieces.begin(i); row < pieces.end(i); ++row) {
            const int64_t b = row / (p.d * p.h), iz = row / p.h % p.d, iy = row % p.h;
            for (int64_t ix = 0; ix < p.w; ++ix) {
              float *to = dx + (row * p.w + ix) * p.x_stride;
              bool first = true;
              for (int64_t oz = iz; oz < iz + copies(iz, p.d, p.after_d); ++oz)
                for (int64_t oy = iy; oy < iy + copies(iy, p.h, p.after_h); ++oy)
                  for (int64_t ox = ix; ox < ix + copies(ix, p.w, p.after_w); ++ox) {
                    const float *from = dy + (((b * out.d + oz) * out.h + oy) * out.w + ox) * p.y_stride;
                    for (int64_t c = 0; c < p.c; ++c) to[c] = first ? from[c] : to[c] + from[c];
                    first = false;
                  }
            }
          }
        });
      });
}

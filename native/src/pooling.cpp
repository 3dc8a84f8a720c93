// Max and average pooling with kernel = stride, and their gradients.
//
//   y[o] = max or mean over the window x[k o .. k o + k - 1] per axis; trailing planes that fill no window are dropped
//   max: dx = dy at the first largest voxel of the window in row-major order, 0 elsewhere; average: dx = dy / (kd kh
//   kw)
//
// x, dx: [n][d][h][w][c], y, dy: [n][d/kd][h/kh][w/kw][c] with voxel strides. One piece is a few output rows; windows
// do not overlap, so each piece owns the input rows below its windows (the last row also the trailing planes, which get
// gradient 0). Bound by memory: x once, y once. Matches torch.nn.functional.max_pool3d and avg_pool3d (ceil_mode
// false): a NaN in the window is the maximum, the first one if there are several.
#include "internal.h"

#include <algorithm>

using namespace vg;

namespace {

constexpr int64_t channel_block = 64; // channels whose running maxima fit into registers and the first-level cache

struct Shape {
  int64_t od, oh, ow;
};

Shape check(const vg_pool *problem) {
  require_size(problem);
  const vg_pool &p = *problem;
  const int64_t sizes[] = {p.n, p.d, p.h, p.w, p.c, p.kd, p.kh, p.kw};
  const char *const names[] = {"n", "d", "h", "w", "c", "kd", "kh", "kw"};
  for (int i = 0; i < 8; ++i) require_positive(names[i], sizes[i]);
  for (int i = 1; i < 4; ++i)
    VG_REQUIRE(sizes[i] >= sizes[i + 4], "%s is %lld, smaller than its window of %lld", names[i],
               static_cast<long long>(sizes[i]), static_cast<long long>(sizes[i + 4]));
  require_tensor("x", p.n, p.d * p.h * p.w, p.c, p.x_stride);
  const Shape out{p.d / p.kd, p.h / p.kh, p.w / p.kw};
  require_tensor("y", p.n, out.od * out.oh * out.ow, p.c, p.y_stride);
  VG_REQUIRE(p.kind == VG_POOL_MAX || p.kind == VG_POOL_AVERAGE, "kind is %d, not a vg_pool_kind", p.kind);
  return out;
}

// Calls body(z, y, x, tap) for the voxels of the window of output voxel (oz, oy, ox).
template <class Body> void for_window(const vg_pool &p, int64_t oz, int64_t oy, int64_t ox, Body &&body) {
  int32_t tap = 0;
  for (int64_t z = oz * p.kd; z < oz * p.kd + p.kd; ++z)
    for (int64_t y = oy * p.kh; y < oy * p.kh + p.kh; ++y)
      for (int64_t x = ox * p.kw; x < ox * p.kw + p.kw; ++x) body(z, y, x, tap++);
}

// best and its tap for `count` channels from c0 on; NaN wins over numbers, the first of equals stays.
void find_maximum(const vg_pool &p, const float *sample, int64_t oz, int64_t oy, int64_t ox, int64_t c0, int64_t count,
                  float *best, int32_t *at) {
  for_window(p, oz, oy, ox, [&](int64_t z, int64_t y, int64_t x, int32_t tap) {
    const float *v = sample + ((z * p.h + y) * p.w + x) * p.x_stride + c0;
    if (tap == 0) {
      for (int64_t c = 0; c < count; ++c) {
        best[c] = v[c];
        at[c] = 0;
      }
      return;
    }
    for (int64_t c = 0; c < count; ++c) {
      const bool larger = (v[c] > best[c]) | ((v[c] != v[c]) & (best[c] == best[c]));
      best[c] = larger ? v[c] : best[c];
      at[c] = larger ? tap : at[c];
    }
  });
}

void zero(const vg_pool &p, float *sample, int64_t z, int64_t y, int64_t x_begin, int64_t x_end) {
  for (int64_t x = x_begin; x < x_end; ++x) std::fill_n(sample + ((z * p.h + y) * p.w + x) * p.x_stride, p.c, 0.0f);
}

// Gradient 0 for what no window of output row (oz, oy) covers: the rest of its rows, and below the last windows the
// trailing rows and planes.
void zero_trailing(const vg_pool &p, const Shape &out, float *sample, int64_t oz, int64_t oy) {
  const int64_t z_end = oz == out.od - 1 ? p.d : (oz + 1) * p.kd, y_end = oy == out.oh - 1 ? p.h : (oy + 1) * p.kh;
  for (int64_t z = oz * p.kd; z < z_end; ++z)
    for (int64_t y = oy * p.kh; y < y_end; ++y) {
      const bool covered = z < (oz + 1) * p.kd && y < (oy + 1) * p.kh;
      zero(p, sample, z, y, covered ? out.ow * p.kw : 0, p.w);
    }
}

// Runs body(sample index, oz, oy) for all output rows.
template <class Body> void for_rows(const vg_context *context, const vg_pool &p, const Shape &out, Body &&body) {
  const Pieces pieces{p.n * out.od * out.oh, std::max<int64_t>(1, voxel_grain(p.c) / (p.w * p.kd * p.kh))};
  parallel_for(context, pieces.count(), [&](int64_t i) {
    for (int64_t row = pieces.begin(i); row < pieces.end(i); ++row)
      body(row / (out.od * out.oh), row / out.oh % out.od, row % out.oh);
  });
}

} // namespace

extern "C" int32_t vg_pool_forward(vg_context *context, const vg_pool *problem, const float *x, float *y) {
  Shape out{};
  return dispatch(
      context, __func__,
      [&] {
        out = check(problem);
        require_pointer("x", x);
        require_pointer("y", y);
      },
      [&] {
        const vg_pool &p = *problem;
        const float inverse = 1.0f / static_cast<float>(p.kd * p.kh * p.kw);
        for_rows(context, p, out, [&](int64_t b, int64_t oz, int64_t oy) {
          const float *sample = x + b * p.d * p.h * p.w * p.x_stride;
          float *row = y + ((b * out.od + oz) * out.oh + oy) * out.ow * p.y_stride;
          float best[channel_block];
          int32_t at[channel_block];
          for (int64_t ox = 0; ox < out.ow; ++ox)
            for (int64_t c0 = 0; c0 < p.c; c0 += channel_block) {
              const int64_t count = std::min(channel_block, p.c - c0);
              if (p.kind == VG_POOL_MAX) {
                find_maximum(p, sample, oz, oy, ox, c0, count, best, at);
              } else {
                std::fill_n(best, count, 0.0f);
                for_window(p, oz, oy, ox, [&](int64_t iz, int64_t iy, int64_t ix, int32_t) {
                  const float *v = sample + ((iz * p.h + iy) * p.w + ix) * p.x_stride + c0;
                  for (int64_t c = 0; c < count; ++c) best[c] += v[c];
                });
                for (int64_t c = 0; c < count; ++c) best[c] *= inverse;
              }
              std::copy_n(best, count, row + ox * p.y_stride + c0);
            }
        });
      });
}

extern "C" int32_t vg_pool_backward(vg_context *context, const vg_pool *problem, const float *x, const float *dy,
                                    float *dx) {
  Shape out{};
  return dispatch(
      context, __func__,
      [&] {
        out = check(problem);
        if (problem->kind == VG_POOL_MAX) require_pointer("x", x);
        require_pointer("dy", dy);
        require_pointer("dx", dx);
      },
      [&] {
        const vg_pool &p = *problem;
        const float inverse = 1.0f / static_cast<float>(p.kd * p.kh * p.kw);
        const int64_t sample_size = p.d * p.h * p.w * p.x_stride;
        for_rows(context, p, out, [&](int64_t b, int64_t oz, int64_t oy) {
          float *sample = dx + b * sample_size;
          const float *row = dy + ((b * out.od + oz) * out.oh + oy) * out.ow * p.y_stride;
          float best[channel_block];
          int32_t at[channel_block];
          for (int64_t ox = 0; ox < out.ow; ++ox)
            for (int64_t c0 = 0; c0 < p.c; c0 += channel_block) {
              const int64_t count = std::min(channel_block, p.c - c0);
              const float *g = row + ox * p.y_stride + c0;
              const bool maximum = p.kind == VG_POOL_MAX;
              if (maximum) find_maximum(p, x + b * sample_size, oz, oy, ox, c0, count, best, at);
              for_window(p, oz, oy, ox, [&](int64_t iz, int64_t iy, int64_t ix, int32_t tap) {
                float *v = sample + ((iz * p.h + iy) * p.w + ix) * p.x_stride + c0;
                if (maximum)
                  for (int64_t c = 0; c < count; ++c) v[c] = at[c] == tap ? g[c] : 0.0f;
                else
                  for (int64_t c = 0; c < count; ++c) v[c] = g[c] * inverse;
              });
            }
          zero_trailing(p, out, sample, oz, oy);
        });
      });
}

// Register tiles along lines of voxels, for 1 to 4 channels on one side of a convolution.
//
// forward: 6 voxels x 16 output channels as in conv3d.tier.cpp, the taps from a window that slides along the lines in
// L1. outer: 6 taps x 16 output channels, summed over a block of lines. narrow: 8 voxels of one output channel, the
// lanes hold input channels; an input voxel serves all taps of its line from one load, and the lanes are added up at
// the end. Bound by arithmetic for 3x3x3 taps, by memory for single taps.
#include "line_tile.h"
#include "simd.h"

namespace vg::VG_TIER {

#if defined(__AVX2__)
constexpr int tall = 12, high = 6, low = 4, most_rows = 6;
#else // 16 registers of four floats
constexpr int tall = 4, high = 2, low = 2, most_rows = 2;
#endif
constexpr int64_t panel = 16, half_panel = 8;

// ---- few input channels -----------------------------------------------------------------------------------------

template <int V> static VG_INLINE void store_part(float *to, const v8 (&from)[V], int64_t channels) {
  if (channels >= 8 * V) {
    for (int v = 0; v < V; ++v) store(to + 8 * v, from[v]);
  } else {
    float buffer[8 * V];
    for (int v = 0; v < V; ++v) store(buffer + 8 * v, from[v]);
    for (int64_t c = 0; c < channels; ++c) to[c] = buffer[c];
  }
}

// Voxels first.. of the line and the channels of one panel; beyond the end the last voxel stands in.
template <int R, int V>
static inline void forward_tile(const LinePass &pass, int64_t first, int64_t channel, const float *w) {
  const float *x[R];
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r) x[r] = pass.x + (first + r < pass.count ? first + r : pass.count - 1) * pass.x_step;
  v8 sum[R][V];
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) sum[r][v] = load(pass.bias + channel + 8 * v);
  for (int64_t s = 0; s < pass.segments; ++s) {
    const int64_t end = pass.segment[s] + pass.run;
    for (int64_t i = pass.segment[s]; i < end; ++i, w += 8 * V) {
      v8 weight[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) weight[v] = load(w + 8 * v);
#pragma GCC unroll 12
      for (int r = 0; r < R; ++r) {
        const v8 input = broadcast(x[r][i]);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) sum[r][v] += input * weight[v];
      }
    }
  }
  float *y = pass.y + first * pass.y_step + channel;
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r, y += pass.y_step) {
    if (first + r >= pass.count) break;
    store_part<V>(y, sum[r], pass.channels - channel);
  }
}

template <int R> static inline void forward_panels(const LinePass &pass, int64_t first) {
  const float *w = pass.w;
  int64_t channel = 0;
  for (; pass.channels - channel > half_panel; channel += panel, w += pass.segments * pass.run * panel)
    forward_tile<R, 2>(pass, first, channel, w);
  if (channel < pass.channels) forward_tile<R, 1>(pass, first, channel, w);
}

void line_forward(const LinePass &pass) {
  if (pass.channels <= half_panel) {
    for (int64_t first = 0; first < pass.count; first += tall) forward_tile<tall, 1>(pass, first, 0, pass.w);
    return;
  }
  // Tiles of 6 and at the end one or two of 4, where that leaves fewer voxels to stand in for.
  const int64_t rest = pass.count % high, lower = rest == 0 || rest > low ? 0 : rest > 2 ? 1 : 2;
  const int64_t end = pass.count - lower * low;
  int64_t first = 0;
  for (; first < end; first += high) forward_panels<high>(pass, first);
  for (; first < pass.count; first += low) forward_panels<low>(pass, first);
}

// ---- their weight gradient --------------------------------------------------------------------------------------

template <int R, int V> static inline void outer_tile(const LineOuterPass &pass, int64_t first, int64_t channel) {
  v8 sum[R][V];
  int64_t distance[R];
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
    distance[r] = pass.distance[first + r];
    for (int v = 0; v < V; ++v) sum[r][v] = v8{};
  }
  for (int64_t line = 0; line < pass.lines; ++line) {
    const float *x = pass.x + line * pass.x_line, *dy = pass.dy + line * pass.dy_line + channel;
    for (int64_t i = 0; i < pass.count; ++i, x += pass.x_step, dy += pass.dy_step) {
      v8 gradient[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) gradient[v] = load(dy + 8 * v);
#pragma GCC unroll 6
      for (int r = 0; r < R; ++r) {
        const v8 input = broadcast(x[distance[r]]);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) sum[r][v] += input * gradient[v];
      }
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
    float *to = pass.sum + (first + r) * pass.channels + channel;
    for (int v = 0; v < V; ++v) store(to + 8 * v, load(to + 8 * v) + sum[r][v]);
  }
}

// All rows in tiles of nearly equal height.
template <int V> static void outer_panel(const LineOuterPass &pass, int64_t channel) {
  int64_t tiles = (pass.rows + most_rows - 1) / most_rows;
  for (int64_t first = 0, height; first < pass.rows; first += height, --tiles) {
    height = (pass.rows - first + tiles - 1) / tiles;
    switch (height) {
    case 1:
      outer_tile<1, V>(pass, first, channel);
      break;
    case 2:
      outer_tile<2, V>(pass, first, channel);
      break;
#if defined(__AVX2__)
    case 3:
      outer_tile<3, V>(pass, first, channel);
      break;
    case 4:
      outer_tile<4, V>(pass, first, channel);
      break;
    case 5:
      outer_tile<5, V>(pass, first, channel);
      break;
    default:
      outer_tile<6, V>(pass, first, channel);
#endif
    }
  }
}

void line_outer(const LineOuterPass &pass) {
  int64_t channel = 0;
  for (; channel + panel <= pass.channels; channel += panel) outer_panel<2>(pass, channel);
  if (channel < pass.channels) outer_panel<1>(pass, channel);
}

// ---- few output channels ----------------------------------------------------------------------------------------

constexpr int voxels = 8; // of a tile: one vector of outputs

// Lane r of the result: the lanes of sum[r] added up.
static VG_INLINE v8 add_lanes(const v8 (&sum)[voxels]) {
  v8 pair[4], four[2];
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    const v8 a = sum[2 * r], b = sum[2 * r + 1];
    pair[r] = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14) +
              __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
  }
#pragma GCC unroll 2
  for (int r = 0; r < 2; ++r) {
    const v8 a = pair[2 * r], b = pair[2 * r + 1];
    four[r] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13) +
              __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
  }
  return __builtin_shufflevector(four[0], four[1], 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(four[0], four[1], 4, 5, 6, 7, 12, 13, 14, 15);
}

template <int T> static inline void narrow_tile(const NarrowPass &pass, int64_t voxel) {
  constexpr int inputs = voxels + T - 1;
  v8 sum[voxels];
#pragma GCC unroll 8
  for (int r = 0; r < voxels; ++r) sum[r] = v8{};
  const int64_t first = pass.first + voxel;
  const bool inside = first >= 0 && first + inputs <= pass.width;
  for (int64_t l = 0; l < pass.lines; ++l) {
    const float *x[inputs];
#pragma GCC unroll 16
    for (int u = 0; u < inputs; ++u)
      x[u] =
          inside || (first + u >= 0 && first + u < pass.width) ? pass.line[l] + (first + u) * pass.x_step : pass.zero;
    const float *w = pass.w[l];
    for (int64_t i = 0; i < pass.channels; i += 8, w += 8 * T) {
      const int64_t at = i + 8 <= pass.channels ? i : pass.channels - 8;
      v8 weight[T];
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) weight[t] = load(w + 8 * t);
#pragma GCC unroll 16
      for (int u = 0; u < inputs; ++u) {
        const v8 input = load(x[u] + at);
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t)
          if (u - t >= 0 && u - t < voxels) sum[u - t] += input * weight[t];
      }
    }
  }
  float buffer[voxels];
  store(buffer, add_lanes(sum) + broadcast(pass.bias));
  const int64_t count = pass.count - voxel < voxels ? pass.count - voxel : voxels;
  for (int64_t r = 0; r < count; ++r) pass.y[(voxel + r) * pass.y_step] = buffer[r];
}

template <int T> static void narrow_line(const NarrowPass &pass) {
  for (int64_t voxel = 0; voxel < pass.count; voxel += voxels) narrow_tile<T>(pass, voxel);
}

void line_narrow(const NarrowPass &pass) {
  switch (pass.taps) {
  case 1:
    narrow_line<1>(pass);
    break;
  case 2:
    narrow_line<2>(pass);
    break;
  case 3:
    narrow_line<3>(pass);
    break;
  case 4:
    narrow_line<4>(pass);
    break;
  case 5:
    narrow_line<5>(pass);
    break;
  case 6:
    narrow_line<6>(pass);
    break;
  default:
    narrow_line<7>(pass);
  }
}

} // namespace vg::VG_TIER

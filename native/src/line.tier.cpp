// Register tiles along lines of voxels, for 1 to 4 channels on one side of a convolution.
//
// forward: 6 voxels x 16 output channels as in conv3d.tier.cpp, the taps from a window that slides along the lines in
// L1. outer: 6 taps x 16 output channels, summed over a block of lines. narrow: 8 voxels of one output channel, the
// lanes hold input channels; an input voxel serves all taps of its line from one load, and the lanes are added up at
// the end. Bound by arithmetic for 3x3x3 taps, by memory for single taps.
#include "line_tile.h"
#include "simd.h"

namespace vg::VG_TIER {

#if defined(__AVX2__) || defined(__aarch64__)
constexpr int tall = 12, tall_low = 8, high = 6, low = 4, most_rows = 6;
#else // 16 registers of four floats
constexpr int tall = 4, tall_low = 2, high = 2, low = 1, most_rows = 2;
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

// R voxels from `first` and the channels of one panel. Every third voxel has a pointer and the others lie at one or two
// steps from it: twelve pointers would not fit the registers.
template <int R, int V>
static inline void forward_tile(const LinePass &pass, int64_t first, int64_t channel, const float *w) {
  constexpr int bases = (R + 2) / 3;
  const int64_t step = pass.x_step;
  const float *x = pass.x + first * step;
  v8 sum[R][V];
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) sum[r][v] = load(pass.bias + channel + 8 * v);
  for (int64_t s = 0; s < pass.segments; ++s) {
    const float *base[bases];
#pragma GCC unroll 4
    for (int k = 0; k < bases; ++k) base[k] = x + pass.segment[s] + 3 * k * step;
    for (const float *end = base[0] + pass.run; base[0] < end; w += 8 * V) {
      v8 weight[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) weight[v] = load(w + 8 * v);
#pragma GCC unroll 12
      for (int r = 0; r < R; ++r) {
        const v8 input = broadcast(base[r / 3][r % 3 * step]);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) sum[r][v] += input * weight[v];
      }
#pragma GCC unroll 4
      for (int k = 0; k < bases; ++k) ++base[k];
    }
  }
  float *y = pass.y + first * pass.y_step + channel;
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r, y += pass.y_step) store_part<V>(y, sum[r], pass.channels - channel);
}

template <int R> static inline void forward_panels(const LinePass &pass, int64_t first) {
  const float *w = pass.w;
  int64_t channel = 0;
  for (; pass.channels - channel > half_panel; channel += panel, w += pass.segments * pass.run * panel)
    forward_tile<R, 2>(pass, first, channel, w);
  if (channel < pass.channels) forward_tile<R, 1>(pass, first, channel, w);
}

// Tiles of `High` voxels and at the end one or two of `Low` where that leaves fewer over; the last one moves back to
// stay inside the line and computes some voxels again.
template <int High, int Low> static void forward_line(const LinePass &pass) {
  if (pass.count < Low) {
    for (int64_t voxel = 0; voxel < pass.count; ++voxel) forward_panels<1>(pass, voxel);
    return;
  }
  const int64_t rest = pass.count % High;
  int64_t lower = rest == 0 || rest > Low ? 0 : rest > 2 * Low - High ? 1 : 2;
  if (pass.count < High) lower = pass.count <= Low ? 1 : 2;
  const int64_t end = pass.count - lower * Low;
  int64_t voxel = 0;
  for (; voxel < end; voxel += High) forward_panels<High>(pass, voxel + High <= pass.count ? voxel : pass.count - High);
  for (; voxel < pass.count; voxel += Low)
    forward_panels<Low>(pass, voxel + Low <= pass.count ? voxel : pass.count - Low);
}

void line_forward(const LinePass &pass) {
  if (pass.channels <= half_panel)
    forward_line<tall, tall_low>(pass);
  else
    forward_line<high, low>(pass);
}

// ---- their weight gradient --------------------------------------------------------------------------------------

// One cache line of the next block for every few voxels: all tiles together fetch the block while they compute, and
// none of them waits for memory.
constexpr int64_t fetch_voxels = 4;

template <int R, int V>
static inline void outer_tile(const LineOuterPass &pass, int64_t first, int64_t channel, const float *&next) {
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
      if (i % fetch_voxels == 0 && next < pass.next_end) {
        __builtin_prefetch(next, 0, 2);
        next += 16;
      }
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
template <int V> static void outer_panel(const LineOuterPass &pass, int64_t channel, const float *&next) {
  int64_t tiles = (pass.rows + most_rows - 1) / most_rows;
  for (int64_t first = 0, height; first < pass.rows; first += height, --tiles) {
    height = (pass.rows - first + tiles - 1) / tiles;
    switch (height) {
    case 1:
      outer_tile<1, V>(pass, first, channel, next);
      break;
    case 2:
      outer_tile<2, V>(pass, first, channel, next);
      break;
#if defined(__AVX2__) || defined(__aarch64__)
    case 3:
      outer_tile<3, V>(pass, first, channel, next);
      break;
    case 4:
      outer_tile<4, V>(pass, first, channel, next);
      break;
    case 5:
      outer_tile<5, V>(pass, first, channel, next);
      break;
    default:
      outer_tile<6, V>(pass, first, channel, next);
#endif
    }
  }
}

void line_outer(const LineOuterPass &pass) {
  int64_t channel = 0;
  const float *next = pass.next;
  for (; channel + panel <= pass.channels; channel += panel) outer_panel<2>(pass, channel, next);
  if (channel < pass.channels) outer_panel<1>(pass, channel, next);
}

// ---- few output channels ----------------------------------------------------------------------------------------

constexpr int lanes = 8;

// Lane r of the result: the lanes of sum[r] added up.
static VG_INLINE v8 add_lanes(const v8 (&sum)[lanes]) {
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

// R voxels from `voxel`, T taps. An edge tile leaves out the inputs below `low` and from `high` on.
template <int R, int T, bool Edge> static inline void narrow_sums(const NarrowPass &pass, int64_t voxel, v8 (&sum)[R]) {
  const int64_t first = pass.first + voxel, step = pass.x_step;
  const int64_t begin = first < 0 ? -first : 0, end = pass.width - first;
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r) sum[r] = v8{};
  for (int64_t l = 0; l < pass.lines; ++l) {
    const float *line = pass.line[l] + first * step, *w = pass.w[l];
    for (int64_t i = 0; i < pass.channels; i += lanes, w += lanes * T) {
      const float *x = line + (i + lanes <= pass.channels ? i : pass.channels - lanes);
      v8 weight[T];
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) weight[t] = load(w + lanes * t);
#pragma GCC unroll 16
      for (int u = 0; u < R + T - 1; ++u, x += step) {
        if (Edge && (u < begin || u >= end)) continue;
        const v8 input = load(x);
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t)
          if (u - t >= 0 && u - t < R) sum[u - t] += input * weight[t];
      }
    }
  }
}

template <int R, int T> static inline void narrow_tile(const NarrowPass &pass, int64_t voxel) {
  v8 sum[R];
  if (pass.first + voxel >= 0 && pass.first + voxel + R + T - 1 <= pass.width)
    narrow_sums<R, T, false>(pass, voxel, sum);
  else
    narrow_sums<R, T, true>(pass, voxel, sum);
  float result[2 * lanes];
  for (int begin = 0; begin < R; begin += lanes) {
    v8 part[lanes];
#pragma GCC unroll 8
    for (int r = 0; r < lanes; ++r) part[r] = begin + r < R ? sum[begin + r] : v8{};
    store(result + begin, add_lanes(part) + broadcast(pass.bias));
  }
  const int64_t count = pass.count - voxel < R ? pass.count - voxel : R;
  for (int64_t r = 0; r < count; ++r) pass.y[(voxel + r) * pass.y_step] = result[r];
}

// Long tiles hide the latency of additions; one or two short ones at the end, where that leaves fewer voxels over. The
// last tile of a line moves back to stay inside it and computes some voxels again.
template <int T> static void narrow_line(const NarrowPass &pass) {
#if defined(__AVX2__) || defined(__aarch64__)
  constexpr int64_t longest = 15 - T < 12 ? 15 - T : 12;
#else
  constexpr int64_t longest = lanes;
#endif
  const int64_t rest = pass.count % longest, two = 2 * lanes - longest;
  int64_t shorter = rest == 0 || rest > lanes ? 0 : rest > two ? 1 : 2;
  if (pass.count < longest) shorter = pass.count <= lanes ? 1 : 0;
  for (int64_t voxel = 0; voxel < pass.count;) {
    const bool is_short = pass.count - voxel <= shorter * lanes;
    const int64_t length = is_short ? lanes : longest;
    const int64_t at = voxel + length > pass.count && pass.count >= length ? pass.count - length : voxel;
    if (is_short)
      narrow_tile<lanes, T>(pass, at);
    else
      narrow_tile<longest, T>(pass, at);
    voxel += length;
  }
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

// R voxels and C outputs of a single tap; the vector of results is [voxel][output], a third output leaves a gap.
template <int R, int C> static inline void head_tile(const HeadPass &pass, int64_t voxel, int64_t count) {
  constexpr int pitch = lanes / R;
  v8 sum[lanes];
#pragma GCC unroll 8
  for (int k = 0; k < lanes; ++k) sum[k] = v8{};
  const float *line = pass.x + voxel * pass.x_step, *w = pass.w;
  const int64_t step = count < R ? 0 : pass.x_step; // a single voxel at the end stands in for the others
  for (int64_t i = 0; i < pass.channels; i += lanes, w += lanes * C) {
    const float *x = line + (i + lanes <= pass.channels ? i : pass.channels - lanes);
    v8 weight[C];
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) weight[c] = load(w + lanes * c);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r, x += step) {
      const v8 input = load(x);
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) sum[r * pitch + c] += input * weight[c];
    }
  }
  const v8 result = add_lanes(sum) + load(pass.bias);
  float *y = pass.y + voxel * pass.y_step;
  if (C == pitch && pass.y_step == C && count >= R) {
    store(y, result);
    return;
  }
  float buffer[lanes];
  store(buffer, result);
  for (int64_t r = 0; r < R && r < count; ++r)
    for (int c = 0; c < C; ++c) y[r * pass.y_step + c] = buffer[r * pitch + c];
}

template <int R, int C> static void head_line(const HeadPass &pass) {
  int64_t voxel = 0;
  for (; voxel + R <= pass.count; voxel += R) head_tile<R, C>(pass, voxel, R);
  for (; voxel < pass.count; ++voxel) head_tile<R, C>(pass, voxel, 1);
}

void line_heads(const HeadPass &pass) {
  switch (pass.outputs) {
  case 1:
    head_line<8, 1>(pass);
    break;
  case 2:
    head_line<4, 2>(pass);
    break;
  case 3:
    head_line<2, 3>(pass);
    break;
  default:
    head_line<2, 4>(pass);
  }
}

} // namespace vg::VG_TIER

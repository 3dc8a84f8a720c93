// Register tiles of the convolutions: a block of voxels times a panel of channels, all sums in registers.
//
// AVX2 has 16 registers and two fused multiply-adds a cycle of latency 4, so a tile needs 8 sums or more: 6 voxels x 16
// channels (12 sums, 2 weights, 1 input) or 12 x 8. Weights stream from L2, inputs and outputs are met through
// pointers. Bound by arithmetic: one load per 1.5 multiply-adds in the 16-wide tile, which two load ports sustain.
#include "conv3d_tile.h"
#include "simd.h"

namespace vg::VG_TIER {

#if defined(__AVX2__)
constexpr int forward_rows = 6, forward_rows_half = 12, outer_rows = 6, outer_rows_half = 8;
#else // 16 registers of four floats
constexpr int forward_rows = 2, forward_rows_half = 4, outer_rows = 2, outer_rows_half = 4;
#endif

// Voxels whose products conv_outer adds up before it turns to the next rows: their inputs and gradients fit in L1.
constexpr int64_t outer_voxels = 64;

template <int V> static inline void load_lanes(v8 (&to)[V], const float *from, int64_t channels) {
  if (channels == 8 * V) {
    for (int v = 0; v < V; ++v) to[v] = load(from + 8 * v);
  } else {
    float buffer[8 * V] = {};
    for (int64_t c = 0; c < channels; ++c) buffer[c] = from[c];
    for (int v = 0; v < V; ++v) to[v] = load(buffer + 8 * v);
  }
}

template <int V> static inline void store_lanes(float *to, const v8 (&from)[V], int64_t channels) {
  if (channels == 8 * V) {
    for (int v = 0; v < V; ++v) store(to + 8 * v, from[v]);
  } else {
    float buffer[8 * V];
    for (int v = 0; v < V; ++v) store(buffer + 8 * v, from[v]);
    for (int64_t c = 0; c < channels; ++c) to[c] = buffer[c];
  }
}

// R voxels from `first`; beyond the end the last voxel stands in and is not stored.
template <int R, int V> static inline void forward_tile(const PanelPass &pass, int64_t first) {
  const float *x[R];
  float *y[R];
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r) {
    const int64_t voxel = first + r < pass.count ? first + r : pass.count - 1;
    x[r] = pass.x[voxel];
    y[r] = pass.y[voxel] + pass.y_offset;
  }
  v8 sum[R][V];
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) sum[r][v] = pass.bias != nullptr ? load(pass.bias + 8 * v) : v8{};
  const float *w = pass.w;
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
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r) {
    if (first + r >= pass.count) break;
    if (pass.bias == nullptr) {
      v8 before[V];
      load_lanes<V>(before, y[r], pass.channels);
      for (int v = 0; v < V; ++v) sum[r][v] += before[v];
    }
    store_lanes<V>(y[r], sum[r], pass.channels);
  }
}

void conv_panel(const PanelPass &pass) {
  if (pass.lanes == panel_lanes)
    for (int64_t first = 0; first < pass.count; first += forward_rows) forward_tile<forward_rows, 2>(pass, first);
  else
    for (int64_t first = 0; first < pass.count; first += forward_rows_half)
      forward_tile<forward_rows_half, 1>(pass, first);
}

// R rows of the weight gradient from `first`, summed over `count` voxels.
template <int R, int V>
static inline void outer_tile(const OuterPass &pass, int64_t first, const float *const *x, const float *dy,
                              int64_t count) {
  int64_t distance[R];
  v8 sum[R][V];
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r) {
    const int64_t row = first + r < pass.rows ? first + r : pass.rows - 1;
    distance[r] = pass.distance[row];
    for (int v = 0; v < V; ++v) sum[r][v] = v8{};
  }
  for (int64_t i = 0; i < count; ++i, dy += 8 * V) {
    const float *input = x[i];
    v8 gradient[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) gradient[v] = load(dy + 8 * v);
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
      const v8 a = broadcast(input[distance[r]]);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sum[r][v] += a * gradient[v];
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < R; ++r) {
    if (first + r >= pass.rows) break;
    float *to = pass.sum + (first + r) * 8 * V;
    for (int v = 0; v < V; ++v) store(to + 8 * v, load(to + 8 * v) + sum[r][v]);
  }
}

template <int R, int V> static void outer_panel(const OuterPass &pass) {
  float dy[outer_voxels * 8 * V]; // dense and padded with zeros to full lanes
  for (int64_t begin = 0; begin < pass.count; begin += outer_voxels) {
    const int64_t count = pass.count - begin < outer_voxels ? pass.count - begin : outer_voxels;
    for (int64_t i = 0; i < count; ++i) {
      v8 gradient[V];
      load_lanes<V>(gradient, pass.dy[begin + i] + pass.dy_offset, pass.channels);
      for (int v = 0; v < V; ++v) store(dy + i * 8 * V + 8 * v, gradient[v]);
    }
    for (int64_t first = 0; first < pass.rows; first += R) outer_tile<R, V>(pass, first, pass.x + begin, dy, count);
  }
}

void conv_outer(const OuterPass &pass) {
  if (pass.lanes == panel_lanes)
    outer_panel<outer_rows, 2>(pass);
  else
    outer_panel<outer_rows_half, 1>(pass);
}

} // namespace vg::VG_TIER

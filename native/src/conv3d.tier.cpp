// Register tiles of the convolutions: a block of voxels times a panel of channels, all sums in registers.
//
// AVX2 has 16 registers and two fused multiply-adds a cycle of latency 4, so a tile needs 8 sums or more: 6 voxels x 16
// channels (12 sums, 2 weights, 1 input) or 12 x 8. Weights stream from L2, inputs and outputs are met through
// pointers. Bound by arithmetic: one load per 1.5 multiply-adds in the 16-wide tile, which two load ports sustain.
#include "conv3d_tile.h"
#include "simd.h"

namespace vg::VG_TIER {

// Every row of an outer product keeps a distance besides its sums, which more than 8 rows would leave no register for.
constexpr int outer_half_rows = half_panel_rows < 8 ? half_panel_rows : 8;

template <class V, int N> constexpr int64_t lanes_of = N *static_cast<int64_t>(sizeof(V) / sizeof(float));

template <class V, int N> static inline void load_lanes(V (&to)[N], const float *from, int64_t channels) {
  constexpr int64_t lanes = lanes_of<V, N>, step = lanes / N;
  if (channels == lanes) {
    for (int v = 0; v < N; ++v) to[v] = load_as<V>(from + step * v);
  } else {
    float buffer[lanes] = {};
    for (int64_t c = 0; c < channels; ++c) buffer[c] = from[c];
    for (int v = 0; v < N; ++v) to[v] = load_as<V>(buffer + step * v);
  }
}

template <class V, int N> static inline void store_lanes(float *to, const V (&from)[N], int64_t channels) {
  constexpr int64_t lanes = lanes_of<V, N>, step = lanes / N;
  if (channels == lanes) {
    for (int v = 0; v < N; ++v) store(to + step * v, from[v]);
  } else {
    float buffer[lanes];
    for (int v = 0; v < N; ++v) store(buffer + step * v, from[v]);
    for (int64_t c = 0; c < channels; ++c) to[c] = buffer[c];
  }
}

// What is fetched ahead of one of `tiles` tiles, in equal shares. Always inline: the compiler takes a function that
// does nothing else for one without effect and drops its calls.
struct Fetch {
  Fetch(const Ahead &what, int64_t tiles) : ahead(what), share((what.count + tiles - 1) / tiles) {}
  VG_INLINE void tile(int64_t i) const {
    const int64_t end = (i + 1) * share < ahead.count ? (i + 1) * share : ahead.count;
    for (int64_t v = i * share; v < end; ++v)
      for (int64_t l = 0; l < ahead.lines; ++l) __builtin_prefetch(ahead.x[v] + ahead.line[l], 0, 2);
  }
  const Ahead &ahead;
  int64_t share;
};

// R voxels from `first`; beyond the end the last voxel stands in and is not stored.
template <int R, class V, int N> static inline void forward_tile(const PanelPass &pass, int64_t first) {
  constexpr int64_t lanes = lanes_of<V, N>, step = lanes / N;
  const float *x[R];
  float *y[R];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    const int64_t voxel = first + r < pass.count ? first + r : pass.count - 1;
    x[r] = pass.x[voxel];
    y[r] = pass.y[voxel] + pass.y_offset;
  }
  V sum[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < N; ++v) sum[r][v] = pass.bias != nullptr ? load_as<V>(pass.bias + step * v) : V{};
  const float *w = pass.w;
  for (int64_t s = 0; s < pass.segments; ++s) {
    const int64_t end = pass.segment[s] + pass.run;
    for (int64_t i = pass.segment[s]; i < end; ++i, w += lanes) {
      V weight[N];
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v) weight[v] = load_as<V>(w + step * v);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const float input = x[r][i];
#pragma GCC unroll 4
        for (int v = 0; v < N; ++v) sum[r][v] += input * weight[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    if (first + r >= pass.count) break;
    if (pass.bias == nullptr) {
      V before[N];
      load_lanes<V, N>(before, y[r], pass.channels);
      for (int v = 0; v < N; ++v) sum[r][v] += before[v];
    }
    store_lanes<V, N>(y[r], sum[r], pass.channels);
  }
}

// Tiles between fetching their outputs and writing them: about the time that memory takes.
constexpr int64_t fetched_tiles = 2;

template <int R, class V, int N> static void forward_piece(const PanelPass &pass) {
  const int64_t tiles = (pass.count + R - 1) / R;
  const Fetch ahead(pass.ahead, tiles);
  for (int64_t tile = 0; tile < tiles; ++tile) {
    ahead.tile(tile);
    for (int64_t v = (tile + fetched_tiles) * R, r = 0; pass.fetch_y && r < R && v < pass.count; ++v, ++r)
      __builtin_prefetch(pass.y[v] + pass.y_offset, 1);
    forward_tile<R, V, N>(pass, tile * R);
  }
}

// Products that one sum takes before it is added to the output: longer chains of additions in float32 lose more. A
// piece of the weights of this length stays in L1.
constexpr int64_t chain = 320;

template <int R, class V, int N> static void forward_panel(const PanelPass &pass) {
  if (pass.segments * pass.run <= chain) return forward_piece<R, V, N>(pass);
  PanelPass piece = pass;
  const auto go = [&](const int64_t *segment, int64_t segments, int64_t run) {
    piece.segment = segment;
    piece.segments = segments;
    piece.run = run;
    forward_piece<R, V, N>(piece);
    piece.w += segments * run * pass.lanes;
    piece.bias = nullptr;
    piece.ahead = {};
    piece.fetch_y = false;
  };
  const int64_t together = pass.run < chain ? chain / pass.run : 1, parts = (pass.run + chain - 1) / chain;
  for (int64_t s = 0; s < pass.segments; s += together) {
    if (parts == 1) {
      go(pass.segment + s, pass.segments - s < together ? pass.segments - s : together, pass.run);
      continue;
    }
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t begin = part * pass.run / parts, at = pass.segment[s] + begin;
      go(&at, 1, (part + 1) * pass.run / parts - begin);
    }
  }
}

void conv_panel(const PanelPass &pass) {
  if (pass.lanes == panel_lanes)
    forward_panel<panel_rows, panel_vector, panel_vectors>(pass);
  else
    forward_panel<half_panel_rows, half_panel_vector, half_panel_vectors>(pass);
}

// R rows of the weight gradient from `first`, summed over `count` voxels.
template <int R, class V, int N>
static inline void outer_tile(const OuterPass &pass, int64_t first, const float *const *x, const float *dy,
                              int64_t count) {
  constexpr int64_t lanes = lanes_of<V, N>, step = lanes / N;
  int64_t distance[R];
  V sum[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    const int64_t row = first + r < pass.rows ? first + r : pass.rows - 1;
    distance[r] = pass.distance[row];
    for (int v = 0; v < N; ++v) sum[r][v] = V{};
  }
  for (int64_t i = 0; i < count; ++i, dy += lanes) {
    const float *input = x[i];
    V gradient[N];
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) gradient[v] = load_as<V>(dy + step * v);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const float a = input[distance[r]];
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v) sum[r][v] += a * gradient[v];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    if (first + r >= pass.rows) break;
    float *to = pass.sum + (first + r) * lanes;
    for (int v = 0; v < N; ++v) store(to + step * v, load_as<V>(to + step * v) + sum[r][v]);
  }
}

template <int R, class V, int N> static void outer_panel(const OuterPass &pass) {
  constexpr int64_t lanes = lanes_of<V, N>, step = lanes / N;
  const int64_t tiles = (pass.rows + R - 1) / R;
  const Fetch ahead_x(pass.ahead, tiles), ahead_dy(pass.ahead_dy, tiles);
  float dy[outer_voxels * lanes]; // dense and padded with zeros to full lanes
  for (int64_t begin = 0; begin < pass.count; begin += outer_voxels) {
    const int64_t count = pass.count - begin < outer_voxels ? pass.count - begin : outer_voxels;
    for (int64_t i = 0; i < count; ++i) {
      V gradient[N];
      load_lanes<V, N>(gradient, pass.dy[begin + i] + pass.dy_offset, pass.channels);
      for (int v = 0; v < N; ++v) store(dy + i * lanes + step * v, gradient[v]);
    }
    for (int64_t tile = 0; tile < tiles; ++tile) {
      ahead_x.tile(tile);
      ahead_dy.tile(tile);
      outer_tile<R, V, N>(pass, tile * R, pass.x + begin, dy, count);
    }
  }
}

void conv_outer(const OuterPass &pass) {
  if (pass.lanes == panel_lanes)
    outer_panel<panel_rows, panel_vector, panel_vectors>(pass);
  else
    outer_panel<outer_half_rows, half_panel_vector, half_panel_vectors>(pass);
}

} // namespace vg::VG_TIER

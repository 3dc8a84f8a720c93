// Register code of winograd.cpp: transforms of eight channels at a time, and the product of a block of tiles with a
// panel of weights, 6 tiles x 16 channels (or 12 x 8) in registers.
#include "fusion_lanes.h"
#include "winograd_lanes.h"
#include "winograd_tile.h"

namespace vg::VG_TIER {

// B^T of F(2,3): four inputs of an axis to four frequencies.
static inline void to_frequencies(const v8 (&x)[4], v8 (&f)[4]) {
  f[0] = x[0] - x[2];
  f[1] = x[1] + x[2];
  f[2] = x[2] - x[1];
  f[3] = x[1] - x[3];
}
// The same of five inputs with stride 2.
static inline void to_frequencies(const v8 (&x)[5], v8 (&f)[5]) {
  f[0] = x[0] - x[2];
  f[1] = x[1];
  f[2] = x[2];
  f[3] = x[3];
  f[4] = x[4] - x[2];
}
// As to_outputs of winograd_lanes.h, of the three products of an axis with stride 2.
static inline void to_outputs(const v8 (&f)[3], v8 &y0, v8 &y1) {
  y0 = f[0] + f[1];
  y1 = f[1] + f[2];
}

// ---- inputs -----------------------------------------------------------------------------------------------------

// A column of the plane, transformed along y. Whole: all rows exist and all eight channels do.
template <int Side, bool Two, bool Whole, class Value>
static VG_INLINE void column(const WinogradGather &g, int64_t c, int64_t channel, int64_t lanes, const Value &value,
                             v8 (&f)[Side]) {
  v8 x[Side];
  const int64_t at = c * g.stride + channel;
  const bool inside = c >= g.begin && c < g.end;
#pragma GCC unroll 5
  for (int h = 0; h < Side; ++h) {
    x[h] = v8{};
    if (!inside) continue;
    if (Whole) {
      x[h] = value(load(g.row[0][h] + at));
      if (Two) x[h] += g.sign * value(load(g.row[1][h] + at));
    } else {
      if (g.row[0][h] != nullptr) x[h] = value(load_lanes(g.row[0][h] + at, lanes));
      if (Two && g.row[1][h] != nullptr) x[h] += g.sign * value(load_lanes(g.row[1][h] + at, lanes));
    }
  }
  to_frequencies(x, f);
}

template <int Side, bool Two, bool Whole, class Value>
static void gather_channels(const WinogradGather &g, int64_t channel, int64_t lanes, const Value &value) {
  constexpr int overlap = Side == winograd_side ? 2 : 1, fresh = Side - overlap; // columns of neighbours
  v8 columns[Side][Side];
#pragma GCC unroll 2
  for (int c = 0; c < overlap; ++c) column<Side, Two, Whole>(g, c, channel, lanes, value, columns[c]);
  float *u = g.u + channel;
  for (int64_t t = 0; t < g.tiles; ++t, u += g.u_tile) {
#pragma GCC unroll 4
    for (int c = overlap; c < Side; ++c) column<Side, Two, Whole>(g, fresh * t + c, channel, lanes, value, columns[c]);
#pragma GCC unroll 5
    for (int h = 0; h < Side; ++h) {
      v8 x[Side], f[Side];
#pragma GCC unroll 5
      for (int w = 0; w < Side; ++w) x[w] = columns[w][h];
      to_frequencies(x, f);
#pragma GCC unroll 5
      for (int w = 0; w < Side; ++w) store(u + (Side * h + w) * g.u_frequency, f[w]);
#pragma GCC unroll 2
      for (int c = 0; c < overlap; ++c) columns[c][h] = columns[fresh + c][h];
    }
  }
}

template <int Side, bool Two> static void gather(const WinogradGather &g) {
  bool rows = true;
  for (int term = 0; term < (Two ? 2 : 1); ++term)
    for (int h = 0; h < Side; ++h) rows &= g.row[term][h] != nullptr;
  for (int64_t channel = 0; channel < g.channels; channel += 8) {
    const int64_t lanes = g.channels - channel < 8 ? g.channels - channel : 8;
    const auto go = [&](const auto &value) {
      if (rows && lanes == 8)
        gather_channels<Side, Two, true>(g, channel, lanes, value);
      else
        gather_channels<Side, Two, false>(g, channel, lanes, value);
    };
    if (g.norm != nullptr)
      go(NormedInput(g.norm, g.norm_row, channel, lanes));
    else
      go(PlainInput());
  }
}

template <int Side> static void gather_side(const WinogradGather &g) {
  g.sign != 0.0f ? gather<Side, true>(g) : gather<Side, false>(g);
}

void winograd_gather(const WinogradGather &pass) {
  pass.strided ? gather_side<strided_side>(pass) : gather_side<winograd_side>(pass);
}

// ---- gradients of the outputs -----------------------------------------------------------------------------------

// A: two outputs of an axis to the products they are part of, four with stride 1 and three with stride 2.
static inline void spread(v8 y0, v8 y1, v8 (&f)[4]) {
  f[0] = y0;
  f[1] = y0 + y1;
  f[2] = y0 - y1;
  f[3] = -y1;
}
static inline void spread(v8 y0, v8 y1, v8 (&f)[3]) {
  f[0] = y0;
  f[1] = y0 + y1;
  f[2] = y1;
}

template <int Products, bool Whole>
static inline void spread_column(const WinogradGather &g, int64_t c, int64_t channel, int64_t lanes,
                                 v8 (&f)[Products]) {
  v8 y[2] = {};
  const int64_t at = c * g.stride + channel;
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    if (Whole) {
      y[h] = load(g.row[0][h] + at);
      if (g.sign != 0.0f) y[h] += g.sign * load(g.row[1][h] + at);
    } else if (c < g.end) {
      if (g.row[0][h] != nullptr) y[h] = load_lanes(g.row[0][h] + at, lanes);
      if (g.row[1][h] != nullptr) y[h] += g.sign * load_lanes(g.row[1][h] + at, lanes);
    }
  }
  spread(y[0], y[1], f);
}

template <int Products> static void spread_plane(const WinogradGather &g) {
  bool rows = g.row[0][0] != nullptr && g.row[0][1] != nullptr;
  if (g.sign != 0.0f) rows &= g.row[1][0] != nullptr && g.row[1][1] != nullptr;
  const int64_t whole = rows ? g.end / 2 : 0;
  for (int64_t channel = 0; channel < g.channels; channel += 8) {
    const int64_t lanes = g.channels - channel < 8 ? g.channels - channel : 8;
    float *u = g.u + channel;
    for (int64_t t = 0; t < g.tiles; ++t, u += g.u_tile) {
      v8 c0[Products], c1[Products];
      if (t < whole && lanes == 8) {
        spread_column<Products, true>(g, 2 * t, channel, lanes, c0);
        spread_column<Products, true>(g, 2 * t + 1, channel, lanes, c1);
      } else {
        spread_column<Products, false>(g, 2 * t, channel, lanes, c0);
        spread_column<Products, false>(g, 2 * t + 1, channel, lanes, c1);
      }
#pragma GCC unroll 4
      for (int h = 0; h < Products; ++h) {
        v8 f[Products];
        spread(c0[h], c1[h], f);
#pragma GCC unroll 4
        for (int w = 0; w < Products; ++w) store(u + (Products * h + w) * g.u_frequency, f[w]);
      }
    }
  }
}

void winograd_spread(const WinogradGather &pass) { pass.strided ? spread_plane<3>(pass) : spread_plane<4>(pass); }

// ---- products ---------------------------------------------------------------------------------------------------

// Terms [begin, end) of the product.
struct TermRange {
  int64_t begin, end;
  bool add;
};

// Sums start at zero and are added at the end, so that no chain of additions in float32 is longer than it must be.
template <int R, class V, int N>
static VG_INLINE void product_tile(const WinogradProduct &p, const TermRange &terms, int64_t first) {
  constexpr int64_t step = sizeof(V) / sizeof(float), lanes = N * step;
  V sum[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < N; ++v) sum[r][v] = V{};
  for (int64_t term = terms.begin; term < terms.end; ++term) {
    const float *u[R], *weights = p.v[term];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) u[r] = p.u[term] + (first + r) * p.u_tile;
    for (int64_t i = 0; i < p.channels; ++i, weights += lanes) {
      V w[N];
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v) w[v] = load_as<V>(weights + step * v);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const float input = u[r][i];
#pragma GCC unroll 4
        for (int v = 0; v < N; ++v) sum[r][v] += input * w[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < N; ++v) {
      float *to = p.m + (first + r) * p.m_tile + step * v;
      store(to, terms.add ? load_as<V>(to) + sum[r][v] : sum[r][v]);
    }
}

// The last R tiles and fewer.
template <int R, class V, int N>
static void product_rest(const WinogradProduct &p, const TermRange &terms, int64_t first) {
  if constexpr (R > 0) {
    if (p.tiles - first >= R)
      product_tile<R, V, N>(p, terms, first);
    else
      product_rest<R - 1, V, N>(p, terms, first);
  }
}

template <int R, class V, int N> static void product_panel(const WinogradProduct &p) {
  // Products that one sum takes: as many as there are channels, or about so many.
  constexpr int64_t chain = 128;
  const int64_t step = p.channels < chain ? chain / p.channels : 1;
  for (int64_t begin = 0; begin < p.terms; begin += step) {
    const TermRange terms{begin, p.terms - begin < step ? p.terms : begin + step, p.add || begin > 0};
    int64_t first = 0;
    for (; first + R <= p.tiles; first += R) product_tile<R, V, N>(p, terms, first);
    product_rest<R - 1, V, N>(p, terms, first);
  }
}

void winograd_product(const WinogradProduct &p) {
  if (p.lanes == 16)
    product_panel<panel_rows, panel_vector, panel_vectors>(p);
  else
    product_panel<half_panel_rows, half_panel_vector, half_panel_vectors>(p);
}

// As in product_tile: a chain is as long as the block, not the range.
template <int R, class V, int N> static inline void outer_tile(const WinogradOuter &p, int64_t first) {
  constexpr int64_t step = sizeof(V) / sizeof(float), lanes = N * step;
  V sum[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < N; ++v) sum[r][v] = V{};
  const float *u = p.u + first, *gradient = p.g;
  for (int64_t t = 0; t < p.tiles; ++t, u += p.u_tile, gradient += p.g_tile) {
    V g[N];
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) g[v] = load_as<V>(gradient + step * v);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const float input = u[r];
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v) sum[r][v] += input * g[v];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < N; ++v) {
      float *to = p.sum + (first + r) * lanes + step * v;
      store(to, p.add ? load_as<V>(to) + sum[r][v] : sum[r][v]);
    }
}

template <int R, class V, int N> static void outer_rows(const WinogradOuter &p, int64_t first, int64_t rows) {
  if constexpr (R > 0) {
    if (rows == R)
      outer_tile<R, V, N>(p, first);
    else
      outer_rows<R - 1, V, N>(p, first, rows);
  }
}

// Inputs in nearly equal shares, so that no register tile has few sums to hide the latency with.
template <int R, class V, int N> static void outer_panel(const WinogradOuter &p) {
  for (int64_t first = 0; first < p.inputs;) {
    const int64_t left = p.inputs - first, shares = (left + R - 1) / R, rows = (left + shares - 1) / shares;
    outer_rows<R, V, N>(p, first, rows);
    first += rows;
  }
}

void winograd_outer(const WinogradOuter &pass) {
  if (pass.lanes == 16)
    outer_panel<panel_rows, panel_vector, panel_vectors>(pass);
  else
    outer_panel<half_panel_rows, half_panel_vector, half_panel_vectors>(pass);
}

// ---- outputs ----------------------------------------------------------------------------------------------------

// The 2x2 outputs of the plane.
template <int Products> static inline void plane_outputs(const WinogradScatter &s, const float *m, v8 (&y)[4]) {
  v8 half[2][Products]; // after y, before x
#pragma GCC unroll 4
  for (int w = 0; w < Products; ++w) {
    v8 f[Products];
#pragma GCC unroll 4
    for (int h = 0; h < Products; ++h) f[h] = load(m + (Products * h + w) * s.m_frequency);
    to_outputs(f, half[0][w], half[1][w]);
  }
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) to_outputs(half[h], y[2 * h], y[2 * h + 1]);
}

// Mean of the outputs of a tile that exist, of which the first is one.
static inline v8 tile_mean(const WinogradScatter &s, int inside, const float *sums) {
  MeanLanes mean(load(sums));
  for (int64_t k = 1; k < 4 * s.planes; ++k)
    if ((inside >> k & 1) != 0) mean.add(load(sums + 8 * k));
  return mean.value();
}

template <class Output>
static inline void store_outputs(const WinogradScatter &s, int64_t tile, int64_t channel, const float *sums,
                                 Output &output) {
  const int64_t lanes = s.channels - channel < 8 ? s.channels - channel : 8;
  const v8 bias = s.bias != nullptr ? load_lanes(s.bias + channel, lanes) : v8{};
  const int inside = s.inside[tile];
  if (tile == 0) output.begin(tile_mean(s, inside, sums) + bias);
  for (int64_t k = 0; k < 4 * s.planes; ++k) {
    if ((inside >> k & 1) == 0) continue;
    const int64_t voxel = s.place[tile] + (k >> 2) * s.plane + (k >> 1 & 1) * s.row + (k & 1);
    store_lanes(s.y + voxel * s.y_stride + channel, output(load(sums + 8 * k) + bias, voxel), lanes);
  }
}

// Tiles whose outputs are summed in float32 before the sums move to float64: their products fit in L1.
constexpr int64_t sum_tiles = 8;

template <class Output> static void scatter_tiles(const WinogradScatter &s, int64_t begin, int64_t end) {
  const int64_t step = 32 * s.planes, row = (s.channels + 7) / 8 * step;
  for (int64_t channel = 0; channel < s.channels; channel += 8) {
    Output output(s.work, channel, s.channels - channel < 8 ? s.channels - channel : 8);
    for (int64_t tile = begin; tile < end; ++tile) {
      float *sums = s.sums + tile * row + channel / 8 * step;
      v8 y[4];
      const float *m = s.m + tile * s.m_tile + channel;
      s.strided ? plane_outputs<3>(s, m, y) : plane_outputs<4>(s, m, y);
      for (int64_t z = 0; z < s.planes; ++z) {
        const float factor = s.out[z];
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) {
          float *to = sums + 8 * (4 * z + k);
          // By selection: a slice that is no part of an output must not spoil it with a NaN.
          if (s.first)
            store(to, factor != 0.0f ? y[k] * factor : v8{});
          else if (factor != 0.0f)
            store(to, load(to) + y[k] * factor);
        }
      }
      if (s.last) store_outputs(s, tile, channel, sums, output);
    }
    output.end();
  }
}

template <class Output> static void scatter(const WinogradScatter &s) {
  for (int64_t begin = 0; begin < s.tiles; begin += sum_tiles)
    scatter_tiles<Output>(s, begin, s.tiles - begin < sum_tiles ? s.tiles : begin + sum_tiles);
}

void winograd_scatter(const WinogradScatter &s) {
  if (s.work.kind == OutputKind::statistics)
    scatter<StatisticsOutput>(s);
  else if (s.work.kind == OutputKind::gradient)
    scatter<GradientOutput>(s);
  else
    scatter<PlainOutput>(s);
}

// ---- weights ----------------------------------------------------------------------------------------------------

// As weight_frequencies, of an axis with stride 2.
static inline void strided_weight_frequencies(v8 a, v8 b, v8 c, v8 (&f)[4]) {
  f[0] = a;
  f[1] = b;
  f[2] = a + c;
  f[3] = c;
}

// Weights of an axis to its frequencies.
static VG_INLINE void axis_frequencies(bool strided, v8 a, v8 b, v8 c, v8 (&f)[4]) {
  strided ? strided_weight_frequencies(a, b, c, f) : weight_frequencies(a, b, c, f);
}

// The plane of one slice: g[3 h + w] to 16 frequencies.
static VG_INLINE void plane_frequencies(bool strided, const v8 *g, float *v, int64_t frequency) {
  v8 rows[3][4];
#pragma GCC unroll 3
  for (int h = 0; h < 3; ++h) axis_frequencies(strided, g[3 * h], g[3 * h + 1], g[3 * h + 2], rows[h]);
#pragma GCC unroll 4
  for (int w = 0; w < 4; ++w) {
    v8 f[4];
    axis_frequencies(strided, rows[0][w], rows[1][w], rows[2][w], f);
#pragma GCC unroll 4
    for (int h = 0; h < 4; ++h) store(v + (4 * h + w) * frequency, f[h]);
  }
}

// Eight output channels of one input channel: g[tap] to v[f].
template <bool Strided> static inline void kernel_frequencies(const WinogradKernel &k, const v8 *g, float *v) {
  if (k.planes == 1) return plane_frequencies(Strided, g, v, k.v_frequency);
  v8 slices[4][9];
#pragma GCC unroll 9
  for (int t = 0; t < 9; ++t) {
    v8 f[4];
    axis_frequencies(k.strided.depth, g[t], g[9 + t], g[18 + t], f);
    for (int s = 0; s < 4; ++s) slices[s][t] = f[s];
  }
  for (int s = 0; s < 4; ++s) plane_frequencies(Strided, slices[s], v + 16 * s * k.v_frequency, k.v_frequency);
}

void winograd_kernel(const WinogradKernel &k) {
  v8 g[8][27];
  for (int64_t input = 0; input < k.inputs; input += 8)
    for (int64_t output = 0; output < k.lanes; output += 8) {
      load_weights(k, input, output, g);
      for (int64_t i = 0; i < 8 && input + i < k.inputs; ++i)
        if (k.strided.plane)
          kernel_frequencies<true>(k, g[i], k.v + (input + i) * k.lanes + output);
        else
          kernel_frequencies<false>(k, g[i], k.v + (input + i) * k.lanes + output);
    }
}

// ---- weight gradients -------------------------------------------------------------------------------------------

// G^T: four frequencies of an axis to three weights.
static inline void to_weights(bool strided, const v8 (&f)[4], v8 &a, v8 &b, v8 &c) {
  const v8 ends = strided ? f[2] : (f[1] + f[2]) * 0.5f;
  a = f[0] + ends;
  b = strided ? f[1] : (f[1] - f[2]) * 0.5f;
  c = ends + f[3];
}

// Sum over the ranges in float64.
static inline v8 add_ranges(const WinogradFinish &p, const float *sums) {
  if (p.ranges == 1) return load(sums);
  v4d low{}, high{};
  for (int64_t r = 0; r < p.ranges; ++r, sums += p.range) {
    low += __builtin_convertvector(load4(sums), v4d);
    high += __builtin_convertvector(load4(sums + 4), v4d);
  }
  return join(__builtin_convertvector(low, v4), __builtin_convertvector(high, v4));
}

// The 3x3 weights of the plane from one slice, eight outputs of one input.
static inline void plane_weights(const WinogradFinish &p, const float *sums, v8 (&dw)[9]) {
  v8 half[3][4]; // after y, before x
  for (int w = 0; w < 4; ++w) {
    v8 f[4];
    for (int h = 0; h < 4; ++h) f[h] = add_ranges(p, sums + (4 * h + w) * p.frequency);
    to_weights(p.strided.plane, f, half[0][w], half[1][w], half[2][w]);
  }
  for (int h = 0; h < 3; ++h) to_weights(p.strided.plane, half[h], dw[3 * h], dw[3 * h + 1], dw[3 * h + 2]);
}

void winograd_finish(const WinogradFinish &p) {
  const int64_t taps = p.depths == 4 ? 27 : 9;
  v8 dw[27][8]; // [tap][input]
  for (int64_t input = 0; input < p.inputs; input += 8)
    for (int64_t output = 0; output < p.outputs; output += 8) {
      const int64_t inputs = p.inputs - input < 8 ? p.inputs - input : 8;
      const int64_t outputs = p.outputs - output < 8 ? p.outputs - output : 8;
      for (int64_t i = 0; i < inputs; ++i) {
        v8 plane[4][9];
        const float *sums = p.sums + (input + i) * p.lanes + output;
        for (int64_t s = 0; s < p.depths; ++s) plane_weights(p, sums + s * p.depth, plane[s]);
        for (int64_t t = 0; t < 9; ++t) {
          if (taps == 9)
            dw[t][i] = plane[0][t];
          else
            to_weights(p.strided.depth, {plane[0][t], plane[1][t], plane[2][t], plane[3][t]}, dw[t][i], dw[9 + t][i],
                       dw[18 + t][i]);
        }
      }
      for (int64_t t = 0; t < taps; ++t) {
        float *to = p.dw + output * p.out_stride + t * p.tap_stride + input;
        if (inputs == 8 && outputs == 8)
          store_voxels(to, p.out_stride, 8, dw[t]);
        else
          store_last_voxels(to, p.out_stride, inputs, outputs, dw[t]);
      }
    }
}

} // namespace vg::VG_TIER

// Register code of winograd_fast.cpp: transforms of F(4,3), eight channels at a time.
//
// The polynomial behind all of them is (x^2 - a^2)(x^2 - b^2) with its five roots and infinity. Frequencies of +p and
// -p are the sum and the difference of an even and an odd part, which halves the work.
#include "fusion_lanes.h"
#include "winograd_fast_tile.h"
#include "winograd_lanes.h"

#include <type_traits>

namespace vg::VG_TIER {

constexpr float a = fast_a, b = fast_b, aa = fast_aa, bb = fast_bb;

// B^T: six inputs of an axis to six frequencies.
static VG_INLINE void to_frequencies(const v8 (&x)[6], v8 (&f)[6]) {
  f[0] = aa * bb * x[0] + (x[4] - (aa + bb) * x[2]);
  const v8 even_a = x[4] - bb * x[2], odd_a = x[3] - bb * x[1];
  f[1] = even_a + a * odd_a;
  f[2] = even_a - a * odd_a;
  const v8 even_b = x[4] - aa * x[2], odd_b = x[3] - aa * x[1];
  f[3] = even_b + b * odd_b;
  f[4] = even_b - b * odd_b;
  f[5] = aa * bb * x[1] + (x[5] - (aa + bb) * x[3]);
}

// A^T: six frequencies to four outputs.
static VG_INLINE void to_outputs(const v8 (&f)[6], v8 (&y)[4]) {
  const v8 even_a = f[1] + f[2], odd_a = f[1] - f[2], even_b = f[3] + f[4], odd_b = f[3] - f[4];
  y[0] = f[0] + even_a + even_b;
  y[1] = a * odd_a + b * odd_b;
  y[2] = aa * even_a + bb * even_b;
  y[3] = a * aa * odd_a + (b * bb * odd_b + f[5]);
}

// G: three weights of an axis to six frequencies.
static VG_INLINE void to_weight_frequencies(v8 w0, v8 w1, v8 w2, v8 (&f)[6]) {
  constexpr float scale_a = 1 / (2 * aa * (aa - bb)), scale_b = 1 / (2 * bb * (bb - aa));
  f[0] = w0 * (1 / (aa * bb));
  const v8 even_a = w0 * scale_a + w2 * (aa * scale_a), even_b = w0 * scale_b + w2 * (bb * scale_b);
  f[1] = even_a + w1 * (a * scale_a);
  f[2] = even_a - w1 * (a * scale_a);
  f[3] = even_b + w1 * (b * scale_b);
  f[4] = even_b - w1 * (b * scale_b);
  f[5] = w2;
}

// ---- inputs -----------------------------------------------------------------------------------------------------

// A column of the plane, transformed along y. Whole: all rows exist and all eight channels do.
template <int Terms, bool Whole, class Value>
static VG_INLINE void column(const FastGather &g, int64_t c, int64_t channel, int64_t lanes, const Value &value,
                             v8 (&f)[6]) {
  v8 x[6];
  const int64_t at = c * g.stride + channel;
  const bool inside = c >= g.begin && c < g.end;
#pragma GCC unroll 6
  for (int h = 0; h < 6; ++h) {
    x[h] = v8{};
    if (!inside) continue;
#pragma GCC unroll 4
    for (int t = 0; t < Terms; ++t) {
      if (!Whole && g.row[t][h] == nullptr) continue;
      const v8 input = value(Whole ? load(g.row[t][h] + at) : load_lanes(g.row[t][h] + at, lanes));
      x[h] = t == 0 ? input : x[h] + g.factor[t] * input;
    }
  }
  to_frequencies(x, f);
}

// Channels whose columns wait for the next tile: voxels are met once, with all their channels up to this number.
constexpr int64_t most_groups = 16;
// Tiles ahead of the one in work whose inputs are asked for: their rows are too many for the processor to follow.
constexpr int64_t tiles_ahead = 2;

template <int Terms> static VG_INLINE void prefetch(const FastGather &g, int64_t c, int64_t channel) {
  for (int64_t column = c; column < c + 4 && column < g.end; ++column)
    for (int t = 0; t < Terms; ++t)
      for (int h = 0; h < 6; ++h)
        if (g.row[t][h] != nullptr) __builtin_prefetch(g.row[t][h] + column * g.stride + channel);
}

// The frequencies of tile t; overlap: the last two columns of the tile before, transformed along y.
template <int Terms, bool Whole, class Value>
static VG_INLINE void gather_tile(const FastGather &g, int64_t t, int64_t channel, int64_t lanes, const Value &value,
                                  v8 (&overlap)[2][6]) {
  v8 columns[4][6];
  for (int c = 0; c < 4; ++c) column<Terms, Whole>(g, 4 * t + 2 + c, channel, lanes, value, columns[c]);
  float *u = g.u + t * g.u_tile + channel;
#pragma GCC unroll 6
  for (int h = 0; h < 6; ++h, u += 6 * g.u_frequency) {
    v8 f[6];
    to_frequencies({overlap[0][h], overlap[1][h], columns[0][h], columns[1][h], columns[2][h], columns[3][h]}, f);
#pragma GCC unroll 6
    for (int w = 0; w < 6; ++w) store(u + w * g.u_frequency, f[w]);
    overlap[0][h] = columns[2][h];
    overlap[1][h] = columns[3][h];
  }
}

template <class Value> static VG_INLINE Value input_value(const FastGather &g, int64_t channel, int64_t lanes) {
  if constexpr (std::is_same_v<Value, PlainInput>)
    return {};
  else
    return Value(g.norm, g.norm_row, channel, lanes);
}

template <int Terms, class Value> static void gather_values(const FastGather &g) {
  bool rows = true;
  for (int term = 0; term < Terms; ++term)
    for (int h = 0; h < 6; ++h) rows &= g.row[term][h] != nullptr;
  v8 overlap[most_groups][2][6];
  for (int64_t first = 0; first < g.channels; first += 8 * most_groups) {
    const int64_t end = g.channels - first < 8 * most_groups ? g.channels : first + 8 * most_groups;
    for (int64_t t = -1; t < g.tiles; ++t) // -1: the first two columns
      for (int64_t channel = first; channel < end; channel += 8) {
        const int64_t lanes = end - channel < 8 ? end - channel : 8;
        v8(&kept)[2][6] = overlap[(channel - first) / 8];
        const Value value = input_value<Value>(g, channel, lanes);
        if (t < 0) {
          for (int c = 0; c < 2; ++c) column<Terms, false>(g, c, channel, lanes, value, kept[c]);
          continue;
        }
        if (channel % 16 == 0) prefetch<Terms>(g, 4 * (t + tiles_ahead) + 2, channel);
        if (rows && lanes == 8)
          gather_tile<Terms, true>(g, t, channel, lanes, value, kept);
        else
          gather_tile<Terms, false>(g, t, channel, lanes, value, kept);
      }
  }
}

template <int Terms> static void gather(const FastGather &g) {
  g.norm != nullptr ? gather_values<Terms, NormedInput>(g) : gather_values<Terms, PlainInput>(g);
}

void fast_gather(const FastGather &pass) {
  switch (pass.terms) {
  case 1:
    return gather<1>(pass);
  case 2:
    return gather<2>(pass);
  case 3:
    return gather<3>(pass);
  default:
    return gather<4>(pass);
  }
}

// ---- outputs ----------------------------------------------------------------------------------------------------

// The 4x4 outputs of the plane.
static VG_INLINE void plane_outputs(const FastScatter &s, const float *m, v8 (&y)[16]) {
  v8 half[4][6]; // after y, before x
#pragma GCC unroll 6
  for (int w = 0; w < 6; ++w) {
    v8 f[6], column[4];
#pragma GCC unroll 6
    for (int h = 0; h < 6; ++h) f[h] = load(m + (6 * h + w) * s.m_frequency);
    to_outputs(f, column);
#pragma GCC unroll 4
    for (int h = 0; h < 4; ++h) half[h][w] = column[h];
  }
#pragma GCC unroll 4
  for (int h = 0; h < 4; ++h) {
    v8 row[4];
    to_outputs(half[h], row);
#pragma GCC unroll 4
    for (int w = 0; w < 4; ++w) y[4 * h + w] = row[w];
  }
}

// Adds the outputs of a slice to plane z of the sums. By selection: a slice that is no part of an output must not spoil
// it with a NaN.
static VG_INLINE void add_plane(const FastScatter &s, int64_t z, const v8 (&y)[16], float *sums) {
  const float factor = s.out[z];
  for (int k = 0; k < 16; ++k) {
    float *to = sums + 8 * k;
    if (s.first)
      store(to, factor != 0.0f ? y[k] * factor : v8{});
    else if (factor != 0.0f)
      store(to, load(to) + y[k] * factor);
  }
}

// Outputs of a plane from their sums.
template <class Output>
static VG_INLINE void store_plane(const FastScatter &s, int64_t tile, int64_t z, int64_t channel, int64_t lanes,
                                  v8 bias, const float *sums, Output &output) {
  const uint64_t inside = s.inside[tile] >> 16 * z;
  if (tile == 0 && z == 0) output.begin(load(sums) + bias); // every tile has its first output
  for (int k = 0; k < 16; ++k) {
    if ((inside >> k & 1) == 0) continue;
    const int64_t voxel = s.place[tile] + z * s.plane + (k >> 2) * s.row + (k & 3);
    store_lanes(s.y + voxel * s.y_stride + channel, output(load(sums + 8 * k) + bias, voxel), lanes);
  }
}

template <class Output> static void scatter(const FastScatter &s) {
  for (int64_t channel = 0; channel < s.channels; channel += 8) {
    const int64_t lanes = s.channels - channel < 8 ? s.channels - channel : 8;
    const v8 bias = s.bias != nullptr ? load_lanes(s.bias + channel, lanes) : v8{};
    for (int64_t tile = 0; tile < s.tiles; ++tile) {
      Output output(s.work, channel, lanes);
      float *sums = s.sums + tile * s.sums_tile + 16 * s.planes * channel;
      v8 y[16];
      plane_outputs(s, s.m + tile * s.m_tile + channel, y);
      for (int64_t z = 0; z < s.planes; ++z) {
        add_plane(s, z, y, sums + 128 * z);
        if (s.last) store_plane(s, tile, z, channel, lanes, bias, sums + 128 * z, output);
      }
      if (s.last) output.end();
    }
  }
}

void fast_scatter(const FastScatter &s) {
  if (s.last && s.work.kind == OutputKind::statistics)
    scatter<StatisticsOutput>(s);
  else if (s.last && s.work.kind == OutputKind::gradient)
    scatter<GradientOutput>(s);
  else
    scatter<PlainOutput>(s);
}

// ---- weights ----------------------------------------------------------------------------------------------------

// The plane of one slice: g[3 h + w] to 36 frequencies.
static VG_INLINE void plane_frequencies(const v8 *g, float *v, int64_t frequency) {
  v8 rows[3][6];
#pragma GCC unroll 3
  for (int h = 0; h < 3; ++h) to_weight_frequencies(g[3 * h], g[3 * h + 1], g[3 * h + 2], rows[h]);
#pragma GCC unroll 6
  for (int w = 0; w < 6; ++w) {
    v8 f[6];
    to_weight_frequencies(rows[0][w], rows[1][w], rows[2][w], f);
#pragma GCC unroll 6
    for (int h = 0; h < 6; ++h) store(v + (6 * h + w) * frequency, f[h]);
  }
}

// Eight output channels of one input channel: g[tap] to v[slice][f].
static void kernel_frequencies(const FastKernel &k, const v8 *g, float *v) {
  if (k.slices == 1) return plane_frequencies(g, v, k.v_frequency);
  v8 slices[6][9];
  for (int t = 0; t < 9; ++t) {
    if (k.slices == 4) {
      v8 f[4];
      weight_frequencies(g[t], g[9 + t], g[18 + t], f);
      for (int s = 0; s < 4; ++s) slices[s][t] = f[s];
    } else {
      v8 f[6];
      to_weight_frequencies(g[t], g[9 + t], g[18 + t], f);
      for (int s = 0; s < 6; ++s) slices[s][t] = f[s];
    }
  }
  for (int64_t s = 0; s < k.slices; ++s) plane_frequencies(slices[s], v + s * k.v_slice, k.v_frequency);
}

void fast_kernel(const FastKernel &k) {
  v8 g[8][27];
  for (int64_t input = 0; input < k.inputs; input += 8)
    for (int64_t output = 0; output < k.lanes; output += 8) {
      load_weights(k, input, output, g);
      for (int64_t i = 0; i < 8 && input + i < k.inputs; ++i)
        kernel_frequencies(k, g[i], k.v + (input + i) * k.lanes + output);
    }
}

} // namespace vg::VG_TIER

// Register code of winograd_strided.cpp: transforms of eight channels at a time.
#include "fusion_lanes.h"
#include "winograd_lanes.h"
#include "winograd_strided_tile.h"

namespace vg::VG_TIER {

// Three inputs of an axis to four frequencies.
static VG_INLINE void to_frequencies(bool odd, const v8 (&d)[3], v8 (&f)[4]) {
  f[0] = d[0] - d[1];
  f[1] = d[1];
  f[2] = d[2] - d[1];
  f[3] = odd ? d[0] : d[2];
}

// Five products of an axis to four outputs.
static VG_INLINE void to_outputs(bool odd, const v8 (&q)[5], v8 (&y)[4]) {
  const int even = odd ? 1 : 0;
  y[even] = q[0] + q[1];
  y[even + 2] = q[1] + q[2];
  y[1 - even] = q[3];
  y[3 - even] = q[4];
}

// ---- inputs -----------------------------------------------------------------------------------------------------

// A column of the plane, transformed along y. Whole: all rows exist and all eight channels do.
template <bool Whole>
static VG_INLINE void column(const StridedGather &g, int64_t c, int64_t channel, int64_t lanes, v8 (&f)[4]) {
  v8 d[3] = {};
  const int64_t at = c * g.stride + channel;
  if (c >= g.begin && c < g.end) {
#pragma GCC unroll 3
    for (int h = 0; h < 3; ++h) {
      if (Whole) {
        d[h] = load(g.row[0][h] + at);
        if (g.sign != 0.0f) d[h] += g.sign * load(g.row[1][h] + at);
      } else {
        if (g.row[0][h] != nullptr) d[h] = load_lanes(g.row[0][h] + at, lanes);
        if (g.sign != 0.0f && g.row[1][h] != nullptr) d[h] += g.sign * load_lanes(g.row[1][h] + at, lanes);
      }
    }
  }
  to_frequencies(g.odd_y, d, f);
}

template <bool Whole> static void gather_channels(const StridedGather &g, int64_t channel, int64_t lanes) {
  v8 columns[3][4];
  column<Whole>(g, 0, channel, lanes, columns[0]);
  float *u = g.u + channel;
  for (int64_t t = 0; t < g.tiles; ++t, u += g.u_tile) {
    column<Whole>(g, 2 * t + 1, channel, lanes, columns[1]);
    column<Whole>(g, 2 * t + 2, channel, lanes, columns[2]);
#pragma GCC unroll 4
    for (int h = 0; h < 4; ++h) {
      v8 f[4];
      to_frequencies(g.odd_x, {columns[0][h], columns[1][h], columns[2][h]}, f);
#pragma GCC unroll 4
      for (int w = 0; w < 4; ++w) store(u + (4 * h + w) * g.u_frequency, f[w]);
      columns[0][h] = columns[2][h];
    }
  }
}

void strided_gather(const StridedGather &g) {
  bool rows = true;
  for (int term = 0; term < (g.sign != 0.0f ? 2 : 1); ++term)
    for (int h = 0; h < 3; ++h) rows &= g.row[term][h] != nullptr;
  for (int64_t channel = 0; channel < g.channels; channel += 8) {
    const int64_t lanes = g.channels - channel < 8 ? g.channels - channel : 8;
    if (rows && lanes == 8)
      gather_channels<true>(g, channel, lanes);
    else
      gather_channels<false>(g, channel, lanes);
  }
}

// ---- outputs ----------------------------------------------------------------------------------------------------

// The 4x4 outputs of the plane.
static VG_INLINE void plane_outputs(const StridedScatter &s, const float *m, v8 (&y)[16]) {
  v8 half[4][5]; // after y, before x
#pragma GCC unroll 5
  for (int w = 0; w < 5; ++w) {
    v8 q[5], column[4];
#pragma GCC unroll 5
    for (int h = 0; h < 5; ++h) q[h] = load(m + (5 * h + w) * s.m_product);
    to_outputs(s.odd_y, q, column);
#pragma GCC unroll 4
    for (int h = 0; h < 4; ++h) half[h][w] = column[h];
  }
#pragma GCC unroll 4
  for (int h = 0; h < 4; ++h) {
    v8 row[4];
    to_outputs(s.odd_x, half[h], row);
#pragma GCC unroll 4
    for (int w = 0; w < 4; ++w) y[4 * h + w] = row[w];
  }
}

// Slices to planes of outputs; A^T of F(2,3) with stride 1.
static VG_INLINE void depth_outputs(const StridedScatter &s, const v8 (&slice)[strided_most_slices][16],
                                    v8 (&y)[strided_step][16]) {
  for (int k = 0; k < 16; ++k) {
    if (s.slices == 1) {
      y[0][k] = slice[0][k];
    } else if (s.slices == 4) {
      to_outputs({slice[0][k], slice[1][k], slice[2][k], slice[3][k]}, y[0][k], y[1][k]);
    } else {
      v8 planes[4];
      to_outputs(s.odd_z, {slice[0][k], slice[1][k], slice[2][k], slice[3][k], slice[4][k]}, planes);
      for (int z = 0; z < 4; ++z) y[z][k] = planes[z];
    }
  }
}

template <class Output> static void scatter(const StridedScatter &s) {
  for (int64_t channel = 0; channel < s.channels; channel += 8) {
    const int64_t lanes = s.channels - channel < 8 ? s.channels - channel : 8;
    for (int64_t tile = 0; tile < s.tiles; ++tile) {
      v8 slice[strided_most_slices][16], y[strided_step][16];
      const float *m = s.m + tile * s.m_tile + channel;
      for (int64_t i = 0; i < s.slices; ++i) plane_outputs(s, m + i * s.m_slice, slice[i]);
      depth_outputs(s, slice, y);
      Output output(s.work, channel, lanes);
      for (int64_t z = 0; z < s.planes; ++z)
        for (int k = 0; k < 16; ++k) {
          if ((s.inside[tile] >> (16 * z + k) & 1) == 0) continue;
          const int64_t voxel = s.place[tile] + z * s.plane + (k >> 2) * s.row + (k & 3);
          store_lanes(s.y + voxel * s.y_stride + channel, output(y[z][k], voxel), lanes);
        }
      output.end();
    }
  }
}

void strided_scatter(const StridedScatter &s) {
  s.work.kind == OutputKind::gradient ? scatter<GradientOutput>(s) : scatter<PlainOutput>(s);
}

} // namespace vg::VG_TIER

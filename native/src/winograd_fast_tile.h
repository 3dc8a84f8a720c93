// The inner loops of Winograd convolution with 4x4 outputs in the plane, compiled once per tier
// (winograd_fast.tier.cpp). winograd_fast.cpp holds the idea; the products are those of winograd_tile.h.
#pragma once

#include "fusion_tile.h"
#include "tile.h"

#include <cstdint>

namespace vg {

// In the plane a tile has 6x6 inputs, 4x4 outputs and 36 frequencies.
inline constexpr int64_t fast_side = 6, fast_step = 4, fast_frequencies = 36;
// Along the depth a tile has 1, 2 or 4 outputs and 1, 4 or 6 slices; a slice is a sum of up to four planes of inputs.
inline constexpr int64_t fast_most_terms = 4, fast_most_planes = 4, fast_most_slices = 6;

// The interpolation points are 0, +-a, +-b and infinity; relative errors of 4x4x4 tiles in float32 with the usual 1 and
// 2 are three times larger. Powers of both are exact.
inline constexpr float fast_a = 0.625f, fast_b = 1.5f;
inline constexpr float fast_aa = fast_a * fast_a, fast_bb = fast_b * fast_b;

// Frequencies of a run of tiles along x in one slice: u[f][tile][channel].
struct FastGather {
  int terms;
  const float *row[fast_most_terms][fast_side]; // column 0 of the run in every term; nullptr: zeros
  float factor[fast_most_terms];                // the first is 1
  int64_t stride;                               // between columns
  int64_t begin, end;                           // columns inside the tensor; the others are zeros
  int64_t tiles, channels;
  const float *norm; // table of the sample at the first channel; nullptr: the inputs are values
  int64_t norm_row;
  float *u; // of the first tile; channels are padded to a multiple of 8
  int64_t u_tile, u_frequency;
};

// Outputs of one panel of channels: adds a slice to sums[tile][channel / 8][z, y, x][8]; the last slice stores them.
struct FastScatter {
  const float *m; // [f][tile][channel], padded to a multiple of 8
  int64_t m_tile, m_frequency;
  int64_t tiles, channels, planes;
  float out[fast_most_planes]; // what the slice adds to plane z; 0: nothing
  bool first, last;
  float *sums;
  int64_t sums_tile;
  // After the last slice.
  const float *bias; // nullptr: 0
  float *y;
  int64_t y_stride;
  const int64_t *place;   // [tiles] number of the first output voxel
  const uint64_t *inside; // [tiles] bit 16 z + 4 y + x: this output exists
  int64_t plane, row;     // voxels of y
  OutputWork work;
};

// v[slice * v_slice + f * v_frequency], there [channel][lane], of `inputs` channels and one panel; outputs beyond
// `outputs` are zero.
struct FastKernel {
  const float *w;     // first input channel, first output channel
  const int64_t *tap; // [planes * 9] distances
  int64_t planes;     // of the kernel: 1 or 3
  int64_t slices;     // 1, 4 or 6
  int64_t in_stride, out_stride;
  int64_t inputs, outputs, lanes;
  float *v;
  int64_t v_slice, v_frequency;
};

VG_TILE(fast_gather, const FastGather &pass)
VG_TILE(fast_scatter, const FastScatter &pass)
VG_TILE(fast_kernel, const FastKernel &pass)

} // namespace vg

// The inner loops of Winograd convolution, compiled once per tier (winograd.tier.cpp). winograd.cpp holds the idea.
#pragma once

#include "fusion_tile.h"
#include "tile.h"

#include <cstdint>

namespace vg {

// In the plane a tile has 2x2 outputs, from 4x4 inputs with stride 1 and from 5x5 with stride 2; weights have 16
// frequencies.
inline constexpr int64_t winograd_step = 2, winograd_frequencies = 16;
inline constexpr int64_t winograd_side = 4, strided_side = 5;
// Pairs of frequencies that share a product, at most.
inline constexpr int64_t winograd_most_terms = 4;
// Rows of the register tile: tiles of a block are a multiple of it where possible.
inline constexpr int64_t winograd_rows = 6;

// Which axes have stride 2.
struct StridedAxes {
  bool depth, plane;
};

// Frequencies of a run of tiles along x in one slice of the depth: u[f][tile][channel] of first + sign * second. A
// gather takes the inputs of each tile, a spread the 2x2 gradients of its outputs.
struct WinogradGather {
  bool strided;                      // step 2 in the plane
  const float *row[2][strided_side]; // column 0 of the run in both terms; nullptr: zeros
  float sign;                        // 0: there is no second term
  int64_t stride;                    // between columns
  int64_t begin, end;                // columns inside the tensor; the others are zeros
  int64_t tiles, channels;
  const float *norm; // inputs: table of the sample at the first channel; nullptr: they are values
  int64_t norm_row;
  float *u; // of the first tile; channels are padded to a multiple of 8
  int64_t u_tile, u_frequency;
};

// m[tile][lane] (+)= sum over terms and channels of u[term][tile][channel] * v[term][channel][lane], for one panel of
// lanes.
struct WinogradProduct {
  int64_t terms;
  const float *u[winograd_most_terms], *v[winograd_most_terms];
  float *m;
  int64_t u_tile, m_tile;
  int64_t tiles, channels, lanes; // lanes: 16 or 8
  bool add;                       // false: m is overwritten
};

// Outputs of tiles: adds a slice of the depth to sums[tile][channel / 8][z, y, x][8]; after the last slice they are
// stored. out[z] is what the slice adds to plane z.
struct WinogradScatter {
  bool strided;
  const float *m; // [f][tile][channel], padded to a multiple of 8
  int64_t m_tile, m_frequency;
  int64_t tiles, channels, planes; // planes: outputs along the depth, 1 or 2
  float out[2];
  bool first, last;
  float *sums;
  // After the last slice.
  const float *bias; // nullptr: 0
  float *y;
  int64_t y_stride;
  const int64_t *place;  // [tiles] number of the first output voxel
  const uint8_t *inside; // [tiles] bit 4 z + 2 y + x: this output exists
  int64_t plane, row;    // voxels of y
  OutputWork work;
};

// sum[i][lane] (+)= sum over tiles of u[tile][i] * g[tile][lane] for one frequency and one panel of lanes.
struct WinogradOuter {
  const float *u, *g;
  float *sum; // [inputs][lanes]
  int64_t u_tile, g_tile;
  int64_t tiles, inputs, lanes;
  bool add; // false: sum is overwritten
};

// Weight gradients from the partial sums [depth][range][f][inputs][padded outputs] of a panel, ranges in index order.
// depth: frequencies of the weights along it.
struct WinogradFinish {
  StridedAxes strided;
  const float *sums; // first depth, range and frequency; first input of the panel
  int64_t depths, ranges;
  int64_t depth, range, frequency; // distances in sums
  int64_t inputs, outputs, lanes;
  float *dw; // [output][tap][input] at the first output and input
  int64_t out_stride, tap_stride;
};

// v[depth * 16 + f][channel][lane] of `inputs` channels and one panel; outputs beyond `outputs` are zero.
struct WinogradKernel {
  StridedAxes strided;
  const float *w;     // first input channel, first output channel
  const int64_t *tap; // [planes * 9] distances
  int64_t planes;     // of the kernel: 1 or 3, with depths: 1 or 4
  int64_t in_stride, out_stride;
  int64_t inputs, outputs, lanes;
  float *v;
  int64_t v_frequency;
};

VG_TILE(winograd_gather, const WinogradGather &pass)
VG_TILE(winograd_spread, const WinogradGather &pass)
VG_TILE(winograd_outer, const WinogradOuter &pass)
VG_TILE(winograd_finish, const WinogradFinish &pass)
VG_TILE(winograd_product, const WinogradProduct &pass)
VG_TILE(winograd_scatter, const WinogradScatter &pass)
VG_TILE(winograd_kernel, const WinogradKernel &pass)

} // namespace vg

// The inner loops of the input gradient with stride 2, compiled once per tier (winograd_strided.tier.cpp).
// winograd_strided.cpp holds the idea; the products are those of winograd_tile.h.
#pragma once

#include "fusion_tile.h"
#include "tile.h"

#include <cstdint>

namespace vg {

// In the plane a tile has 3x3 inputs with 16 frequencies, 25 products and 4x4 outputs; along the depth up to 5 slices
// of products and 4 planes of outputs.
inline constexpr int64_t strided_inputs = 3, strided_frequencies = 16, strided_products = 25, strided_step = 4;
inline constexpr int64_t strided_most_slices = 5;

// Frequencies of a run of tiles along x in one slice of the depth: u[f][tile][channel] of first + sign * second.
struct StridedGather {
  const float *row[2][strided_inputs]; // column 0 of the run in both terms; nullptr: zeros
  float sign;                          // 0: there is no second term
  bool odd_y, odd_x;                   // the padding of the axis is odd
  int64_t stride;                      // between columns
  int64_t begin, end;                  // columns inside the tensor; the others are zeros
  int64_t tiles, channels;
  float *u; // of the first tile; channels are padded to a multiple of 8
  int64_t u_tile, u_frequency;
};

// Outputs of a panel of channels from the products of all slices.
struct StridedScatter {
  const float *m; // [slice][product][tile][lanes]
  int64_t m_tile, m_product, m_slice;
  int64_t tiles, channels;
  int64_t slices; // 1, 4 (stride 1) or 5 (stride 2)
  int64_t planes; // of outputs: 1, 2 or 4
  bool odd_z, odd_y, odd_x;
  float *y; // at the first channel of the panel
  int64_t y_stride;
  const int64_t *place;   // [tiles] number of the first output voxel
  const uint64_t *inside; // [tiles] bit 16 z + 4 y + x: this output exists
  int64_t plane, row;     // voxels of y
  OutputWork work;
};

VG_TILE(strided_gather, const StridedGather &pass)
VG_TILE(strided_scatter, const StridedScatter &pass)

} // namespace vg

// Inner tiles of instance_norm.cpp. A tile is a matrix of rows x width floats; each column is reduced or mapped with
// its own coefficients. Where the channels are dense and c is no multiple of eight, several voxels form one row.
#pragma once

#include "tile.h"

#include <cstdint>

namespace vg {

constexpr int64_t norm_width_limit = 512; // columns per tile: the tile's own arrays stay in the first-level cache

struct NormTile {
  int64_t rows, width, x_stride, y_stride; // of x and dx, of y and dy
  const float *x, *dy;
  float *y; // y, or dx with stride x_stride
  int32_t activation;
  float slope;
  // Coefficients by column, made by instance_norm.cpp.
  const float *mean, *rstd, *gamma, *beta; // forward: y = act((x - mean) gamma + beta) with rstd folded in
  const float *scale, *mean_dz, *mean_dzx; // dx = scale (dz - mean_dz - xhat mean_dzx)
};

// mean[column] and sum of squared deviations from it.
VG_TILE(norm_statistics, const NormTile &tile, double *mean, double *deviation)
VG_TILE(norm_apply, const NormTile &tile)
// Sums over the rows of dz = dy act' and of dz xhat.
VG_TILE(norm_gradient_sums, const NormTile &tile, double *sum_dz, double *sum_dzx)
VG_TILE(norm_gradient, const NormTile &tile)

} // namespace vg

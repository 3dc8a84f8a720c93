// The two inner loops of every convolution, compiled once per tier (conv3d.tier.cpp).
//
// Both see voxels as pointers and a kernel as a list of distances from the voxel under its first tap, so that padding,
// strides, channel slices and the scattered rows of a transposed convolution are the caller's business alone. Includes
// nothing with inline functions: the linker could take the copy that a tier's flags made.
#pragma once

#include "tile.h"

#include <cstdint>

namespace vg {

// Output channels are handled in panels of 16, the last one of 8 when that is enough.
inline constexpr int64_t panel_lanes = 16, half_panel_lanes = 8;

// Voxels whose products conv_outer adds up before it turns to the next rows: their inputs and gradients fit in L1.
inline constexpr int64_t outer_voxels = 64;

// Inputs of later passes that are fetched in equal shares while the tiles of this one compute: the cache lines at
// x[v] + line[l] of all voxels v and lines l.
struct Ahead {
  const float *const *x; // [count]
  int64_t count;
  const int64_t *line; // [lines]
  int64_t lines;
};

// y[v][c] (+)= bias[c] + sum over segments s and j < run of x[v][segment[s] + j] * w[s * run + j][c].
struct PanelPass {
  const float *const *x; // [count] the input voxel under the first tap of output voxel v
  float *const *y;       // [count]
  int64_t count;
  const int64_t *segment; // [segments] distance of a stretch of `run` consecutive inputs
  int64_t segments, run;
  const float *w;    // [segments * run][lanes]
  const float *bias; // [lanes] where the sums start; nullptr: from 0, and they are added to y
  int64_t y_offset;  // first channel of the panel, relative to y[v]
  int64_t lanes;     // 16 or 8
  int64_t channels;  // of them written: 1..lanes
  Ahead ahead;
  bool fetch_y; // outputs of later tiles too
};

// sum[k][c] += sum over v of x[v][distance[k]] * dy[v][c].
struct OuterPass {
  const float *const *x;  // [count]
  const float *const *dy; // [count]
  int64_t count;
  const int64_t *distance; // [rows]
  int64_t rows;
  float *sum;        // [rows][lanes]
  int64_t dy_offset; // first channel of the panel, relative to dy[v]
  int64_t lanes, channels;
  Ahead ahead, ahead_dy;
};

VG_TILE(conv_panel, const PanelPass &pass)
VG_TILE(conv_outer, const OuterPass &pass)

} // namespace vg

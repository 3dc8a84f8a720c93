// Inner loops of convolutions with few channels on one side, compiled once per tier (line.tier.cpp). They walk along
// lines of voxels at constant distances, so that nothing but arithmetic is left between two voxels. Includes nothing
// with inline functions, as conv3d_tile.h.
#pragma once

#include "tile.h"

#include <cstdint>

namespace vg {

// Few input channels: y[v][o] = bias[o] + sum over segments s and j < run of x[v * x_step + segment[s] + j] *
// w[s * run + j][o], all output channels of a line.
struct LinePass {
  const float *x; // under the first tap of voxel 0
  int64_t x_step;
  float *y;
  int64_t y_step, count;
  const int64_t *segment; // [segments]
  int64_t segments, run;
  const float *w;    // [panel][segments * run][lanes], as Panels cuts the channels
  const float *bias; // [padded channels]
  int64_t channels;
};

// Its weight gradient: sum[k][o] += sum over a block of lines of x[v][distance[k]] * dy[v][o].
struct LineOuterPass {
  const float *x;
  int64_t x_step, x_line; // distances of voxels and of lines
  const float *dy;
  int64_t dy_step, dy_line;
  int64_t count, lines;
  const float *next, *next_end; // gradients that will be needed after these
  const int64_t *distance;      // [rows]
  int64_t rows;
  float *sum;       // [rows][channels]
  int64_t channels; // a multiple of 8
};

// Few output channels: y[v] = bias + sum over lines l, taps t and input channels i of
// line[l][(first + v + t) * x_step + i] * w[l][chunk of i][t][lane of i], inputs outside 0..width-1 zero.
struct NarrowPass {
  const float *const *line; // [lines] input voxel 0 of the line
  const float *const *w;    // [lines]
  int64_t lines, taps;      // at most narrow_taps
  int64_t first, width, x_step;
  int64_t channels; // 8 and more; the last chunk ends with the last channel and overlaps the one before
  float *y;
  int64_t y_step, count;
  float bias;
};

inline constexpr int64_t narrow_taps = 7;

// A single tap, 1 to 4 output channels: y[v][o] = bias[o] + sum over i of x[v * x_step + i] * w[chunk of i][o][lane].
struct HeadPass {
  const float *x;
  int64_t x_step, channels; // chunks as in NarrowPass
  const float *w;
  const float *bias; // [8]: as often as the vector of results holds voxels
  float *y;
  int64_t y_step, count, outputs;
};

VG_TILE(line_forward, const LinePass &pass)
VG_TILE(line_outer, const LineOuterPass &pass)
VG_TILE(line_narrow, const NarrowPass &pass)
VG_TILE(line_heads, const HeadPass &pass)

} // namespace vg

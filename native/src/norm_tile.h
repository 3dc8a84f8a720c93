// Inner loops of norm tables over runs of voxels (norm.tier.cpp): what conv_fusion.h leaves to passes of its own, and
// the patches and boxes of the direct convolution. No inline functions, as conv3d_tile.h.
#pragma once

#include "fusion_tile.h"
#include "tile.h"

namespace vg {

// Voxels of one sample at constant steps, some channels of them.
struct NormRun {
  int64_t count, channels;
  const float *x; // as stored
  int64_t x_step;
  const float *g; // input gradient: of a; at y_step
  float *y;       // values, or dx
  int64_t y_step;
  const float *norm; // table at the first channel
  int64_t norm_row;
  const float *sums; // input gradient: of g and g (x - mean), at sums_row
  int64_t sums_row;
  float share; // 1/voxels of the sample
};

// Outputs from `from` to y, which may be the same; statistics only read.
struct OutputRun {
  int64_t count, channels;
  const float *from;
  float *y;
  int64_t step;
  int64_t voxel, voxel_step; // numbers of the voxels
  bool first;                // of its slot
  OutputWork work;
};

VG_TILE(norm_values, const NormRun &run)
VG_TILE(norm_input_gradient, const NormRun &run)
VG_TILE(norm_outputs, const OutputRun &run)

} // namespace vg

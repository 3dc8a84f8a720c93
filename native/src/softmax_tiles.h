// Inner tiles of softmax.cpp.
#pragma once

#include "tile.h"

#include <cstdint>

namespace vg {

struct SoftmaxTile {
  int64_t voxels, c, x_stride, y_stride;
  bool logarithm;
  const float *x;
  const float *x_end; // behind the last channel of the whole tensor: nothing is read from here on
  float *y;
};

VG_TILE(softmax_forward, const SoftmaxTile &tile)

} // namespace vg

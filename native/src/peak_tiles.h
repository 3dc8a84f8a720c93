// Inner loop of peak.cpp.
#pragma once

#include "tile.h"

#include <cstdint>

namespace vg {

struct PeakTile {
  int64_t rounds;
  int64_t *flops; // operations done
  float *sum;     // of all results, so that none can be left out
};

VG_TILE(multiply_add, const PeakTile &tile)

} // namespace vg

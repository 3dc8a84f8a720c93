// Inner tiles of dropout.cpp.
#pragma once

#include "tile.h"

#include <cstdint>

namespace vg {

struct DrawStream {
  uint64_t seed, stream;
  uint64_t threshold; // a 32-bit word is kept when it is at least this
};

// keep[i] = 1 if draw first + i is kept, else 0.
VG_TILE(dropout_draws, const DrawStream &draws, uint64_t first, int64_t count, uint8_t *keep)

// y = keep ? x scale : 0 for adjacent elements.
VG_TILE(dropout_select, const float *x, const uint8_t *keep, float scale, float *y, int64_t count)

} // namespace vg

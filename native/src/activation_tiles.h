// Inner tiles of activation.cpp: `count` adjacent elements; slope, beta, threshold as in vg_activation.
#pragma once

#include "tile.h"

#include <cstdint>

namespace vg {

struct ActivationShape {
  int32_t kind;
  float slope, beta, threshold;
};

VG_TILE(activation_forward, const ActivationShape &shape, const float *x, float *y, int64_t count)
VG_TILE(activation_backward, const ActivationShape &shape, const float *x, const float *dy, float *dx, int64_t count)

} // namespace vg

// Inner tiles of optimizer.cpp: `count` adjacent elements of one tensor.
#pragma once

#include "tile.h"

#include <cstdint>

namespace vg {

struct SgdTile {
  float lr, momentum, keep_gradient, weight_decay, gradient_scale; // keep_gradient = 1 - dampening
  bool nesterov, first_step;
  float *x, *v; // v NULL: no momentum
  const float *g;
};
struct AdamTile {
  float decay; // lr * weight_decay when decoupled, else 0
  float l2;    // weight_decay when not decoupled, else 0
  float beta1, beta2, one_minus_beta1, one_minus_beta2;
  float step;         // lr / (1 - beta1^t)
  float inverse_root; // 1 / sqrt(1 - beta2^t)
  float eps, gradient_scale;
  float *x, *m, *s, *s_max; // s_max NULL: no amsgrad
  const float *g;
};

VG_TILE(sgd_step, const SgdTile &tile, int64_t count)
VG_TILE(adamw_step, const AdamTile &tile, int64_t count)
VG_TILE(square_sum, const float *g, int64_t count, double *sum)
VG_TILE(ema_step, double decay, const float *x, float *shadow, int64_t count)

} // namespace vg

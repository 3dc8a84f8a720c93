// Inner tiles of ranger21.cpp: `count` adjacent elements of one group of one tensor.
#pragma once

#include "tile.h"

#include <cstdint>

namespace vg {

// Moments of a part of a group: mean of g, sum of (g - mean)^2, sum of x^2.
struct RangerMoments {
  double mean, squares, x_squares;
};
// What is the same for the whole step.
struct RangerStep {
  float beta2, one_minus_beta2;
  float keep, one_minus_keep; // of the momentum: beta1^2, or beta1 without a negative one
  float own, other;           // x moves by (own p + other q) / denominator
  float inverse_root, eps;    // 1 / sqrt(1 - beta2^t); with softplus these and own, other are multiplied by its beta
  bool softplus;
  float alpha, one_minus_alpha; // of the look-ahead
};
// What is the same for a group: the processed gradient is gain (g - centre), times `again` for the momentum.
struct RangerTile {
  float centre, gain, again;
  float shrink; // the new x starts from x - shrink x
  float *x, *p, *s;
  const float *g, *q; // q NULL: no negative momentum
  float *cache;       // NULL: no merge
};

VG_TILE(ranger_moments, const float *g, const float *x, int64_t count, RangerMoments *moments)
VG_TILE(ranger_sum, const float *s, int64_t count, double *sum)
// Also *sum = sum of the new s, to the bits of ranger_sum.
VG_TILE(ranger_step, const RangerStep &step, const RangerTile &tile, int64_t count, double *sum)

} // namespace vg

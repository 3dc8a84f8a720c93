// Activations and their derivatives on vectors; shared by the activation and the instance-norm tiles.
#pragma once

#include "vector_math.h"
#include "voxgrad.h"

namespace vg::VG_TIER {

static inline v8 leaky(v8 x, float slope) { return x > 0.0f ? x : x * slope; }
static inline v8 leaky_derivative(v8 x, float slope) { return x > 0.0f ? broadcast(1.0f) : broadcast(slope); }

// tanh(softplus(x)) from e = exp(-|x|) alone, without cancellation on either side.
static inline v8 mish_gate(v8 x, v8 e) {
  const v8 small = e * (e + 2.0f), large = 1.0f + 2.0f * e;
  const v8 numerator = x > 0.0f ? large : small;
  const v8 rest = x > 0.0f ? 2.0f * e * e : broadcast(2.0f);
  return numerator / (numerator + rest);
}
static inline v8 sigmoid_given(v8 x, v8 e) { return (x >= 0.0f ? broadcast(1.0f) : e) / (1.0f + e); }

// -inf gives -0 as the limit does; without the select it would be -inf * 0.
static inline v8 mish(v8 x) {
  const v8 e = exp_nonpositive(-absolute(x));
  const v8 y = x * mish_gate(x, e);
  return x < -1e30f ? broadcast(-0.0f) : y;
}
// w + x sigmoid(x) (1 - w^2), where 1 - w^2 = (1 - w)(1 + w) and 1 - w = rest/(numerator + rest).
static inline v8 mish_derivative(v8 x) {
  const v8 e = exp_nonpositive(-absolute(x));
  const v8 small = e * (e + 2.0f), large = 1.0f + 2.0f * e;
  const v8 numerator = x > 0.0f ? large : small;
  const v8 rest = x > 0.0f ? 2.0f * e * e : broadcast(2.0f);
  const v8 inverse = 1.0f / (numerator + rest);
  const v8 w = numerator * inverse, one_minus = rest * inverse;
  const v8 d = w + x * sigmoid_given(x, e) * (one_minus * (1.0f + w));
  const v8 limit = x > 0.0f ? broadcast(1.0f) : v8{};
  return absolute(x) > 1e30f ? limit : d;
}
static inline v8 sigmoid(v8 x) { return sigmoid_given(x, exp_nonpositive(-absolute(x))); }
static inline v8 sigmoid_derivative(v8 x) {
  const v8 e = exp_nonpositive(-absolute(x));
  const v8 inverse = 1.0f / (1.0f + e);
  return e * inverse * inverse;
}
static inline v8 softplus(v8 x, float beta, float threshold) {
  const v8 t = x * beta;
  const v8 e = exp_nonpositive(-absolute(t));
  const v8 u = 1.0f + e;
  const v8 positive = t > 0.0f ? t : v8{};
  const v8 y = (positive + log1p_given(e, u, 1.0f / u)) / beta;
  return t > threshold ? x : (t != t ? t : y);
}
static inline v8 softplus_derivative(v8 x, float beta, float threshold) {
  const v8 t = x * beta;
  return t > threshold ? broadcast(1.0f) : sigmoid(t);
}

} // namespace vg::VG_TIER

// Inner tiles of optimizer.cpp. Plain loops: the compiler turns them into vectors of the tier.
#include "optimizer_tiles.h"
#include "vector_math.h"

namespace vg::VG_TIER {

template <bool Momentum, bool Nesterov, bool First> static void sgd(const SgdTile &t, int64_t count) {
  float *__restrict x = t.x, *__restrict v = t.v;
  const float *__restrict g = t.g;
  const float lr = t.lr, mu = t.momentum, keep = t.keep_gradient, decay = t.weight_decay, scale = t.gradient_scale;
  for (int64_t i = 0; i < count; ++i) {
    const float gradient = scale * g[i] + decay * x[i];
    float d = gradient;
    if (Momentum) {
      const float buffer = First ? gradient : mu * v[i] + keep * gradient;
      v[i] = buffer;
      d = Nesterov ? gradient + mu * buffer : buffer;
    }
    x[i] -= lr * d;
  }
}

void sgd_step(const SgdTile &t, int64_t count) {
  if (t.v == nullptr) return sgd<false, false, false>(t, count);
  if (t.nesterov) return t.first_step ? sgd<true, true, true>(t, count) : sgd<true, true, false>(t, count);
  return t.first_step ? sgd<true, false, true>(t, count) : sgd<true, false, false>(t, count);
}

template <bool Amsgrad> static void adamw(const AdamTile &t, int64_t count) {
  float *__restrict x = t.x, *__restrict m = t.m, *__restrict s = t.s, *__restrict s_max = t.s_max;
  const float *__restrict g = t.g;
  const AdamTile k = t;
  for (int64_t i = 0; i < count; ++i) {
    const float gradient = k.gradient_scale * g[i] + k.l2 * x[i];
    const float first = k.beta1 * m[i] + k.one_minus_beta1 * gradient;
    const float second = k.beta2 * s[i] + k.one_minus_beta2 * gradient * gradient;
    m[i] = first;
    s[i] = second;
    float root = second;
    if (Amsgrad) {
      root = second < s_max[i] ? s_max[i] : second; // NaN of `second` wins
      s_max[i] = root;
    }
    // One subtraction: 1 - lr * weight_decay alone would lose most digits of a small decay.
    x[i] -= k.decay * x[i] + k.step * first / (__builtin_sqrtf(root) * k.inverse_root + k.eps);
  }
}

void adamw_step(const AdamTile &t, int64_t count) {
  if (t.s_max != nullptr) return adamw<true>(t, count);
  adamw<false>(t, count);
}

void square_sum(const float *g, int64_t count, double *sum) {
  v4d total[4] = {};
  int64_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (int part = 0; part < 4; ++part) {
      const v4d v = __builtin_convertvector(load4(g + i + 4 * part), v4d);
      total[part] += v * v;
    }
  const v4d all = (total[0] + total[2]) + (total[1] + total[3]);
  double rest = 0;
  for (; i < count; ++i) rest += static_cast<double>(g[i]) * g[i];
  *sum = (all[0] + all[2]) + (all[1] + all[3]) + rest;
}

void ema_step(double decay, const float *x, float *shadow, int64_t count) {
  const double gain = 1.0 - decay;
  const float *__restrict from = x;
  float *__restrict to = shadow;
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(decay * to[i] + gain * from[i]);
}

} // namespace vg::VG_TIER

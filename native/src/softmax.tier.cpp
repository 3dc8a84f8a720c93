// Inner tiles of softmax.cpp: eight voxels at a time for few classes, eight classes at a time for many.
#include "softmax_tiles.h"
#include "vector_math.h"

namespace vg::VG_TIER {

// Up to this many classes eight voxels are transposed into vectors: 2 x 64 vectors stay in the first-level cache.
static constexpr int64_t few = 64;

// z[ch] becomes the probability, or its logarithm, of eight voxels.
static inline void softmax_of(v8 *z, int64_t c, bool logarithm) {
  v8 top = z[0];
  for (int64_t ch = 1; ch < c; ++ch) top = z[ch] > top ? z[ch] : top;
  // The largest class adds exactly 1; keeping it out of the sum keeps log(sum) accurate when the rest is tiny.
  v8 rest = broadcast(-1.0f), ties{};
  v8 small{}, e[few + 4];
  for (int64_t ch = 0; ch < c; ++ch) {
    z[ch] -= top;
    e[ch] = exp_nonpositive(z[ch]);
    const v8i is_top = z[ch] == 0.0f;
    small += masked(~is_top, e[ch]);
    ties += masked(is_top, broadcast(1.0f));
  }
  rest = small + (ties + rest);
  const v8 sum = 1.0f + rest, inverse = 1.0f / sum;
  if (logarithm) {
    const v8 log_sum = log1p_given(rest, sum, inverse);
    for (int64_t ch = 0; ch < c; ++ch) z[ch] -= log_sum;
  } else {
    for (int64_t ch = 0; ch < c; ++ch) z[ch] = e[ch] * inverse;
  }
}

static void few_classes(const SoftmaxTile &t) {
  v8 z[few + 4];
  int64_t v = 0;
  const int64_t padded = (t.c + 3) / 4 * 4;
  for (; v + 8 <= t.voxels && t.x + (v + 7) * t.x_stride + padded <= t.x_end; v += 8) {
    load_voxels(t.x + v * t.x_stride, t.x_stride, t.c, z);
    softmax_of(z, t.c, t.logarithm);
    store_voxels(t.y + v * t.y_stride, t.y_stride, t.c, z);
  }
  for (; v < t.voxels; v += 8) {
    const int64_t lanes = t.voxels - v < 8 ? t.voxels - v : 8;
    load_last_voxels(t.x + v * t.x_stride, t.x_stride, t.c, lanes, z);
    softmax_of(z, t.c, t.logarithm);
    store_last_voxels(t.y + v * t.y_stride, t.y_stride, t.c, lanes, z);
  }
}

static void many_classes(const float *x, float *y, int64_t c, bool logarithm) {
  float top = x[0];
  for (int64_t ch = 1; ch < c; ++ch) top = x[ch] > top ? x[ch] : top;
  double sum = 0;
  for (int64_t ch = 0; ch < c; ch += 8) {
    const int64_t lanes = c - ch < 8 ? c - ch : 8;
    const v8 d = load_some(x + ch, lanes) - top;
    const v8 e = exp_nonpositive(d);
    store_some(y + ch, logarithm ? d : e, lanes);
    for (int64_t lane = 0; lane < lanes; ++lane) sum += e[lane];
  }
  const double term = logarithm ? __builtin_log(sum) : 1.0 / sum;
  for (int64_t ch = 0; ch < c; ++ch) y[ch] = static_cast<float>(logarithm ? y[ch] - term : y[ch] * term);
}

void softmax_forward(const SoftmaxTile &t) {
  if (t.c <= few) return few_classes(t);
  for (int64_t v = 0; v < t.voxels; ++v) many_classes(t.x + v * t.x_stride, t.y + v * t.y_stride, t.c, t.logarithm);
}

} // namespace vg::VG_TIER

// Inner tiles of ranger21.cpp.
#include "ranger21_tiles.h"
#include "vector_math.h"

namespace vg::VG_TIER {

static inline v4d low(v8 v) { return __builtin_convertvector(__builtin_shufflevector(v, v, 0, 1, 2, 3), v4d); }
static inline v4d high(v8 v) { return __builtin_convertvector(__builtin_shufflevector(v, v, 4, 5, 6, 7), v4d); }
static inline double total(v4d a, v4d b) {
  const v4d all = a + b;
  return (all[0] + all[2]) + (all[1] + all[3]);
}

// Mean first, then the squares about it while g is still in the cache: equal elements give exactly 0.
void ranger_moments(const float *g, const float *x, int64_t count, RangerMoments *moments) {
  const int64_t whole = count & ~int64_t{7};
  v4d a{}, b{}, c{}, d{};
  for (int64_t i = 0; i < whole; i += 8) {
    const v8 v = load(g + i);
    a += low(v);
    b += high(v);
  }
  double sum = total(a, b);
  for (int64_t i = whole; i < count; ++i) sum += g[i];
  const double mean = sum / static_cast<double>(count);
  a = b = v4d{};
  for (int64_t i = 0; i < whole; i += 8) {
    const v8 v = load(g + i), w = load(x + i);
    const v4d v0 = low(v) - mean, v1 = high(v) - mean, w0 = low(w), w1 = high(w);
    a += v0 * v0;
    b += v1 * v1;
    c += w0 * w0;
    d += w1 * w1;
  }
  double squares = total(a, b), x_squares = total(c, d);
  for (int64_t i = whole; i < count; ++i) {
    const double v = g[i] - mean, w = x[i];
    squares += v * v;
    x_squares += w * w;
  }
  *moments = {mean, squares, x_squares};
}

void ranger_sum(const float *s, int64_t count, double *sum) {
  const int64_t whole = count & ~int64_t{7};
  v4d a{}, b{};
  for (int64_t i = 0; i < whole; i += 8) {
    const v8 v = load(s + i);
    a += low(v);
    b += high(v);
  }
  double all = total(a, b);
  for (int64_t i = whole; i < count; ++i) all += s[i];
  *sum = all;
}

// Eight lanes at once are one instruction where the tier has it.
static inline v8 root(v8 v) {
  v8 r;
  for (int lane = 0; lane < 8; ++lane) r[lane] = __builtin_sqrtf(v[lane]);
  return r;
}

// log(1 + exp(t)) for t >= 0, about 1 ulp: t + 2 atanh(z) with z = e/(2 + e) <= 1/3 and e = exp(-t). Above 20, where
// PyTorch returns t, the rest is below half an ulp. NaN stays NaN.
static inline v8 softplus_nonnegative(v8 t) {
  const v8 e = exp_nonpositive(t < 20.0f ? -t : broadcast(-20.0f)); // further down w would be denormal, and slow
  const v8 z = e / (2.0f + e), w = z * z;
  v8 p = w * (1.0f / 13.0f) + 1.0f / 11.0f;
  p = p * w + 1.0f / 9.0f;
  p = p * w + 1.0f / 7.0f;
  p = p * w + 1.0f / 5.0f;
  p = p * w + 1.0f / 3.0f;
  p = p * w + 1.0f;
  return t + 2.0f * z * p;
}

struct Lanes {
  v8 x, p, s, cache;
};

template <bool Negative, bool Softplus, bool Merge>
static inline void move(const RangerStep &k, const RangerTile &t, v8 g, v8 q, Lanes &v) {
  const v8 first = (g - t.centre) * t.gain;
  v.s = k.beta2 * v.s + k.one_minus_beta2 * (first * first);
  v.p = k.keep * v.p + k.one_minus_keep * (first * t.again);
  v8 denominator = root(v.s) * k.inverse_root + k.eps;
  if (Softplus) denominator = softplus_nonnegative(denominator);
  v8 way = k.own * v.p;
  if (Negative) way += k.other * q;
  // One subtraction: 1 - shrink alone would lose most digits of a small decay.
  v.x -= t.shrink * v.x + way / denominator;
  if (Merge) v.cache = v.x = k.alpha * v.x + k.one_minus_alpha * v.cache;
}

template <bool Negative, bool Softplus, bool Merge>
static void step(const RangerStep &step_, const RangerTile &tile, int64_t count, double *sum) {
  const RangerStep k = step_;
  const RangerTile t = tile;
  const int64_t whole = count & ~int64_t{7}, rest = count - whole;
  v4d a{}, b{};
  for (int64_t i = 0; i < whole; i += 8) {
    Lanes v{load(t.x + i), load(t.p + i), load(t.s + i), Merge ? load(t.cache + i) : v8{}};
    move<Negative, Softplus, Merge>(k, t, load(t.g + i), Negative ? load(t.q + i) : v8{}, v);
    store(t.x + i, v.x);
    store(t.p + i, v.p);
    store(t.s + i, v.s);
    if (Merge) store(t.cache + i, v.cache);
    a += low(v.s);
    b += high(v.s);
  }
  double all = total(a, b);
  if (rest > 0) {
    const int64_t i = whole;
    Lanes v{load_some(t.x + i, rest), load_some(t.p + i, rest), load_some(t.s + i, rest),
            Merge ? load_some(t.cache + i, rest) : v8{}};
    move<Negative, Softplus, Merge>(k, t, load_some(t.g + i, rest), Negative ? load_some(t.q + i, rest) : v8{}, v);
    store_some(t.x + i, v.x, rest);
    store_some(t.p + i, v.p, rest);
    store_some(t.s + i, v.s, rest);
    if (Merge) store_some(t.cache + i, v.cache, rest);
    const v8 squares = v.s; // GCC 12 takes a lane of the member for uninitialised
    for (int64_t lane = 0; lane < rest; ++lane) all += squares[lane];
  }
  *sum = all;
}

template <bool Negative, bool Softplus>
static void step(const RangerStep &k, const RangerTile &t, int64_t count, double *sum) {
  if (t.cache != nullptr) return step<Negative, Softplus, true>(k, t, count, sum);
  step<Negative, Softplus, false>(k, t, count, sum);
}

void ranger_step(const RangerStep &k, const RangerTile &t, int64_t count, double *sum) {
  if (t.q != nullptr) return k.softplus ? step<true, true>(k, t, count, sum) : step<true, false>(k, t, count, sum);
  if (k.softplus) return step<false, true>(k, t, count, sum);
  step<false, false>(k, t, count, sum);
}

} // namespace vg::VG_TIER

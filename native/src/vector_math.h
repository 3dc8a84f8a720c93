// Vector arithmetic on eight floats that tiles share: masks, partial loads, exp and log1p, transposition of voxels.
// Included by *.tier.cpp files only (see simd.h).
#pragma once

#include "simd.h"

namespace vg::VG_TIER {

typedef int32_t v8i __attribute__((vector_size(32)));
typedef double v4d __attribute__((vector_size(32)));

static inline v8 masked(v8i mask, v8 v) { return (v8)((v8i)v & mask); }
static inline v8i broadcast_int(int32_t s) { return v8i{s, s, s, s, s, s, s, s}; }
// a > b ? a : b: b where one of them is NaN. One instruction, which the compiler does not find by itself.
static VG_INLINE v8 larger(v8 a, v8 b) {
#if defined(__AVX__)
  return __builtin_ia32_maxps256(a, b);
#else
  return a > b ? a : b;
#endif
}
static inline v8 absolute(v8 v) { return (v8)((v8i)v & 0x7fffffff); }

// Bit i says whether lane i of a lane mask is set.
static inline int lane_bits(v8i mask) {
#if defined(__AVX2__)
  return __builtin_ia32_movmskps256((v8)mask);
#else
  int bits = 0;
  for (int i = 0; i < 8; ++i) bits |= (mask[i] & 1) << i;
  return bits;
#endif
}
static inline bool any(v8i mask) {
#if defined(__AVX2__)
  return lane_bits(mask) != 0;
#else
  typedef int64_t v4l __attribute__((vector_size(32)));
  const v4l m = (v4l)mask;
  return (m[0] | m[1] | m[2] | m[3]) != 0;
#endif
}

// r[i] = v[index[i]], 0 <= index < 8.
static inline v8i permute(v8i v, v8i index) {
#if defined(__AVX2__)
  return (v8i)__builtin_ia32_permvarsi256(v, index);
#else
  v8i r{};
  for (int i = 0; i < 8; ++i) r[i] = v[index[i]];
  return r;
#endif
}

// Eight bytes as integers.
static inline v8i load_bytes(const uint8_t *p) {
#if defined(__AVX2__) // what the conversion below should become
  typedef int64_t v2l __attribute__((vector_size(16)));
  typedef char v16c __attribute__((vector_size(16)));
  int64_t bytes;
  __builtin_memcpy(&bytes, p, sizeof bytes);
  return (v8i)__builtin_ia32_pmovzxbd256((v16c)v2l{bytes, 0});
#else
  typedef uint8_t u8x8 __attribute__((vector_size(8), aligned(1), may_alias));
  return __builtin_convertvector(*reinterpret_cast<const u8x8 *>(p), v8i);
#endif
}

// count <= 8 elements; the rest is zero and is not read.
static VG_INLINE v8 load_some(const float *p, int64_t count) {
#if defined(__AVX2__)
  const v8i lane = {0, 1, 2, 3, 4, 5, 6, 7};
  return __builtin_ia32_maskloadps256(reinterpret_cast<const v8 *>(p), lane < static_cast<int32_t>(count));
#else
  v8 v{};
  for (int64_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
#endif
}
// By halves: processors take many cycles for a store with a mask, and for one by one.
static VG_INLINE void store_some(float *p, v8 v, int64_t count) {
  typedef float v2_unaligned __attribute__((vector_size(8), aligned(4), may_alias));
  if (count & 8) return store(p, v);
  v4 rest = __builtin_shufflevector(v, v, 0, 1, 2, 3);
  if (count & 4) {
    store(p, rest);
    rest = __builtin_shufflevector(v, v, 4, 5, 6, 7);
    p += 4;
  }
  if (count & 2) {
    *reinterpret_cast<v2_unaligned *>(p) = __builtin_shufflevector(rest, rest, 0, 1);
    rest = __builtin_shufflevector(rest, rest, 2, 3, 2, 3);
    p += 2;
  }
  if (count & 1) *p = rest[0];
}

// Sum of the lanes in float64, in a fixed order.
static inline double lane_sum(v8 v) {
  const v4 low = __builtin_shufflevector(v, v, 0, 1, 2, 3), high = __builtin_shufflevector(v, v, 4, 5, 6, 7);
  const v4d s = __builtin_convertvector(low, v4d) + __builtin_convertvector(high, v4d);
  return (s[0] + s[1]) + (s[2] + s[3]);
}

// exp(x) for x <= 0, about 1 ulp and exactly 1 at 0; below -87.7 it is 0; NaN stays NaN.
// x = n ln 2 + r with |r| <= ln 2 / 2; minimax polynomial of exp(r) of degree 6, relative error 3e-9, evaluated in
// independent halves because its latency is what bounds the callers. n = -127 gives the factor 0.
static VG_INLINE v8 exp_nonpositive(v8 x) {
  x = larger(broadcast(-87.7f), x);
  const v8 shifted = x * 1.44269504088896341f + 12582912.0f; // 1.5 * 2^23: the sum is rounded to an integer
  const v8 n = shifted - 12582912.0f;
  const v8 r = (x - n * 0.693359375f) - n * -2.12194440e-4f; // ln 2 in two parts, the first has 9 bits
  const v8 square = r * r;
  const v8 low = r * 1.6666521e-1f + 4.9999994e-1f, high = r * 8.368745e-3f + 4.166839e-2f;
  const v8 p = (square * 1.3814539e-3f + high) * square + low;
  const v8 power = (v8)(((v8i)shifted - (0x4b400000 - 127)) << 23);
  return (p * square + (1.0f + r)) * power;
}

// log(1 + a) for a >= 0 and finite, about 1 ulp also for tiny a; u = 1 + a and inverse = 1/u come from the caller,
// who has them. NaN stays NaN. u = 2^k m with m in [sqrt(1/2), sqrt(2)); polynomial from Cephes.
static VG_INLINE v8 log1p_given(v8 a, v8 u, v8 inverse) {
  const v8i k = ((v8i)u - 0x3f3504f3) >> 23;
  const v8 f = (v8)((v8i)u - (k << 23)) - 1.0f;
  const v8 e = __builtin_convertvector(k, v8);
  v8 p = f * 7.0376836292e-2f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const v8 square = f * f;
  v8 y = p * (f * square) + e * -2.12194440e-4f - 0.5f * square;
  y = y + (a - (u - 1.0f)) * inverse; // what rounding 1 + a lost
  return f + y + e * 0.693359375f;
}

// log(1 + a) = 2 artanh(s), s = a/(2 + a), for 0 <= a <= 1: minimax polynomial in s^2, relative error 4e-9; about 1 ulp
// also for tiny a. NaN stays NaN.
static VG_INLINE v8 log1p_unit(v8 a) {
  const v8 s = a / (2.0f + a), w = s * s;
  const v8 p = ((w * 2.817833e-1f + 2.7960604e-1f) * w + 4.002491e-1f) * w + 6.6666317e-1f;
  return s * (p * w + 2.0f);
}
// The same for 0 <= a <= 3, relative error 3e-9.
static VG_INLINE v8 log1p_three(v8 a) {
  const v8 s = a / (2.0f + a), w = s * s, square = w * w;
  const v8 even = ((square * -1.9303222e-1f + 2.0017487e-1f) * square + 3.9989945e-1f) * square + 2.0f;
  const v8 odd = ((square * 5.914304e-1f + 3.0222502e-1f) * square + 2.8785366e-1f) * square + 6.666685e-1f;
  return s * (odd * w + even);
}

static inline v8 join(v4 low, v4 high) { return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7); }
static inline v4 load4(const float *p) { return *reinterpret_cast<const v4_unaligned *>(p); }

// Both 4x4 blocks of four vectors are transposed in place.
static VG_INLINE void transpose4(v8 &a, v8 &b, v8 &c, v8 &d) {
  const v8 t0 = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
  const v8 t1 = __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
  const v8 t2 = __builtin_shufflevector(c, d, 0, 8, 1, 9, 4, 12, 5, 13);
  const v8 t3 = __builtin_shufflevector(c, d, 2, 10, 3, 11, 6, 14, 7, 15);
  a = __builtin_shufflevector(t0, t2, 0, 1, 8, 9, 4, 5, 12, 13);
  b = __builtin_shufflevector(t0, t2, 2, 3, 10, 11, 6, 7, 14, 15);
  c = __builtin_shufflevector(t1, t3, 0, 1, 8, 9, 4, 5, 12, 13);
  d = __builtin_shufflevector(t1, t3, 2, 3, 10, 11, 6, 7, 14, 15);
}

// Channels in vectors of eight voxels: z[ch][lane] = p[lane * stride + ch] for ch < c, rounded up to a multiple of
// four; so up to 3 floats after the last channel of a voxel are read.
static VG_INLINE void load_voxels(const float *p, int64_t stride, int64_t c, v8 *z) {
  if (c == 1 && stride == 1) {
    z[0] = load(p);
    return;
  }
  if (c == 2 && stride == 2) {
    const v8 a = load(p), b = load(p + 8);
    const v8 low = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
    const v8 high = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    z[0] = __builtin_shufflevector(low, high, 0, 2, 8, 10, 4, 6, 12, 14);
    z[1] = __builtin_shufflevector(low, high, 1, 3, 9, 11, 5, 7, 13, 15);
    return;
  }
  for (int64_t q = 0; q < c; q += 4) {
    const float *s = p + q;
    v8 r0 = join(load4(s), load4(s + 4 * stride)), r1 = join(load4(s + stride), load4(s + 5 * stride));
    v8 r2 = join(load4(s + 2 * stride), load4(s + 6 * stride)), r3 = join(load4(s + 3 * stride), load4(s + 7 * stride));
    transpose4(r0, r1, r2, r3);
    z[q] = r0;
    z[q + 1] = r1;
    z[q + 2] = r2;
    z[q + 3] = r3;
  }
}

static VG_INLINE void store_quad(float *p, v8 v, int half, int64_t count) {
  const v4 part = half == 0 ? __builtin_shufflevector(v, v, 0, 1, 2, 3) : __builtin_shufflevector(v, v, 4, 5, 6, 7);
  if (count >= 4) {
    *reinterpret_cast<v4_unaligned *>(p) = part;
    return;
  }
  for (int64_t i = 0; i < count; ++i) p[i] = part[i];
}

// The inverse; writes c channels of eight voxels and nothing else. Vectors c .. rounded up to four must exist.
static VG_INLINE void store_voxels(float *p, int64_t stride, int64_t c, const v8 *z) {
  if (c == 1 && stride == 1) {
    store(p, z[0]);
    return;
  }
  if (c == 2 && stride == 2) {
    const v8 low = __builtin_shufflevector(z[0], z[1], 0, 8, 1, 9, 4, 12, 5, 13);
    const v8 high = __builtin_shufflevector(z[0], z[1], 2, 10, 3, 11, 6, 14, 7, 15);
    store(p, __builtin_shufflevector(low, high, 0, 1, 2, 3, 8, 9, 10, 11));
    store(p + 8, __builtin_shufflevector(low, high, 4, 5, 6, 7, 12, 13, 14, 15));
    return;
  }
  // The last, incomplete four of a dense voxel may spill into the next voxel, whose own stores come later: of one four
  // the voxels are written upwards, and the first fours are written last.
  for (int64_t q = (c - 1) / 4 * 4; q >= 0; q -= 4) {
    float *s = p + q;
    v8 r0 = z[q], r1 = z[q + 1], r2 = z[q + 2], r3 = z[q + 3];
    transpose4(r0, r1, r2, r3);
    const int64_t count = stride == c ? 4 : c - q;
    for (int half = 0; half < 2; ++half) {
      float *t = s + 4 * half * stride;
      store_quad(t, r0, half, count);
      store_quad(t + stride, r1, half, count);
      store_quad(t + 2 * stride, r2, half, count);
      store_quad(t + 3 * stride, r3, half, half == 0 ? count : c - q);
    }
  }
}

// load_voxels for the last `lanes` <= 8 voxels of a tensor: reads nothing behind their channels. Other lanes are 0.
static inline void load_last_voxels(const float *p, int64_t stride, int64_t c, int64_t lanes, v8 *z) {
  const int64_t padded = (c + 3) / 4 * 4;
  for (int64_t ch = 0; ch < padded; ++ch) {
    v8 v{};
    for (int64_t lane = 0; ch < c && lane < lanes; ++lane) v[lane] = p[lane * stride + ch];
    z[ch] = v;
  }
}

static inline void store_last_voxels(float *p, int64_t stride, int64_t c, int64_t lanes, const v8 *z) {
  for (int64_t ch = 0; ch < c; ++ch)
    for (int64_t lane = 0; lane < lanes; ++lane) p[lane * stride + ch] = z[ch][lane];
}

} // namespace vg::VG_TIER

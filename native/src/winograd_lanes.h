// What Winograd tiles share: transforms of F(2,3) and loads of weights. Included by *.tier.cpp files only.
#pragma once

#include "vector_math.h"

namespace vg::VG_TIER {

// G of F(2,3): three weights of an axis to four frequencies.
static inline void weight_frequencies(v8 a, v8 b, v8 c, v8 (&f)[4]) {
  const v8 ends = (a + c) * 0.5f, middle = b * 0.5f;
  f[0] = a;
  f[1] = ends + middle;
  f[2] = ends - middle;
  f[3] = c;
}
// A^T of F(2,3): four products of an axis to two outputs.
static inline void to_outputs(const v8 (&f)[4], v8 &y0, v8 &y1) {
  const v8 sum = f[1] + f[2], difference = f[1] - f[2];
  y0 = f[0] + sum;
  y1 = difference - f[3];
}

// Inputs ahead of those in work that are asked for: the rows of a kernel lie too far apart for the processor to guess.
constexpr int64_t weights_ahead = 32;

// g[input][tap] for up to eight inputs and eight outputs from `output`.
template <class Kernel> static inline void load_weights(const Kernel &k, int64_t input, int64_t output, v8 (*g)[27]) {
  const int64_t inputs = k.inputs - input < 8 ? k.inputs - input : 8;
  const int64_t outputs = k.outputs - output < 8 ? k.outputs - output : 8;
  for (int64_t t = 0; t < 9 * k.planes; ++t) {
    const float *from = k.w + k.tap[t] + input * k.in_stride + output * k.out_stride;
    if (k.in_stride == 1 && inputs == 8 && outputs == 8) {
      if (input % 16 == 0)
        for (int i = 0; i < 8; ++i) __builtin_prefetch(from + i * k.out_stride + weights_ahead, 0, 2);
      v8 rows[8];
      load_voxels(from, k.out_stride, 8, rows);
      for (int i = 0; i < 8; ++i) g[i][t] = rows[i];
      continue;
    }
    for (int64_t i = 0; i < inputs; ++i, from += k.in_stride) {
      v8 lanes{};
      if (output == 0) __builtin_prefetch(from + weights_ahead * k.in_stride, 0, 2);
      if (k.out_stride == 1 && outputs == 8)
        lanes = load(from);
      else
        for (int64_t o = 0; o < outputs; ++o) lanes[o] = from[o * k.out_stride];
      g[i][t] = lanes;
    }
  }
}

} // namespace vg::VG_TIER

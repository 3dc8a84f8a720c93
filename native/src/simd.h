// Eight floats as a compiler vector: one AVX2 register, or two SSE registers in the portable tier. Included by
// *.tier.cpp files only; everything there lives in namespace vg::VG_TIER so that code of one tier never replaces the
// other's at link time. Plain a*b + c becomes a fused multiply-add where the tier has one (-ffp-contract=fast).
#pragma once

#include <cstdint>

// For the small functions of inner loops, which the compiler would call where they are used more than once. The checks
// of a sanitizer make them large, and inlining all of them would take it many minutes.
#if defined(__SANITIZE_ADDRESS__)
#define VG_INLINE inline
#else
#define VG_INLINE __attribute__((always_inline)) inline
#endif

namespace vg::VG_TIER {

typedef float v8 __attribute__((vector_size(32)));
typedef float v8_unaligned __attribute__((vector_size(32), aligned(4), may_alias));

static inline v8 load(const float *p) { return *reinterpret_cast<const v8_unaligned *>(p); }
static inline void store(float *p, v8 v) { *reinterpret_cast<v8_unaligned *>(p) = v; }
static inline v8 broadcast(float s) { return v8{s, s, s, s, s, s, s, s}; }

} // namespace vg::VG_TIER

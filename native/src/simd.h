// Eight floats as a compiler vector: one AVX2 register, or two registers of SSE or NEON. Register tiles, which live on
// the number of registers, use the vector of their tier (see below). Included by *.tier.cpp files only; everything
// there lives in namespace vg::VG_TIER so that code of one tier never replaces the other's at link time. Plain a*b + c
// becomes a fused multiply-add where the tier has one (-ffp-contract=fast).
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

typedef float v4 __attribute__((vector_size(16)));
typedef float v4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
typedef float v16 __attribute__((vector_size(64)));
typedef float v16_unaligned __attribute__((vector_size(64), aligned(4), may_alias));

static inline v8 load(const float *p) { return *reinterpret_cast<const v8_unaligned *>(p); }
static inline void store(float *p, v8 v) { *reinterpret_cast<v8_unaligned *>(p) = v; }
static inline void store(float *p, v4 v) { *reinterpret_cast<v4_unaligned *>(p) = v; }
static inline void store(float *p, v16 v) { *reinterpret_cast<v16_unaligned *>(p) = v; }
template <class V> static inline V load_as(const float *p);
template <> inline v4 load_as(const float *p) { return *reinterpret_cast<const v4_unaligned *>(p); }
template <> inline v8 load_as(const float *p) { return load(p); }
template <> inline v16 load_as(const float *p) { return *reinterpret_cast<const v16_unaligned *>(p); }
static inline v8 broadcast(float s) { return v8{s, s, s, s, s, s, s, s}; }

// Register tiles: R rows times a panel of 16 channels (or half a panel), all sums in registers. One vector holds a
// whole panel (AVX-512), half of it (AVX2) or a quarter; what is left of the registers takes weights and inputs.
#if defined(__AVX512F__) || defined(VG_EMULATED) // 32 registers of 16
typedef v16 panel_vector;
typedef v8 half_panel_vector;
inline constexpr int panel_vectors = 1, half_panel_vectors = 1, panel_rows = 12, half_panel_rows = 12;
#elif defined(__AVX2__)    // 16 registers of 8
typedef v8 panel_vector;
typedef v8 half_panel_vector;
inline constexpr int panel_vectors = 2, half_panel_vectors = 1, panel_rows = 6, half_panel_rows = 12;
#elif defined(__aarch64__) // 32 registers of 4
typedef v4 panel_vector;
typedef v4 half_panel_vector;
inline constexpr int panel_vectors = 4, half_panel_vectors = 2, panel_rows = 6, half_panel_rows = 12;
#else                      // 16 registers of 4
typedef v4 panel_vector;
typedef v4 half_panel_vector;
inline constexpr int panel_vectors = 4, half_panel_vectors = 2, panel_rows = 2, half_panel_rows = 4;
#endif

} // namespace vg::VG_TIER

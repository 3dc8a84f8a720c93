// What the two segloss tiles share: lane masks and running sums. Included by *.tier.cpp files only.
//
// A vector of eight logits is added to two sets of running float32 sums. `home` belongs to segment 0, the background
// of component maps, and is added up over the lanes. In `away` every lane has a segment of its own, which changes when
// the lane meets another one, so that a component costs a few float64 additions per row it crosses.
#pragma once

#include "segloss_tiles.h"
#include "vector_math.h"
#include "voxgrad.h"

namespace vg::VG_TIER {

constexpr int64_t segloss_limit = segloss_class_limit;
// Groups of eight voxels added in float32 before the sums move to float64.
constexpr int64_t segloss_block = 32;

static inline v8i load_ints(const int32_t *p) {
  typedef int32_t v8i_unaligned __attribute__((vector_size(32), aligned(4), may_alias));
  return *reinterpret_cast<const v8i_unaligned *>(p);
}
static inline v8i ints_of(const int32_t *p, int64_t lanes) {
  if (lanes == 8) return load_ints(p);
  v8i v{};
  for (int64_t i = 0; i < lanes; ++i) v[i] = p[i];
  return v;
}
static inline v8i bytes_of(const uint8_t *p, int64_t lanes) {
  if (lanes == 8) return load_bytes(p);
  v8i v{};
  for (int64_t i = 0; i < lanes; ++i) v[i] = p[i];
  return v;
}
static inline v8 floats_of(const float *p, int64_t lanes) { return lanes == 8 ? load(p) : load_some(p, lanes); }

static inline v8i counted(const SeglossTile &t, int64_t v, int64_t lanes) {
  v8i on = v8i{0, 1, 2, 3, 4, 5, 6, 7} < broadcast_int(static_cast<int32_t>(lanes));
  if (t.mask != nullptr) on &= bytes_of(t.mask + v, lanes) != 0;
  return on;
}

// Adds eight voxels of c dense numbers, or the first `lanes` of them, to a tensor.
static inline void add_voxels(float *to, int64_t stride, int64_t c, int64_t lanes, const float *from) {
  for (int64_t i = 0; i < lanes; ++i, to += stride, from += c)
    for (int64_t j = 0; j < c; ++j) to[j] += from[j];
}

// Running sums of the lanes of one vector: the five kinds with derivatives, then the two counts (negative).
struct Cell {
  v8 value[5];
  v8i count, voxels;
};
static inline void clear(Cell &s, v8i lanes) {
  for (v8 &value : s.value) value = masked(~lanes, value);
  s.count &= ~lanes;
  s.voxels &= ~lanes;
}
static inline double lane_count(v8i negative) {
  int32_t n = 0;
  for (int i = 0; i < 8; ++i) n -= negative[i];
  return n;
}
static inline void add_lane(const Cell &s, int lane, double *to) {
  for (int k = 0; k < 5; ++k) to[k] += s.value[k][lane];
  to[VG_SUM_COUNT] -= s.count[lane];
}
static inline void add_lanes(const Cell &s, double *to) {
  for (int k = 0; k < 5; ++k) to[k] += lane_sum(s.value[k]);
  to[VG_SUM_COUNT] += lane_count(s.count);
}

} // namespace vg::VG_TIER

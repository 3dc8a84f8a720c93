// The work around a convolution on eight channels at a time: values of a stored input, and what happens to outputs on
// their way to memory. Included by *.tier.cpp files only.
#pragma once

#include "fusion_tile.h"
#include "vector_math.h"
#include "voxgrad.h"

namespace vg::VG_TIER {

static inline v8 load_lanes(const float *p, int64_t lanes) { return lanes == 8 ? load(p) : load_some(p, lanes); }
static inline void store_lanes(float *p, v8 v, int64_t lanes) { lanes == 8 ? store(p, v) : store_some(p, v, lanes); }

// Inputs that hold values.
struct PlainInput {
  v8 operator()(v8 x) const { return x; }
};

// Inputs before norm and activation. Lanes beyond the channels give zero.
struct NormedInput {
  NormedInput(const float *table, int64_t row, int64_t channel, int64_t lanes)
      : scale(load_lanes(table + VG_NORM_SCALE * row + channel, lanes)),
        shift(load_lanes(table + VG_NORM_SHIFT * row + channel, lanes)),
        slope(load_lanes(table + VG_NORM_SLOPE * row + channel, lanes)) {}
  VG_INLINE v8 before(v8 x) const { return x * scale + shift; }
  VG_INLINE v8 operator()(v8 x) const {
    const v8 a = before(x);
    return a > 0.0f ? a : a * slope;
  }
  v8 scale, shift, slope;
};

static inline void add_doubles(double *to, v8 v) {
  typedef double v4d_unaligned __attribute__((vector_size(32), aligned(8), may_alias));
  auto *low = reinterpret_cast<v4d_unaligned *>(to), *high = low + 1;
  *low += __builtin_convertvector(__builtin_shufflevector(v, v, 0, 1, 2, 3), v4d);
  *high += __builtin_convertvector(__builtin_shufflevector(v, v, 4, 5, 6, 7), v4d);
}

// A mean that is exact where all values are equal.
struct MeanLanes {
  explicit MeanLanes(v8 value) : first(value) {}
  void add(v8 value) {
    sum += value - first;
    ++count;
  }
  v8 value() const { return first + sum * (1.0f / static_cast<float>(count)); }
  v8 first, sum{};
  int64_t count = 1;
};

// Outputs on their way to memory: begin() with about the mean of the slot's outputs, operator() with the number of the
// voxel for every one, end() after few enough of them for sums in float32. The three classes below are the kinds of
// OutputWork.
struct PlainOutput {
  PlainOutput(const OutputWork &, int64_t, int64_t) {}
  void begin(v8) {}
  VG_INLINE v8 operator()(v8 y, int64_t) { return y; }
  void end() const {}
};

struct StatisticsOutput {
  StatisticsOutput(const OutputWork &w, int64_t channel, int64_t) : work(w), at(channel), shift(load(w.shift + at)) {}
  void begin(v8 y) {
    shift = y;
    store(work.shift + at, y);
  }
  void prefetch(int64_t) const {}
  VG_INLINE v8 operator()(v8 y, int64_t) {
    const v8 off = y - shift;
    first += off;
    second += off * off;
    return y;
  }
  void end() const {
    add_doubles(work.first + at, first);
    add_doubles(work.second + at, second);
  }
  const OutputWork &work;
  int64_t at;
  v8 shift, first{}, second{};
};

struct GradientOutput {
  GradientOutput(const OutputWork &w, int64_t channel, int64_t count)
      : work(w), at(channel), lanes(count), norm(w.norm, w.norm_row, channel, count),
        mean(load_lanes(w.norm + VG_NORM_MEAN * w.norm_row + channel, count)) {}
  void begin(v8) {}
  void prefetch(int64_t voxel) const { __builtin_prefetch(work.x + voxel * work.x_stride + at); }
  VG_INLINE v8 operator()(v8 y, int64_t voxel) {
    const v8 x = load_lanes(work.x + voxel * work.x_stride + at, lanes);
    const v8 g = norm.before(x) > 0.0f ? y : y * norm.slope;
    first += g;
    second += g * (x - mean);
    return g;
  }
  void end() const {
    add_doubles(work.first + at, first);
    add_doubles(work.second + at, second);
  }
  const OutputWork &work;
  int64_t at, lanes;
  NormedInput norm;
  v8 mean, first{}, second{};
};

} // namespace vg::VG_TIER

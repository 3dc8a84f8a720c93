// The cut of work into items and of output channels into panels of register tiles, and integer rounding: what direct
// and Winograd convolution share. For .cpp files only, tiles know lanes alone.
#pragma once

#include "conv3d_tile.h"

#include <algorithm>

namespace vg {

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

// Work items that keep many threads busy to the end.
inline constexpr int64_t enough_items = 32;
// Partial sums of a weight gradient take at most about this much memory (more only if one set does).
inline constexpr int64_t partial_bytes = 16 << 20;

struct Panels {
  int64_t channels;
  int64_t count() const { return ceil_div(channels, panel_lanes); }
  int64_t begin(int64_t i) const { return i * panel_lanes; }
  int64_t width(int64_t i) const { return std::min(panel_lanes, channels - begin(i)); }
  int64_t lanes(int64_t i) const { return width(i) <= half_panel_lanes ? half_panel_lanes : panel_lanes; }
  int64_t padded() const { return begin(count() - 1) + lanes(count() - 1); }
};

} // namespace vg

// Tables of tensors as the optimizers' calls take them: lengths and pointers, and the checks of both.
#pragma once

#include "internal.h"

namespace vg {

// 256 KB per stream: long enough to amortise a piece, short enough to balance and to stay in L2 for a second look.
constexpr int64_t chunk_elements = 65536;

inline void check_lengths(int64_t count, const int64_t *lengths) {
  VG_REQUIRE(count >= 0, "count is %lld, must not be negative", static_cast<long long>(count));
  if (count == 0) return;
  require_pointer("lengths", lengths);
  for (int64_t i = 0; i < count; ++i)
    VG_REQUIRE(lengths[i] >= 0, "lengths[%lld] is %lld, must not be negative", static_cast<long long>(i),
               static_cast<long long>(lengths[i]));
}

template <class Pointer>
void check_table(const char *name, int64_t count, const int64_t *lengths, Pointer const *table) {
  if (count == 0) return;
  require_pointer(name, table);
  for (int64_t i = 0; i < count; ++i)
    VG_REQUIRE(table[i] != nullptr || lengths[i] == 0, "%s[%lld] is NULL", name, static_cast<long long>(i));
}

} // namespace vg

// Twelve independent chains of multiply-adds in the widest registers of the tier: a chain waits 4 to 5 cycles for its
// last result, and a core starts two multiply-adds a cycle.
#include "peak_tiles.h"

namespace vg::VG_TIER {

#if defined(__AVX512F__)
typedef float wide __attribute__((vector_size(64)));
#elif defined(__AVX2__)
typedef float wide __attribute__((vector_size(32)));
#else
typedef float wide __attribute__((vector_size(16)));
#endif

void multiply_add(const PeakTile &tile) {
  constexpr int chains = 12;
  // Runs towards 1: neither overflow nor denormal numbers, which would cost time.
  const wide factor = wide{} + 0.999f, term = wide{} + 1e-3f;
  wide chain[chains];
  for (int i = 0; i < chains; ++i) chain[i] = wide{} + (2.0f + static_cast<float>(i));
  for (int64_t r = 0; r < tile.rounds; ++r)
    for (int i = 0; i < chains; ++i) chain[i] = chain[i] * factor + term;
  wide sum{};
  for (int i = 0; i < chains; ++i) sum += chain[i];
  *tile.sum = sum[0];
  *tile.flops = tile.rounds * chains * 2 * static_cast<int64_t>(sizeof(wide) / sizeof(float));
}

} // namespace vg::VG_TIER

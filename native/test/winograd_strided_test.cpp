// Input gradients of convolutions with stride 2 where Winograd pays: many tiles, many channels.
#include "conv_reference.h"

#include <cmath>
#include <cstdlib>

using namespace vg::test;

namespace {

// Both parities of the padding along every axis, sizes that end within a tile.
const Sizes table[] = {
    {1, {19, 21, 20}, 72, 80, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {1, {20, 18, 20}, 80, 72, {3, 3, 3}, {2, 2, 2}, {0, 2, 1}, 3, 1},
    {3, {14, 15, 16}, 73, 81, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, 0, 5},
    {1, {9, 40, 41}, 24, 33, {3, 3, 3}, {1, 2, 2}, {1, 1, 1}, 2, 0},
    {2, {5, 31, 32}, 40, 20, {3, 3, 3}, {1, 2, 2}, {2, 0, 1}},
    {1, {10, 35, 36}, 33, 40, {3, 3, 3}, {1, 2, 2}, {0, 1, 2}, 1, 1},
    {4, {1, 32, 32}, 96, 96, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
    {1, {5, 28, 32}, 104, 90, {1, 3, 3}, {1, 2, 2}, {1, 0, 1}, 0, 6},
};

TEST(WinogradStrided, MatchesNaiveLoops) {
  uint64_t seed = 5000;
  for (const Sizes &z : table) expect_naive(conv3d, make(z), seed += 10);
}

TEST(WinogradStrided, BitsDoNotDependOnThreads) {
  for (const Sizes &z : {table[0], table[3], table[6]}) expect_same_bits_for_threads(conv3d, make(z));
}

// A NaN of dy reaches the inputs that it is a gradient of, and no others.
TEST(WinogradStrided, NaNStaysInItsReceptiveField) {
  const ConvCase c = make({1, {9, 40, 41}, 24, 33, {3, 3, 3}, {1, 2, 2}, {1, 1, 1}});
  for (const int64_t at : {(4 * 20 + 7) * 21 + 8, (3 * 20 + 8) * 21 + 9}) {
    ConvExpected e(c, false, Side::after, 3);
    e.dy.at(at, 2) = NAN;
    const auto r = run(conv3d, Cpu(2), c, e, Side::after);
    for (int64_t v = 0; v < c.x_voxels(); ++v) {
      const int64_t dz = std::abs(v / (40 * 41) - at / (20 * 21)), dy = std::abs(v / 41 % 40 - at / 21 % 20 * 2);
      const int64_t dx = std::abs(v % 41 - at % 21 * 2);
      ASSERT_EQ(std::isnan(r->dx.at(v, 0)), dz <= 1 && dy <= 1 && dx <= 1) << "dy " << at << " at " << v;
    }
  }
}

} // namespace

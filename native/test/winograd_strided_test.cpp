// Input gradients of convolutions with stride 2 where Winograd pays: many tiles, many channels.
#include "conv_reference.h"

#include <cmath>

using namespace vg::test;

namespace {

// Both parities of the padding along every axis, sizes that end within a tile. Winograd takes at most 0.92 of what
// winograd_strided_pays allows, so that none of them leaves it unseen.
const Sizes table[] = {
    {1, {19, 20, 20}, 72, 80, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {1, {16, 15, 16}, 73, 81, {3, 3, 3}, {2, 2, 2}, {2, 1, 1}, 3, 5},
    {1, {6, 32, 39}, 32, 40, {3, 3, 3}, {1, 2, 2}, {1, 1, 1}, 2, 0},
    {2, {5, 31, 32}, 40, 20, {3, 3, 3}, {1, 2, 2}, {2, 0, 1}},
    {1, {10, 35, 36}, 33, 40, {3, 3, 3}, {1, 2, 2}, {1, 1, 2}, 1, 1},
    {4, {1, 32, 32}, 128, 128, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
    {1, {5, 28, 32}, 104, 90, {1, 3, 3}, {1, 2, 2}, {1, 0, 3}, 0, 6},
};

TEST(WinogradStrided, MatchesNaiveLoops) {
  uint64_t seed = 5000;
  for (const Sizes &z : table) expect_naive(conv3d, make(z), seed += 10);
}

TEST(WinogradStrided, BitsDoNotDependOnThreads) {
  for (const Sizes &z : {table[1], table[2], table[5]}) expect_same_bits_for_threads(conv3d, make(z));
}

// Inputs of unit variance; limits of winograd_test.cpp.
TEST(WinogradStrided, IsAsAccurateAsADirectSum) {
  const ConvCase c = make(table[0]);
  const ConvExpected e(c, false, Side::after, 5);
  EXPECT_LT(relative_errors(c, e, *run(conv3d, Cpu(2), c, e, Side::after)).dx, 4e-7);
}

// A NaN of dy reaches the inputs that it is a gradient of, and no others.
TEST(WinogradStrided, NaNStaysInItsReceptiveField) {
  const Sizes problems[] = {{1, {6, 32, 39}, 32, 40, {3, 3, 3}, {1, 2, 2}, {1, 1, 1}},
                            {1, {5, 31, 32}, 40, 20, {3, 3, 3}, {1, 2, 2}, {2, 0, 1}}};
  for (const Sizes &z : problems)
    for (const int64_t odd : {0, 1}) { // within a tile
      const ConvCase c = make(z);
      ConvExpected e(c, false, Side::after, 3);
      const int64_t at[3] = {3, 8 + odd, 7 + odd};
      e.dy.at((at[0] * c.out[1] + at[1]) * c.out[2] + at[2], 2) = NAN;
      const auto r = run(conv3d, Cpu(2), c, e, Side::after);
      for (int64_t v = 0; v < c.x_voxels(); ++v) {
        const int64_t place[3] = {v / (z.in[1] * z.in[2]), v / z.in[2] % z.in[1], v % z.in[2]};
        bool reached = true;
        for (int a = 0; a < 3; ++a) {
          const int64_t tap = place[a] - (at[a] * z.s[a] - z.p[a]);
          reached = reached && tap >= 0 && tap < 3;
        }
        ASSERT_EQ(std::isnan(r->dx.at(v, 0)), reached) << c.text() << " odd " << odd << " at " << v;
      }
    }
}

} // namespace

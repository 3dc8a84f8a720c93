// Convolutions that run as Winograd: 3x3x3 and 1x3x3 taps with strides 1 and 2, 8 channels and more.
#include "conv_reference.h"

#include <cmath>
#include <cstdlib>

using namespace vg::test;

namespace {

const Sizes table[] = {
    // few tiles: the stages of a slice one after the other
    {1, {4, 4, 4}, 8, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {2, {5, 7, 9}, 16, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 3, 5},
    {1, {7, 6, 11}, 9, 17, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 1, 0},
    {1, {6, 9, 67}, 20, 25, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 0, 2},
    {3, {3, 5, 4}, 33, 31, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {1, {8, 8, 8}, 100, 40, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    // fewest tiles: weights in the cache
    {1, {2, 2, 2}, 40, 72, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {4, {5, 4, 3}, 65, 23, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 3, 1},
    {4, {3, 2, 3}, 8, 56, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 0, 8},
    {1, {1, 4, 5}, 70, 50, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, 1, 6},
    {4, {2, 8, 5}, 96, 24, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
    // paddings; two is the input gradient of none
    {1, {9, 8, 7}, 12, 16, {3, 3, 3}, {1, 1, 1}, {0, 0, 0}},
    {1, {6, 7, 5}, 16, 12, {3, 3, 3}, {1, 1, 1}, {2, 2, 2}},
    {1, {8, 9, 10}, 8, 24, {3, 3, 3}, {1, 1, 1}, {0, 1, 2}},
    // many tiles: blocks
    {1, {30, 32, 33}, 8, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {2, {13, 28, 41}, 9, 16, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 7, 8},
    {1, {19, 17, 16}, 24, 40, {3, 3, 3}, {1, 1, 1}, {0, 1, 1}},
    // many channels: stages for the weight gradient alone, and in chunks
    {1, {1, 66, 66}, 160, 144, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
    // 1x3x3
    {2, {1, 13, 14}, 8, 8, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
    {1, {5, 21, 67}, 17, 9, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, 2, 1},
    {4, {1, 64, 63}, 16, 24, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
    {1, {6, 12, 12}, 8, 8, {1, 3, 3}, {1, 1, 1}, {1, 0, 2}},
};

// With stride 2: odd sizes, every padding, the strides of a U-Net's anisotropic stages. Winograd takes at most 0.9 of
// what winograd_pays allows, so that none of them leaves it unseen.
const Sizes strided[] = {
    // few tiles: weights in the cache
    {1, {4, 4, 4}, 40, 72, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {4, {7, 8, 8}, 65, 23, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, 3, 1},
    {2, {9, 11, 5}, 40, 33, {3, 3, 3}, {2, 2, 2}, {0, 1, 2}, 0, 5},
    {2, {3, 12, 11}, 33, 31, {3, 3, 3}, {1, 2, 2}, {1, 1, 1}, 2, 0},
    {1, {4, 12, 15}, 70, 50, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, 1, 6},
    // stages
    {1, {24, 23, 24}, 32, 48, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {2, {9, 16, 17}, 25, 20, {3, 3, 3}, {1, 2, 2}, {1, 1, 1}, 0, 4},
    {2, {12, 9, 10}, 33, 40, {3, 3, 3}, {2, 1, 1}, {1, 1, 1}, 7, 0},
    {4, {1, 32, 31}, 64, 64, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
    // blocks
    {2, {31, 32, 34}, 24, 24, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, 5, 8},
    {1, {13, 40, 67}, 24, 17, {3, 3, 3}, {1, 2, 2}, {1, 1, 1}},
    {1, {33, 21, 24}, 20, 24, {3, 3, 3}, {2, 1, 1}, {1, 0, 2}},
    {1, {3, 67, 63}, 56, 64, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, 1, 2},
};

TEST(Winograd, MatchesNaiveLoops) {
  uint64_t seed = 1000;
  for (const Sizes &z : table) expect_naive(conv3d, make(z), seed += 10);
  for (const Sizes &z : strided) expect_naive(conv3d, make(z), seed += 10);
}

TEST(Winograd, MatchesNaiveLoopsOnRandomProblems) {
  Random random(20261121);
  for (int i = 0; i < 25; ++i) {
    Sizes z{1 + random.index(3), {}, 8 + random.index(20), 8 + random.index(20), {3, 3, 3}, {1, 1, 1}, {}};
    z.k[0] = random.index(2) == 0 ? 1 : 3;
    for (int a = 0; a < 3; ++a) {
      z.in[a] = 3 + random.index(12);
      z.p[a] = random.index(3);
    }
    z.x_gap = random.index(2) * random.index(9);
    z.y_gap = random.index(2) * random.index(9);
    expect_naive(conv3d, make(z), static_cast<uint64_t>(3000 + i));
    z.s[1] = z.s[2] = 2;
    z.s[0] = z.k[0] == 1 ? 1 : 1 + random.index(2);
    z.ci += 12;
    z.co += 12;
    expect_naive(conv3d, make(z), static_cast<uint64_t>(4000 + i));
  }
}

TEST(Winograd, BitsDoNotDependOnThreads) {
  const Sizes problems[] = {
      {2, {23, 24, 27}, 9, 24, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {1, {4, 5, 4}, 100, 60, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {2, {8, 9, 10}, 64, 40, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {2, {1, 65, 67}, 16, 16, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
      {2, {31, 32, 34}, 24, 24, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
      {1, {8, 9, 8}, 100, 60, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
      {2, {16, 17, 18}, 64, 40, {3, 3, 3}, {1, 2, 2}, {1, 1, 1}},
  };
  for (const Sizes &z : problems) expect_same_bits_for_threads(conv3d, make(z));
}

// A NaN reaches the outputs whose sums it is part of, and no others.
TEST(Winograd, NaNStaysInItsReceptiveField) {
  for (const int64_t stride : {1, 2})
    for (const int64_t depth : {1, 3})
      for (const int64_t z : {4, 5}) {
        const int64_t depth_stride = depth == 1 ? 1 : stride, side = 16 / stride;
        const ConvCase c =
            make({1, {8, 16, 16}, 64, 64, {depth, 3, 3}, {depth_stride, stride, stride}, {depth / 2, 1, 1}});
        ConvExpected e(c, false, Side::after, 3);
        const int64_t at = (z * 16 + 3) * 16 + 4;
        e.x.at(at, 2) = NAN;
        const auto r = run(conv3d, Cpu(2), c, e, Side::after);
        for (int64_t v = 0; v < c.y_voxels(); ++v) {
          const int64_t dz = std::abs(v / (side * side) * depth_stride - z);
          const int64_t dy = std::abs(v / side % side * stride - 3), dx = std::abs(v % side * stride - 4);
          ASSERT_EQ(std::isnan(r->y.at(v, 0)), dz <= depth / 2 && dy <= 1 && dx <= 1)
              << "stride " << stride << " depth " << depth << " z " << z << " at " << v;
        }
      }
}

// Inputs of unit variance; a direct sum has 2.5e-7 (conv3d_test.cpp). With stride 2 the input gradient of so few
// channels is a direct one (winograd_strided_test.cpp has the other).
TEST(Winograd, IsAsAccurateAsADirectSum) {
  struct Limit {
    int64_t channels;
    double error;
    int64_t stride;
  };
  for (const auto &[channels, error, stride] :
       {Limit{32, 4e-7, 1}, Limit{256, 8e-7, 1}, Limit{32, 4e-7, 2}, Limit{256, 6e-7, 2}}) {
    const ConvCase c = make({1, {8, 8, 8}, channels, 16, {3, 3, 3}, {stride, stride, stride}, {1, 1, 1}});
    const ConvExpected e(c, false, Side::after, 5);
    const auto r = run(conv3d, Cpu(2), c, e, Side::after);
    const Errors errors = relative_errors(c, e, *r);
    EXPECT_LT(errors.y, error) << channels;
    EXPECT_LT(errors.dx, error) << channels;
    EXPECT_LT(errors.dw, error) << channels;
  }
}

} // namespace

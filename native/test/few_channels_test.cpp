// Convolutions with 1 to 4 channels on one side: first layers, their input gradient, heads; and small deep maps, whose
// weights are packed where they are used.
#include "conv_reference.h"

#include <limits>

using namespace vg::test;

namespace {

const Sizes table[] = {
    // first layers: every count of inputs, kernels and strides of the networks
    {4, {3, 5, 7}, 1, 32, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {1, {7, 6, 67}, 2, 24, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 1, 3},
    {2, {6, 5, 33}, 3, 17, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, 5, 0},
    {1, {4, 17, 21}, 4, 40, {3, 3, 3}, {1, 2, 2}, {1, 1, 1}},
    {3, {1, 23, 47}, 3, 64, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
    {1, {9, 8, 31}, 1, 16, {5, 5, 5}, {1, 1, 1}, {2, 2, 2}, 0, 8},
    {1, {9, 9, 13}, 1, 12, {7, 7, 7}, {2, 2, 2}, {3, 3, 3}},
    {1, {1, 29, 19}, 3, 8, {1, 7, 7}, {1, 2, 2}, {0, 3, 3}},
    {1, {5, 7, 9}, 1, 8, {3, 3, 3}, {1, 1, 1}, {0, 0, 0}},
    {1, {2, 3, 5}, 4, 9, {3, 1, 3}, {1, 1, 1}, {1, 0, 1}},
    // lines that are cut, lines of one voxel, pieces of several lines and several ranges of them
    {1, {1, 3, 601}, 1, 8, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
    {1, {67, 5, 1}, 1, 33, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {2, {24, 25, 26}, 1, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    // few outputs with taps: kernels of 1 to 7 along x, a last chunk of channels that overlaps
    {1, {5, 9, 31}, 16, 1, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {1, {4, 6, 13}, 19, 3, {3, 3, 2}, {1, 1, 1}, {1, 1, 0}, 2, 2},
    {2, {1, 11, 17}, 8, 2, {1, 5, 4}, {1, 1, 1}, {0, 2, 2}},
    {1, {3, 5, 25}, 9, 4, {1, 1, 7}, {1, 1, 1}, {0, 0, 3}},
    {1, {3, 4, 6}, 10, 1, {3, 3, 6}, {2, 1, 1}, {1, 1, 5}},
    // heads
    {4, {5, 7, 9}, 32, 1, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
    {1, {5, 7, 9}, 33, 2, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, 3, 0},
    {3, {3, 5, 7}, 24, 3, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, 0, 2},
    {1, {21, 17, 19}, 8, 4, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, 0, 4},
    {1, {1, 1, 1}, 320, 4, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
    // projections with a stride: most of the input gradient is zero
    {2, {5, 6, 7}, 16, 24, {1, 1, 1}, {2, 2, 2}, {0, 0, 0}, 3, 0},
    // deep maps
    {2, {4, 4, 4}, 72, 264, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {1, {3, 5, 2}, 130, 20, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, 6, 4},
    {4, {1, 4, 4}, 65, 130, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
};

TEST(FewChannels, MatchesNaiveLoops) {
  uint64_t seed = 1;
  for (const Sizes &z : table) expect_naive(conv3d, make(z), seed += 10);
}

TEST(FewChannels, MatchesNaiveLoopsOnRandomProblems) {
  Random random(20261121);
  for (int i = 0; i < 60; ++i) {
    Sizes z{};
    z.n = 1 + random.index(4);
    const int64_t few = 1 + random.index(4), many = 1 + random.index(40);
    const bool inputs = random.index(2) == 0;
    z.ci = inputs ? few : many;
    z.co = inputs ? many : few;
    const int64_t longest = random.index(3);
    for (int a = 0; a < 3; ++a) {
      z.in[a] = a == longest ? 1 + random.index(67) : 1 + random.index(7);
      z.k[a] = 1 + 2 * random.index(3);
      z.p[a] = z.k[a] / 2;
      z.s[a] = 1 + random.index(2);
    }
    z.x_gap = random.index(2) * random.index(9);
    z.y_gap = random.index(2) * random.index(9);
    expect_naive(conv3d, make(z), static_cast<uint64_t>(3000 + i));
  }
}

TEST(FewChannels, BitsDoNotDependOnThreads) {
  const Sizes problems[] = {
      {2, {13, 20, 33}, 1, 24, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {1, {17, 30, 29}, 3, 16, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
      {3, {21, 17, 9}, 24, 4, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
      {2, {4, 4, 4}, 72, 264, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
  };
  for (const Sizes &z : problems)
    for (const char *isa : isas()) {
      const ConvCase c = make(z);
      const ConvExpected e(c, false, Side::after, 79);
      const auto one = run(conv3d, Cpu(1, isa), c, e, Side::after);
      for (const int threads : {2, 3, 7})
        expect_same_bits(conv3d, c, *one, *run(conv3d, Cpu(threads, isa), c, e, Side::after));
    }
}

// Lanes hold input channels here: what lies behind the last channel of a slice must not be read into the sums, and an
// infinite input reaches the outputs of its own taps alone.
TEST(FewChannels, InfiniteInputReachesItsOwnOutputsOnly) {
  const ConvCase c = make({1, {3, 4, 9}, 11, 2, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 5, 0});
  ConvExpected e(c, false, Side::after, 4);
  const auto voxel = [](int64_t z, int64_t y, int64_t x) { return (z * 4 + y) * 9 + x; };
  e.x.at(voxel(0, 0, 8), 10) = std::numeric_limits<float>::infinity();
  for (const char *isa : isas()) {
    const auto r = run(conv3d, Cpu(2, isa), c, e, Side::after);
    for (int64_t z = 0; z < 3; ++z)
      for (int64_t y = 0; y < 4; ++y)
        for (int64_t x = 0; x < 9; ++x)
          for (int64_t o = 0; o < 2; ++o)
            EXPECT_EQ(std::isfinite(r->y.at(voxel(z, y, x), o)), z > 1 || y > 1 || x < 7) << isa << z << y << x;
  }
}

} // namespace

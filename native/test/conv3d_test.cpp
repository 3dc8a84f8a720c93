#include "conv_reference.h"

#include <algorithm>

using namespace vg::test;

namespace {

const Sizes table[] = {
    // 3x3x3, same size, every kind of channel count
    {1, {5, 6, 7}, 1, 1, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {2, {7, 9, 11}, 1, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {1, {6, 8, 13}, 2, 32, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {2, {4, 7, 9}, 8, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {1, {5, 7, 19}, 16, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 3, 5},
    {3, {3, 5, 7}, 5, 9, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {1, {9, 10, 11}, 17, 33, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 1, 2},
    {1, {8, 8, 8}, 32, 32, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    // several slices of input channels
    {1, {3, 4, 5}, 131, 24, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 4, 0},
    {1, {4, 4, 4}, 320, 320, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {1, {1, 5, 7}, 37, 3, {5, 5, 5}, {1, 1, 1}, {2, 2, 2}},
    // no padding, some padding, more padding than kernel
    {1, {5, 6, 7}, 6, 12, {3, 3, 3}, {1, 1, 1}, {0, 0, 0}},
    {1, {5, 6, 7}, 6, 12, {3, 3, 3}, {1, 1, 1}, {0, 0, 0}, 7, 1},
    {1, {5, 6, 7}, 4, 5, {3, 3, 3}, {1, 1, 1}, {0, 1, 2}},
    {1, {2, 3, 1}, 3, 2, {2, 2, 2}, {1, 1, 1}, {3, 2, 4}},
    {1, {2, 2, 2}, 3, 2, {1, 1, 1}, {2, 2, 2}, {1, 1, 1}},
    // 1x1x1
    {2, {3, 5, 7}, 32, 4, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
    {1, {9, 9, 9}, 8, 2, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, 8, 0},
    {1, {5, 7, 9}, 19, 21, {1, 1, 1}, {2, 2, 2}, {0, 0, 0}},
    // anisotropic kernels and strides
    {1, {5, 9, 11}, 7, 16, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
    {2, {5, 9, 11}, 8, 20, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
    {1, {6, 7, 8}, 3, 4, {3, 1, 5}, {2, 1, 3}, {1, 0, 2}},
    {1, {7, 7, 7}, 4, 6, {2, 3, 4}, {3, 2, 1}, {0, 1, 1}},
    // stride 2 on odd and even sizes
    {1, {9, 11, 13}, 8, 16, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {2, {8, 10, 12}, 9, 16, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, 2, 3},
    {1, {1, 1, 1}, 5, 7, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {1, {5, 5, 5}, 2, 2, {3, 3, 3}, {7, 7, 7}, {1, 1, 1}},
    // 5x5x5 and 2D
    {1, {7, 9, 11}, 3, 10, {5, 5, 5}, {1, 1, 1}, {2, 2, 2}},
    {2, {1, 17, 19}, 3, 24, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
    {1, {1, 15, 1}, 13, 11, {1, 7, 1}, {1, 1, 1}, {0, 3, 0}},
    // long rows and many boxes
    {1, {3, 5, 301}, 4, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {1, {19, 19, 19}, 4, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {2, {13, 17, 18}, 9, 17, {3, 3, 3}, {1, 2, 1}, {1, 1, 1}},
};

TEST(Conv3d, MatchesNaiveLoops) {
  uint64_t seed = 1;
  for (const Sizes &z : table) expect_naive(conv3d, make(z), seed += 10);
}

TEST(Conv3d, MatchesNaiveLoopsOnRandomProblems) {
  Random random(20240607);
  for (int i = 0; i < 60; ++i) {
    Sizes z{};
    z.n = 1 + random.index(3);
    z.ci = 1 + random.index(20);
    z.co = 1 + random.index(36);
    for (int a = 0; a < 3; ++a) {
      z.in[a] = 1 + random.index(9);
      z.s[a] = 1 + random.index(3);
      z.p[a] = random.index(3);
      z.k[a] = 1 + random.index(std::min<int64_t>(4, z.in[a] + 2 * z.p[a]));
    }
    z.x_gap = random.index(2) * random.index(9);
    z.y_gap = random.index(2) * random.index(9);
    expect_naive(conv3d, make(z), static_cast<uint64_t>(1000 + i));
  }
}

TEST(Conv3d, BitsDoNotDependOnThreads) {
  const Sizes problems[] = {
      {2, {13, 12, 17}, 9, 24, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {1, {17, 15, 19}, 8, 8, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
      {1, {4, 4, 4}, 200, 100, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {3, {9, 9, 9}, 32, 4, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
  };
  for (const Sizes &z : problems) expect_same_bits_for_threads(conv3d, make(z));
}

TEST(Conv3d, BiasIsOptional) {
  expect_optional_bias(conv3d, make({2, {5, 6, 7}, 3, 20, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}}));
}

// A long sum in float32: the partial sums must keep the gradient of the weights exact.
TEST(Conv3d, WeightGradientOfManyVoxelsIsAccurate) {
  expect_naive(conv3d, make({2, {48, 40, 36}, 2, 3, {3, 1, 1}, {1, 1, 1}, {1, 0, 0}}), 9);
}

TEST(Conv3d, ScratchStaysSmallAndReturnsToThePool) {
  const ConvCase c = make({1, {40, 40, 40}, 8, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}});
  Tensor x(c.x_voxels(), 8, 8), y(c.y_voxels(), 8, 8);
  x.fill(Random(1));
  Guarded<float> w(8 * 27 * 8);
  Random(2).fill(w);
  const Cpu cpu(2, nullptr, 2 << 20); // the tensor itself: 2 MB; an im2col buffer: 55 MB
  ASSERT_EQ(vg_conv3d_forward(cpu, &c.p, nullptr, x.data(), w.data(), nullptr, y.data()), VG_OK) << cpu.error();
  ASSERT_EQ(vg_conv3d_backward_input(cpu, &c.p, nullptr, y.data(), w.data(), x.data()), VG_OK) << cpu.error();
  vg_context_info info{};
  info.size = sizeof info;
  ASSERT_EQ(vg_context_describe(cpu, &info), VG_OK);
  EXPECT_EQ(info.pool_live_blocks, 0);
}

TEST(Conv3d, RefusesWrongArguments) {
  const Cpu cpu(1);
  const ConvCase good = make({1, {4, 5, 6}, 3, 2, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}});
  const ConvExpected e(good, false, Side::after, 1);
  ConvResults r(good, Side::after);
  const auto refused = [&](auto change, const char *part) {
    vg_conv3d p = good.p;
    change(p);
    expect_error(cpu, vg_conv3d_forward(cpu, &p, nullptr, e.x.data(), e.w.data(), e.b.data(), r.y.data()),
                 VG_INVALID_ARGUMENT, part);
    expect_error(cpu, vg_conv3d_backward_input(cpu, &p, nullptr, e.dy.data(), e.w.data(), r.dx.data()),
                 VG_INVALID_ARGUMENT, part);
    expect_error(cpu, vg_conv3d_backward_weight(cpu, &p, nullptr, e.x.data(), e.dy.data(), r.dw.data(), r.db.data()),
                 VG_INVALID_ARGUMENT, part);
  };
  refused([](vg_conv3d &p) { p.size = 8; }, "problem.size is 8");
  refused([](vg_conv3d &p) { p.n = 0; }, "n is 0");
  refused([](vg_conv3d &p) { p.ci = -1; }, "ci is -1");
  refused([](vg_conv3d &p) { p.h = 0; }, "h is 0");
  refused([](vg_conv3d &p) { p.kw = 0; }, "kw is 0");
  refused([](vg_conv3d &p) { p.sh = 0; }, "stride sh is 0");
  refused([](vg_conv3d &p) { p.pd = -1; }, "padding pd is -1");
  refused([](vg_conv3d &p) { p.kd = 7; }, "kernel kd = 7 is larger than the padded input d + 2 * pd = 6");
  refused([](vg_conv3d &p) { p.x_stride = 2; }, "voxel stride of x is 2");
  refused([](vg_conv3d &p) { p.y_stride = 1; }, "voxel stride of y is 1");
  refused([](vg_conv3d &p) { p.w = int64_t{1} << 40; }, "2^31");
  refused([](vg_conv3d &p) { p.d = p.h = p.w = int64_t{1} << 30; }, "too large");
  expect_error(cpu, vg_conv3d_forward(cpu, nullptr, nullptr, e.x.data(), e.w.data(), nullptr, r.y.data()),
               VG_INVALID_ARGUMENT, "problem is NULL");
  expect_error(cpu, vg_conv3d_forward(cpu, &good.p, nullptr, nullptr, e.w.data(), nullptr, r.y.data()),
               VG_INVALID_ARGUMENT, "vg_conv3d_forward: x is NULL");
  expect_error(cpu, vg_conv3d_backward_input(cpu, &good.p, nullptr, e.dy.data(), nullptr, r.dx.data()),
               VG_INVALID_ARGUMENT, "vg_conv3d_backward_input: w is NULL");
  expect_error(cpu, vg_conv3d_backward_weight(cpu, &good.p, nullptr, e.x.data(), e.dy.data(), nullptr, nullptr),
               VG_INVALID_ARGUMENT, "vg_conv3d_backward_weight: dw is NULL");
  for (int64_t i = 0; i < r.y.size(); ++i) ASSERT_TRUE(r.y.poisoned(i)) << "a refused call wrote y";
}

// Inputs of unit variance. Sums in float32 are never longer than some hundred products.
TEST(Conv3d, DirectSumsAreAccurate) {
  for (const int64_t channels : {32, 256}) {
    const ConvCase c = make({1, {8, 8, 8}, channels, 16, {3, 3, 3}, {3, 3, 3}, {1, 1, 1}});
    const ConvExpected e(c, false, Side::after, 5);
    const auto r = run(conv3d, Cpu(2), c, e, Side::after);
    const Errors errors = relative_errors(c, e, *r);
    EXPECT_LT(errors.y, 3e-7) << channels;
    EXPECT_LT(errors.dx, 3e-7) << channels;
    EXPECT_LT(errors.dw, 3e-7) << channels;
  }
}

} // namespace

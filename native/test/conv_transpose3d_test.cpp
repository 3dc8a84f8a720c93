#include "conv_reference.h"

using namespace vg::test;

namespace {

const ConvFunctions transpose{"conv_transpose3d", true, vg_conv_transpose3d_forward, vg_conv_transpose3d_backward_input,
                              vg_conv_transpose3d_backward_weight};

struct Sizes {
  int64_t n, in[3], ci, co, k[3], x_gap = 0, y_gap = 0;
};

// Strides and padding of the problem are ignored: they hold nonsense here.
ConvCase make(const Sizes &z) {
  ConvCase c{};
  c.p = {sizeof(vg_conv3d),
         z.n,
         z.in[0],
         z.in[1],
         z.in[2],
         z.ci,
         z.co,
         z.k[0],
         z.k[1],
         z.k[2],
         -1,
         0,
         5,
         -2,
         7,
         99,
         z.ci + z.x_gap,
         z.co + z.y_gap,
         VG_PRECISION_DEFAULT,
         0};
  for (int a = 0; a < 3; ++a) c.out[a] = z.in[a] * z.k[a];
  return c;
}

const Sizes table[] = {
    {1, {1, 1, 1}, 1, 1, {1, 1, 1}},         {1, {3, 4, 5}, 1, 1, {2, 2, 2}},
    {2, {5, 3, 7}, 16, 8, {2, 2, 2}},        {1, {5, 6, 7}, 32, 16, {2, 2, 2}, 3, 16},
    {1, {4, 9, 11}, 7, 20, {1, 2, 2}, 0, 1}, {3, {2, 3, 5}, 9, 33, {2, 1, 3}},
    {1, {3, 3, 3}, 320, 256, {2, 2, 2}},     {1, {2, 2, 2}, 5, 3, {4, 4, 4}},
    {2, {1, 19, 17}, 12, 6, {1, 2, 2}, 4},   {1, {13, 11, 12}, 24, 12, {2, 2, 2}},
};

TEST(ConvTranspose3d, MatchesNaiveLoops) {
  uint64_t seed = 1;
  for (const Sizes &z : table) expect_naive(transpose, make(z), seed += 10);
}

TEST(ConvTranspose3d, MatchesNaiveLoopsOnRandomProblems) {
  Random random(20240608);
  for (int i = 0; i < 30; ++i) {
    Sizes z{};
    z.n = 1 + random.index(3);
    z.ci = 1 + random.index(40);
    z.co = 1 + random.index(40);
    for (int a = 0; a < 3; ++a) {
      z.in[a] = 1 + random.index(7);
      z.k[a] = 1 + random.index(3);
    }
    z.x_gap = random.index(2) * random.index(9);
    z.y_gap = random.index(2) * random.index(9);
    expect_naive(transpose, make(z), static_cast<uint64_t>(2000 + i));
  }
}

TEST(ConvTranspose3d, BitsDoNotDependOnThreads) {
  for (const Sizes &z : {Sizes{2, {9, 10, 11}, 24, 12, {2, 2, 2}}, Sizes{1, {3, 3, 3}, 200, 100, {2, 2, 2}}})
    expect_same_bits_for_threads(transpose, make(z));
}

TEST(ConvTranspose3d, BiasIsOptional) { expect_optional_bias(transpose, make({2, {3, 4, 5}, 6, 20, {2, 2, 2}})); }

TEST(ConvTranspose3d, RefusesWrongArguments) {
  const Cpu cpu(1);
  const ConvCase good = make({1, {2, 3, 4}, 3, 2, {2, 2, 2}});
  const ConvExpected e(good, true, Side::after, 1);
  ConvResults r(good, Side::after);
  const auto refused = [&](auto change, const char *part) {
    vg_conv3d p = good.p;
    change(p);
    expect_error(cpu, vg_conv_transpose3d_forward(cpu, &p, nullptr, e.x.data(), e.w.data(), e.b.data(), r.y.data()),
                 VG_INVALID_ARGUMENT, part);
    expect_error(cpu, vg_conv_transpose3d_backward_input(cpu, &p, nullptr, e.dy.data(), e.w.data(), r.dx.data()),
                 VG_INVALID_ARGUMENT, part);
    expect_error(
        cpu, vg_conv_transpose3d_backward_weight(cpu, &p, nullptr, e.x.data(), e.dy.data(), r.dw.data(), r.db.data()),
        VG_INVALID_ARGUMENT, part);
  };
  refused([](vg_conv3d &p) { p.size = 0; }, "problem.size is 0");
  refused([](vg_conv3d &p) { p.co = 0; }, "co is 0");
  refused([](vg_conv3d &p) { p.kd = 0; }, "kd is 0");
  refused([](vg_conv3d &p) { p.x_stride = 2; }, "voxel stride of x is 2");
  refused([](vg_conv3d &p) { p.y_stride = 0; }, "voxel stride of y is 0");
  refused([](vg_conv3d &p) { p.kd = p.kh = p.kw = int64_t{1} << 30; }, "too large");
  expect_error(cpu, vg_conv_transpose3d_forward(cpu, &good.p, nullptr, e.x.data(), e.w.data(), nullptr, nullptr),
               VG_INVALID_ARGUMENT, "vg_conv_transpose3d_forward: y is NULL");
  expect_error(cpu, vg_conv_transpose3d_backward_input(cpu, &good.p, nullptr, nullptr, e.w.data(), r.dx.data()),
               VG_INVALID_ARGUMENT, "dy is NULL");
  expect_error(cpu,
               vg_conv_transpose3d_backward_weight(cpu, &good.p, nullptr, nullptr, e.dy.data(), r.dw.data(), nullptr),
               VG_INVALID_ARGUMENT, "x is NULL");
}

} // namespace

// Convolutions with the precision `fast`: larger Winograd tiles for large maps, the default elsewhere.
#include "conv_reference.h"

#include <cmath>
#include <cstdlib>

using namespace vg::test;

namespace {

ConvCase fast(const Sizes &z) {
  ConvCase c = make(z);
  c.p.precision = VG_PRECISION_FAST;
  return c;
}

// Both functions that have larger tiles.
struct Results {
  Tensor y, dx;
  explicit Results(const ConvCase &c, Side side = Side::after)
      : y(c.y_voxels(), c.p.co, c.p.y_stride, side), dx(c.x_voxels(), c.p.ci, c.p.x_stride, side) {}
};

void compute(const Cpu &cpu, const ConvCase &c, const ConvExpected &e, Results &r) {
  ASSERT_EQ(vg_conv3d_forward(cpu, &c.p, nullptr, e.x.data(), e.w.data(), e.b.data(), r.y.data()), VG_OK)
      << cpu.error();
  ASSERT_EQ(vg_conv3d_backward_input(cpu, &c.p, nullptr, e.dy.data(), e.w.data(), r.dx.data()), VG_OK) << cpu.error();
}

bool same_bits(const Guarded<float> &a, const Guarded<float> &b) {
  return std::memcmp(a.data(), b.data(), static_cast<size_t>(a.size()) * sizeof(float)) == 0;
}

// Tiles of 2x4x4, 4x4x4 and 1x4x4 outputs, with edges of every width.
const Sizes table[] = {
    {1, {10, 27, 43}, 8, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {2, {6, 23, 30}, 17, 9, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 3, 5},
    {4, {2, 21, 31}, 9, 33, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 0, 1},
    {3, {5, 8, 67}, 24, 40, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {1, {67, 11, 12}, 12, 16, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {2, {18, 17, 19}, 16, 12, {3, 3, 3}, {1, 1, 1}, {0, 0, 0}},
    {1, {14, 27, 23}, 8, 24, {3, 3, 3}, {1, 1, 1}, {0, 2, 1}},
    {3, {3, 13, 61}, 72, 66, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 1, 2},
    {1, {19, 13, 49}, 66, 72, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {4, {1, 33, 35}, 8, 16, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
    {1, {5, 31, 26}, 25, 17, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, 2, 1},
    {2, {1, 66, 67}, 12, 8, {1, 3, 3}, {1, 1, 1}, {0, 0, 2}},
    {1, {1, 60, 60}, 136, 20, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
};

TEST(WinogradFast, MatchesNaiveLoops) {
  uint64_t seed = 5000;
  for (const Sizes &z : table) {
    const ConvCase c = fast(z);
    const Side side = (seed += 10) % 20 == 0 ? Side::after : Side::before;
    const ConvExpected e(c, false, side, seed);
    for (const char *isa : isas()) {
      const Cpu cpu(2, isa);
      const auto r = run(conv3d, cpu, c, e, side);
      const std::string name = std::string("fast conv3d ") + isa;
      expect_close(name + " forward", c.text(), r->y, e.y, fast_tolerance);
      expect_close(name + " backward_input", c.text(), r->dx, e.dx, fast_tolerance);
      expect_close(name + " backward_weight", c.text(), r->dw, e.dw);
      expect_close(name + " backward_weight db", c.text(), r->db, e.db);
      // It really is another way.
      Results exact(c, side);
      compute(cpu, make(z), e, exact);
      EXPECT_FALSE(same_bits(r->y, exact.y)) << c.text();
      EXPECT_FALSE(same_bits(r->dx, exact.dx)) << c.text();
    }
  }
}

// Few tiles, other kernels and strides: bits of the default.
TEST(WinogradFast, LeavesTheRestAlone) {
  const Sizes problems[] = {
      {2, {4, 4, 4}, 40, 40, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {1, {9, 8, 7}, 16, 16, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {1, {20, 21, 22}, 8, 8, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
      {1, {20, 21, 22}, 2, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {1, {12, 11, 10}, 8, 8, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
  };
  for (const Sizes &z : problems) {
    const ConvCase c = fast(z);
    const ConvExpected e(c, false, Side::after, 7);
    const Cpu cpu(2);
    Results r(c), exact(c);
    compute(cpu, c, e, r);
    compute(cpu, make(z), e, exact);
    expect_same_bits("fast forward", c.text(), r.y, exact.y);
    expect_same_bits("fast backward_input", c.text(), r.dx, exact.dx);
  }
}

TEST(WinogradFast, BitsDoNotDependOnThreads) {
  expect_same_bits_for_threads(conv3d, fast({2, {11, 19, 27}, 9, 24, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}}));
  expect_same_bits_for_threads(conv3d, fast({3, {3, 13, 61}, 66, 72, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}}));
  expect_same_bits_for_threads(conv3d, fast({2, {1, 49, 47}, 16, 16, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}}));
}

// A NaN reaches the outputs whose sums it is part of, and beyond them only its own tiles: 2x4x4 outputs, so no further
// than two planes, four rows and four columns.
TEST(WinogradFast, NaNStaysInItsTiles) {
  for (const int64_t depth : {1, 3}) {
    const ConvCase c = fast({1, {9, 43, 45}, 8, 8, {depth, 3, 3}, {1, 1, 1}, {depth / 2, 1, 1}});
    const int64_t width = 45, plane = 43 * width;
    for (const int64_t z : {4, 5}) {
      ConvExpected e(c, false, Side::after, 3);
      e.x.at(z * plane + 18 * width + 21, 2) = NAN;
      const auto r = run(conv3d, Cpu(2), c, e, Side::after);
      for (int64_t v = 0; v < c.y_voxels(); ++v) {
        const int64_t dz = std::abs(v / plane - z), dy = std::abs(v / width % 43 - 18), dx = std::abs(v % width - 21);
        const bool nan = std::isnan(r->y.at(v, 0)), field = dz <= depth / 2 && dy <= 1 && dx <= 1;
        ASSERT_TRUE(!field || nan) << "depth " << depth << " z " << z << " at " << v;
        ASSERT_TRUE(!nan || (dz <= depth / 2 && dy <= 4 && dx <= 4)) << "depth " << depth << " z " << z << " at " << v;
      }
    }
  }
}

double relative_error(const Tensor &actual, const std::vector<double> &expected) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const int64_t at = static_cast<int64_t>(i), c = actual.channels();
    const double d = static_cast<double>(actual.at(at / c, at % c)) - expected[i];
    difference += d * d;
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / norm);
}

// Relative error |y - exact| / |exact| with inputs of unit variance. Interpolation points 1 and 2 are known to reach
// 1.7e-6 and 4.1e-6 with 2x4x4 tiles at 32 and 256 channels, 1.1e-5 with 4x4x4 at 256; the points in use lose less.
TEST(WinogradFast, ErrorsStayBelowThoseOfTheUsualPoints) {
  struct Limit {
    Sizes sizes;
    double forward, backward;
  };
  const Limit limits[] = {
      {{1, {6, 29, 31}, 32, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}}, 1.1e-6, 1.1e-6},
      {{1, {6, 29, 31}, 256, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}}, 2.5e-6, 1.1e-6},
      {{4, {3, 13, 57}, 256, 40, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}}, 4.2e-6, 2e-6},
      {{1, {1, 57, 59}, 256, 8, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}}, 2e-6, 1e-6},
  };
  for (const auto &[sizes, forward, backward] : limits) {
    const ConvCase c = fast(sizes);
    const ConvExpected e(c, false, Side::after, 5);
    Results r(c);
    compute(Cpu(2), c, e, r);
    EXPECT_LT(relative_error(r.y, e.y), forward) << c.text();
    EXPECT_LT(relative_error(r.dx, e.dx), backward) << c.text();
  }
}

} // namespace

// vg_interpolate_forward, _backward, _labels.
#include "tiers.h"

#include <algorithm>

using namespace vg::test;

struct ResizeCase {
  int64_t n, d, h, w, c, od, oh, ow, x_gap, y_gap;
  Side side = Side::after;
  std::string text() const {
    return std::to_string(d) + "x" + std::to_string(h) + "x" + std::to_string(w) + " to " + std::to_string(od) + "x" +
           std::to_string(oh) + "x" + std::to_string(ow) + " c" + std::to_string(c);
  }
};
static const std::vector<ResizeCase> cases = {{1, 1, 1, 1, 1, 1, 1, 1, 0, 0},
                                              {2, 3, 4, 5, 3, 6, 8, 10, 0, 0},
                                              {1, 1, 6, 5, 2, 1, 12, 10, 3, 1, Side::before},
                                              {1, 3, 4, 5, 33, 7, 9, 8, 2, 5},
                                              {1, 8, 6, 7, 5, 4, 3, 5, 0, 0},
                                              {1, 5, 7, 1, 1, 1, 1, 9, 0, 0},
                                              {1, 9, 9, 9, 4, 2, 3, 1, 1, 0},
                                              {2, 12, 12, 12, 8, 24, 24, 24, 0, 8}};

static vg_interpolate problem(const ResizeCase &k, int32_t mode) {
  vg_interpolate p = sized<vg_interpolate>();
  p.n = k.n, p.d = k.d, p.h = k.h, p.w = k.w, p.c = k.c;
  p.od = k.od, p.oh = k.oh, p.ow = k.ow;
  p.x_stride = k.c + k.x_gap, p.y_stride = k.c + k.y_gap;
  p.mode = mode;
  return p;
}

// Weight of source i for output o along one axis, straight from the header.
static double weight(int32_t mode, int64_t i, int64_t o, int64_t in, int64_t out) {
  const double n = static_cast<double>(in), m = static_cast<double>(out), k = static_cast<double>(o);
  if (mode == VG_INTERPOLATE_NEAREST) return i == o * in / out;
  if (mode == VG_INTERPOLATE_NEAREST_CENTRE) return i == static_cast<int64_t>(std::floor((k + 0.5) * n / m + 1e-12));
  double source = mode == VG_INTERPOLATE_LINEAR ? (k + 0.5) * n / m - 0.5 : (out > 1 ? k * (n - 1) / (m - 1) : 0);
  source = std::clamp(source, 0.0, n - 1);
  return std::fmax(0, 1 - std::fabs(source - static_cast<double>(i)));
}

// Calls body(input voxel, output voxel, weight) for all pairs with a weight.
template <class Body> static void for_pairs(const ResizeCase &k, int32_t mode, Body &&body) {
  for (int64_t b = 0; b < k.n; ++b)
    for (int64_t o = 0; o < k.od * k.oh * k.ow; ++o)
      for (int64_t z = 0; z < k.d; ++z) {
        const double wz = weight(mode, z, o / (k.oh * k.ow), k.d, k.od);
        for (int64_t y = 0; wz != 0 && y < k.h; ++y) {
          const double wy = wz * weight(mode, y, o / k.ow % k.oh, k.h, k.oh);
          for (int64_t x = 0; wy != 0 && x < k.w; ++x) {
            const double wx = wy * weight(mode, x, o % k.ow, k.w, k.ow);
            if (wx != 0) body(((b * k.d + z) * k.h + y) * k.w + x, b * k.od * k.oh * k.ow + o, wx);
          }
        }
      }
}

TEST(Interpolate, MatchesItsWeightsBothWays) {
  for (const ResizeCase &k : cases)
    for (int32_t mode = VG_INTERPOLATE_NEAREST; mode <= VG_INTERPOLATE_LINEAR_CORNERS; ++mode) {
      const vg_interpolate p = problem(k, mode);
      Tensor x(k.n * k.d * k.h * k.w, k.c, p.x_stride, k.side);
      Tensor dy(k.n * k.od * k.oh * k.ow, k.c, p.y_stride, k.side);
      x.fill(Random(51));
      dy.fill(Random(52));
      std::vector<double> y_expected(static_cast<size_t>(dy.voxels() * k.c));
      std::vector<double> dx_expected(static_cast<size_t>(x.voxels() * k.c));
      for_pairs(k, mode, [&](int64_t i, int64_t o, double w) {
        for (int64_t c = 0; c < k.c; ++c) {
          y_expected[static_cast<size_t>(o * k.c + c)] += w * x.at(i, c);
          dx_expected[static_cast<size_t>(i * k.c + c)] += w * dy.at(o, c);
        }
      });
      const std::string text = k.text() + " mode=" + std::to_string(mode);
      on_every_tier(text, [&](const Cpu &cpu, Bits &bits) {
        Tensor y(dy.voxels(), k.c, p.y_stride, k.side), dx(x.voxels(), k.c, p.x_stride, k.side);
        ASSERT_EQ(vg_interpolate_forward(cpu, &p, x.data(), y.data()), VG_OK) << cpu.error();
        ASSERT_EQ(vg_interpolate_backward(cpu, &p, dy.data(), dx.data()), VG_OK) << cpu.error();
        expect_close("interpolate", text, y, y_expected);
        expect_close("interpolate dx", text, dx, dx_expected);
        bits.add(y);
        bits.add(dx);
      });
    }
}

TEST(Interpolate, LabelsAreCopiedFromTheNearestVoxel) {
  for (const ResizeCase &k : cases)
    for (const int32_t mode : {VG_INTERPOLATE_NEAREST, VG_INTERPOLATE_NEAREST_CENTRE}) {
      const vg_interpolate p = problem(k, mode);
      Guarded<uint8_t> x(k.n * k.d * k.h * k.w * k.c, k.side);
      Random random(53);
      for (uint8_t &label : x) label = static_cast<uint8_t>(random.index(256));
      std::vector<double> expected(static_cast<size_t>(k.n * k.od * k.oh * k.ow * k.c));
      for_pairs(k, mode, [&](int64_t i, int64_t o, double) {
        for (int64_t c = 0; c < k.c; ++c) expected[static_cast<size_t>(o * k.c + c)] = x[i * k.c + c];
      });
      on_every_tier(k.text(), [&](const Cpu &cpu, Bits &bits) {
        Guarded<uint8_t> y(static_cast<int64_t>(expected.size()), k.side);
        ASSERT_EQ(vg_interpolate_labels(cpu, &p, x.data(), y.data()), VG_OK) << cpu.error();
        expect_close("interpolate_labels", k.text(), y, expected, {0, 0});
        bits.add(y);
      });
    }
}

TEST(Interpolate, NearestDoesNotLeakNanFromNeighbours) {
  const Cpu cpu;
  const vg_interpolate p = problem({1, 1, 1, 2, 1, 1, 1, 4, 0, 0}, VG_INTERPOLATE_NEAREST);
  float x[2] = {1, NAN}, y[4];
  ASSERT_EQ(vg_interpolate_forward(cpu, &p, x, y), VG_OK);
  EXPECT_TRUE(y[0] == 1 && y[1] == 1 && std::isnan(y[2]) && std::isnan(y[3]));
}

TEST(Interpolate, ArgumentErrors) {
  const Cpu cpu;
  float x[1] = {}, y[1] = {};
  uint8_t labels[1] = {};
  vg_interpolate p = problem({1, 1, 1, 1, 1, 1, 1, 1, 0, 0}, 4);
  expect_error(cpu, vg_interpolate_forward(cpu, &p, x, y), VG_INVALID_ARGUMENT, "mode is 4");
  p.mode = VG_INTERPOLATE_LINEAR;
  expect_error(cpu, vg_interpolate_labels(cpu, &p, labels, labels), VG_INVALID_ARGUMENT, "cannot be blended");
  p.ow = 0;
  expect_error(cpu, vg_interpolate_backward(cpu, &p, x, y), VG_INVALID_ARGUMENT, "ow is 0");
}

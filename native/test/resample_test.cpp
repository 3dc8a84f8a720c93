// vg_resample_volume.
#include "tiers.h"

#include <algorithm>

using namespace vg::test;

struct ResampleCase {
  int64_t d, h, w, od, oh, ow;
  Side side = Side::after;
};
static const std::vector<ResampleCase> cases = {
    {1, 1, 1, 1, 1, 1}, {1, 1, 8, 1, 1, 9},  {1, 6, 7, 1, 13, 4}, {5, 6, 7, 8, 3, 11},
    {1, 2, 3, 4, 5, 3}, {4, 1, 1, 37, 1, 1}, {9, 8, 5, 3, 8, 5},  {20, 21, 22, 25, 30, 17, Side::before}};

static vg_resample problem(const ResampleCase &k, int32_t order) {
  vg_resample p = sized<vg_resample>();
  p.d = k.d, p.h = k.h, p.w = k.w;
  p.od = k.od, p.oh = k.oh, p.ow = k.ow;
  p.order = order;
  return p;
}

static double position(int64_t i, int64_t n, int64_t m) {
  return (static_cast<double>(i) + 0.5) * static_cast<double>(n) / static_cast<double>(m) - 0.5;
}

// Cubic spline coefficients as the solution of the interpolation equations (c[i-1] + 4 c[i] + c[i+1])/6 = x[i] with
// half-sample symmetric ends, by elimination; independent of the recursive filter under test.
static std::vector<double> coefficients(const std::vector<double> &x) {
  const size_t n = x.size();
  std::vector<double> diagonal(n, 4), c(x);
  for (double &v : c) v *= 6;
  diagonal[0] += 1; // c[-1] = c[0]
  diagonal[n - 1] += 1;
  for (size_t i = 1; i < n; ++i) {
    diagonal[i] -= 1 / diagonal[i - 1];
    c[i] -= c[i - 1] / diagonal[i - 1];
  }
  c[n - 1] /= diagonal[n - 1];
  for (size_t i = n - 1; i-- > 0;) c[i] = (c[i] - c[i + 1]) / diagonal[i];
  return c;
}

static double b_spline(double t) {
  t = std::fabs(t);
  return t < 1 ? 2.0 / 3 - t * t + t * t * t / 2 : t < 2 ? (2 - t) * (2 - t) * (2 - t) / 6 : 0;
}

static std::vector<double> resize_line(const std::vector<double> &x, int64_t m, int32_t order) {
  const int64_t n = static_cast<int64_t>(x.size());
  if (n == m) return x;
  std::vector<double> padded;
  for (int64_t i = -12; i < n + 12; ++i) padded.push_back(x[static_cast<size_t>(std::clamp<int64_t>(i, 0, n - 1))]);
  const std::vector<double> c = order == 3 ? coefficients(padded) : x;
  std::vector<double> y;
  for (int64_t i = 0; i < m; ++i) {
    const double at = position(i, n, m), inside = std::clamp(at, 0.0, static_cast<double>(n - 1));
    double sum = 0;
    if (order == 0) sum = x[static_cast<size_t>(std::floor(inside + 0.5))];
    for (int64_t k = 0; order == 1 && k < n; ++k)
      sum += x[static_cast<size_t>(k)] * std::fmax(0, 1 - std::fabs(inside - static_cast<double>(k)));
    for (int64_t k = -12; order == 3 && k < n + 12; ++k)
      sum += c[static_cast<size_t>(k + 12)] * b_spline(at - static_cast<double>(k));
    y.push_back(sum);
  }
  return y;
}

static std::vector<double> expected_volume(const ResampleCase &k, const Guarded<float> &x, int32_t order) {
  std::vector<double> now(x.begin(), x.end());
  int64_t size[3] = {k.d, k.h, k.w};
  const int64_t target[3] = {k.od, k.oh, k.ow};
  for (int axis = 0; axis < 3; ++axis) {
    int64_t inner = 1, outer = 1;
    for (int a = axis + 1; a < 3; ++a) inner *= size[a];
    for (int a = 0; a < axis; ++a) outer *= size[a];
    std::vector<double> next(static_cast<size_t>(outer * target[axis] * inner));
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i) {
        std::vector<double> line;
        for (int64_t s = 0; s < size[axis]; ++s)
          line.push_back(now[static_cast<size_t>((o * size[axis] + s) * inner + i)]);
        line = resize_line(line, target[axis], order);
        for (int64_t s = 0; s < target[axis]; ++s)
          next[static_cast<size_t>((o * target[axis] + s) * inner + i)] = line[static_cast<size_t>(s)];
      }
    now = next;
    size[axis] = target[axis];
  }
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  for (double &v : now) v = std::clamp(v, double{*low}, double{*high});
  return now;
}

TEST(Resample, MatchesSplineInterpolation) {
  for (const ResampleCase &k : cases)
    for (const int32_t order : {0, 1, 3}) {
      const vg_resample p = problem(k, order);
      Guarded<float> x(k.d * k.h * k.w, k.side);
      Random random(71);
      random.fill(x, 100);
      const std::vector<double> expected = expected_volume(k, x, order);
      const std::string text = std::to_string(k.d) + "x" + std::to_string(k.h) + "x" + std::to_string(k.w) + " order " +
                               std::to_string(order);
      on_every_tier(text, [&](const Cpu &cpu, Bits &bits) {
        Guarded<float> y(k.od * k.oh * k.ow, k.side);
        ASSERT_EQ(vg_resample_volume(cpu, &p, x.data(), y.data()), VG_OK) << cpu.error();
        expect_close("resample", text, y, expected, {1e-7, 2e-7});
        bits.add(y);
      });
    }
}

TEST(Resample, HalfwayMasksStayExactlyOneHalf) {
  const Cpu cpu;
  const vg_resample p = problem({4, 4, 4, 2, 2, 2}, 1); // every output lies in the middle of eight voxels
  Guarded<float> x(64), y(8);
  for (int64_t i = 0; i < 64; ++i) x[i] = static_cast<float>((i + i / 4 + i / 16) % 2);
  ASSERT_EQ(vg_resample_volume(cpu, &p, x.data(), y.data()), VG_OK);
  for (const float v : y) EXPECT_EQ(v, 0.5f);
}

TEST(Resample, CubicNeverLeavesTheRangeOfTheInput) {
  const Cpu cpu;
  const vg_resample p = problem({1, 9, 9, 1, 31, 29}, 3);
  Guarded<float> x(81), y(31 * 29);
  for (int64_t i = 0; i < 81; ++i) x[i] = i % 9 < 4 ? 0.1f : 0.7f; // overshoots at the step
  ASSERT_EQ(vg_resample_volume(cpu, &p, x.data(), y.data()), VG_OK);
  for (const float v : y) ASSERT_TRUE(v >= 0.1f && v <= 0.7f) << v;
}

TEST(Resample, ArgumentErrors) {
  const Cpu cpu;
  float x[1] = {}, y[1] = {};
  vg_resample p = problem(cases[0], 2);
  expect_error(cpu, vg_resample_volume(cpu, &p, x, y), VG_INVALID_ARGUMENT, "order is 2");
  p.order = 3;
  p.oh = 0;
  expect_error(cpu, vg_resample_volume(cpu, &p, x, y), VG_INVALID_ARGUMENT, "oh is 0");
  p.oh = 1;
  expect_error(cpu, vg_resample_volume(cpu, &p, nullptr, y), VG_INVALID_ARGUMENT, "x is NULL");
}

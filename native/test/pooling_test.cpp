// vg_pool_forward and _backward.
#include "tiers.h"

using namespace vg::test;

struct PoolCase {
  int64_t n, d, h, w, c, kd, kh, kw, x_gap, y_gap;
  Side side = Side::after;
  std::string text() const {
    return "pool n" + std::to_string(n) + " " + std::to_string(d) + "x" + std::to_string(h) + "x" + std::to_string(w) +
           " c" + std::to_string(c) + " k" + std::to_string(kd) + std::to_string(kh) + std::to_string(kw);
  }
};
static const std::vector<PoolCase> cases = {
    {1, 1, 1, 1, 1, 1, 1, 1, 0, 0}, {2, 4, 6, 8, 3, 2, 2, 2, 0, 0},   {1, 5, 7, 9, 2, 2, 2, 2, 3, 1, Side::before},
    {1, 1, 9, 8, 7, 1, 2, 2, 0, 0}, {2, 3, 5, 7, 33, 1, 2, 3, 0, 31}, {1, 4, 4, 4, 65, 2, 2, 2, 1, 0},
    {1, 3, 3, 3, 5, 3, 3, 3, 0, 0}, {2, 17, 16, 15, 8, 2, 2, 2, 8, 0}};

static vg_pool problem(const PoolCase &k, int32_t kind) {
  vg_pool p = sized<vg_pool>();
  p.n = k.n, p.d = k.d, p.h = k.h, p.w = k.w, p.c = k.c;
  p.kd = k.kd, p.kh = k.kh, p.kw = k.kw;
  p.x_stride = k.c + k.x_gap;
  p.y_stride = k.c + k.y_gap;
  p.kind = kind;
  return p;
}

// Calls body(output voxel, input voxel) for every pair of a window, in row-major order.
template <class Body> static void for_pairs(const PoolCase &k, Body &&body) {
  const int64_t od = k.d / k.kd, oh = k.h / k.kh, ow = k.w / k.kw;
  for (int64_t b = 0; b < k.n; ++b)
    for (int64_t o = 0; o < od * oh * ow; ++o)
      for (int64_t r = 0; r < k.kd * k.kh * k.kw; ++r) {
        const int64_t z = o / (oh * ow) * k.kd + r / (k.kh * k.kw), y = o / ow % oh * k.kh + r / k.kw % k.kh;
        body(b * od * oh * ow + o, ((b * k.d + z) * k.h + y) * k.w + o % ow * k.kw + r % k.kw);
      }
}

TEST(Pool, MatchesDefinitionAndSendsTheGradientToTheFirstMaximum) {
  for (const PoolCase &k : cases)
    for (const int32_t kind : {VG_POOL_MAX, VG_POOL_AVERAGE}) {
      const vg_pool p = problem(k, kind);
      const int64_t outputs = k.n * (k.d / k.kd) * (k.h / k.kh) * (k.w / k.kw), inputs = k.n * k.d * k.h * k.w;
      Tensor x(inputs, k.c, p.x_stride, k.side), dy(outputs, k.c, p.y_stride, k.side);
      Random random(31);
      for (int64_t v = 0; v < inputs; ++v)
        for (int64_t c = 0; c < k.c; ++c) x.at(v, c) = static_cast<float>(random.index(3)); // many ties
      dy.fill(Random(32));
      std::vector<double> y_expected(static_cast<size_t>(outputs * k.c), kind == VG_POOL_MAX ? -INFINITY : 0);
      std::vector<double> dx_expected(static_cast<size_t>(inputs * k.c));
      std::vector<int64_t> winner(y_expected.size());
      const double window = static_cast<double>(k.kd * k.kh * k.kw);
      for_pairs(k, [&](int64_t o, int64_t i) {
        for (int64_t c = 0; c < k.c; ++c) {
          const size_t at = static_cast<size_t>(o * k.c + c);
          if (kind == VG_POOL_AVERAGE) {
            y_expected[at] += x.at(i, c) / window;
            dx_expected[static_cast<size_t>(i * k.c + c)] = dy.at(o, c) / window;
          } else if (x.at(i, c) > y_expected[at]) {
            y_expected[at] = x.at(i, c);
            winner[at] = i;
          }
        }
      });
      for (int64_t o = 0; kind == VG_POOL_MAX && o < outputs; ++o)
        for (int64_t c = 0; c < k.c; ++c)
          dx_expected[static_cast<size_t>(winner[static_cast<size_t>(o * k.c + c)] * k.c + c)] = dy.at(o, c);
      on_every_tier(k.text(), [&](const Cpu &cpu, Bits &bits) {
        Tensor y(outputs, k.c, p.y_stride, k.side), dx(inputs, k.c, p.x_stride, k.side);
        ASSERT_EQ(vg_pool_forward(cpu, &p, x.data(), y.data()), VG_OK) << cpu.error();
        ASSERT_EQ(vg_pool_backward(cpu, &p, kind == VG_POOL_MAX ? x.data() : nullptr, dy.data(), dx.data()), VG_OK)
            << cpu.error();
        expect_close("pool", k.text(), y, y_expected);
        expect_close("pool dx", k.text(), dx, dx_expected);
        bits.add(y);
        bits.add(dx);
      });
    }
}

TEST(Pool, NanIsTheMaximumAndTakesTheGradient) {
  const Cpu cpu;
  const vg_pool p = problem({1, 1, 1, 4, 1, 1, 1, 4, 0, 0}, VG_POOL_MAX);
  float x[4] = {5, NAN, 9, NAN}, y[1], dy[1] = {3}, dx[4];
  ASSERT_EQ(vg_pool_forward(cpu, &p, x, y), VG_OK);
  EXPECT_TRUE(std::isnan(y[0]));
  ASSERT_EQ(vg_pool_backward(cpu, &p, x, dy, dx), VG_OK);
  EXPECT_TRUE(dx[0] == 0 && dx[1] == 3 && dx[2] == 0 && dx[3] == 0);
}

TEST(Pool, ArgumentErrors) {
  const Cpu cpu;
  float x[8] = {}, y[8] = {};
  vg_pool p = problem({1, 2, 2, 2, 1, 3, 1, 1, 0, 0}, VG_POOL_MAX);
  expect_error(cpu, vg_pool_forward(cpu, &p, x, y), VG_INVALID_ARGUMENT, "d is 2, smaller than its window");
  p.kd = 2;
  p.kind = 2;
  expect_error(cpu, vg_pool_forward(cpu, &p, x, y), VG_INVALID_ARGUMENT, "kind is 2");
  p.kind = VG_POOL_MAX;
  expect_error(cpu, vg_pool_backward(cpu, &p, nullptr, y, x), VG_INVALID_ARGUMENT, "x is NULL");
  p.kw = 0;
  expect_error(cpu, vg_pool_forward(cpu, &p, x, y), VG_INVALID_ARGUMENT, "kw is 0");
}

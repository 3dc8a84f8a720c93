// vg_softmax_*, vg_log_softmax_*, vg_argmax.
#include "tiers.h"

using namespace vg::test;

static std::vector<double> softmax_of(const Tensor &x, bool logarithm) {
  std::vector<double> y;
  for (int64_t v = 0; v < x.voxels(); ++v) {
    double top = -INFINITY, sum = 0;
    for (int64_t c = 0; c < x.channels(); ++c) top = std::fmax(top, x.at(v, c));
    for (int64_t c = 0; c < x.channels(); ++c) sum += std::exp(x.at(v, c) - top);
    for (int64_t c = 0; c < x.channels(); ++c)
      y.push_back(logarithm ? x.at(v, c) - top - std::log(sum) : std::exp(x.at(v, c) - top) / sum);
  }
  return y;
}

TEST(Softmax, MatchesFormula) {
  std::vector<VoxelCase> cases = voxel_cases;
  cases.push_back({1, 9, 64, 1, 1});
  cases.push_back({1, 5, 65, 0, 2});
  cases.push_back({2, 3, 300, 0, 0});
  for (const VoxelCase &k : cases)
    for (const bool logarithm : {false, true}) {
      Tensor x(k.n * k.voxels, k.c, k.c + k.x_gap, k.side), dy(k.n * k.voxels, k.c, k.c + k.y_gap, k.side);
      x.fill(Random(11), 8);
      dy.fill(Random(12));
      const std::vector<double> y_expected = softmax_of(x, logarithm), upstream = values(dy);
      std::vector<double> dx_expected(y_expected.size());
      for (size_t v = 0; v < y_expected.size(); v += static_cast<size_t>(k.c)) {
        double sum = 0;
        for (size_t c = v; c < v + static_cast<size_t>(k.c); ++c) sum += upstream[c] * (logarithm ? 1 : y_expected[c]);
        for (size_t c = v; c < v + static_cast<size_t>(k.c); ++c)
          dx_expected[c] =
              logarithm ? upstream[c] - std::exp(y_expected[c]) * sum : y_expected[c] * (upstream[c] - sum);
      }
      const vg_map p = map_problem(k.n, k.voxels, k.c, x.stride(), dy.stride());
      on_every_tier(k.text(), [&](const Cpu &cpu, Bits &bits) {
        Tensor y(k.n * k.voxels, k.c, dy.stride(), k.side), dx(k.n * k.voxels, k.c, x.stride(), k.side);
        if (logarithm) {
          ASSERT_EQ(vg_log_softmax_forward(cpu, &p, x.data(), y.data()), VG_OK) << cpu.error();
          ASSERT_EQ(vg_log_softmax_backward(cpu, &p, y.data(), dy.data(), dx.data()), VG_OK) << cpu.error();
        } else {
          ASSERT_EQ(vg_softmax_forward(cpu, &p, x.data(), y.data()), VG_OK) << cpu.error();
          ASSERT_EQ(vg_softmax_backward(cpu, &p, y.data(), dy.data(), dx.data()), VG_OK) << cpu.error();
        }
        if (k.c > 1 || !logarithm) expect_close("softmax", k.text(), y, y_expected, {4e-7, 1e-6});
        if (k.c > 1) expect_close("softmax dx", k.text(), dx, dx_expected, {6e-7, 1e-6});
        bits.add(y);
        bits.add(dx);
      });
    }
}

TEST(Softmax, LogKeepsTinyValuesAndNanSpoilsItsVoxelOnly) {
  for (const char *isa : isas()) {
    const Cpu cpu(1, isa);
    const vg_map p = map_problem(1, 3, 2, 2, 2);
    Guarded<float> x(6), y(6);
    const float values_in[] = {20, 0, NAN, 1, 80, -80};
    for (int64_t i = 0; i < 6; ++i) x[i] = values_in[i];
    ASSERT_EQ(vg_log_softmax_forward(cpu, &p, x.data(), y.data()), VG_OK);
    EXPECT_NEAR(y[0], -std::log1p(std::exp(-20.0)), 1e-15);
    EXPECT_TRUE(std::isnan(y[2]) && std::isnan(y[3]));
    EXPECT_EQ(y[5], -160.0f);
    ASSERT_EQ(vg_softmax_forward(cpu, &p, x.data(), y.data()), VG_OK);
    EXPECT_TRUE(y[4] == 1.0f && y[5] == 0.0f && std::isnan(y[2]) && std::isnan(y[3]));
  }
}

TEST(Argmax, TakesTheLowestIndexOnTies) {
  for (const VoxelCase &k : voxel_cases) {
    Tensor x(k.n * k.voxels, k.c, k.c + k.x_gap, k.side);
    Random random(13);
    for (int64_t v = 0; v < x.voxels(); ++v)
      for (int64_t c = 0; c < k.c; ++c) x.at(v, c) = static_cast<float>(random.index(4)); // many ties
    const vg_map p = map_problem(k.n, k.voxels, k.c, x.stride(), 0);
    on_every_tier(k.text(), [&](const Cpu &cpu, Bits &bits) {
      Guarded<uint8_t> labels(x.voxels());
      ASSERT_EQ(vg_argmax(cpu, &p, x.data(), labels.data()), VG_OK) << cpu.error();
      for (int64_t v = 0; v < x.voxels(); ++v) {
        int64_t best = 0;
        for (int64_t c = 1; c < k.c; ++c)
          if (x.at(v, c) > x.at(v, best)) best = c;
        ASSERT_EQ(labels[v], best) << v;
      }
      bits.add(labels);
    });
  }
}

TEST(Argmax, RefusesNanAndTooManyClasses) {
  const Cpu cpu;
  Tensor x(2 * 40000, 3, 3);
  x.fill(Random(1));
  x.at(70000, 2) = NAN;
  x.at(75000, 0) = NAN;
  std::vector<uint8_t> labels(80000);
  vg_map p = map_problem(2, 40000, 3, 3, 0);
  expect_error(cpu, vg_argmax(cpu, &p, x.data(), labels.data()), VG_INVALID_ARGUMENT, "sample 1, voxel 30000");
  p.c = p.x_stride = 257;
  expect_error(cpu, vg_argmax(cpu, &p, x.data(), labels.data()), VG_INVALID_ARGUMENT, "at most 256");
}

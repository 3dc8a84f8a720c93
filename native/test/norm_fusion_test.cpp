// Convolutions that read and write feature maps stored before their norm and activation, against the same thing in
// separate steps and float64.
#include "conv_reference.h"
#include "tiers.h"

using namespace vg::test;

namespace {

const ConvFunctions transposed{"conv_transpose3d", true, vg_conv_transpose3d_forward,
                               vg_conv_transpose3d_backward_input, vg_conv_transpose3d_backward_weight};

struct Statistics {
  double mean, variance;
};
Statistics statistics(const Tensor &t, int64_t first, int64_t voxels, int64_t channel) {
  double mean = 0, square = 0;
  for (int64_t v = 0; v < voxels; ++v) mean += static_cast<double>(t.at(first + v, channel));
  mean /= static_cast<double>(voxels);
  for (int64_t v = 0; v < voxels; ++v) {
    const double off = static_cast<double>(t.at(first + v, channel)) - mean;
    square += off * off;
  }
  return {mean, square / static_cast<double>(voxels)};
}

constexpr float eps = 1e-3f;
constexpr float slopes[] = {0.01f, 0, 1};

// The norm of a tensor with n samples: its table, and everything the functions of norm.cpp should give.
struct Norm {
  int64_t n, voxels, c;
  Guarded<float> table;

  // Tables made from the statistics of x; inputs next to the kink of the activation move away from it, for there the
  // derivative depends on rounding.
  Norm(Tensor &x, int64_t samples, uint64_t seed, Side side = Side::after)
      : n(samples), voxels(x.voxels() / samples), c(x.channels()), table(samples * VG_NORM_ROWS * x.channels(), side) {
    Random random(seed);
    for (int64_t b = 0; b < n; ++b)
      for (int64_t i = 0; i < c; ++i) {
        const auto [mean, variance] = statistics(x, b * voxels, voxels, i);
        const double rstd = 1 / std::sqrt(variance + static_cast<double>(eps));
        const float gamma = 1 + 0.5f * random.number(), beta = random.number();
        set(b, VG_NORM_SCALE, i, static_cast<double>(gamma) * rstd);
        set(b, VG_NORM_SHIFT, i, static_cast<double>(beta) - mean * static_cast<double>(gamma) * rstd);
        set(b, VG_NORM_SLOPE, i, static_cast<double>(slopes[i % 3]));
        set(b, VG_NORM_MEAN, i, mean);
        set(b, VG_NORM_RSTD, i, rstd);
        for (int64_t v = b * voxels; v < (b + 1) * voxels; ++v)
          if (std::fabs(before(x, v, i)) < 1e-3) x.at(v, i) += 0.01f;
      }
  }
  double at(int64_t sample, vg_norm_row row, int64_t channel) const {
    return static_cast<double>(table[(sample * VG_NORM_ROWS + row) * c + channel]);
  }
  double before(const Tensor &x, int64_t voxel, int64_t channel) const {
    const int64_t b = voxel / voxels;
    return at(b, VG_NORM_SCALE, channel) * static_cast<double>(x.at(voxel, channel)) + at(b, VG_NORM_SHIFT, channel);
  }
  double derivative(const Tensor &x, int64_t voxel, int64_t channel) const {
    return before(x, voxel, channel) > 0 ? 1 : at(voxel / voxels, VG_NORM_SLOPE, channel);
  }
  template <class Body> void for_elements(Body &&body) const { // body(voxel, channel, dense index)
    for (int64_t v = 0; v < n * voxels; ++v)
      for (int64_t i = 0; i < c; ++i) body(v, i, static_cast<size_t>(v * c + i));
  }

  std::vector<double> values(const Tensor &x) const {
    std::vector<double> all(static_cast<size_t>(n * voxels * c));
    for_elements([&](int64_t v, int64_t i, size_t at) { all[at] = before(x, v, i) * derivative(x, v, i); });
    return all;
  }
  // From the gradient of the values.
  std::vector<double> gradient(const Tensor &x, const std::vector<double> &dy) const {
    std::vector<double> g(dy.size());
    for_elements([&](int64_t v, int64_t i, size_t at) { g[at] = dy[at] * derivative(x, v, i); });
    return g;
  }
  double off(const Tensor &x, int64_t v, int64_t i) const {
    return static_cast<double>(x.at(v, i)) - at(v / voxels, VG_NORM_MEAN, i);
  }
  // [n][2][c]
  std::vector<double> sums(const Tensor &x, const std::vector<double> &g) const {
    std::vector<double> all(static_cast<size_t>(n * 2 * c));
    for_elements([&](int64_t v, int64_t i, size_t at) {
      const size_t to = static_cast<size_t>(v / voxels * 2 * c + i);
      all[to] += g[at];
      all[to + static_cast<size_t>(c)] += g[at] * off(x, v, i);
    });
    return all;
  }
  std::vector<double> input_gradient(const Tensor &x, const std::vector<double> &g) const {
    std::vector<double> dx(g.size()), s = sums(x, g);
    for_elements([&](int64_t v, int64_t i, size_t at) {
      const int64_t b = v / voxels;
      const double first = s[static_cast<size_t>(b * 2 * c + i)], second = s[static_cast<size_t>((b * 2 + 1) * c + i)];
      const double rstd = this->at(b, VG_NORM_RSTD, i), count = static_cast<double>(voxels);
      dx[at] = this->at(b, VG_NORM_SCALE, i) * (g[at] - first / count - off(x, v, i) * rstd * rstd * second / count);
    });
    return dx;
  }

private:
  void set(int64_t sample, vg_norm_row row, int64_t channel, double value) {
    table[(sample * VG_NORM_ROWS + row) * c + channel] = static_cast<float>(value);
  }
};

constexpr Tolerance sums_tolerance{2e-6, 1e-5};

// The sums of g and those of g (x - mean) have sizes of their own.
void expect_sums(const std::string &op, const std::string &problem, int64_t n, int64_t c, const Guarded<float> &actual,
                 const std::vector<double> &expected, Tolerance tolerance = sums_tolerance) {
  for (int64_t half = 0; half < 2; ++half) {
    const auto index = [&](int64_t i) { return (i / c * 2 + half) * c + i % c; };
    expect_close(
        op + (half == 0 ? " sums of g" : " sums of g (x - mean)"), problem, n * c,
        [&](int64_t i) { return static_cast<double>(actual[index(i)]); },
        [&](int64_t i) { return expected[static_cast<size_t>(index(i))]; }, tolerance);
  }
}

vg_conv_fusion fusion_of(const Norm &norm) {
  vg_conv_fusion fusion = sized<vg_conv_fusion>();
  fusion.x_norm = norm.table.data();
  return fusion;
}

// A table made by a convolution against the statistics of what the convolution stored.
void expect_table(const std::string &op, const std::string &problem, const Tensor &y, int64_t n,
                  const vg_conv_fusion &fusion, const Guarded<float> &table) {
  const int64_t c = y.channels(), voxels = y.voxels() / n;
  std::vector<double> expected(static_cast<size_t>(table.size())), unit = expected;
  for (int64_t b = 0; b < n; ++b)
    for (int64_t i = 0; i < c; ++i) {
      const auto [mean, variance] = statistics(y, b * voxels, voxels, i);
      const double rstd = 1 / std::sqrt(variance + static_cast<double>(fusion.eps));
      const double gamma = fusion.gamma == nullptr ? 1 : static_cast<double>(fusion.gamma[i]);
      const double beta = fusion.beta == nullptr ? 0 : static_cast<double>(fusion.beta[i]);
      const double row[] = {gamma * rstd, beta - mean * gamma * rstd, static_cast<double>(fusion.slope), mean, rstd};
      // What one part in a million of the channel's size is in each row.
      const double size[] = {rstd, 1 + std::fabs(mean) * rstd, 1, std::sqrt(variance) + std::fabs(mean), rstd};
      for (size_t r = 0; r < VG_NORM_ROWS; ++r) {
        const size_t at = (static_cast<size_t>(b) * VG_NORM_ROWS + r) * static_cast<size_t>(c) + static_cast<size_t>(i);
        expected[at] = row[r];
        unit[at] = size[r];
      }
    }
  for (int64_t i = 0; i < table.size(); ++i)
    ASSERT_NEAR(static_cast<double>(table[i]), expected[static_cast<size_t>(i)], 1e-6 * unit[static_cast<size_t>(i)])
        << op << " " << problem << ": table, index " << i;
}

// All functions of one problem.
void expect_fused(const ConvFunctions &f, const Sizes &z, uint64_t seed,
                  vg_precision precision = VG_PRECISION_DEFAULT) {
  ConvCase c = make(z);
  c.p.precision = precision;
  const bool fast = precision == VG_PRECISION_FAST;
  const Tolerance near = fast ? fast_tolerance : Tolerance{}, near_sums = fast ? fast_tolerance : sums_tolerance;
  if (f.transposed)
    for (int a = 0; a < 3; ++a) c.out[a] = z.in[a] * z.k[a];
  const Side side = seed % 2 == 0 ? Side::after : Side::before;
  ConvExpected e(c, f.transposed, side, seed);
  const Norm norm(e.x, c.p.n, seed + 5, side);
  e.compute(c, f.transposed, norm.values(e.x));
  const std::vector<double> g = norm.gradient(e.x, e.dx);
  Guarded<float> gamma(c.p.co, side), beta(c.p.co, side);
  Random(seed + 6).fill(gamma);
  Random(seed + 7).fill(beta);
  Tensor stored(c.x_voxels(), c.p.ci, c.p.ci + 2, side); // x with a voxel stride of its own
  norm.for_elements([&](int64_t v, int64_t i, size_t) { stored.at(v, i) = e.x.at(v, i); });

  on_every_tier(c.text(), [&](const Cpu &cpu, Bits &bits) {
    ConvResults r(c, side);
    Guarded<float> sums(c.p.n * 2 * c.p.ci, side), table(c.p.n * VG_NORM_ROWS * c.p.co, side);
    vg_conv_fusion forward = fusion_of(norm);
    if (!f.transposed && c.y_voxels() / c.p.n > 1) {
      forward.y_norm = table.data();
      forward.gamma = seed % 3 == 0 ? nullptr : gamma.data();
      forward.beta = seed % 3 == 0 ? nullptr : beta.data();
      forward.eps = eps;
      forward.slope = 0.25f;
    }
    ASSERT_EQ(f.forward(cpu, &c.p, &forward, e.x.data(), e.w.data(), e.b.data(), r.y.data()), VG_OK) << cpu.error();
    vg_conv_fusion backward = fusion_of(norm);
    backward.x = stored.data();
    backward.x_stride = stored.stride();
    backward.sums = sums.data();
    ASSERT_EQ(f.backward_input(cpu, &c.p, &backward, e.dy.data(), e.w.data(), r.dx.data()), VG_OK) << cpu.error();
    const vg_conv_fusion weight = fusion_of(norm);
    ASSERT_EQ(f.backward_weight(cpu, &c.p, &weight, e.x.data(), e.dy.data(), r.dw.data(), r.db.data()), VG_OK)
        << cpu.error();

    const std::string name = std::string("fused ") + f.name;
    expect_close(name + " forward", c.text(), r.y, e.y, near);
    expect_close(name + " backward_input", c.text(), r.dx, g, near);
    expect_sums(name + " backward_input", c.text(), c.p.n, c.p.ci, sums, norm.sums(e.x, g), near_sums);
    expect_close(name + " backward_weight", c.text(), r.dw, e.dw);
    expect_close(name + " backward_weight db", c.text(), r.db, e.db);
    if (forward.y_norm != nullptr) expect_table(name + " forward", c.text(), r.y, c.p.n, forward, table);
    for (const auto *buffer : {static_cast<const Guarded<float> *>(&r.y), static_cast<const Guarded<float> *>(&r.dx)})
      bits.add(*buffer);
    for (const auto *buffer : {&r.dw, &r.db, &sums, &table}) bits.add(*buffer);
  });
}

const Sizes table[] = {
    // Winograd: stages and blocks, odd sizes, gaps, other paddings, 1x3x3
    {2, {5, 7, 9}, 16, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 3, 5},
    {1, {7, 6, 11}, 9, 17, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 1, 0},
    {4, {3, 5, 4}, 33, 31, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {1, {9, 8, 7}, 12, 16, {3, 3, 3}, {1, 1, 1}, {0, 0, 0}},
    {1, {8, 9, 10}, 8, 24, {3, 3, 3}, {1, 1, 1}, {0, 1, 2}},
    {3, {13, 16, 41}, 9, 16, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 7, 8},
    {2, {19, 17, 16}, 24, 40, {3, 3, 3}, {1, 1, 1}, {0, 1, 1}},
    {4, {1, 33, 35}, 16, 24, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
    {1, {5, 21, 67}, 17, 9, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, 2, 1},
    // direct: strides, large and small kernels, few channels, several slices of input channels
    {2, {9, 11, 13}, 8, 16, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, 2, 3},
    // stride 2 by Winograd, with blocks of two samples
    {2, {15, 16, 16}, 64, 72, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, 2, 3},
    {2, {5, 31, 32}, 40, 20, {3, 3, 3}, {1, 2, 2}, {2, 0, 1}},
    {3, {5, 9, 11}, 9, 20, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
    {1, {6, 7, 8}, 3, 4, {3, 1, 5}, {2, 1, 3}, {1, 0, 2}},
    {2, {3, 5, 7}, 32, 4, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
    {1, {5, 7, 9}, 19, 21, {1, 1, 1}, {2, 2, 2}, {0, 0, 0}, 4, 1},
    {2, {7, 9, 11}, 3, 10, {5, 5, 5}, {1, 1, 1}, {2, 2, 2}},
    {1, {3, 5, 7}, 37, 3, {5, 5, 5}, {1, 1, 1}, {2, 2, 2}},
    {2, {7, 9, 11}, 1, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {4, {5, 6, 7}, 1, 32, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 3, 0},
    {1, {3, 4, 5}, 131, 24, {3, 3, 3}, {2, 1, 1}, {1, 1, 1}, 4, 0},
    {1, {2, 3, 1}, 3, 2, {2, 2, 2}, {1, 1, 1}, {3, 2, 4}},
    {1, {1, 1, 2}, 5, 7, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {2, {40, 30, 29}, 4, 5, {3, 1, 1}, {1, 1, 1}, {1, 0, 0}},
};

const Sizes transposed_table[] = {
    {2, {3, 4, 5}, 16, 8, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}},
    {1, {3, 5, 7}, 9, 20, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}, 3, 4},
    {4, {5, 6, 7}, 1, 3, {1, 2, 2}, {1, 1, 1}, {0, 0, 0}, 1, 1},
    {3, {9, 8, 11}, 33, 16, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}},
    {2, {3, 5, 4}, 70, 41, {2, 1, 2}, {1, 1, 1}, {0, 0, 0}, 0, 2},
    // single taps with few channels on one side
    {2, {5, 6, 7}, 12, 3, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, 2, 0},
    {3, {5, 6, 7}, 3, 20, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, 0, 1},
};

TEST(NormFusion, ConvolutionsMatchTheSeparateSteps) {
  uint64_t seed = 100;
  for (const Sizes &z : table) expect_fused(conv3d, z, seed += 11);
}

// Problems that take the larger tiles: 2x4x4, 4x4x4 and 1x4x4 outputs.
TEST(NormFusion, FastConvolutionsMatchTheSeparateSteps) {
  expect_fused(conv3d, {2, {11, 19, 27}, 8, 24, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 2, 1}, 300, VG_PRECISION_FAST);
  expect_fused(conv3d, {3, {3, 13, 61}, 72, 66, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}}, 301, VG_PRECISION_FAST);
  expect_fused(conv3d, {3, {1, 33, 35}, 17, 24, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, 0, 3}, 302, VG_PRECISION_FAST);
}

TEST(NormFusion, TransposedConvolutionsMatchTheSeparateSteps) {
  uint64_t seed = 1000;
  for (const Sizes &z : transposed_table) expect_fused(transposed, z, seed += 11);
}

// Statistics never change the outputs they are taken of, and with a mean of 100 and a spread of 1 they are as good as
// with a mean of 0; gathering the sums never changes g beside the derivative.
TEST(NormFusion, StatisticsOfALargeMeanLoseNothing) {
  const Sizes problems[] = {
      {2, {12, 18, 22}, 16, 16, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {1, {5, 6, 7}, 32, 40, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 0, 3},
      {2, {1, 66, 70}, 16, 16, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
      {2, {12, 18, 22}, 16, 16, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
      {1, {30, 31, 32}, 1, 32, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {1, {30, 31, 32}, 8, 4, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
  };
  for (const Sizes &z : problems) {
    const ConvCase c = make(z);
    ConvExpected e(c, false, Side::after, 8);
    const float spread = 1 / std::sqrt(static_cast<float>(c.taps() * c.p.ci) / 9); // of y: 1
    for (float &w : e.w) w *= spread;
    for (float &b : e.b) b += 100;
    on_every_tier(c.text(), [&](const Cpu &cpu, Bits &bits) {
      ConvResults r(c, Side::after);
      const auto plain = run(conv3d, cpu, c, e, Side::after);
      Guarded<float> norm(c.p.n * VG_NORM_ROWS * c.p.co);
      vg_conv_fusion fusion = sized<vg_conv_fusion>();
      fusion.y_norm = norm.data();
      fusion.eps = 1e-5f;
      fusion.slope = 0.01f;
      ASSERT_EQ(vg_conv3d_forward(cpu, &c.p, &fusion, e.x.data(), e.w.data(), e.b.data(), r.y.data()), VG_OK)
          << cpu.error();
      expect_same_bits("conv3d forward with and without statistics", c.text(), r.y, plain->y);
      expect_table("conv3d forward", c.text(), r.y, c.p.n, fusion, norm);
      bits.add(norm);
    });
  }
}

// A constant channel has variance 0 exactly, whatever its value.
TEST(NormFusion, ConstantChannelsHaveNoSpread) {
  for (const int64_t k : {1, 3}) {
    const ConvCase c = make({1, {9, 10, 11}, 8, 8, {k, k, k}, {1, 1, 1}, {k / 2, k / 2, k / 2}});
    ConvExpected e(c, false, Side::after, 8);
    for (float &w : e.w) w = 0;
    on_every_tier(c.text(), [&](const Cpu &cpu, Bits &bits) {
      ConvResults r(c, Side::after);
      Guarded<float> norm(VG_NORM_ROWS * c.p.co);
      vg_conv_fusion fusion = sized<vg_conv_fusion>();
      fusion.y_norm = norm.data();
      fusion.eps = 1e-10f;
      ASSERT_EQ(vg_conv3d_forward(cpu, &c.p, &fusion, e.x.data(), e.w.data(), e.b.data(), r.y.data()), VG_OK);
      for (int64_t i = 0; i < c.p.co; ++i) {
        ASSERT_EQ(norm[VG_NORM_MEAN * c.p.co + i], e.b[i]);
        ASSERT_FLOAT_EQ(norm[VG_NORM_RSTD * c.p.co + i], 1e5f);
      }
      bits.add(norm);
    });
  }
}

// Inputs far from zero: the value is the one of the separate norm to the digits that such inputs have.
TEST(NormFusion, InputsWithALargeMeanStaySensible) {
  for (const int64_t stride : {1, 2}) {
    const ConvCase c = make({2, {8, 9, 10}, 16, 16, {3, 3, 3}, {stride, stride, stride}, {1, 1, 1}});
    ConvExpected e(c, false, Side::after, 21);
    for (int64_t v = 0; v < c.x_voxels(); ++v)
      for (int64_t i = 0; i < c.p.ci; ++i) e.x.at(v, i) += 100;
    const Norm norm(e.x, c.p.n, 26);
    e.compute(c, false, norm.values(e.x));
    const std::vector<double> g = norm.gradient(e.x, e.dx);
    on_every_tier(c.text(), [&](const Cpu &cpu, Bits &bits) {
      ConvResults r(c, Side::after);
      Guarded<float> sums(c.p.n * 2 * c.p.ci);
      vg_conv_fusion fusion = fusion_of(norm);
      ASSERT_EQ(vg_conv3d_forward(cpu, &c.p, &fusion, e.x.data(), e.w.data(), e.b.data(), r.y.data()), VG_OK);
      expect_close("fused conv3d forward", c.text(), r.y, e.y, {1e-5, 1e-4}); // 100 has 8e-6 between two floats
      fusion.x = e.x.data();
      fusion.x_stride = c.p.x_stride;
      fusion.sums = sums.data();
      ASSERT_EQ(vg_conv3d_backward_input(cpu, &c.p, &fusion, e.dy.data(), e.w.data(), r.dx.data()), VG_OK);
      expect_close("fused conv3d backward_input", c.text(), r.dx, g);
      expect_sums("fused conv3d backward_input", c.text(), c.p.n, c.p.ci, sums, norm.sums(e.x, g));
      bits.add(r.y);
      bits.add(sums);
    });
  }
}

// A NaN in the stored input reaches the outputs whose sums it is part of, and no others.
TEST(NormFusion, NaNStaysInItsReceptiveField) {
  for (const int64_t depth : {1, 3})
    for (const int64_t stride : {1, 2}) {
      const ConvCase c = make({1, {9, 9, 9}, 8, 8, {depth, 3, 3}, {1, 1, stride}, {depth / 2, 1, 1}});
      ConvExpected e(c, false, Side::after, 3);
      const Norm norm(e.x, 1, 4);
      e.x.at((4 * 9 + 3) * 9 + 4, 2) = NAN;
      ConvResults r(c, Side::after);
      const vg_conv_fusion fusion = fusion_of(norm);
      const Cpu cpu(2);
      ASSERT_EQ(vg_conv3d_forward(cpu, &c.p, &fusion, e.x.data(), e.w.data(), e.b.data(), r.y.data()), VG_OK);
      for (int64_t v = 0; v < c.y_voxels(); ++v) {
        const int64_t width = c.out[2], dz = std::abs(v / width / 9 - 4), dy = std::abs(v / width % 9 - 3);
        const bool reached = dz <= depth / 2 && dy <= 1 && std::abs(v % width * stride - 4) <= 1;
        ASSERT_EQ(std::isnan(r.y.at(v, 0)), reached) << "depth " << depth << " stride " << stride << " at " << v;
      }
    }
}

// ---- readers that are no convolution ------------------------------------------------------------------------------

TEST(NormFusion, ApplyMatchesNaiveLoops) {
  for (const VoxelCase &k : voxel_cases)
    on_every_tier(k.text(), [&](const Cpu &cpu, Bits &bits) {
      Tensor x(k.n * k.voxels, k.c, k.c + k.x_gap, k.side), y(k.n * k.voxels, k.c, k.c + k.y_gap, k.side);
      x.fill(Random(31));
      const Norm norm(x, k.n, 32, k.side);
      const vg_map p = map_problem(k.n, k.voxels, k.c, k.c + k.x_gap, k.c + k.y_gap);
      ASSERT_EQ(vg_norm_apply(cpu, &p, x.data(), norm.table.data(), y.data()), VG_OK) << cpu.error();
      expect_close("norm_apply", k.text(), y, norm.values(x));
      bits.add(y);
    });
}

TEST(NormFusion, BackwardMatchesNaiveLoopsAlsoInPlace) {
  for (const VoxelCase &k : voxel_cases)
    on_every_tier(k.text(), [&](const Cpu &cpu, Bits &bits) {
      const int64_t voxels = k.n * k.voxels, x_stride = k.c + k.x_gap, y_stride = k.c + k.y_gap;
      Tensor x(voxels, k.c, x_stride, k.side), dy(voxels, k.c, y_stride, k.side), g(voxels, k.c, y_stride, k.side);
      Guarded<float> sums(k.n * 2 * k.c, k.side), again(k.n * 2 * k.c, k.side);
      x.fill(Random(41));
      dy.fill(Random(42));
      const Norm norm(x, k.n, 43, k.side);
      const vg_map p = map_problem(k.n, k.voxels, k.c, x_stride, y_stride);
      ASSERT_EQ(vg_norm_backward(cpu, &p, x.data(), norm.table.data(), dy.data(), g.data(), sums.data()), VG_OK)
          << cpu.error();
      const std::vector<double> expected = norm.gradient(x, values(dy));
      expect_close("norm_backward", k.text(), g, expected);
      expect_sums("norm_backward", k.text(), k.n, k.c, sums, norm.sums(x, expected));
      bits.add(g);
      bits.add(sums);
      ASSERT_EQ(vg_norm_backward(cpu, &p, x.data(), norm.table.data(), dy.data(), dy.data(), again.data()), VG_OK);
      expect_same_bits("norm_backward in place", k.text(), dy, g);
      expect_same_bits("norm_backward in place, sums", k.text(), again, sums);
    });
}

TEST(NormFusion, BackwardInputMatchesNaiveLoopsAlsoInPlace) {
  for (const VoxelCase &k : voxel_cases)
    on_every_tier(k.text(), [&](const Cpu &cpu, Bits &bits) {
      const int64_t voxels = k.n * k.voxels, x_stride = k.c + k.x_gap, y_stride = k.c + k.y_gap;
      Tensor x(voxels, k.c, x_stride, k.side), g(voxels, k.c, y_stride, k.side), dx(voxels, k.c, y_stride, k.side);
      Guarded<float> sums(k.n * 2 * k.c, k.side), dgamma(k.c, k.side), dbeta(k.c, k.side);
      x.fill(Random(51));
      g.fill(Random(52));
      const Norm norm(x, k.n, 53, k.side);
      const std::vector<double> exact = norm.sums(x, values(g)), expected = norm.input_gradient(x, values(g));
      for (int64_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<float>(exact[static_cast<size_t>(i)]);
      const vg_map p = map_problem(k.n, k.voxels, k.c, x_stride, y_stride);
      const auto call = [&](float *to, float *to_gamma, float *to_beta) {
        ASSERT_EQ(
            vg_norm_backward_input(cpu, &p, x.data(), norm.table.data(), g.data(), sums.data(), to, to_gamma, to_beta),
            VG_OK)
            << cpu.error();
      };
      call(dx.data(), dgamma.data(), dbeta.data());
      std::vector<double> gamma(static_cast<size_t>(k.c)), beta = gamma;
      for (int64_t b = 0; b < k.n; ++b)
        for (int64_t i = 0; i < k.c; ++i) {
          beta[static_cast<size_t>(i)] += exact[static_cast<size_t>(b * 2 * k.c + i)];
          gamma[static_cast<size_t>(i)] +=
              norm.at(b, VG_NORM_RSTD, i) * exact[static_cast<size_t>((b * 2 + 1) * k.c + i)];
        }
      // Over two voxels dx is what remains of numbers that cancel.
      expect_close("norm_backward_input", k.text(), dx, expected, k.voxels == 2 ? Tolerance{1e-4, 1e-4} : Tolerance{});
      expect_close("norm_backward_input dgamma", k.text(), dgamma, gamma);
      expect_close("norm_backward_input dbeta", k.text(), dbeta, beta);
      bits.add(dx);
      bits.add(dgamma);
      call(g.data(), nullptr, nullptr);
      expect_same_bits("norm_backward_input in place", k.text(), g, dx);
    });
}

// The chain of norm, activation, convolution against differences of its value in float64.
TEST(NormFusion, GradientsMatchFiniteDifferences) {
  const ConvCase c = make({1, {3, 4, 3}, 3, 2, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}});
  ConvExpected e(c, false, Side::after, 61);
  const Norm norm(e.x, 1, 62);
  const int64_t count = c.x_voxels(), ci = c.p.ci;
  std::vector<double> gamma, beta;
  for (int64_t i = 0; i < ci; ++i) {
    gamma.push_back(norm.at(0, VG_NORM_SCALE, i) / norm.at(0, VG_NORM_RSTD, i));
    beta.push_back(norm.at(0, VG_NORM_SHIFT, i) + norm.at(0, VG_NORM_MEAN, i) * norm.at(0, VG_NORM_SCALE, i));
  }
  const auto loss = [&](const std::vector<double> &x) {
    std::vector<double> input(x.size());
    for (int64_t i = 0; i < ci; ++i) {
      double mean = 0, square = 0;
      for (int64_t v = 0; v < count; ++v) mean += x[static_cast<size_t>(v * ci + i)] / static_cast<double>(count);
      for (int64_t v = 0; v < count; ++v) {
        const double off = x[static_cast<size_t>(v * ci + i)] - mean;
        square += off * off / static_cast<double>(count);
      }
      for (int64_t v = 0; v < count; ++v) {
        const size_t at = static_cast<size_t>(v * ci + i), channel = static_cast<size_t>(i);
        const double a = (x[at] - mean) / std::sqrt(square + static_cast<double>(eps)) * gamma[channel] + beta[channel];
        input[at] = a > 0 ? a : static_cast<double>(slopes[i % 3]) * a;
      }
    }
    e.compute(c, false, input);
    double total = 0;
    for (int64_t v = 0; v < c.y_voxels(); ++v)
      for (int64_t o = 0; o < c.p.co; ++o)
        total += e.y[static_cast<size_t>(v * c.p.co + o)] * static_cast<double>(e.dy.at(v, o));
    return total;
  };
  std::vector<double> x = values(e.x), expected;
  for (double &element : x) {
    constexpr double step = 1e-5;
    const double kept = element;
    element = kept + step;
    const double above = loss(x);
    element = kept - step;
    const double below = loss(x);
    element = kept;
    expected.push_back((above - below) / (2 * step));
  }
  const Cpu cpu(2);
  Tensor dx(count, ci, ci);
  Guarded<float> sums(2 * ci);
  vg_conv_fusion fusion = fusion_of(norm);
  fusion.x = e.x.data();
  fusion.x_stride = ci;
  fusion.sums = sums.data();
  ASSERT_EQ(vg_conv3d_backward_input(cpu, &c.p, &fusion, e.dy.data(), e.w.data(), dx.data()), VG_OK) << cpu.error();
  const vg_map p = map_problem(1, count, ci, ci, ci);
  ASSERT_EQ(vg_norm_backward_input(cpu, &p, e.x.data(), norm.table.data(), dx.data(), sums.data(), dx.data(), nullptr,
                                   nullptr),
            VG_OK);
  expect_close("norm, activation, conv3d", c.text(), dx, expected, {1e-5, 1e-4});
}

TEST(NormFusion, RefusesWrongArguments) {
  const Cpu cpu(1);
  const ConvCase c = make({1, {4, 5, 6}, 3, 2, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}});
  ConvExpected e(c, false, Side::after, 1);
  ConvResults r(c, Side::after);
  const Norm norm(e.x, 1, 2);
  Guarded<float> sums(2 * 3), made(VG_NORM_ROWS * 2);
  const vg_conv3d *p = &c.p;
  const auto forward = [&](auto change, const char *part) {
    vg_conv_fusion fusion = fusion_of(norm);
    fusion.y_norm = made.data();
    fusion.eps = 1e-5f;
    change(fusion);
    expect_error(cpu, vg_conv3d_forward(cpu, p, &fusion, e.x.data(), e.w.data(), nullptr, r.y.data()),
                 VG_INVALID_ARGUMENT, part);
  };
  forward([](vg_conv_fusion &f) { f.size = 8; }, "problem.size is 8");
  forward([&](vg_conv_fusion &f) { f.gamma = sums.data(); }, "both");
  forward([](vg_conv_fusion &f) { f.eps = 0; }, "fusion.eps is 0");
  forward([&](vg_conv_fusion &f) { f.sums = sums.data(); }, "belong to backward_input");
  forward([&](vg_conv_fusion &f) { f.x = e.x.data(); }, "belong to backward_input");
  vg_conv3d single = c.p;
  single.d = single.h = single.w = 1;
  p = &single;
  forward([](vg_conv_fusion &) {}, "one voxel");
  p = &c.p;

  const auto backward = [&](auto change, const char *part) {
    vg_conv_fusion fusion = fusion_of(norm);
    fusion.x = e.x.data();
    fusion.x_stride = 3;
    fusion.sums = sums.data();
    change(fusion);
    expect_error(cpu, vg_conv3d_backward_input(cpu, p, &fusion, e.dy.data(), e.w.data(), r.dx.data()),
                 VG_INVALID_ARGUMENT, part);
  };
  backward([](vg_conv_fusion &f) { f.x = nullptr; }, "fusion.x and fusion.sums");
  backward([](vg_conv_fusion &f) { f.sums = nullptr; }, "fusion.x and fusion.sums");
  backward([](vg_conv_fusion &f) { f.x_norm = nullptr; }, "fusion.x and fusion.sums");
  backward([](vg_conv_fusion &f) { f.x_stride = 2; }, "fusion.x_stride is 2");
  backward([&](vg_conv_fusion &f) { f.y_norm = made.data(); }, "fusion.y_norm belongs to vg_conv3d_forward");
  vg_conv_fusion weight = fusion_of(norm);
  weight.sums = sums.data();
  expect_error(cpu, vg_conv3d_backward_weight(cpu, p, &weight, e.x.data(), e.dy.data(), r.dw.data(), nullptr),
               VG_INVALID_ARGUMENT, "fusion.x and fusion.sums");
  for (int64_t i = 0; i < r.y.size(); ++i) ASSERT_TRUE(r.y.poisoned(i)) << "a refused call wrote y";

  const vg_map map = map_problem(1, 10, 2, 2, 3);
  float *x = e.x.data(), *t = made.data(), *s = sums.data(), *y = r.dx.data();
  expect_error(cpu, vg_norm_apply(cpu, &map, x, nullptr, y), VG_INVALID_ARGUMENT, "norm is NULL");
  expect_error(cpu, vg_norm_apply(cpu, &map, x, t, nullptr), VG_INVALID_ARGUMENT, "y is NULL");
  expect_error(cpu, vg_norm_backward(cpu, &map, x, t, y, x, nullptr), VG_INVALID_ARGUMENT, "sums is NULL");
  expect_error(cpu, vg_norm_backward_input(cpu, &map, x, t, y, s, e.x.data(), s, nullptr), VG_INVALID_ARGUMENT, "both");
}

} // namespace

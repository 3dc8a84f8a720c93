// vg_instance_norm_forward and _backward.
#include "tiers.h"

using namespace vg::test;

static vg_instance_norm problem(const VoxelCase &k, int32_t activation) {
  vg_instance_norm p = sized<vg_instance_norm>();
  p.n = k.n;
  p.voxels = k.voxels;
  p.c = k.c;
  p.x_stride = k.c + k.x_gap;
  p.y_stride = k.c + k.y_gap;
  p.eps = 1e-5f;
  p.activation = activation;
  p.slope = 0.01f;
  return p;
}

static double softplus(double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }
static double act(const vg_instance_norm &p, double z) {
  if (p.activation == VG_ACTIVATION_LEAKY_RELU) return z > 0 ? z : double{p.slope} * z;
  return p.activation == VG_ACTIVATION_MISH ? z * std::tanh(softplus(z)) : z;
}
static double act_derivative(const vg_instance_norm &p, double z) {
  if (p.activation == VG_ACTIVATION_LEAKY_RELU) return z > 0 ? 1 : double{p.slope};
  const double w = std::tanh(softplus(z));
  return p.activation == VG_ACTIVATION_MISH ? w + z / (1 + std::exp(-z)) * (1 - w * w) : 1;
}

// Everything in float64, by definition. gamma, beta may be empty.
struct Reference {
  std::vector<double> mean, rstd, y, dx, dgamma, dbeta;
  Reference(const vg_instance_norm &p, const Tensor &x, const Tensor &dy, const std::vector<float> &gamma,
            const std::vector<float> &beta)
      : y(values(x)), dx(values(x)), dgamma(static_cast<size_t>(p.c)), dbeta(static_cast<size_t>(p.c)) {
    for (int64_t b = 0; b < p.n; ++b)
      for (int64_t c = 0; c < p.c; ++c) channel(p, x, dy, gamma, beta, b, c);
  }

private:
  void channel(const vg_instance_norm &p, const Tensor &x, const Tensor &dy, const std::vector<float> &gamma,
               const std::vector<float> &beta, int64_t b, int64_t c) {
    const int64_t first = b * p.voxels, last = first + p.voxels;
    const double count = static_cast<double>(p.voxels);
    double m = 0, variance = 0, sum = 0, sum_x = 0;
    for (int64_t v = first; v < last; ++v) m += x.at(v, c) / count;
    for (int64_t v = first; v < last; ++v) variance += (x.at(v, c) - m) * (x.at(v, c) - m) / count;
    const double r = 1 / std::sqrt(variance + double{p.eps});
    const size_t ch = static_cast<size_t>(c);
    const double g = gamma.empty() ? 1 : gamma[ch], o = beta.empty() ? 0 : beta[ch];
    std::vector<double> xhat, dz;
    for (int64_t v = first; v < last; ++v) {
      xhat.push_back((x.at(v, c) - m) * r);
      const double z = xhat.back() * g + o;
      y[static_cast<size_t>(v * p.c + c)] = act(p, z);
      dz.push_back(dy.at(v, c) * act_derivative(p, z));
      sum += dz.back();
      sum_x += dz.back() * xhat.back();
    }
    for (size_t i = 0; i < xhat.size(); ++i)
      dx[(static_cast<size_t>(first) + i) * static_cast<size_t>(p.c) + ch] =
          g * r * (dz[i] - sum / count - xhat[i] * sum_x / count);
    mean.push_back(m);
    rstd.push_back(r);
    dgamma[ch] += sum_x;
    dbeta[ch] += sum;
  }
};

static void check(const VoxelCase &k, int32_t activation, bool affine, float offset) {
  const vg_instance_norm p = problem(k, activation);
  const std::string text = k.text() + " activation=" + std::to_string(activation) + " offset=" + std::to_string(offset);
  Tensor x(k.n * k.voxels, k.c, p.x_stride, k.side), dy(k.n * k.voxels, k.c, p.y_stride, k.side);
  x.fill(Random(21));
  dy.fill(Random(22));
  for (int64_t v = 0; v < x.voxels(); ++v)
    for (int64_t c = 0; c < k.c; ++c) x.at(v, c) += offset;
  std::vector<float> gamma, beta;
  for (int64_t c = 0; affine && c < k.c; ++c) {
    gamma.push_back(0.5f + 0.1f * static_cast<float>(c));
    beta.push_back(0.3f - 0.05f * static_cast<float>(c));
  }
  const Reference expected(p, x, dy, gamma, beta);
  on_every_tier(text, [&](const Cpu &cpu, Bits &bits) {
    Tensor y(k.n * k.voxels, k.c, p.y_stride, k.side), dx(k.n * k.voxels, k.c, p.x_stride, k.side);
    Guarded<float> mean(k.n * k.c), rstd(k.n * k.c), dgamma(k.c), dbeta(k.c);
    const float *g = affine ? gamma.data() : nullptr, *o = affine ? beta.data() : nullptr;
    ASSERT_EQ(vg_instance_norm_forward(cpu, &p, x.data(), g, o, mean.data(), rstd.data(), y.data()), VG_OK)
        << cpu.error();
    ASSERT_EQ(vg_instance_norm_backward(cpu, &p, x.data(), g, o, mean.data(), rstd.data(), dy.data(), dx.data(),
                                        affine ? dgamma.data() : nullptr, affine ? dbeta.data() : nullptr),
              VG_OK)
        << cpu.error();
    // The mean that backward is given is rounded to float32: 3e-5 of the spread at a mean of 1000.
    const bool large = offset > 100;
    expect_close("instance_norm mean", text, mean, expected.mean, {1e-6, 1e-6});
    expect_close("instance_norm rstd", text, rstd, expected.rstd, {2e-7, 3e-7});
    expect_close("instance_norm y", text, y, expected.y, {1e-6, 1e-6});
    if (k.voxels > 2) // of two voxels dx is nearly 0: all digits cancel
      expect_close("instance_norm dx", text, dx, expected.dx, large ? Tolerance{1e-4, 1e-4} : Tolerance{2e-6, 5e-6});
    if (affine && k.voxels > 2) {
      expect_close("instance_norm dgamma", text, dgamma, expected.dgamma,
                   large ? Tolerance{1e-3, 1e-3} : Tolerance{3e-6, 5e-6});
      expect_close("instance_norm dbeta", text, dbeta, expected.dbeta,
                   large ? Tolerance{1e-3, 1e-3} : Tolerance{3e-6, 5e-6});
    }
    bits.add(y);
    bits.add(dx);
    bits.add(mean);
    bits.add(rstd);
  });
}

TEST(InstanceNorm, MatchesDefinition) {
  for (const VoxelCase &k : voxel_cases)
    for (const int32_t activation : {VG_ACTIVATION_IDENTITY, VG_ACTIVATION_LEAKY_RELU, VG_ACTIVATION_MISH})
      check(k, activation, k.c % 2 == 1, 0);
  check({1, 101, 513, 0, 0}, VG_ACTIVATION_LEAKY_RELU, true, 0); // more columns than one tile has
  check({1, 19, 1030, 1, 0}, VG_ACTIVATION_IDENTITY, true, 0);
}

TEST(InstanceNorm, LargeMeanCostsNoDigits) {
  for (const VoxelCase &k : {VoxelCase{2, 9001, 4, 0, 0}, VoxelCase{1, 3001, 33, 3, 0}, VoxelCase{1, 20011, 1, 0, 0}})
    check(k, VG_ACTIVATION_IDENTITY, true, 1000);
}

TEST(InstanceNorm, OutlierInFrontDoesNotSpoilTheVariance) {
  const vg_instance_norm p = problem({1, 50000, 1, 0, 0}, VG_ACTIVATION_IDENTITY);
  Tensor x(50000, 1, 1), dy(50000, 1, 1);
  x.fill(Random(3));
  dy.fill(Random(4));
  for (int64_t v = 1; v < 50000; ++v) x.at(v, 0) += 1000;
  const Reference expected(p, x, dy, {}, {});
  for (const char *isa : isas()) {
    const Cpu cpu(2, isa);
    Guarded<float> mean(1), rstd(1), y(50000);
    ASSERT_EQ(vg_instance_norm_forward(cpu, &p, x.data(), nullptr, nullptr, mean.data(), rstd.data(), y.data()), VG_OK);
    EXPECT_NEAR(rstd[0] / expected.rstd[0], 1, 1e-6);
  }
}

TEST(InstanceNorm, ConstantChannelGivesBeta) {
  const int64_t voxels = 70001;
  for (const int64_t c : {1, 3, 8})
    for (const char *isa : isas()) {
      const Cpu cpu(2, isa);
      const vg_instance_norm p = problem({1, voxels, c, 0, 0}, VG_ACTIVATION_LEAKY_RELU);
      Tensor x(voxels, c, c), y(voxels, c, c);
      for (float &v : x) v = 0.1f;
      std::vector<float> gamma(static_cast<size_t>(c), 2), beta(static_cast<size_t>(c), 0.7f);
      Guarded<float> mean(c), rstd(c);
      ASSERT_EQ(
          vg_instance_norm_forward(cpu, &p, x.data(), gamma.data(), beta.data(), mean.data(), rstd.data(), y.data()),
          VG_OK);
      EXPECT_EQ(mean[0], 0.1f);
      EXPECT_FLOAT_EQ(rstd[0], 316.227766f);
      for (const float v : y) ASSERT_EQ(v, 0.7f);
    }
}

TEST(InstanceNorm, DerivativeAtZeroIsTheSlope) {
  const Cpu cpu;
  vg_instance_norm p = problem({1, 2, 1, 0, 0}, VG_ACTIVATION_LEAKY_RELU);
  p.slope = 0.25f;
  float x[2] = {1, 1}, dy[2] = {1, 0}, mean[1] = {1}, rstd[1] = {2}, gamma[1] = {1}, beta[1] = {0}, dx[2], dg[1], db[1];
  ASSERT_EQ(vg_instance_norm_backward(cpu, &p, x, gamma, beta, mean, rstd, dy, dx, dg, db), VG_OK) << cpu.error();
  EXPECT_EQ(db[0], 0.25f);
}

TEST(InstanceNorm, GradientMayReplaceItsInputAndNanStaysInItsChannel) {
  const Cpu cpu;
  const VoxelCase k{1, 333, 3, 0, 0};
  const vg_instance_norm p = problem(k, VG_ACTIVATION_MISH);
  Tensor x(333, 3, 3), dy(333, 3, 3), dx(333, 3, 3), y(333, 3, 3);
  x.fill(Random(5));
  dy.fill(Random(6));
  Guarded<float> mean(3), rstd(3);
  ASSERT_EQ(vg_instance_norm_forward(cpu, &p, x.data(), nullptr, nullptr, mean.data(), rstd.data(), y.data()), VG_OK);
  const auto backward = [&](float *to) {
    return vg_instance_norm_backward(cpu, &p, x.data(), nullptr, nullptr, mean.data(), rstd.data(), dy.data(), to,
                                     nullptr, nullptr);
  };
  ASSERT_EQ(backward(dx.data()), VG_OK);
  ASSERT_EQ(backward(dy.data()), VG_OK);
  expect_same_bits<float>("instance_norm", "in place", dx, dy);
  x.at(7, 1) = NAN;
  ASSERT_EQ(vg_instance_norm_forward(cpu, &p, x.data(), nullptr, nullptr, mean.data(), rstd.data(), y.data()), VG_OK);
  EXPECT_TRUE(std::isnan(y.at(0, 1)) && std::isnan(y.at(332, 1)) && std::isfinite(y.at(7, 0)) &&
              std::isfinite(y.at(7, 2)));
}

TEST(InstanceNorm, ArgumentErrors) {
  const Cpu cpu;
  float x[4] = {}, y[4] = {}, m[4] = {}, r[4] = {};
  vg_instance_norm p = problem({1, 1, 2, 0, 0}, VG_ACTIVATION_IDENTITY);
  const auto forward = [&](const float *gamma, const float *beta) {
    return vg_instance_norm_forward(cpu, &p, x, gamma, beta, m, r, y);
  };
  expect_error(cpu, forward(nullptr, nullptr), VG_INVALID_ARGUMENT, "at least 2");
  p.voxels = 2;
  expect_error(cpu, forward(m, nullptr), VG_INVALID_ARGUMENT, "both");
  p.eps = 0;
  expect_error(cpu, forward(nullptr, nullptr), VG_INVALID_ARGUMENT, "eps");
  p.eps = 1e-5f;
  p.activation = VG_ACTIVATION_SIGMOID;
  expect_error(cpu, forward(nullptr, nullptr), VG_INVALID_ARGUMENT, "activation is 3");
  p.activation = VG_ACTIVATION_IDENTITY;
  expect_error(cpu, vg_instance_norm_backward(cpu, &p, x, m, r, m, r, y, x, nullptr, nullptr), VG_INVALID_ARGUMENT,
               "dgamma");
}

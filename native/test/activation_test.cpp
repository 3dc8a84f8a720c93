// vg_activation_forward and _backward.
#include "tiers.h"

using namespace vg::test;

static vg_activation problem(const VoxelCase &k, int32_t kind) {
  vg_activation p = sized<vg_activation>();
  p.n = k.n;
  p.voxels = k.voxels;
  p.c = k.c;
  p.x_stride = k.c + k.x_gap;
  p.y_stride = k.c + k.y_gap;
  p.kind = kind;
  p.slope = 0.01f;
  p.beta = 2;
  p.threshold = 20;
  return p;
}

static double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
static double softplus(double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }

static double value(const vg_activation &p, double x) {
  switch (p.kind) {
  case VG_ACTIVATION_LEAKY_RELU:
    return x > 0 ? x : double{p.slope} * x;
  case VG_ACTIVATION_MISH:
    return x * std::tanh(softplus(x));
  case VG_ACTIVATION_SIGMOID:
    return sigmoid(x);
  case VG_ACTIVATION_SOFTPLUS:
    return p.beta * x > p.threshold ? x : softplus(p.beta * x) / p.beta;
  default:
    return x;
  }
}

static double derivative(const vg_activation &p, double x) {
  const double w = std::tanh(softplus(x));
  switch (p.kind) {
  case VG_ACTIVATION_LEAKY_RELU:
    return x > 0 ? 1 : double{p.slope};
  case VG_ACTIVATION_MISH:
    return w + x * sigmoid(x) * (1 - w * w);
  case VG_ACTIVATION_SIGMOID:
    return sigmoid(x) * sigmoid(-x);
  case VG_ACTIVATION_SOFTPLUS:
    return p.beta * x > p.threshold ? 1 : sigmoid(p.beta * x);
  default:
    return 1;
  }
}

TEST(Activation, MatchesFormula) {
  for (const VoxelCase &k : voxel_cases)
    for (int32_t kind = VG_ACTIVATION_IDENTITY; kind <= VG_ACTIVATION_SOFTPLUS; ++kind) {
      const vg_activation p = problem(k, kind);
      const std::string text = k.text() + " kind=" + std::to_string(kind);
      Tensor x(k.n * k.voxels, k.c, p.x_stride, k.side), dy(k.n * k.voxels, k.c, p.y_stride, k.side);
      x.fill(Random(2), 6);
      dy.fill(Random(3));
      x.at(0, 0) = 0; // the corner of ReLU
      std::vector<double> y_expected = values(x), dx_expected = values(x);
      const std::vector<double> upstream = values(dy);
      for (double &v : y_expected) v = value(p, v);
      for (size_t i = 0; i < dx_expected.size(); ++i) dx_expected[i] = upstream[i] * derivative(p, dx_expected[i]);
      on_every_tier(text, [&](const Cpu &cpu, Bits &bits) {
        Tensor y(k.n * k.voxels, k.c, p.y_stride, k.side), dx(k.n * k.voxels, k.c, p.x_stride, k.side);
        ASSERT_EQ(vg_activation_forward(cpu, &p, x.data(), y.data()), VG_OK) << cpu.error();
        ASSERT_EQ(vg_activation_backward(cpu, &p, x.data(), dy.data(), dx.data()), VG_OK) << cpu.error();
        expect_close("activation", text, y, y_expected, {3e-7, 5e-7});
        expect_close("activation dx", text, dx, dx_expected, {3e-7, 5e-7});
        bits.add(y);
        bits.add(dx);
      });
    }
}

TEST(Activation, KeepsRelativeAccuracyFarOut) {
  const VoxelCase k{1, 4001, 1, 0, 0};
  for (const int32_t kind : {VG_ACTIVATION_MISH, VG_ACTIVATION_SIGMOID, VG_ACTIVATION_SOFTPLUS})
    for (const char *isa : isas()) {
      const Cpu cpu(1, isa);
      vg_activation p = problem(k, kind);
      p.beta = 1;
      Guarded<float> x(4001), y(4001), dx(4001), one(4001);
      for (int64_t i = 0; i < 4001; ++i) {
        x[i] = static_cast<float>(i - 2000) * 0.04f; // -80 .. 80
        one[i] = 1;
      }
      ASSERT_EQ(vg_activation_forward(cpu, &p, x.data(), y.data()), VG_OK);
      ASSERT_EQ(vg_activation_backward(cpu, &p, x.data(), one.data(), dx.data()), VG_OK);
      for (int64_t i = 0; i < 4001; ++i) {
        const double e = value(p, x[i]), d = derivative(p, x[i]);
        ASSERT_NEAR(y[i], e, 1e-6 * std::fabs(e)) << "kind " << kind << " at " << x[i];
        // Mish has a zero of the derivative near -1.19.
        ASSERT_NEAR(dx[i], d, 1e-6 * std::fabs(d) + (kind == VG_ACTIVATION_MISH ? 1e-7 * std::fabs(e) : 0))
            << "kind " << kind << " at " << x[i];
      }
    }
}

TEST(Activation, SpecialValues) {
  const VoxelCase k{1, 4, 1, 0, 0};
  for (const char *isa : isas()) {
    const Cpu cpu(1, isa);
    float x[4] = {NAN, INFINITY, -INFINITY, 0}, y[4], dx[4], one[4] = {1, 1, 1, 1};
    for (int32_t kind = VG_ACTIVATION_IDENTITY; kind <= VG_ACTIVATION_SOFTPLUS; ++kind) {
      const vg_activation p = problem(k, kind);
      ASSERT_EQ(vg_activation_forward(cpu, &p, x, y), VG_OK);
      EXPECT_TRUE(std::isnan(y[0])) << kind;
      EXPECT_EQ(y[1], kind == VG_ACTIVATION_SIGMOID ? 1.0f : INFINITY) << kind;
      if (kind >= VG_ACTIVATION_MISH) {
        EXPECT_EQ(y[2], 0.0f) << kind;
      }
      ASSERT_EQ(vg_activation_backward(cpu, &p, x, one, dx), VG_OK);
      if (kind == VG_ACTIVATION_LEAKY_RELU) {
        EXPECT_EQ(dx[3], 0.01f);
      }
      if (kind == VG_ACTIVATION_MISH) {
        EXPECT_TRUE(dx[1] == 1.0f && dx[2] == 0.0f);
      }
    }
  }
}

TEST(Activation, GradientMayReplaceItsInput) {
  const Cpu cpu;
  const VoxelCase k{1, 37, 3, 0, 0};
  const vg_activation p = problem(k, VG_ACTIVATION_MISH);
  Tensor x(37, 3, 3), dy(37, 3, 3), dx(37, 3, 3);
  x.fill(Random(5));
  dy.fill(Random(6));
  ASSERT_EQ(vg_activation_backward(cpu, &p, x.data(), dy.data(), dx.data()), VG_OK);
  ASSERT_EQ(vg_activation_backward(cpu, &p, x.data(), dy.data(), dy.data()), VG_OK);
  expect_same_bits<float>("activation", "in place", dx, dy);
}

TEST(Activation, ArgumentErrors) {
  const Cpu cpu;
  float x[4] = {}, y[4] = {};
  vg_activation p = problem({1, 2, 2, 0, 0}, 7);
  expect_error(cpu, vg_activation_forward(cpu, &p, x, y), VG_INVALID_ARGUMENT, "kind is 7");
  p.kind = VG_ACTIVATION_SOFTPLUS;
  p.beta = 0;
  expect_error(cpu, vg_activation_forward(cpu, &p, x, y), VG_INVALID_ARGUMENT, "beta");
  p.beta = 1;
  expect_error(cpu, vg_activation_forward(cpu, &p, x, nullptr), VG_INVALID_ARGUMENT, "y is NULL");
  p.x_stride = 3;
  expect_error(cpu, vg_activation_backward(cpu, &p, x, y, y), VG_INVALID_ARGUMENT, "strides differ");
}

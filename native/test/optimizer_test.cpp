// vg_sgd_step, vg_adamw_step, vg_global_norm, vg_ema_update.
#include "tiers.h"

#include <memory>

using namespace vg::test;

static const std::vector<int64_t> lengths = {1, 0, 7, 8, 33, 65536, 65537, 200001};

// One buffer per tensor, with the table of pointers the calls take.
struct Table {
  std::vector<std::unique_ptr<Guarded<float>>> tensors;
  std::vector<float *> pointers;
  explicit Table(uint64_t seed, float scale = 1) {
    Random random(seed);
    for (const int64_t length : lengths) {
      tensors.push_back(std::make_unique<Guarded<float>>(length));
      random.fill(*tensors.back(), scale);
      pointers.push_back(tensors.back()->data());
    }
  }
  std::vector<double> all() const {
    std::vector<double> values;
    for (const auto &t : tensors) values.insert(values.end(), t->begin(), t->end());
    return values;
  }
  void add_to(Bits &bits) const {
    for (const auto &t : tensors) bits.add(*t);
  }
  int64_t count() const { return static_cast<int64_t>(tensors.size()); }
};

static void expect_table(const std::string &op, const Table &actual, const std::vector<double> &expected) {
  const std::vector<double> values = actual.all();
  expect_close(
      op, "table", static_cast<int64_t>(values.size()), [&](int64_t i) { return values[static_cast<size_t>(i)]; },
      [&](int64_t i) { return expected[static_cast<size_t>(i)]; });
}

TEST(Sgd, MatchesTheFormulaOverThreeSteps) {
  for (const bool nesterov : {false, true})
    for (const float momentum : {0.0f, 0.9f}) {
      if (nesterov && momentum == 0) continue;
      vg_sgd p = sized<vg_sgd>();
      p.lr = 0.1f, p.momentum = momentum, p.dampening = nesterov ? 0 : 0.25f, p.weight_decay = 0.01f;
      p.gradient_scale = 0.5f, p.nesterov = nesterov;
      const std::vector<double> start = Table(1).all(), g = Table(2).all();
      std::vector<double> x = start, v(start.size());
      for (int step = 0; step < 3; ++step)
        for (size_t i = 0; i < x.size(); ++i) {
          const double gradient = 0.5 * g[i] + double{p.weight_decay} * x[i];
          v[i] = step == 0 ? gradient : double{momentum} * v[i] + (1 - double{p.dampening}) * gradient;
          const double d = nesterov ? gradient + double{momentum} * v[i] : v[i];
          x[i] -= double{p.lr} * (momentum != 0 ? d : gradient);
        }
      on_every_tier("sgd", [&](const Cpu &cpu, Bits &bits) {
        Table xs(1), gs(2), vs(3);
        for (auto &t : vs.tensors) t->poison();
        for (int step = 0; step < 3; ++step) {
          p.first_step = step == 0;
          ASSERT_EQ(vg_sgd_step(cpu, &p, xs.count(), lengths.data(), xs.pointers.data(), gs.pointers.data(),
                                momentum != 0 ? vs.pointers.data() : nullptr),
                    VG_OK)
              << cpu.error();
        }
        expect_table("sgd x", xs, x);
        if (momentum != 0) expect_table("sgd v", vs, v);
        xs.add_to(bits);
        vs.add_to(bits);
      });
    }
}

TEST(AdamW, MatchesTheFormulaOverThreeSteps) {
  for (const bool amsgrad : {false, true})
    for (const bool decoupled : {false, true}) {
      vg_adamw p = sized<vg_adamw>();
      p.lr = 0.01, p.beta1 = 0.9, p.beta2 = 0.99, p.eps = 1e-8, p.weight_decay = 0.1;
      p.gradient_scale = 2, p.amsgrad = amsgrad, p.decoupled = decoupled;
      std::vector<double> x = Table(1).all(), m(x.size()), s(x.size()), s_max(x.size());
      for (int64_t step = 1; step <= 3; ++step) {
        const std::vector<double> g = Table(static_cast<uint64_t>(step) + 10).all();
        for (size_t i = 0; i < x.size(); ++i) {
          double gradient = 2 * g[i];
          if (decoupled)
            x[i] *= 1 - p.lr * p.weight_decay;
          else
            gradient += p.weight_decay * x[i];
          m[i] = p.beta1 * m[i] + (1 - p.beta1) * gradient;
          s[i] = p.beta2 * s[i] + (1 - p.beta2) * gradient * gradient;
          s_max[i] = std::fmax(s_max[i], s[i]);
          const double root = std::sqrt(amsgrad ? s_max[i] : s[i]) / std::sqrt(1 - std::pow(p.beta2, step));
          x[i] -= p.lr / (1 - std::pow(p.beta1, step)) * m[i] / (root + p.eps);
        }
      }
      on_every_tier("adamw", [&](const Cpu &cpu, Bits &bits) {
        Table xs(1), ms(0, 0), ss(0, 0), largest(0, 0);
        for (int64_t step = 1; step <= 3; ++step) {
          const Table gs(static_cast<uint64_t>(step) + 10);
          p.step = step;
          ASSERT_EQ(vg_adamw_step(cpu, &p, xs.count(), lengths.data(), xs.pointers.data(), gs.pointers.data(),
                                  ms.pointers.data(), ss.pointers.data(), amsgrad ? largest.pointers.data() : nullptr),
                    VG_OK)
              << cpu.error();
        }
        expect_table("adamw x", xs, x);
        expect_table("adamw m", ms, m);
        expect_table("adamw s", ss, s);
        if (amsgrad) expect_table("adamw s_max", largest, s_max);
        xs.add_to(bits);
      });
    }
}

TEST(GlobalNorm, IsTheFloat64NormAndReportsNonFiniteElements) {
  double expected = 0;
  for (const double v : Table(4).all()) expected += v * v;
  on_every_tier("global_norm", [&](const Cpu &cpu, Bits &bits) {
    Table g(4);
    Guarded<double> norm(1);
    ASSERT_EQ(vg_global_norm(cpu, g.count(), lengths.data(), g.pointers.data(), norm.data()), VG_OK) << cpu.error();
    EXPECT_NEAR(norm[0] / std::sqrt(expected), 1, 1e-13);
    bits.add(norm);
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      g.pointers[6][70] = bad;
      ASSERT_EQ(vg_global_norm(cpu, g.count(), lengths.data(), g.pointers.data(), norm.data()), VG_OK);
      EXPECT_FALSE(std::isfinite(norm[0]));
    }
    g.pointers[6][70] = 1e30f; // its square passes float32
    ASSERT_EQ(vg_global_norm(cpu, g.count(), lengths.data(), g.pointers.data(), norm.data()), VG_OK);
    EXPECT_NEAR(norm[0] / double{1e30f}, 1, 1e-12);
  });
  const Cpu cpu;
  double norm = -1;
  EXPECT_EQ(vg_global_norm(cpu, 0, nullptr, nullptr, &norm), VG_OK);
  EXPECT_EQ(norm, 0);
}

TEST(Ema, MatchesTheFormula) {
  std::vector<double> expected = Table(5).all();
  const std::vector<double> x = Table(6).all();
  for (size_t i = 0; i < x.size(); ++i) expected[i] = 0.999 * expected[i] + 0.001 * x[i];
  on_every_tier("ema", [&](const Cpu &cpu, Bits &bits) {
    const Table xs(6);
    const Table shadow(5);
    ASSERT_EQ(vg_ema_update(cpu, 0.999, xs.count(), lengths.data(), xs.pointers.data(), shadow.pointers.data()), VG_OK)
        << cpu.error();
    expect_table("ema", shadow, expected);
    shadow.add_to(bits);
  });
}

TEST(Optimizer, ArgumentErrors) {
  const Cpu cpu;
  const Table x(1);
  const int64_t negative = -1;
  double norm;
  vg_sgd sgd = sized<vg_sgd>();
  sgd.nesterov = 1;
  const auto sgd_step = [&](float *const *v) {
    return vg_sgd_step(cpu, &sgd, x.count(), lengths.data(), x.pointers.data(), x.pointers.data(), v);
  };
  expect_error(cpu, sgd_step(nullptr), VG_INVALID_ARGUMENT, "nesterov needs");
  sgd.momentum = 0.9f;
  expect_error(cpu, sgd_step(nullptr), VG_INVALID_ARGUMENT, "momentum is NULL");
  vg_adamw adam = sized<vg_adamw>();
  const auto adam_step = [&](float *const *s_max) {
    float *const *t = x.pointers.data();
    return vg_adamw_step(cpu, &adam, x.count(), lengths.data(), t, t, t, t, s_max);
  };
  expect_error(cpu, adam_step(nullptr), VG_INVALID_ARGUMENT, "step is 0");
  adam.step = 1;
  adam.amsgrad = 1;
  expect_error(cpu, adam_step(nullptr), VG_INVALID_ARGUMENT, "s_max is NULL");
  adam.amsgrad = 0;
  adam.beta2 = 1;
  expect_error(cpu, adam_step(nullptr), VG_INVALID_ARGUMENT, "must be in [0, 1)");
  expect_error(cpu, vg_global_norm(cpu, 1, &negative, x.pointers.data(), &norm), VG_INVALID_ARGUMENT,
               "lengths[0] is -1");
  std::vector<float *> holes = x.pointers;
  holes[3] = nullptr;
  expect_error(cpu, vg_global_norm(cpu, x.count(), lengths.data(), holes.data(), &norm), VG_INVALID_ARGUMENT,
               "g[3] is NULL");
  expect_error(cpu, vg_ema_update(cpu, 1.5, x.count(), lengths.data(), x.pointers.data(), x.pointers.data()),
               VG_INVALID_ARGUMENT, "decay is 1.5");
}

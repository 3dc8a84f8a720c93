// vg_ranger21_step against naive float64 loops that follow the definition tensor by tensor, in its order.
#include "tiers.h"

#include <functional>
#include <limits>
#include <memory>

using namespace vg::test;

namespace {

// Elements, elements that share a norm, elements that are centred together (0: not centred), scale of the gradients.
struct Part {
  int64_t length, group, row;
  float scale = 1;
};
// Vectors of all kinds, matrices, three axes, weights with short, odd and long rows; a row longer than a chunk.
const std::vector<Part> parts = {{1, 1, 0},
                                 {2, 2, 0},
                                 {11, 11, 0},
                                 {0, 1, 0},
                                 {63, 9, 9},
                                 {60, 4, 20},
                                 {4 * 54, 54, 54},
                                 {3 * 33, 33, 33, 1e-4f},
                                 {17 * 27, 27, 0},
                                 {65537, 65537, 0},
                                 {2 * 70001, 70001, 70001, 10},
                                 {5, 1, 1},
                                 {300 * 7, 7, 7 * 3},
                                 {8, 8, 8, 0}};

struct Table {
  std::vector<std::unique_ptr<Guarded<float>>> tensors;
  std::vector<float *> pointers;
  explicit Table(uint64_t seed, bool scaled = false, float factor = 1) {
    Random random(seed);
    for (size_t i = 0; i < parts.size(); ++i) {
      tensors.push_back(std::make_unique<Guarded<float>>(parts[i].length, i % 2 ? Side::before : Side::after));
      random.fill(*tensors.back(), factor * (scaled ? parts[i].scale : 1));
      pointers.push_back(tensors.back()->data());
    }
  }
  std::vector<std::vector<double>> values() const {
    std::vector<std::vector<double>> all;
    for (const auto &t : tensors) all.emplace_back(t->begin(), t->end());
    return all;
  }
};

using Values = std::vector<std::vector<double>>;

struct Column {
  std::vector<int64_t> values;
  explicit Column(int64_t Part::*field) {
    for (const Part &part : parts) values.push_back(part.*field);
  }
  const int64_t *data() const { return values.data(); }
};

// sqrt of the sum of squares of the group that element i lies in.
double norm_at(const std::vector<double> &a, size_t i, int64_t group) {
  const size_t n = static_cast<size_t>(group), begin = i / n * n;
  double sum = 0;
  for (size_t k = begin; k < begin + n; ++k) sum += a[k] * a[k];
  return std::sqrt(sum);
}

// The definition, one tensor after another and one line of it after another.
struct Naive {
  Values x, odd, even, s, cache;
  explicit Naive(const Values &start) : x(start), odd(zeros()), even(zeros()), s(zeros()), cache(start) {}
  static Values zeros() {
    Values v;
    for (const Part &part : parts) v.emplace_back(static_cast<size_t>(part.length));
    return v;
  }

  static double deviation(const std::vector<double> &g) {
    double mean = 0, squares = 0;
    for (const double v : g) mean += v / static_cast<double>(g.size());
    for (const double v : g) squares += (v - mean) * (v - mean);
    return std::sqrt(squares / static_cast<double>(g.size() - 1));
  }
  static void centre(std::vector<double> &g, int64_t row) {
    for (size_t begin = 0; row > 0 && begin < g.size(); begin += static_cast<size_t>(row)) {
      double mean = 0;
      for (size_t k = begin; k < begin + static_cast<size_t>(row); ++k) mean += g[k] / static_cast<double>(row);
      for (size_t k = begin; k < begin + static_cast<size_t>(row); ++k) g[k] -= mean;
    }
  }
  std::vector<double> processed(const vg_ranger21 &p, size_t i, std::vector<double> g) const {
    std::vector<double> factors(g.size(), 1);
    for (auto &v : g) v *= double{p.gradient_scale};
    for (size_t k = 0; p.clip > 0 && k < g.size(); k += static_cast<size_t>(parts[i].group)) {
      const double limit = std::max(norm_at(x[i], k, parts[i].group), p.clip_eps) * p.clip;
      const double norm = norm_at(g, k, parts[i].group);
      for (size_t e = k; e < k + static_cast<size_t>(parts[i].group); ++e)
        factors[e] = norm > limit ? limit / std::max(norm, 1e-6) : 1;
    }
    for (size_t k = 0; k < g.size(); ++k) g[k] *= factors[k];
    centre(g, parts[i].row);
    return g;
  }

  void step(const vg_ranger21 &p, const Values &gradients) {
    Values once, twice;
    double sum = 0, elements = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      once.push_back(processed(p, i, gradients[i]));
      twice.push_back(once[i]);
      if (p.normalize && x[i].size() > 2) {
        const double d = deviation(once[i]);
        for (auto &v : once[i]) v /= d + 1e-8;
        const double again = d > 0 ? std::min(2.0, 1 / (deviation(once[i]) + 1e-8)) : 2;
        for (size_t k = 0; k < x[i].size(); ++k) twice[i][k] = once[i][k] * again;
      }
      for (size_t k = 0; k < x[i].size(); ++k) {
        s[i][k] = p.beta2 * s[i][k] + (1 - p.beta2) * once[i][k] * once[i][k];
        sum += s[i][k] / (1 - std::pow(p.beta2, p.step));
      }
      elements += static_cast<double>(x[i].size());
    }
    for (size_t i = 0; i < x.size(); ++i) {
      if (i + 1 == x.size() || !p.shrink_last_only) shrink(p, i, std::sqrt(sum / elements));
      for (size_t k = 0; k < x[i].size(); ++k) move(p, i, k, twice[i][k]);
    }
  }
  void shrink(const vg_ranger21 &p, size_t i, double spread) {
    for (auto &v : x[i]) v *= 1 - p.weight_decay * p.lr / spread;
    const std::vector<double> decayed = x[i];
    double norm = 0;
    for (size_t k = 0; k < x[i].size(); ++k) {
      if (k % static_cast<size_t>(parts[i].group) == 0) norm = norm_at(decayed, k, parts[i].group);
      x[i][k] *= 1 - p.lr * 2 * p.norm_loss * (1 - 1 / (norm + p.eps));
    }
  }
  void move(const vg_ranger21 &p, size_t i, size_t k, double g) {
    double denominator = std::sqrt(s[i][k]) / std::sqrt(1 - std::pow(p.beta2, p.step)) + p.eps;
    if (p.softplus > 0 && p.softplus * denominator <= 20)
      denominator = std::log1p(std::exp(p.softplus * denominator)) / p.softplus;
    double way;
    if (p.positive_negative) {
      double &own = (p.step % 2 ? odd : even)[i][k];
      const double other = (p.step % 2 ? even : odd)[i][k];
      own = p.beta1 * p.beta1 * own + (1 - p.beta1 * p.beta1) * g;
      way = (2 * own - other) / std::sqrt((1 + p.beta2) * (1 + p.beta2) + p.beta2 * p.beta2);
    } else {
      way = odd[i][k] = p.beta1 * odd[i][k] + (1 - p.beta1) * g;
    }
    x[i][k] -= p.lr / (1 - std::pow(p.beta1, p.step)) * way / denominator;
    if (p.merge) cache[i][k] = x[i][k] = p.alpha * x[i][k] + (1 - p.alpha) * cache[i][k];
  }
};

vg_ranger21 defaults() {
  vg_ranger21 p = sized<vg_ranger21>();
  p.lr = 0.02, p.beta1 = 0.9, p.beta2 = 0.99, p.eps = 1e-8, p.clip = 0.01, p.clip_eps = 1e-3;
  p.weight_decay = 0.1, p.norm_loss = 0.03, p.softplus = 50, p.alpha = 0.4, p.gradient_scale = 1;
  p.normalize = p.positive_negative = 1;
  return p;
}

struct Variant {
  const char *name;
  std::function<void(vg_ranger21 &)> change;
};
const std::vector<Variant> variants = {
    {"defaults", [](vg_ranger21 &) {}},
    {"last only", [](vg_ranger21 &p) { p.shrink_last_only = 1; }},
    {"scaled gradients, negative", [](vg_ranger21 &p) { p.gradient_scale = -0.25f; }},
    {"no clipping", [](vg_ranger21 &p) { p.clip = 0; }},
    {"no normalisation", [](vg_ranger21 &p) { p.normalize = 0; }},
    {"plain momentum", [](vg_ranger21 &p) { p.positive_negative = 0; }},
    {"no softplus", [](vg_ranger21 &p) { p.softplus = 0, p.eps = 1e-3; }},
    {"no decays", [](vg_ranger21 &p) { p.weight_decay = p.norm_loss = 0; }},
    {"bare Adam", [](vg_ranger21 &p) {
       p.clip = p.weight_decay = p.norm_loss = p.softplus = 0, p.normalize = p.positive_negative = 0, p.eps = 1e-3;
     }}};

constexpr int64_t steps = 6, period = 3;

struct State {
  Table x{1}, odd{0, false, 0}, even{0, false, 0}, s{0, false, 0}, cache{1};
  std::vector<double> s_sums = std::vector<double>(parts.size());
  const Column lengths{&Part::length}, groups{&Part::group}, rows{&Part::row};

  int32_t step(const Cpu &cpu, const vg_ranger21 &p, const Table &g) {
    return vg_ranger21_step(cpu, &p, static_cast<int64_t>(parts.size()), lengths.data(), groups.data(), rows.data(),
                            x.pointers.data(), g.pointers.data(), odd.pointers.data(),
                            p.positive_negative ? even.pointers.data() : nullptr, s.pointers.data(),
                            p.merge ? cache.pointers.data() : nullptr, s_sums.data());
  }
  void add_to(Bits &bits) const {
    for (const Table *table : {&x, &odd, &even, &s, &cache})
      for (const auto &t : table->tensors) bits.add(*t);
  }
};

vg_ranger21 at(vg_ranger21 p, int64_t step) {
  p.step = step;
  p.merge = step % period == 0;
  return p;
}

void expect_tables(const std::string &what, const Table &actual, const Values &expected) {
  for (size_t i = 0; i < parts.size(); ++i)
    expect_close("ranger21", what + " of tensor " + std::to_string(i), *actual.tensors[i], expected[i], {3e-6, 2e-5});
}

} // namespace

TEST(Ranger21, MatchesTheDefinitionInEveryVariant) {
  for (const Variant &variant : variants) {
    vg_ranger21 p = defaults();
    variant.change(p);
    Naive naive(Table(1).values());
    for (int64_t t = 1; t <= steps; ++t) naive.step(at(p, t), Table(static_cast<uint64_t>(t) + 10, true).values());
    on_every_tier(variant.name, [&](const Cpu &cpu, Bits &bits) {
      State state;
      for (int64_t t = 1; t <= steps; ++t) {
        const Table g(static_cast<uint64_t>(t) + 10, true);
        const Values before = g.values();
        ASSERT_EQ(state.step(cpu, at(p, t), g), VG_OK) << cpu.error();
        ASSERT_EQ(g.values(), before) << "the gradients were changed";
      }
      expect_tables("x", state.x, naive.x);
      expect_tables("odd", state.odd, naive.odd);
      expect_tables("even", state.even, naive.even);
      expect_tables("s", state.s, naive.s);
      expect_tables("cache", state.cache, naive.cache);
      state.add_to(bits);
    });
  }
}

TEST(Ranger21, UnknownSumsGiveTheSameBits) {
  on_every_tier("sums", [&](const Cpu &cpu, Bits &bits) {
    State known, unknown;
    for (int64_t t = 1; t <= steps; ++t) {
      const Table g(static_cast<uint64_t>(t) + 10, true);
      std::fill(unknown.s_sums.begin(), unknown.s_sums.end(), std::numeric_limits<double>::quiet_NaN());
      ASSERT_EQ(known.step(cpu, at(defaults(), t), g), VG_OK) << cpu.error();
      ASSERT_EQ(unknown.step(cpu, at(defaults(), t), g), VG_OK) << cpu.error();
      ASSERT_EQ(known.s_sums, unknown.s_sums);
    }
    Bits a, b;
    known.add_to(a);
    unknown.add_to(b);
    EXPECT_TRUE(a == b);
    bits = a;
  });
}

// A bias before a norm: zero in theory, noise in float32. Normalisation makes it visible; it must stay bounded.
TEST(Ranger21, NoiseZeroAndEqualGradientsMoveNoFurtherThanTheRate) {
  const int64_t length = 64, rows = 0;
  for (const float noise : {0.0f, 1e-20f, 1e-12f, 1e-9f, 1e-7f})
    for (const bool equal : {false, true})
      on_every_tier("noise", [&](const Cpu &cpu, Bits &bits) {
        Guarded<float> x(length), g(length), odd(length), even(length), s(length);
        for (auto *t : {&x, &odd, &even, &s}) std::fill(t->begin(), t->end(), 0.0f);
        Random random(3);
        for (auto &v : g) v = equal ? noise : noise * random.number();
        vg_ranger21 p = defaults();
        float *xs = x.data(), *odds = odd.data(), *evens = even.data(), *ss = s.data();
        const float *gs = g.data();
        double sum = 0;
        for (p.step = 1; p.step <= 2; ++p.step) {
          ASSERT_EQ(vg_ranger21_step(cpu, &p, 1, &length, &length, &rows, &xs, &gs, &odds, &evens, &ss, nullptr, &sum),
                    VG_OK)
              << cpu.error();
        }
        for (const float v : x) {
          EXPECT_LE(std::fabs(v), 6 * p.lr);
          EXPECT_TRUE(noise != 0 || v == 0) << v;
        }
        bits.add(x);
      });
}

TEST(Ranger21, ArgumentErrors) {
  const Cpu cpu;
  State state;
  const Table g(2);
  vg_ranger21 p = at(defaults(), 1);
  const auto rejects = [&](const std::function<void(vg_ranger21 &)> &change, const std::string &part) {
    vg_ranger21 bad = p;
    change(bad);
    expect_error(cpu, state.step(cpu, bad, g), VG_INVALID_ARGUMENT, part);
  };
  rejects([](vg_ranger21 &b) { b.size = 8; }, "problem.size is 8");
  rejects([](vg_ranger21 &b) { b.step = 0; }, "step is 0");
  rejects([](vg_ranger21 &b) { b.beta1 = 1; }, "must be in [0, 1)");
  rejects([](vg_ranger21 &b) { b.clip_eps = 0; }, "clip_eps and eps above 0");
  rejects([](vg_ranger21 &b) { b.alpha = 1.5; }, "alpha is 1.5");
  const auto call = [&](int64_t length, int64_t group, int64_t row, float *const *even, float *const *cache,
                        double *s) {
    float *const *t = state.x.pointers.data() + 2;
    return vg_ranger21_step(cpu, &p, 1, &length, &group, &row, t, t, t, even, t, cache, s);
  };
  double sum = 0;
  float *const *t = state.x.pointers.data() + 2;
  expect_error(cpu, call(11, 2, 0, t, t, &sum), VG_INVALID_ARGUMENT, "groups[0] is 2, must divide the length 11");
  expect_error(cpu, call(11, 0, 0, t, t, &sum), VG_INVALID_ARGUMENT, "groups[0] is 0");
  expect_error(cpu, call(10, 5, 2, t, t, &sum), VG_INVALID_ARGUMENT, "rows[0] is 2, must be 0 or divide");
  expect_error(cpu, call(11, 11, 0, nullptr, t, &sum), VG_INVALID_ARGUMENT, "even is NULL");
  p.merge = 1;
  expect_error(cpu, call(11, 11, 0, t, nullptr, &sum), VG_INVALID_ARGUMENT, "cache is NULL");
  expect_error(cpu, call(11, 11, 0, t, t, nullptr), VG_INVALID_ARGUMENT, "s_sums is NULL");
  EXPECT_EQ(vg_ranger21_step(cpu, &p, 0, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                             nullptr, nullptr),
            VG_OK);
}

// vg_topk_select against sorting indices.
#include "tiers.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>

using namespace vg::test;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

enum class Values { random, losses, tied, equal, special, ulps };
constexpr Values all_values[] = {Values::random, Values::losses,  Values::tied,
                                 Values::equal,  Values::special, Values::ulps};

float draw(Values kind, Random &random, int64_t i) {
  switch (kind) {
  case Values::random:
    return random.number() * 100;
  case Values::losses: // mostly small, as cross-entropies are
    return std::exp(-8 * std::fabs(random.number()));
  case Values::tied:
    return static_cast<float>(random.index(5)) - 2;
  case Values::equal:
    return 0.6931472f;
  case Values::ulps: // neighbours: only the last digit tells them apart
    return std::bit_cast<float>(static_cast<uint32_t>(0x3f800000 + random.index(700)));
  default: {
    const float list[] = {infinity, -infinity, NAN, -NAN, 0.0f, -0.0f, 1e-45f, -1e-45f, 3e38f, -3e38f, 1.0f, -1.0f};
    return i % 3 == 0 ? random.number() : list[random.index(i % 50 == 1 ? 12 : 2) + (i % 50 == 1 ? 0 : 4)];
  }
  }
}

// a ranks before b: larger, NaN first of all, +0 before -0.
bool before(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && !std::isnan(b);
  if (a == b) return !std::signbit(a) && std::signbit(b);
  return a > b;
}

struct Expected {
  std::vector<double> sums, selected;
};

Expected sorted_way(const vg_topk &p, const Guarded<float> &x, const std::vector<int64_t> &select,
                    const std::vector<float> &factor) {
  Expected e{{}, std::vector<double>(static_cast<size_t>(x.size()))};
  for (int64_t row = 0; row < p.rows; ++row) {
    const float *values = x.data() + row * p.count;
    std::vector<int64_t> order(static_cast<size_t>(p.count));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return before(values[a], values[b]); });
    const int64_t n = select[static_cast<size_t>(row)];
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += values[order[static_cast<size_t>(i)]];
    e.sums.push_back(sum);
    const float cut = n > 0 ? values[order[static_cast<size_t>(n - 1)]] : 0;
    const auto at_cut = [&](int64_t i) { return !before(values[i], cut) && !before(cut, values[i]); };
    int64_t open = 0, equal = 0;
    for (int64_t i = 0; i < p.count; ++i) {
      const bool tie = n > 0 && at_cut(order[static_cast<size_t>(i)]);
      equal += tie;
      open += tie && i < n;
    }
    for (int64_t i = 0; i < p.count; ++i) {
      const int64_t v = order[static_cast<size_t>(i)];
      double share = i < n ? 1 : 0;
      if (n > 0 && p.ties == VG_TIES_SHARED && at_cut(v))
        share = static_cast<double>(open) / static_cast<double>(equal);
      e.selected[static_cast<size_t>(row * p.count + v)] = static_cast<float>(share * factor[static_cast<size_t>(row)]);
    }
  }
  return e;
}

void check_case(int64_t rows, int64_t count, Values kind, int32_t ties, const std::vector<int64_t> &selects,
                Side side) {
  vg_topk p = sized<vg_topk>();
  p.rows = rows, p.count = count, p.ties = ties;
  Random random(static_cast<uint64_t>(rows * 1000 + count));
  Guarded<float> x(rows * count, side);
  for (int64_t i = 0; i < x.size(); ++i) x[i] = draw(kind, random, i);
  std::vector<int64_t> select;
  std::vector<float> factor;
  for (int64_t row = 0; row < rows; ++row) {
    select.push_back(selects[static_cast<size_t>(row) % selects.size()]);
    factor.push_back(0.25f + random.number());
  }
  const Expected e = sorted_way(p, x, select, factor);
  const std::string text = "rows=" + std::to_string(rows) + " count=" + std::to_string(count) + " values " +
                           std::to_string(static_cast<int>(kind)) + " ties " + std::to_string(ties) + " select " +
                           std::to_string(select[0]);
  on_every_tier(text, [&](const Cpu &cpu, Bits &bits) {
    Guarded<double> sums(rows);
    Guarded<float> selected(rows * count, side);
    ASSERT_EQ(vg_topk_select(cpu, &p, x.data(), select.data(), factor.data(), sums.data(), selected.data()), VG_OK)
        << cpu.error();
    for (int64_t row = 0; row < rows; ++row) {
      const double expected = e.sums[static_cast<size_t>(row)];
      if (std::isfinite(expected)) {
        double scale = 0;
        for (int64_t i = 0; i < count; ++i)
          if (std::isfinite(x[row * count + i])) scale += std::fabs(x[row * count + i]);
        EXPECT_NEAR(sums[row], expected, 1e-14 * scale) << "row " << row;
      } else {
        EXPECT_TRUE(std::isnan(expected) ? std::isnan(sums[row]) : sums[row] == expected) << "row " << row;
      }
    }
    for (int64_t i = 0; i < selected.size(); ++i)
      ASSERT_EQ(selected[i], e.selected[static_cast<size_t>(i)]) << "at " << i << ", value " << x[i];
    bits.add(sums);
    bits.add(selected);
  });
}

} // namespace

TEST(Topk, MatchesSorting) {
  for (const Values kind : all_values)
    for (const int32_t ties : {VG_TIES_FIRST, VG_TIES_SHARED}) {
      for (const int64_t count : {1, 2, 7, 8, 9, 101, 1003})
        for (const int64_t select : {int64_t{0}, int64_t{1}, (count + 9) / 10, count / 2, count - 1, count})
          check_case(1, count, kind, ties, {select}, Side::after);
      check_case(5, 97, kind, ties, {0, 1, 9, 96, 97}, Side::before);
      check_case(2, 140001, kind, ties, {14000, 139999}, Side::after);
      if (testing::Test::HasFailure()) return;
    }
}

TEST(Topk, SelectsInPlace) {
  const Cpu cpu;
  vg_topk p = sized<vg_topk>();
  p.rows = 2, p.count = 70001;
  for (const Values kind : {Values::random, Values::tied}) { // without and with some of equal values selected
    Guarded<float> x(2 * p.count), apart(2 * p.count);
    Random random(5);
    for (int64_t i = 0; i < x.size(); ++i) x[i] = draw(kind, random, i);
    const int64_t select[] = {7000, 1};
    const float factor[] = {1, -2};
    double sums[2], again[2];
    ASSERT_EQ(vg_topk_select(cpu, &p, x.data(), select, factor, sums, apart.data()), VG_OK);
    ASSERT_EQ(vg_topk_select(cpu, &p, x.data(), select, nullptr, again, nullptr), VG_OK); // sums alone
    EXPECT_EQ(sums[0], again[0]);
    EXPECT_EQ(sums[1], again[1]);
    ASSERT_EQ(vg_topk_select(cpu, &p, x.data(), select, factor, again, x.data()), VG_OK);
    expect_same_bits("topk", "in place", x, apart);
    EXPECT_EQ(std::count(x.begin(), x.begin() + p.count, 1.0f), 7000);
    EXPECT_EQ(std::count(x.begin() + p.count, x.end(), -2.0f), 1);
  }
}

TEST(Topk, ArgumentErrors) {
  const Cpu cpu;
  vg_topk p = sized<vg_topk>();
  p.rows = 1, p.count = 4;
  const float x[4] = {1, 2, 3, 4}, factor = 1;
  int64_t select = 5;
  double sum;
  float y[4];
  const auto run = [&] { return vg_topk_select(cpu, &p, x, &select, &factor, &sum, y); };
  expect_error(cpu, run(), VG_INVALID_ARGUMENT, "select is 5 in row 0, must be 0 to 4");
  select = -1;
  expect_error(cpu, run(), VG_INVALID_ARGUMENT, "select is -1");
  select = 2;
  p.ties = 2;
  expect_error(cpu, run(), VG_INVALID_ARGUMENT, "ties is 2");
  p.ties = VG_TIES_FIRST;
  p.count = 0;
  expect_error(cpu, run(), VG_INVALID_ARGUMENT, "count is 0");
  p.count = 4;
  expect_error(cpu, vg_topk_select(cpu, &p, x, &select, nullptr, &sum, y), VG_INVALID_ARGUMENT, "factor is NULL");
  EXPECT_EQ(run(), VG_OK);
  EXPECT_EQ(sum, 7);
}

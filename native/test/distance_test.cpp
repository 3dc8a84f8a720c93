// vg_distance_transform against the minimum over all voxels of the set.
#include "tiers.h"

using namespace vg::test;

namespace {

struct Field {
  vg_distance p = sized<vg_distance>();
  std::vector<uint8_t> x;
  std::string name;

  Field(std::string text, std::vector<int64_t> sizes, std::vector<double> spacing,
        const std::function<int(int64_t)> &value)
      : name(std::move(text)) {
    p.d = sizes[0];
    p.h = sizes[1];
    p.w = sizes[2];
    p.spacing_d = spacing[0];
    p.spacing_h = spacing[1];
    p.spacing_w = spacing[2];
    for (int64_t v = 0; v < p.d * p.h * p.w; ++v) x.push_back(static_cast<uint8_t>(value(v)));
  }
  std::string text() const {
    return name + " " + std::to_string(p.d) + "x" + std::to_string(p.h) + "x" + std::to_string(p.w) + " spacing " +
           std::to_string(p.spacing_d) + " " + std::to_string(p.spacing_h) + " " + std::to_string(p.spacing_w);
  }
};

std::vector<double> brute_force(const Field &f) {
  const vg_distance &p = f.p;
  std::vector<int64_t> set;
  for (size_t v = 0; v < f.x.size(); ++v)
    if (f.x[v] != 0) set.push_back(static_cast<int64_t>(v));
  std::vector<double> distance;
  for (int64_t v = 0; v < static_cast<int64_t>(f.x.size()); ++v) {
    double best = INFINITY;
    for (const int64_t o : set) {
      const double dz = static_cast<double>(v / (p.h * p.w) - o / (p.h * p.w)) * p.spacing_d,
                   dy = static_cast<double>(v / p.w % p.h - o / p.w % p.h) * p.spacing_h,
                   dx = static_cast<double>(v % p.w - o % p.w) * p.spacing_w;
      best = std::min(best, dx * dx + dy * dy + dz * dz);
    }
    distance.push_back(std::sqrt(best));
  }
  return distance;
}

// ulps: how far a result may be from the smallest sum; 0 = equal bits.
void check(const Field &f, int ulps) {
  const std::vector<double> expected = brute_force(f);
  for (const Side side : {Side::after, Side::before})
    on_every_tier(f.text(), [&](const Cpu &cpu, Bits &bits) {
      Guarded<uint8_t> x(static_cast<int64_t>(f.x.size()), side);
      std::copy(f.x.begin(), f.x.end(), x.begin());
      Guarded<double> distance(x.size(), side);
      ASSERT_EQ(vg_distance_transform(cpu, &f.p, x.data(), distance.data()), VG_OK) << cpu.error();
      for (int64_t i = 0; i < distance.size(); ++i) {
        const double e = expected[static_cast<size_t>(i)];
        const bool good = e == distance[i] || std::fabs(distance[i] - e) <= ulps * 0x1p-52 * e;
        ASSERT_TRUE(good) << f.text() << ": index " << i << ": expected " << e << ", got " << distance[i]
                          << ", difference " << distance[i] - e;
      }
      bits.add(distance);
    });
}

Field random_field(uint64_t seed, std::vector<int64_t> sizes, std::vector<double> spacing, int64_t per_mille) {
  Random random(seed);
  return Field("random " + std::to_string(per_mille) + " per mille", std::move(sizes), std::move(spacing),
               [&](int64_t) { return random.index(1000) < per_mille ? static_cast<int>(1 + random.index(255)) : 0; });
}

} // namespace

// Sums of whole numbers are exact, so every bit must be right.
TEST(Distance, WholeSpacingsMatchBruteForceExactly) {
  uint64_t seed = 1;
  for (const int64_t per_mille : {3, 50, 500})
    for (const std::vector<int64_t> &sizes : std::vector<std::vector<int64_t>>{{1, 1, 1},
                                                                               {1, 1, 67},
                                                                               {1, 67, 1},
                                                                               {67, 1, 1},
                                                                               {1, 33, 31},
                                                                               {13, 1, 17},
                                                                               {11, 12, 1},
                                                                               {5, 6, 7},
                                                                               {9, 16, 15},
                                                                               {16, 17, 18}}) {
      check(random_field(seed++, sizes, {1, 1, 1}, per_mille), 0);
      check(random_field(seed++, sizes, {5, 2, 3}, per_mille), 0);
    }
}

TEST(Distance, AnisotropicSpacingsMatchBruteForceToRounding) {
  uint64_t seed = 100;
  for (const std::vector<double> &spacing :
       std::vector<std::vector<double>>{{5.0, 0.8, 0.9}, {0.1, 3.3, 0.7}, {1.0 / 3, 7, 1e-3}, {1e6, 1e-6, 1}})
    for (const int64_t per_mille : {3, 60, 500}) {
      check(random_field(seed++, {13, 17, 19}, spacing, per_mille), 4);
      check(random_field(seed++, {1, 41, 37}, spacing, per_mille), 4);
    }
}

TEST(Distance, AlongOneAxisIsExactlyVoxelsTimesSpacing) {
  const double s = 0.1; // i * 0.1 squared and rooted gives i * 0.1 again, not its neighbour
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<int64_t> sizes{1, 1, 1};
    sizes[static_cast<size_t>(axis)] = 200;
    const Field f("one voxel", sizes, {s, s, s}, [](int64_t v) { return v == 0 ? 1 : 0; });
    const Cpu cpu;
    std::vector<double> distance(200);
    ASSERT_EQ(vg_distance_transform(cpu, &f.p, f.x.data(), distance.data()), VG_OK) << cpu.error();
    for (int i = 0; i < 200; ++i) EXPECT_EQ(distance[static_cast<size_t>(i)], i * s) << i;
  }
}

TEST(Distance, EmptySetIsInfinitelyFarAndFullSetIsZero) {
  check(Field("empty", {4, 5, 6}, {1, 2, 3}, [](int64_t) { return 0; }), 0);
  check(Field("full", {4, 5, 6}, {1, 2, 3}, [](int64_t) { return 7; }), 0);
  check(Field("one empty plane after another", {6, 7, 8}, {1, 2, 3}, [](int64_t v) { return v / 56 % 2 == 0 ? 1 : 0; }),
        0);
}

TEST(Distance, EveryCornerIsReached) {
  const std::vector<int64_t> sizes{7, 8, 9};
  for (int64_t corner = 0; corner < 8; ++corner) {
    const int64_t z = corner / 4 * 6, y = corner / 2 % 2 * 7, x = corner % 2 * 8, at = (z * 8 + y) * 9 + x;
    check(Field("corner " + std::to_string(corner), sizes, {2, 1, 3}, [&](int64_t v) { return v == at ? 1 : 0; }), 0);
  }
}

// Large enough for several pieces in every pass; only the thread counts are compared.
TEST(Distance, ThreadsDoNotChangeBits) {
  const Field f = random_field(300, {40, 70, 90}, {2.5, 0.7, 0.8}, 2);
  on_every_tier(f.text(), [&](const Cpu &cpu, Bits &bits) {
    Guarded<double> distance(static_cast<int64_t>(f.x.size()));
    ASSERT_EQ(vg_distance_transform(cpu, &f.p, f.x.data(), distance.data()), VG_OK) << cpu.error();
    bits.add(distance);
  });
}

TEST(Distance, ArgumentErrors) {
  const Cpu cpu;
  uint8_t x[8] = {};
  double y[8];
  vg_distance p = random_field(1, {2, 2, 2}, {1, 1, 1}, 500).p;
  expect_error(cpu, vg_distance_transform(cpu, nullptr, x, y), VG_INVALID_ARGUMENT, "problem is NULL");
  expect_error(cpu, vg_distance_transform(cpu, &p, nullptr, y), VG_INVALID_ARGUMENT, "x is NULL");
  expect_error(cpu, vg_distance_transform(cpu, &p, x, nullptr), VG_INVALID_ARGUMENT, "distance is NULL");
  p.spacing_h = 0;
  expect_error(cpu, vg_distance_transform(cpu, &p, x, y), VG_INVALID_ARGUMENT, "spacing_h is 0");
  p.spacing_h = NAN;
  expect_error(cpu, vg_distance_transform(cpu, &p, x, y), VG_INVALID_ARGUMENT, "spacing_h is");
  p.spacing_h = 1;
  p.spacing_d = INFINITY;
  expect_error(cpu, vg_distance_transform(cpu, &p, x, y), VG_INVALID_ARGUMENT, "spacing_d is inf");
  p.spacing_d = 1;
  p.w = int64_t{1} << 58;
  expect_error(cpu, vg_distance_transform(cpu, &p, x, y), VG_INVALID_ARGUMENT, "do not fit");
  p.w = -1;
  expect_error(cpu, vg_distance_transform(cpu, &p, x, y), VG_INVALID_ARGUMENT, "w is -1");
  p.size = 8;
  expect_error(cpu, vg_distance_transform(cpu, &p, x, y), VG_INVALID_ARGUMENT, "different headers");
}

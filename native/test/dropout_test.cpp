// vg_dropout_apply.
#include "tiers.h"

using namespace vg::test;

static vg_dropout problem(const VoxelCase &k, float rate, bool per_channel = false) {
  vg_dropout p = sized<vg_dropout>();
  p.n = k.n;
  p.voxels = k.voxels;
  p.c = k.c;
  p.x_stride = k.c + k.x_gap;
  p.y_stride = k.c + k.y_gap;
  p.seed = 0x123456789abcdef;
  p.stream = 42;
  p.p = rate;
  p.per_channel = per_channel;
  return p;
}

// Philox4x32-10 as in the paper, one block.
static uint32_t philox_word(uint64_t index, uint64_t stream, uint64_t seed) {
  uint32_t c[4] = {static_cast<uint32_t>(index / 4), static_cast<uint32_t>(index / 4 >> 32),
                   static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32)};
  uint32_t k[2] = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * c[0], b = uint64_t{0xCD9E8D57} * c[2];
    const uint32_t next[4] = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(b),
                              static_cast<uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(a)};
    std::memcpy(c, next, sizeof c);
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  return c[index % 4];
}

TEST(Dropout, PhiloxMatchesThePublishedTestVectors) {
  EXPECT_EQ(philox_word(0, 0, 0), 0x6627e8d5u); // Random123 known answers: counter and key all zero
  EXPECT_EQ(philox_word(1, 0, 0), 0xe169c58du);
  EXPECT_EQ(philox_word(2, 0, 0), 0xbc57ac4cu);
  EXPECT_EQ(philox_word(3, 0, 0), 0x9b00dbd8u);
}

TEST(Dropout, DrawsByDenseIndex) {
  for (const VoxelCase &k : voxel_cases)
    for (const bool per_channel : {false, true}) {
      const vg_dropout p = problem(k, 0.3f, per_channel);
      Tensor x(k.n * k.voxels, k.c, p.x_stride, k.side);
      x.fill(Random(1));
      std::vector<double> expected = values(x);
      for (size_t i = 0; i < expected.size(); ++i) {
        const uint64_t voxel = i / static_cast<uint64_t>(k.c), c = i % static_cast<uint64_t>(k.c);
        const uint64_t index =
            per_channel ? voxel / static_cast<uint64_t>(k.voxels) * static_cast<uint64_t>(k.c) + c : i;
        const double u = philox_word(index, 42, 0x123456789abcdef) * 0x1p-32;
        expected[i] = u >= double{0.3f} ? expected[i] / (1 - double{0.3f}) : 0;
      }
      on_every_tier(k.text(), [&](const Cpu &cpu, Bits &bits) {
        Tensor y(k.n * k.voxels, k.c, p.y_stride, k.side);
        ASSERT_EQ(vg_dropout_apply(cpu, &p, x.data(), nullptr, y.data()), VG_OK) << cpu.error();
        expect_close("dropout", k.text(), y, expected, {2e-7, 3e-7});
        bits.add(y);
      });
    }
}

TEST(Dropout, GivenFlagsReplaceTheDraw) {
  for (const VoxelCase &k : voxel_cases)
    for (const bool per_channel : {false, true}) {
      const vg_dropout p = problem(k, 0.25f, per_channel);
      Tensor x(k.n * k.voxels, k.c, p.x_stride, k.side);
      x.fill(Random(1));
      Guarded<uint8_t> keep((per_channel ? k.n : k.n * k.voxels) * k.c, k.side);
      Random random(2);
      for (uint8_t &flag : keep) flag = static_cast<uint8_t>(random.index(2));
      std::vector<double> expected = values(x);
      for (size_t i = 0; i < expected.size(); ++i) {
        const int64_t voxel = static_cast<int64_t>(i) / k.c, c = static_cast<int64_t>(i) % k.c;
        expected[i] *= keep[(per_channel ? voxel / k.voxels : voxel) * k.c + c] / 0.75;
      }
      on_every_tier(k.text(), [&](const Cpu &cpu, Bits &bits) {
        Tensor y(k.n * k.voxels, k.c, p.y_stride, k.side);
        ASSERT_EQ(vg_dropout_apply(cpu, &p, x.data(), keep.data(), y.data()), VG_OK) << cpu.error();
        expect_close("dropout", k.text(), y, expected, {2e-7, 3e-7});
        bits.add(y);
      });
    }
}

TEST(Dropout, RateIsRightAndDroppedNanIsZero) {
  const Cpu cpu;
  const int64_t count = 200000;
  Guarded<float> x(count), y(count), z(count);
  for (float &v : x) v = 1;
  vg_dropout p = problem({1, count, 1, 0, 0}, 0.9f);
  ASSERT_EQ(vg_dropout_apply(cpu, &p, x.data(), nullptr, y.data()), VG_OK);
  int64_t dropped = 0;
  for (const float v : y) dropped += v == 0;
  EXPECT_NEAR(static_cast<double>(dropped) / count, 0.9, 0.004); // six standard deviations
  for (int64_t i = 0; i < count; ++i)
    if (y[i] == 0) x[i] = NAN;
  ASSERT_EQ(vg_dropout_apply(cpu, &p, x.data(), nullptr, z.data()), VG_OK);
  expect_same_bits<float>("dropout", "NaN where dropped", y, z);
  p.stream = 43;
  ASSERT_EQ(vg_dropout_apply(cpu, &p, x.data(), nullptr, z.data()), VG_OK);
  EXPECT_NE(std::memcmp(y.data(), z.data(), static_cast<size_t>(count) * 4), 0);
  p.p = 0;
  for (float &v : x) v = 3;
  ASSERT_EQ(vg_dropout_apply(cpu, &p, x.data(), nullptr, z.data()), VG_OK);
  expect_same_bits<float>("dropout", "p = 0", x, z);
}

TEST(Dropout, ArgumentErrors) {
  const Cpu cpu;
  float x[4] = {}, y[4] = {};
  for (const float rate : {1.0f, -0.1f, NAN}) {
    const vg_dropout p = problem({1, 4, 1, 0, 0}, rate);
    expect_error(cpu, vg_dropout_apply(cpu, &p, x, nullptr, y), VG_INVALID_ARGUMENT, "must be in [0, 1)");
  }
}

// vg_window_gather, _accumulate, _normalize.
#include "tiers.h"

using namespace vg::test;

struct WindowCase {
  int64_t d, h, w, c, td, th, tw, oz, oy, ox;
  int flips; // bit 0: z, 1: y, 2: x
  Side side = Side::after;
};
static const std::vector<WindowCase> cases = {
    {1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0},       {5, 6, 7, 3, 3, 3, 3, 1, 2, 3, 0},
    {5, 6, 7, 2, 4, 5, 6, -2, -1, 3, 5},     {3, 3, 3, 33, 5, 5, 5, -1, -1, -1, 7, Side::before},
    {4, 4, 4, 1, 2, 2, 2, 9, 0, 0, 2},       {4, 4, 4, 1, 2, 2, 2, 0, 0, -7, 4},
    {1, 40, 50, 4, 1, 33, 47, 0, 10, 10, 6}, {24, 24, 24, 4, 22, 23, 21, 4, -2, 3, 1, Side::before}};

static vg_window problem(const WindowCase &k) {
  vg_window p = sized<vg_window>();
  p.d = k.d, p.h = k.h, p.w = k.w, p.c = k.c;
  p.td = k.td, p.th = k.th, p.tw = k.tw;
  p.oz = k.oz, p.oy = k.oy, p.ox = k.ox;
  p.flip_z = k.flips & 1, p.flip_y = k.flips >> 1 & 1, p.flip_x = k.flips >> 2 & 1;
  return p;
}

// Calls body(position in the tile, stored voxel of the tile, volume voxel or -1).
template <class Body> static void for_tile(const WindowCase &k, Body &&body) {
  for (int64_t z = 0; z < k.td; ++z)
    for (int64_t y = 0; y < k.th; ++y)
      for (int64_t x = 0; x < k.tw; ++x) {
        const int64_t vz = k.oz + z, vy = k.oy + y, vx = k.ox + x;
        const bool inside = vz >= 0 && vz < k.d && vy >= 0 && vy < k.h && vx >= 0 && vx < k.w;
        const int64_t sz = k.flips & 1 ? k.td - 1 - z : z, sy = k.flips & 2 ? k.th - 1 - y : y;
        const int64_t sx = k.flips & 4 ? k.tw - 1 - x : x;
        body((z * k.th + y) * k.tw + x, (sz * k.th + sy) * k.tw + sx, inside ? (vz * k.h + vy) * k.w + vx : -1);
      }
}

TEST(Window, GatherReadsTheVolumeAndZeroOutside) {
  for (const WindowCase &k : cases) {
    const vg_window p = problem(k);
    Guarded<float> volume(k.d * k.h * k.w * k.c, k.side);
    Random random(61);
    random.fill(volume);
    std::vector<double> expected(static_cast<size_t>(k.td * k.th * k.tw * k.c));
    for_tile(k, [&](int64_t, int64_t stored, int64_t voxel) {
      for (int64_t c = 0; voxel >= 0 && c < k.c; ++c)
        expected[static_cast<size_t>(stored * k.c + c)] = volume[voxel * k.c + c];
    });
    on_every_tier("gather", [&](const Cpu &cpu, Bits &bits) {
      Guarded<float> tile(static_cast<int64_t>(expected.size()), k.side);
      ASSERT_EQ(vg_window_gather(cpu, &p, volume.data(), tile.data()), VG_OK) << cpu.error();
      expect_close("window_gather", "", tile, expected, {0, 0});
      bits.add(tile);
    });
  }
}

TEST(Window, AccumulateAddsWeightedTilesAndNormalizeDivides) {
  for (const WindowCase &k : cases) {
    const vg_window p = problem(k);
    const int64_t voxels = k.d * k.h * k.w;
    Guarded<float> tile(k.td * k.th * k.tw * k.c, k.side), weights(k.td * k.th * k.tw, k.side);
    Random random(62);
    random.fill(tile);
    for (float &w : weights) w = 1.5f + random.number();
    std::vector<double> sums(static_cast<size_t>(voxels * k.c), 0.5), weight_sums(static_cast<size_t>(voxels), 2);
    for_tile(k, [&](int64_t position, int64_t stored, int64_t voxel) {
      if (voxel < 0) return;
      const double w = weights[position] * 0.125;
      weight_sums[static_cast<size_t>(voxel)] += w;
      for (int64_t c = 0; c < k.c; ++c) sums[static_cast<size_t>(voxel * k.c + c)] += w * tile[stored * k.c + c];
    });
    on_every_tier("accumulate", [&](const Cpu &cpu, Bits &bits) {
      Guarded<float> volume(voxels * k.c, k.side), weight_sum(voxels, k.side);
      for (float &v : volume) v = 0.5f;
      for (float &v : weight_sum) v = 2;
      ASSERT_EQ(vg_window_accumulate(cpu, &p, tile.data(), weights.data(), 0.125f, volume.data(), weight_sum.data()),
                VG_OK)
          << cpu.error();
      expect_close("window_accumulate", "", volume, sums);
      expect_close("window_accumulate weights", "", weight_sum, weight_sums);
      Guarded<float> again(voxels * k.c, k.side);
      for (float &v : again) v = 0.5f;
      ASSERT_EQ(vg_window_accumulate(cpu, &p, tile.data(), weights.data(), 0.125f, again.data(), nullptr), VG_OK);
      expect_same_bits("window_accumulate", "without weight_sum", volume, again);
      const vg_map m = map_problem(1, voxels, k.c, k.c, 0);
      ASSERT_EQ(vg_window_normalize(cpu, &m, weight_sum.data(), volume.data()), VG_OK) << cpu.error();
      std::vector<double> mean = sums;
      for (size_t i = 0; i < mean.size(); ++i) mean[i] /= weight_sums[i / static_cast<size_t>(k.c)];
      expect_close("window_normalize", "", volume, mean);
      bits.add(volume);
      bits.add(weight_sum);
    });
  }
}

TEST(Window, NormalizeLeavesGapsAlone) {
  const Cpu cpu;
  Tensor volume(2 * 5, 3, 7);
  volume.fill(Random(1));
  Guarded<float> weight_sum(10);
  for (int64_t v = 0; v < 10; ++v) weight_sum[v] = static_cast<float>(v + 1);
  std::vector<double> expected = values(volume);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] /= static_cast<double>(i / 3 + 1);
  const vg_map m = map_problem(2, 5, 3, 7, 0);
  ASSERT_EQ(vg_window_normalize(cpu, &m, weight_sum.data(), volume.data()), VG_OK);
  expect_close("window_normalize", "strided", volume, expected);
}

TEST(Window, ArgumentErrors) {
  const Cpu cpu;
  float x[1] = {};
  vg_window p = problem(cases[0]);
  p.tw = 0;
  expect_error(cpu, vg_window_gather(cpu, &p, x, x), VG_INVALID_ARGUMENT, "tw is 0");
  p.tw = 1;
  p.oz = INT64_MIN;
  expect_error(cpu, vg_window_gather(cpu, &p, x, x), VG_INVALID_ARGUMENT, "out of range");
  p.oz = 0;
  expect_error(cpu, vg_window_accumulate(cpu, &p, x, nullptr, 1, x, x), VG_INVALID_ARGUMENT, "weights is NULL");
}

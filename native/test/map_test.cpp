// vg_fill, vg_scale, vg_add.
#include "tiers.h"

using namespace vg::test;

TEST(Map, FillOverwritesChannelsAndNothingElse) {
  for (const VoxelCase &k : voxel_cases)
    on_every_tier(k.text(), [&](const Cpu &cpu, Bits &bits) {
      Tensor y(k.n * k.voxels, k.c, k.c + k.y_gap, k.side);
      const vg_map p = map_problem(k.n, k.voxels, k.c, 0, y.stride());
      ASSERT_EQ(vg_fill(cpu, &p, 2.5f, y.data()), VG_OK) << cpu.error();
      expect_close("fill", k.text(), y, std::vector<double>(static_cast<size_t>(k.n * k.voxels * k.c), 2.5), {0, 0});
      bits.add(y);
    });
}

TEST(Map, ScaleAndAddMatchTheirFormula) {
  for (const VoxelCase &k : voxel_cases) {
    Tensor x(k.n * k.voxels, k.c, k.c + k.x_gap, k.side);
    x.fill(Random(1));
    on_every_tier(k.text(), [&](const Cpu &cpu, Bits &bits) {
      Tensor y(k.n * k.voxels, k.c, k.c + k.y_gap, k.side), copy(k.n * k.voxels, k.c, k.c + k.y_gap, k.side);
      const vg_map p = map_problem(k.n, k.voxels, k.c, x.stride(), y.stride());
      ASSERT_EQ(vg_scale(cpu, &p, -3.0f, x.data(), y.data()), VG_OK) << cpu.error();
      std::vector<double> expected = values(x);
      for (double &v : expected) v *= -3;
      expect_close("scale", k.text(), y, expected);
      ASSERT_EQ(vg_add(cpu, &p, 0.5f, x.data(), y.data()), VG_OK) << cpu.error();
      for (double &v : expected) v = v + 0.5 * (v / -3);
      expect_close("add", k.text(), y, expected);
      ASSERT_EQ(vg_scale(cpu, &p, 1.0f, x.data(), copy.data()), VG_OK) << cpu.error();
      expect_close("copy", k.text(), copy, values(x), {0, 0});
      bits.add(y);
      bits.add(copy);
    });
  }
}

TEST(Map, CopyKeepsNanBitsAndScaleWorksInPlace) {
  const Cpu cpu;
  Guarded<float> x(3), y(3);
  x[0] = std::bit_cast<float>(uint32_t{0x7f812345}); // a signalling NaN
  x[1] = -0.0f;
  x[2] = INFINITY;
  const vg_map p = map_problem(1, 3, 1, 1, 1);
  ASSERT_EQ(vg_scale(cpu, &p, 1.0f, x.data(), y.data()), VG_OK);
  EXPECT_EQ(std::memcmp(x.data(), y.data(), 12), 0);
  x[0] = 1;
  ASSERT_EQ(vg_scale(cpu, &p, 2.0f, x.data(), x.data()), VG_OK);
  EXPECT_EQ(x[0], 2.0f);
}

TEST(Map, ArgumentErrors) {
  const Cpu cpu;
  float x[4] = {}, y[4] = {};
  vg_map p = map_problem(1, 2, 2, 2, 2);
  expect_error(cpu, vg_fill(cpu, nullptr, 0, y), VG_INVALID_ARGUMENT, "problem is NULL");
  expect_error(cpu, vg_fill(cpu, &p, 0, nullptr), VG_INVALID_ARGUMENT, "y is NULL");
  expect_error(cpu, vg_scale(cpu, &p, 1, nullptr, y), VG_INVALID_ARGUMENT, "x is NULL");
  p.y_stride = 1;
  expect_error(cpu, vg_add(cpu, &p, 1, x, y), VG_INVALID_ARGUMENT, "voxel stride of y is 1");
  p.y_stride = 3;
  expect_error(cpu, vg_scale(cpu, &p, 1, x, x), VG_INVALID_ARGUMENT, "same tensor");
  p.n = 0;
  expect_error(cpu, vg_add(cpu, &p, 1, x, y), VG_INVALID_ARGUMENT, "n is 0");
  p.size = 3;
  expect_error(cpu, vg_add(cpu, &p, 1, x, y), VG_INVALID_ARGUMENT, "different headers");
}

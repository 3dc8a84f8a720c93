// The measured ceilings are plausible; how close they are to the data sheet is for the benchmarks to see.
#include "tiers.h"

using namespace vg::test;

TEST(Peak, EveryTierHasPlausibleCeilings) {
  for (const char *isa : isas()) {
    SCOPED_TRACE(isa);
    const Cpu cpu(1, isa);
    double flops = 0, bytes = 0;
    ASSERT_EQ(vg_measure_peak(cpu, &flops, &bytes), VG_OK);
    EXPECT_GT(flops, 1e8);
    EXPECT_LT(flops, 1e12); // one core
    EXPECT_GT(bytes, 1e8);
    EXPECT_LT(bytes, 1e12);
  }
}

TEST(Peak, NeedsPlacesForItsResults) {
  const Cpu cpu(1, "portable");
  double value = 0;
  EXPECT_EQ(vg_measure_peak(cpu, nullptr, &value), VG_INVALID_ARGUMENT);
  EXPECT_EQ(vg_measure_peak(cpu, &value, nullptr), VG_INVALID_ARGUMENT);
}

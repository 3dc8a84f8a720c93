// The name of this tier and whether the machine runs it. Nothing here is worth a vector instruction, so the question
// can be asked on a processor without them.
#include "isa_tiles.h"

#define VG_TEXT_OF(x) #x
#define VG_TEXT(x) VG_TEXT_OF(x)

namespace vg::VG_TIER {

void isa_facts(IsaFacts &facts) {
#if defined(VG_EMULATED)
  facts.name = VG_TEXT(VG_TIER) " emulated";
#else
  facts.name = VG_TEXT(VG_TIER);
#endif
  // The compiler's support library asks cpuid, and xgetbv for the registers.
#if defined(__AVX512F__)
  facts.runs = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#elif defined(__AVX2__)
  facts.runs = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  facts.runs = true;
#endif
}

} // namespace vg::VG_TIER

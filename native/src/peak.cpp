// What this processor can do at most: the two roofs of the roofline model (Williams, Waterman, Patterson 2009).
//
// Both are ceilings, so the best of several short runs counts. Pieces are equal and several per thread: a thread that
// the system puts aside for a moment costs one run, not all. The copy is as long as no last-level cache and is done by
// memcpy, which writes past the caches where that is faster.
#include "internal.h"
#include "peak_tiles.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

namespace vg {

static constexpr int64_t pieces_per_thread = 4;

template <class Work> static double seconds(Work &&work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

static double flops_per_second(const vg_context *context) {
  constexpr int runs = 20;
  constexpr int64_t rounds = 400'000; // about a millisecond
  const int64_t pieces = context->threads * pieces_per_thread;
  std::vector<int64_t> flops(static_cast<size_t>(pieces));
  std::vector<float> sums(static_cast<size_t>(pieces));
  double best = 0;
  for (int run = 0; run < runs; ++run) {
    const double time = seconds([&] {
      parallel_for(context, pieces, [&](int64_t i) {
        const auto at = static_cast<size_t>(i);
        VG_PICK(context, multiply_add)({rounds, &flops[at], &sums[at]});
      });
    });
    best = std::max(best, static_cast<double>(pieces * flops[0]) / time);
  }
  return best;
}

static double bytes_per_second(const vg_context *context) {
  constexpr int runs = 8;
  constexpr int64_t bytes = int64_t{128} << 20;
  const int64_t pieces = context->threads * pieces_per_thread;
  const std::vector<char> from(static_cast<size_t>(bytes), 1);
  std::vector<char> to(static_cast<size_t>(bytes), 2);
  double best = 0;
  for (int run = 0; run < runs; ++run) {
    const double time = seconds([&] {
      parallel_for(context, pieces, [&](int64_t i) {
        const int64_t begin = bytes * i / pieces, end = bytes * (i + 1) / pieces;
        std::memcpy(to.data() + begin, from.data() + begin, static_cast<size_t>(end - begin));
      });
    });
    best = std::max(best, 2.0 * static_cast<double>(bytes) / time);
  }
  return best;
}

} // namespace vg

int32_t vg_measure_peak(vg_context *context, double *flops_per_second, double *bytes_per_second) {
  return vg::dispatch(
      context, "vg_measure_peak",
      [&] {
        vg::require_pointer("flops_per_second", flops_per_second);
        vg::require_pointer("bytes_per_second", bytes_per_second);
      },
      [&] {
        *flops_per_second = vg::flops_per_second(context);
        *bytes_per_second = vg::bytes_per_second(context);
      });
}

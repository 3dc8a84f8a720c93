// Runs a test body on every tier with 1, 2, 3 and 7 threads and compares the bits across thread counts.
#pragma once

#include "support.h"

#include <functional>

namespace vg::test {

// Raw memory of outputs, to be compared bit by bit.
class Bits {
public:
  template <class T> void add(const Guarded<T> &buffer) {
    text_.append(reinterpret_cast<const char *>(buffer.data()), static_cast<size_t>(buffer.size()) * sizeof(T));
  }
  bool operator==(const Bits &other) const { return text_ == other.text_; }

private:
  std::string text_;
};

// body(cpu, bits) runs the op into fresh buffers, checks them and adds them to `bits`.
inline void on_every_tier(const std::string &problem, const std::function<void(const Cpu &, Bits &)> &body) {
  for (const char *isa : isas()) {
    Bits expected;
    for (const int threads : {1, 2, 3, 7}) {
      SCOPED_TRACE(problem + " on " + isa + " with " + std::to_string(threads) + " threads");
      const Cpu cpu(threads, isa);
      Bits bits;
      body(cpu, bits);
      if (threads == 1) expected = bits;
      EXPECT_TRUE(bits == expected) << "bits depend on the number of threads";
      if (testing::Test::HasFailure()) return;
    }
  }
}

template <class Problem> Problem sized() {
  Problem p{};
  p.size = sizeof p;
  return p;
}

inline vg_map map_problem(int64_t n, int64_t voxels, int64_t c, int64_t x_stride, int64_t y_stride) {
  vg_map p = sized<vg_map>();
  p.n = n;
  p.voxels = voxels;
  p.c = c;
  p.x_stride = x_stride;
  p.y_stride = y_stride;
  return p;
}

// Sizes of voxel-wise tests: samples, voxels, channels, gaps behind the channels of x and y.
struct VoxelCase {
  int64_t n, voxels, c, x_gap, y_gap;
  Side side = Side::after;
  std::string text() const {
    return "n=" + std::to_string(n) + " voxels=" + std::to_string(voxels) + " c=" + std::to_string(c) +
           " x_gap=" + std::to_string(x_gap) + " y_gap=" + std::to_string(y_gap);
  }
};
inline const std::vector<VoxelCase> voxel_cases = {{1, 2, 1, 0, 0},
                                                   {2, 5, 1, 0, 0},
                                                   {1, 13, 1, 2, 0, Side::before},
                                                   {1, 9, 2, 0, 0},
                                                   {3, 17, 3, 0, 0},
                                                   {1, 17, 3, 2, 5},
                                                   {2, 8, 4, 0, 0},
                                                   {1, 23, 5, 0, 0, Side::before},
                                                   {1, 11, 7, 1, 0},
                                                   {2, 19, 8, 0, 8},
                                                   {1, 16, 16, 0, 0},
                                                   {2, 7, 31, 0, 0},
                                                   {1, 29, 33, 0, 0},
                                                   {2, 11, 33, 7, 31},
                                                   {2, 9001, 4, 0, 0},
                                                   {1, 3001, 33, 3, 0}};

// Dense values [n * voxels][c] of a tensor, in float64.
inline std::vector<double> values(const Tensor &t) {
  std::vector<double> all;
  for (int64_t v = 0; v < t.voxels(); ++v)
    for (int64_t c = 0; c < t.channels(); ++c) all.push_back(t.at(v, c));
  return all;
}

} // namespace vg::test

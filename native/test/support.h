// What the op tests share: contexts, buffers between guard pages, seeded random data, comparison with a text that
// reproduces the failure.
#pragma once

#include "voxgrad.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <type_traits>
#include <unistd.h>
#include <vector>

namespace vg::test {

// A CPU context for the length of a block. isa: a value of VOXGRAD_MAX_ISA, nullptr = whatever the environment says.
class Cpu {
public:
  explicit Cpu(int threads = 2, const char *isa = nullptr, int64_t memory_limit_bytes = 0) {
    const char *before = std::getenv("VOXGRAD_MAX_ISA");
    const std::string kept = before == nullptr ? "" : before;
    if (isa != nullptr) setenv("VOXGRAD_MAX_ISA", isa, 1);
    vg_context_options options{};
    options.size = sizeof options;
    options.device_kind = VG_DEVICE_CPU;
    options.threads = threads;
    options.memory_limit_bytes = memory_limit_bytes;
    char error[256];
    const int32_t status = vg_context_create(&options, &context_, error, sizeof error);
    if (isa != nullptr) before == nullptr ? unsetenv("VOXGRAD_MAX_ISA") : setenv("VOXGRAD_MAX_ISA", kept.c_str(), 1);
    if (status != VG_OK) throw std::runtime_error(error);
  }
  ~Cpu() { vg_context_destroy(context_); }
  Cpu(const Cpu &) = delete;
  Cpu &operator=(const Cpu &) = delete;
  operator vg_context *() const { return context_; }
  std::string error() const { return vg_last_error(context_); }

private:
  vg_context *context_ = nullptr;
};

// Name of the tier in use, as in `doctor`.
inline std::string isa_of(vg_context *context) {
  vg_context_info info{};
  info.size = sizeof info;
  if (vg_context_describe(context, &info) != VG_OK) throw std::runtime_error(vg_last_error(context));
  return info.isa;
}

// The tiers every op test runs: those of this build that the machine has. A library that emulates one runs it alone,
// the others are the business of the library itself. What is left out is printed.
inline const std::vector<const char *> &isas() {
  static const std::vector<const char *> found = [] {
#if defined(__x86_64__)
    const std::vector<const char *> all{"portable", "avx2", "avx512"};
#elif defined(__aarch64__)
    const std::vector<const char *> all{"neon"};
#else
    const std::vector<const char *> all{"portable"};
#endif
    std::vector<const char *> usable;
    for (const char *isa : all) {
      const std::string name = isa_of(Cpu(1, isa));
      if (name == std::string(isa) + " emulated") return std::vector<const char *>{isa};
      if (name == isa)
        usable.push_back(isa);
      else
        printf("SKIPPED tier %s: this processor or its operating system lacks it, %s stands in\n", isa, name.c_str());
    }
    return usable;
  }();
  return found;
}

// Which end of a buffer touches its inaccessible page: an access one element beyond that end is a fault.
enum class Side { after, before };

// A fixed number of elements next to an inaccessible page (there is one on the far side too, up to a page away),
// poisoned at first: floats are a NaN that no arithmetic makes, other types are bytes 0xA5.
template <class T> class Guarded {
  static_assert(std::is_trivially_copyable_v<T>);

public:
  explicit Guarded(int64_t count, Side side = Side::after) : count_(count) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), bytes = static_cast<size_t>(count) * sizeof(T);
    const size_t inner = (bytes + page - 1) / page * page;
    mapped_ = inner + 2 * page;
    memory_ = static_cast<char *>(mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory_ == MAP_FAILED || (inner > 0 && mprotect(memory_ + page, inner, PROT_READ | PROT_WRITE) != 0))
      throw std::runtime_error("no memory for a guarded buffer");
    data_ = reinterpret_cast<T *>(memory_ + page + (side == Side::after ? inner - bytes : 0));
    poison();
  }
  ~Guarded() { munmap(memory_, mapped_); }
  Guarded(const Guarded &) = delete;
  Guarded &operator=(const Guarded &) = delete;

  T *data() { return data_; }
  const T *data() const { return data_; }
  int64_t size() const { return count_; }
  T &operator[](int64_t i) { return data_[i]; }
  const T &operator[](int64_t i) const { return data_[i]; }
  T *begin() { return data_; }
  T *end() { return data_ + count_; }
  const T *begin() const { return data_; }
  const T *end() const { return data_ + count_; }

  void poison() {
    const T value = poison_value();
    for (T &element : *this) std::memcpy(&element, &value, sizeof(T));
  }
  // Bit-exact: tells whether anybody wrote element i since it was poisoned.
  bool poisoned(int64_t i) const {
    const T value = poison_value();
    return std::memcmp(data_ + i, &value, sizeof(T)) == 0;
  }

private:
  static T poison_value() {
    if constexpr (std::is_same_v<T, float>) {
      return std::bit_cast<float>(uint32_t{0x7fc0dead});
    } else if constexpr (std::is_same_v<T, double>) {
      return std::bit_cast<double>(uint64_t{0x7ff80000dead0000});
    } else {
      T value;
      std::memset(&value, 0xa5, sizeof value);
      return value;
    }
  }

  char *memory_;
  size_t mapped_;
  T *data_;
  int64_t count_;
};

// A seeded stream of numbers (splitmix64); the same on every machine.
class Random {
public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t bits() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // Uniform in [-1, 1).
  float number() { return static_cast<float>(static_cast<double>(bits() >> 11) * 0x1p-52 - 1.0); }
  // Uniform in 0..count-1.
  int64_t index(int64_t count) { return static_cast<int64_t>(bits() % static_cast<uint64_t>(count)); }
  template <class Range> void fill(Range &range, float scale = 1) {
    for (auto &element : range) element = scale * number();
  }

private:
  uint64_t state_;
};

// `voxels` voxels (all samples) of c float channels with a voxel stride, ending at the last channel of the last voxel:
// a channel slice without the rest of its buffer. Gaps keep their poison; gaps_untouched checks that.
class Tensor : public Guarded<float> {
public:
  Tensor(int64_t voxels, int64_t c, int64_t stride, Side side = Side::after)
      : Guarded((voxels - 1) * stride + c, side), voxels_(voxels), c_(c), stride_(stride) {}
  float &at(int64_t voxel, int64_t channel) { return (*this)[voxel * stride_ + channel]; }
  float at(int64_t voxel, int64_t channel) const { return (*this)[voxel * stride_ + channel]; }
  int64_t voxels() const { return voxels_; }
  int64_t channels() const { return c_; }
  int64_t stride() const { return stride_; }
  // Random channels; gaps stay poison, so that an op which reads one spoils its result.
  void fill(Random random, float scale = 1) {
    for (int64_t v = 0; v < voxels_; ++v)
      for (int64_t c = 0; c < c_; ++c) at(v, c) = scale * random.number();
  }
  bool gaps_untouched() const {
    for (int64_t i = 0; i < size(); ++i)
      if (i % stride_ >= c_ && !poisoned(i)) return false;
    return true;
  }

private:
  int64_t voxels_, c_, stride_;
};

// Relative errors: `l2` = |actual - expected| / |expected| over the tensor, `worst` = largest single difference over
// the largest expected magnitude.
struct Tolerance {
  double l2 = 1e-6, worst = 1e-5;
};

// Compares count elements; actual(i) and expected(i) return numbers. Prints op, problem and the worst index.
template <class Actual, class Expected>
void expect_close(const std::string &op, const std::string &problem, int64_t count, Actual &&actual,
                  Expected &&expected, Tolerance tolerance = {}) {
  double error = 0, norm = 0, largest = 0, worst = -1;
  int64_t at = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double a = actual(i), e = expected(i);
    const double d = std::isnan(a) != std::isnan(e) || std::isinf(a) ? (a == e ? 0 : INFINITY)
                                                                     : (std::isnan(e) ? 0 : std::fabs(a - e));
    if (d > worst) worst = d, at = i;
    error += d * d;
    if (std::isfinite(e)) norm += e * e, largest = std::fmax(largest, std::fabs(e));
  }
  if (count == 0) return;
  const bool good = std::sqrt(error) <= tolerance.l2 * std::sqrt(norm) && worst <= tolerance.worst * largest;
  EXPECT_TRUE(good) << op << " " << problem << ": relative L2 " << std::sqrt(error / norm) << " (allowed "
                    << tolerance.l2 << "), worst index " << at << " of " << count << ": expected " << expected(at)
                    << ", got " << actual(at) << ", difference " << worst << " (allowed " << tolerance.worst * largest
                    << ")";
}

// A tensor against dense values [voxels][channels]; the gaps must not have been written.
inline void expect_close(const std::string &op, const std::string &problem, const Tensor &actual,
                         const std::vector<double> &expected, Tolerance tolerance = {}) {
  const int64_t c = actual.channels();
  ASSERT_EQ(static_cast<int64_t>(expected.size()), actual.voxels() * c) << op << " " << problem;
  expect_close(
      op, problem, static_cast<int64_t>(expected.size()), [&](int64_t i) { return actual.at(i / c, i % c); },
      [&](int64_t i) { return expected[static_cast<size_t>(i)]; }, tolerance);
  EXPECT_TRUE(actual.gaps_untouched()) << op << " " << problem << ": wrote between the channels of two voxels";
}

template <class T>
void expect_close(const std::string &op, const std::string &problem, const Guarded<T> &actual,
                  const std::vector<double> &expected, Tolerance tolerance = {}) {
  ASSERT_EQ(static_cast<int64_t>(expected.size()), actual.size()) << op << " " << problem;
  expect_close(
      op, problem, actual.size(), [&](int64_t i) { return static_cast<double>(actual[i]); },
      [&](int64_t i) { return expected[static_cast<size_t>(i)]; }, tolerance);
}

template <class T>
void expect_same_bits(const std::string &op, const std::string &problem, const Guarded<T> &a, const Guarded<T> &b) {
  ASSERT_EQ(a.size(), b.size()) << op << " " << problem;
  for (int64_t i = 0; i < a.size(); ++i)
    if (std::memcmp(&a[i], &b[i], sizeof(T)) != 0) {
      ADD_FAILURE() << op << " " << problem << ": bits differ at index " << i << " of " << a.size() << ": " << +a[i]
                    << " and " << +b[i];
      return;
    }
}

// The call must fail with `status` and a text that contains `part`.
inline void expect_error(const Cpu &cpu, int32_t status, int32_t expected, const std::string &part) {
  EXPECT_EQ(status, expected) << cpu.error();
  EXPECT_NE(cpu.error().find(part), std::string::npos) << "text: \"" << cpu.error() << "\", expected in it: " << part;
}

} // namespace vg::test

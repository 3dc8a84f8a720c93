// Measures the two ceilings of this machine, so that a benchmark can say how far from them a kernel is:
//   peak THREADS  ->  {"fma_gflops": ..., "copy_gbps": ...}
// fma: independent fused multiply-adds on ten registers of 8 floats, with AVX-512 also of 16. copy: a streaming copy of
// 256 MB, bytes read + written. Best of several, because both are ceilings.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

using Clock = std::chrono::steady_clock;

static double seconds(int threads, const std::function<void(int)> &work) {
  const auto start = Clock::now();
  std::vector<std::thread> pool;
  for (int t = 1; t < threads; ++t) pool.emplace_back(work, t);
  work(0);
  for (auto &thread : pool) thread.join();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

static volatile float sink;

typedef float v8 __attribute__((vector_size(32)));
typedef float v16 __attribute__((vector_size(64)));

constexpr int chains = 10;

// Inlined into functions that have the instructions: there a * x + y is one.
template <class V> __attribute__((always_inline)) static inline void multiply_add(int64_t rounds) {
  const V x = V{} + 0.999f, y = V{} + 1e-3f;
  V a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x;
  for (int64_t r = 0; r < rounds; ++r) {
    a = a * x + y, b = b * x + y, c = c * x + y, d = d * x + y, e = e * x + y;
    f = f * x + y, g = g * x + y, h = h * x + y, i = i * x + y, j = j * x + y;
    asm volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f), "+x"(g), "+x"(h), "+x"(i), "+x"(j));
  }
  const V sum = a + b + c + d + e + f + g + h + i + j;
  sink = sum[0];
}

__attribute__((target("avx2,fma"), noinline)) static void fma_avx2(int64_t rounds) { multiply_add<v8>(rounds); }
__attribute__((target("avx512f"), noinline)) static void fma_avx512(int64_t rounds) { multiply_add<v16>(rounds); }

int main(int argc, char **argv) {
  const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
  const int64_t rounds = 20'000'000;
  double fma = 0, copy = 0;
  const auto best = [&](int lanes, void (*loop)(int64_t)) {
    for (int i = 0; i < 7; ++i)
      fma = std::max(fma, static_cast<double>(threads * rounds) * chains * lanes * 2 /
                              seconds(threads, [&](int) { loop(rounds); }) / 1e9);
  };
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) best(8, fma_avx2);
  if (__builtin_cpu_supports("avx512f")) best(16, fma_avx512);
  const size_t bytes = size_t{256} << 20;
  std::vector<char> from(bytes, 1), to(bytes, 2);
  for (int i = 0; i < 7; ++i)
    copy = std::max(copy, 2.0 * static_cast<double>(bytes) / seconds(threads, [&](int t) {
                            const size_t part = bytes / static_cast<size_t>(threads);
                            std::memcpy(to.data() + static_cast<size_t>(t) * part,
                                        from.data() + static_cast<size_t>(t) * part, part);
                          }) / 1e9);
  std::printf("{\"threads\": %d, \"fma_gflops\": %.1f, \"copy_gbps\": %.1f}\n", threads, fma, copy);
  return 0;
}

// Measures the two ceilings of this machine, so that a benchmark can say how far from them a kernel is:
//   peak THREADS  ->  {"fma_gflops": ..., "copy_gbps": ...}
// fma: independent fused multiply-adds on ten 8-float registers. copy: a streaming copy of 256 MB, bytes read +
// written. Best of several, because both are ceilings.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <immintrin.h>
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

__attribute__((target("avx2,fma"), noinline)) static void fma_loop(int64_t rounds) {
  const __m256 x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-3f);
  __m256 a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x;
  for (int64_t r = 0; r < rounds; ++r) {
    a = _mm256_fmadd_ps(a, x, y), b = _mm256_fmadd_ps(b, x, y), c = _mm256_fmadd_ps(c, x, y);
    d = _mm256_fmadd_ps(d, x, y), e = _mm256_fmadd_ps(e, x, y), f = _mm256_fmadd_ps(f, x, y);
    g = _mm256_fmadd_ps(g, x, y), h = _mm256_fmadd_ps(h, x, y), i = _mm256_fmadd_ps(i, x, y);
    j = _mm256_fmadd_ps(j, x, y);
    asm volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f), "+x"(g), "+x"(h), "+x"(i), "+x"(j));
  }
  const __m256 sum = a + b + c + d + e + f + g + h + i + j;
  sink = sum[0];
}

int main(int argc, char **argv) {
  const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
  const int64_t rounds = 20'000'000;
  double fma = 0, copy = 0;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    for (int i = 0; i < 7; ++i)
      fma = std::max(fma, static_cast<double>(threads * rounds) * 10 * 8 * 2 /
                              seconds(threads, [&](int) { fma_loop(rounds); }) / 1e9);
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

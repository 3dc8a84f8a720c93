// Inner tiles of dropout.cpp: Philox4x32-10, sixteen blocks at a time.
#include "dropout_tiles.h"
#include "vector_math.h"

namespace vg::VG_TIER {

// Four 32-bit words, each in a lane of 64 bits.
typedef uint64_t words4 __attribute__((vector_size(32)));

static constexpr int64_t vectors = 4; // independent chains that hide the latency of the multiplications
static constexpr int64_t batch = 4 * vectors;
static constexpr int64_t words = 4;

static inline words4 product(words4 a, uint32_t constant) {
  const words4 b{constant, constant, constant, constant};
#if defined(__AVX2__)
  typedef int32_t ints8 __attribute__((vector_size(32)));
  return (words4)__builtin_ia32_pmuludq256((ints8)a, (ints8)b);
#else
  return a * b;
#endif
}

// keep[4 b + w] for word w of block `first` + b.
static void philox(const DrawStream &draws, uint64_t first, uint8_t *keep) {
  constexpr uint64_t low = 0xffffffff;
  words4 c[words][vectors];
  for (int64_t v = 0; v < vectors; ++v) {
    const words4 block = words4{0, 1, 2, 3} + (first + static_cast<uint64_t>(4 * v));
    c[0][v] = block & low;
    c[1][v] = block >> 32;
    c[2][v] = words4{} + (draws.stream & low);
    c[3][v] = words4{} + (draws.stream >> 32);
  }
  uint32_t k0 = static_cast<uint32_t>(draws.seed), k1 = static_cast<uint32_t>(draws.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int64_t v = 0; v < vectors; ++v) {
      const words4 m0 = product(c[0][v], 0xD2511F53), m1 = product(c[2][v], 0xCD9E8D57);
      c[0][v] = (m1 >> 32) ^ c[1][v] ^ uint64_t { k0 };
      c[2][v] = (m0 >> 32) ^ c[3][v] ^ uint64_t { k1 };
      c[1][v] = m1 & low;
      c[3][v] = m0 & low;
    }
    k0 += 0x9E3779B9; // golden ratio and sqrt(3) - 1: the paper's key schedule
    k1 += 0xBB67AE85;
  }
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t w = 0; w < words; ++w) keep[words * b + w] = c[w][b / 4][b % 4] >= draws.threshold;
}

void dropout_draws(const DrawStream &draws, uint64_t first, int64_t count, uint8_t *keep) {
  uint8_t drawn[words * batch];
  int64_t i = 0;
  while (i < count) {
    const uint64_t block = (first + static_cast<uint64_t>(i)) / words;
    const int64_t skip = static_cast<int64_t>((first + static_cast<uint64_t>(i)) % words);
    philox(draws, block, drawn);
    for (int64_t k = skip; k < words * batch && i < count; ++k) keep[i++] = drawn[k];
  }
}

void dropout_select(const float *x, const uint8_t *keep, float scale, float *y, int64_t count) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) store(y + i, masked(load_bytes(keep + i) != 0, load(x + i) * scale));
  for (; i < count; ++i) y[i] = keep[i] != 0 ? x[i] * scale : 0.0f;
}

} // namespace vg::VG_TIER

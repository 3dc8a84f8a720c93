// Inverted dropout: y = keep ? x/(1-p) : 0.
//
// Draw number i (i = index of the element in dense NDHWC order, or of sample and channel with per_channel) is word i%4
// of Philox4x32-10 with counter (i/4, stream) and key seed [Salmon, Moraes, Dror, Shaw: Parallel random numbers: as
// easy as 1, 2, 3; SC 2011]. It is kept when the 32-bit word is at least p 2^32. So a draw depends on seed, stream and
// i only, and the gradient is the same call.
//
// Pieces of 32 K elements, rounded to whole Philox blocks; bound by the integer arithmetic of Philox.
// Matches torch.nn.functional.dropout and dropout3d except for the random stream, which no two libraries share. A
// dropped NaN gives 0, by selection.
#include "rows.h"

#include <cmath>

using namespace vg;

namespace {

struct Philox {
  uint32_t word[4];
};

Philox philox(uint64_t counter, uint64_t stream, uint64_t seed) {
  uint32_t c0 = static_cast<uint32_t>(counter), c1 = static_cast<uint32_t>(counter >> 32);
  uint32_t c2 = static_cast<uint32_t>(stream), c3 = static_cast<uint32_t>(stream >> 32);
  uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * c0, b = uint64_t{0xCD9E8D57} * c2;
    const uint32_t n0 = static_cast<uint32_t>(b >> 32) ^ c1 ^ k0, n2 = static_cast<uint32_t>(a >> 32) ^ c3 ^ k1;
    c1 = static_cast<uint32_t>(b);
    c3 = static_cast<uint32_t>(a);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9; // golden ratio and sqrt(3) - 1: the paper's key schedule
    k1 += 0xBB67AE85;
  }
  return {{c0, c1, c2, c3}};
}

// Draws in ascending order cost one Philox block per four.
struct Draws {
  uint64_t seed, stream, threshold;
  uint64_t block = ~uint64_t{0};
  Philox words{};
  bool keep(uint64_t i) {
    if (i / 4 != block) {
      block = i / 4;
      words = philox(block, stream, seed);
    }
    return words.word[i % 4] >= threshold;
  }
};

} // namespace

extern "C" int32_t vg_dropout_apply(vg_context *context, const vg_dropout *problem, const float *x, const uint8_t *keep,
                                    float *y) {
  return dispatch(
      context, __func__,
      [&] {
        require_size(problem);
        require_tensor("x", problem->n, problem->voxels, problem->c, problem->x_stride);
        require_tensor("y", problem->n, problem->voxels, problem->c, problem->y_stride);
        VG_REQUIRE(problem->p >= 0.0f && problem->p < 1.0f, "p is %g, must be in [0, 1)",
                   static_cast<double>(problem->p));
        require_pointer("x", x);
        require_pointer("y", y);
      },
      [&] {
        const vg_dropout &p = *problem;
        const float scale = static_cast<float>(1.0 / (1.0 - static_cast<double>(p.p)));
        const Draws fresh{static_cast<uint64_t>(p.seed), static_cast<uint64_t>(p.stream),
                          static_cast<uint64_t>(std::llround(static_cast<double>(p.p) * 4294967296.0))};
        // One byte per sample and channel, drawn once.
        Workspace channel_keep(context, p.per_channel != 0 ? p.n * p.c : 0);
        if (p.per_channel != 0) {
          Draws draws = fresh;
          for (int64_t i = 0; i < p.n * p.c; ++i)
            channel_keep.as<uint8_t>()[i] = keep != nullptr ? keep[i] : draws.keep(static_cast<uint64_t>(i));
        }
        const Pieces pieces{p.n * p.voxels, (voxel_grain(p.c) + 3) / 4 * 4};
        parallel_for(context, pieces.count(), [&](int64_t piece) {
          Draws draws = fresh;
          for (int64_t v = pieces.begin(piece); v < pieces.end(piece); ++v) {
            const float *from = x + v * p.x_stride;
            float *to = y + v * p.y_stride;
            const uint8_t *given = p.per_channel != 0 ? channel_keep.as<uint8_t>() + v / p.voxels * p.c
                                   : keep != nullptr  ? keep + v * p.c
                                                      : nullptr;
            if (given != nullptr)
              for (int64_t c = 0; c < p.c; ++c) to[c] = given[c] != 0 ? from[c] * scale : 0.0f;
            else
              for (int64_t c = 0; c < p.c; ++c)
                to[c] = draws.keep(static_cast<uint64_t>(v * p.c + c)) ? from[c] * scale : 0.0f;
          }
        });
      });
}

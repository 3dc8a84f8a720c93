// Inverted dropout: y = keep ? x/(1-p) : 0.
//
// Draw number i (i = index of the element in dense NDHWC order, or of sample and channel with per_channel) is word i%4
// of Philox4x32-10 with counter (i/4, stream) and key seed [Salmon, Moraes, Dror, Shaw: Parallel random numbers: as
// easy as 1, 2, 3; SC 2011]. It is kept when the 32-bit word is at least p 2^32. So a draw depends on seed, stream and
// i only, and the gradient is the same call.
//
// Pieces of about 32 K elements: their draws first, one byte each, then one pass over the elements. Bound by the
// integer arithmetic of Philox. Matches torch.nn.functional.dropout and dropout3d except for the random stream, which
// no two libraries share. A dropped NaN gives 0, by selection.
#include "dropout_tiles.h"
#include "internal.h"

#include <cmath>
#include <vector>

using namespace vg;

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
        const DrawStream draws{static_cast<uint64_t>(p.seed), static_cast<uint64_t>(p.stream),
                               static_cast<uint64_t>(std::llround(static_cast<double>(p.p) * 4294967296.0))};
        const auto draw = VG_PICK(context, dropout_draws);
        const auto select = VG_PICK(context, dropout_select);
        const bool per_channel = p.per_channel != 0, drawn = keep == nullptr;
        std::vector<uint8_t> channel_keep;
        if (per_channel && drawn) {
          channel_keep.resize(static_cast<size_t>(p.n * p.c));
          draw(draws, 0, p.n * p.c, channel_keep.data());
        }
        const Pieces pieces{p.n * p.voxels, voxel_grain(p.c)};
        parallel_for(context, pieces.count(), [&](int64_t piece) {
          const int64_t begin = pieces.begin(piece), end = pieces.end(piece);
          std::vector<uint8_t> element_keep;
          if (!per_channel && drawn) {
            element_keep.resize(static_cast<size_t>((end - begin) * p.c));
            draw(draws, static_cast<uint64_t>(begin * p.c), (end - begin) * p.c, element_keep.data());
          }
          if (!per_channel && p.x_stride == p.c && p.y_stride == p.c) {
            const uint8_t *flags = drawn ? element_keep.data() : keep + begin * p.c;
            select(x + begin * p.c, flags, scale, y + begin * p.c, (end - begin) * p.c);
            return;
          }
          for (int64_t v = begin; v < end; ++v) {
            const uint8_t *flags = per_channel ? (drawn ? channel_keep.data() : keep) + v / p.voxels * p.c
                                   : drawn     ? element_keep.data() + (v - begin) * p.c
                                               : keep + v * p.c;
            select(x + v * p.x_stride, flags, scale, y + v * p.y_stride, p.c);
          }
        });
      });
}

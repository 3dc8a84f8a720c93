// Sliding window: cut a tile out of a volume, add a weighted tile to it, divide by the summed weights.
//
//   gather      tile[t] = volume[o + t'], 0 outside;  t' = t, or size-1-t along mirrored axes
//   accumulate  volume[o + t'] += weights[t'] factor tile[t];  weight_sum[o + t'] += weights[t'] factor
//   normalize   volume[v] /= weight_sum[v]
//
// Tile [td][th][tw][c] and volume [d][h][w][c] are dense. Work is cut by rows of the tile, which hit distinct rows of
// the volume. Bound by memory. Matches the sliding window of nnU-Net's predictor: weights belong to positions of the
// volume, tiles predicted for a mirrored input are mirrored back while they are added.
#include "internal.h"

#include <algorithm>

using namespace vg;

namespace {

void check(const vg_window *problem) {
  require_size(problem);
  const vg_window &p = *problem;
  const int64_t sizes[] = {p.d, p.h, p.w, p.c, p.td, p.th, p.tw};
  const char *const names[] = {"d", "h", "w", "c", "td", "th", "tw"};
  for (int i = 0; i < 7; ++i) require_positive(names[i], sizes[i]);
  for (const int64_t o : {p.oz, p.oy, p.ox})
    VG_REQUIRE(o > -(int64_t{1} << 40) && o < (int64_t{1} << 40), "the window's origin %lld is out of range",
               static_cast<long long>(o));
  require_tensor("volume", 1, p.d * p.h * p.w, p.c, p.c);
  require_tensor("tile", 1, p.td * p.th * p.tw, p.c, p.c);
}

// Calls body(tile row in volume order, volume row or -1, stored tile row) for the rows of the tile.
template <class Body> void for_rows(const vg_context *context, const vg_window &p, Body &&body) {
  const Pieces pieces{p.td * p.th, std::max<int64_t>(1, voxel_grain(p.c) / p.tw)};
  parallel_for(context, pieces.count(), [&](int64_t i) {
    for (int64_t row = pieces.begin(i); row < pieces.end(i); ++row) {
      const int64_t z = row / p.th, y = row % p.th;
      const int64_t vz = p.oz + z, vy = p.oy + y;
      const bool inside = vz >= 0 && vz < p.d && vy >= 0 && vy < p.h;
      const int64_t stored = (p.flip_z != 0 ? p.td - 1 - z : z) * p.th + (p.flip_y != 0 ? p.th - 1 - y : y);
      body(row, inside ? vz * p.h + vy : -1, stored);
    }
  });
}

// Positions x of a tile row that lie inside the volume: [begin, end), empty as begin = end.
struct Span {
  int64_t begin, end;
};
Span inside_span(const vg_window &p) {
  const int64_t begin = std::clamp<int64_t>(-p.ox, 0, p.tw);
  return {begin, std::max(begin, std::clamp<int64_t>(p.w - p.ox, 0, p.tw))};
}

} // namespace

extern "C" int32_t vg_window_gather(vg_context *context, const vg_window *problem, const float *volume, float *tile) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem);
        require_pointer("volume", volume);
        require_pointer("tile", tile);
      },
      [&] {
        const vg_window &p = *problem;
        const Span span = inside_span(p);
        for_rows(context, p, [&](int64_t, int64_t volume_row, int64_t stored_row) {
          float *to = tile + stored_row * p.tw * p.c;
          const int64_t begin = volume_row < 0 ? 0 : span.begin, end = volume_row < 0 ? 0 : span.end;
          const float *from = volume + std::max<int64_t>(volume_row, 0) * p.w * p.c;
          const auto stored = [&](int64_t x) { return to + (p.flip_x != 0 ? p.tw - 1 - x : x) * p.c; };
          for (int64_t x = 0; x < begin; ++x) std::fill_n(stored(x), p.c, 0.0f);
          if (p.flip_x == 0 && end > begin)
            std::copy_n(from + (p.ox + begin) * p.c, (end - begin) * p.c, to + begin * p.c);
          else
            for (int64_t x = begin; x < end; ++x) std::copy_n(from + (p.ox + x) * p.c, p.c, stored(x));
          for (int64_t x = end; x < p.tw; ++x) std::fill_n(stored(x), p.c, 0.0f);
        });
      });
}

extern "C" int32_t vg_window_accumulate(vg_context *context, const vg_window *problem, const float *tile,
                                        const float *weights, float factor, float *volume, float *weight_sum) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem);
        require_pointer("tile", tile);
        require_pointer("weights", weights);
        require_pointer("volume", volume);
      },
      [&] {
        const vg_window &p = *problem;
        const Span span = inside_span(p);
        for_rows(context, p, [&](int64_t row, int64_t volume_row, int64_t stored_row) {
          if (volume_row < 0) return;
          const float *from = tile + stored_row * p.tw * p.c;
          for (int64_t x = span.begin; x < span.end; ++x) {
            const float weight = weights[row * p.tw + x] * factor;
            const int64_t at = volume_row * p.w + p.ox + x;
            const float *__restrict t = from + (p.flip_x != 0 ? p.tw - 1 - x : x) * p.c;
            float *__restrict v = volume + at * p.c;
            for (int64_t c = 0; c < p.c; ++c) v[c] += weight * t[c];
            if (weight_sum != nullptr) weight_sum[at] += weight;
          }
        });
      });
}

extern "C" int32_t vg_window_normalize(vg_context *context, const vg_map *problem, const float *weight_sum,
                                       float *volume) {
  return dispatch(
      context, __func__,
      [&] {
        require_size(problem);
        require_tensor("volume", problem->n, problem->voxels, problem->c, problem->x_stride);
        require_pointer("weight_sum", weight_sum);
        require_pointer("volume", volume);
      },
      [&] {
        const vg_map &p = *problem;
        const Pieces pieces{p.n * p.voxels, voxel_grain(p.c)};
        parallel_for(context, pieces.count(), [&](int64_t i) {
          for (int64_t v = pieces.begin(i); v < pieces.end(i); ++v)
            for (int64_t c = 0; c < p.c; ++c) volume[v * p.x_stride + c] /= weight_sum[v];
        });
      });
}

// Norm tables over runs of voxels. Eight channels at a time keep their coefficients and sums in registers while they go
// through a stretch of voxels that stays in L1.
#include "fusion_lanes.h"
#include "norm_tile.h"

namespace vg::VG_TIER {

// Voxels of a stretch, few enough for sums in float32.
static inline int64_t stretch_of(int64_t channels) {
  constexpr int64_t floats = 2048, fewest = 8, most = 64;
  const int64_t voxels = floats / channels;
  return voxels < fewest ? fewest : voxels > most ? most : voxels;
}

// Calls body(first voxel, end, channel, lanes) for every stretch and eight channels.
template <class Body> static inline void for_stretches(int64_t count, int64_t channels, Body body) {
  const int64_t stretch = stretch_of(channels);
  for (int64_t begin = 0; begin < count; begin += stretch) {
    const int64_t end = count - begin < stretch ? count : begin + stretch;
    int64_t channel = 0;
    for (; channel + 8 <= channels; channel += 8) body(begin, end, channel, int64_t{8});
    if (channel < channels) body(begin, end, channel, channels - channel);
  }
}

void norm_values(const NormRun &r) {
  for_stretches(r.count, r.channels, [&](int64_t begin, int64_t end, int64_t channel, int64_t lanes) {
    const NormedInput value(r.norm, r.norm_row, channel, lanes);
    const float *x = r.x + begin * r.x_step + channel;
    float *y = r.y + begin * r.y_step + channel;
    for (int64_t v = begin; v < end; ++v, x += r.x_step, y += r.y_step)
      store_lanes(y, value(load_lanes(x, lanes)), lanes);
  });
}

void norm_input_gradient(const NormRun &r) {
  for_stretches(r.count, r.channels, [&](int64_t begin, int64_t end, int64_t channel, int64_t lanes) {
    const auto row = [&](vg_norm_row i) { return load_lanes(r.norm + i * r.norm_row + channel, lanes); };
    const v8 scale = row(VG_NORM_SCALE), mean = row(VG_NORM_MEAN), rstd = row(VG_NORM_RSTD);
    const v8 first = load_lanes(r.sums + channel, lanes) * r.share;
    const v8 second = load_lanes(r.sums + r.sums_row + channel, lanes) * r.share * rstd * rstd;
    const float *x = r.x + begin * r.x_step + channel, *g = r.g + begin * r.y_step + channel;
    float *y = r.y + begin * r.y_step + channel;
    for (int64_t v = begin; v < end; ++v, x += r.x_step, g += r.y_step, y += r.y_step) {
      const v8 off = load_lanes(x, lanes) - mean;
      store_lanes(y, scale * ((load_lanes(g, lanes) - first) - off * second), lanes);
    }
  });
}

template <class Output, bool Store> static void outputs(const OutputRun &r) {
  for_stretches(r.count, r.channels, [&](int64_t begin, int64_t end, int64_t channel, int64_t lanes) {
    Output output(r.work, channel, lanes);
    const float *from = r.from + begin * r.step + channel;
    float *y = r.y + begin * r.step + channel;
    if (r.first && begin == 0) {
      MeanLanes mean(load_lanes(from, lanes));
      for (int64_t v = 1; v < end; ++v) mean.add(load_lanes(from + v * r.step, lanes));
      output.begin(mean.value());
    }
    int64_t voxel = r.voxel + begin * r.voxel_step;
    for (int64_t v = begin; v < end; ++v, from += r.step, y += r.step, voxel += r.voxel_step) {
      const v8 out = output(load_lanes(from, lanes), voxel);
      if (Store) store_lanes(y, out, lanes);
    }
    output.end();
  });
}

void norm_outputs(const OutputRun &r) {
  if (r.work.kind == OutputKind::statistics)
    outputs<StatisticsOutput, false>(r);
  else if (r.work.kind == OutputKind::gradient)
    outputs<GradientOutput, true>(r);
}

} // namespace vg::VG_TIER

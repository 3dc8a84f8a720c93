// Norm tables over runs of voxels. Sums: eight channels at a time stay in registers while they go through a stretch of
// voxels that stays in L1, and ask for their lines of the next stretch, an order of memory that no processor guesses.
#include "fusion_lanes.h"
#include "norm_tile.h"

namespace vg::VG_TIER {

// Voxels of a stretch, few enough for sums in float32.
static inline int64_t stretch_of(int64_t channels) {
  constexpr int64_t floats = 1024, fewest = 8, most = 64;
  const int64_t voxels = floats / channels;
  return voxels < fewest ? fewest : voxels > most ? most : voxels;
}

// Calls body(channel, lanes) for all channels, eight at a time.
template <class Body> static VG_INLINE void for_channels(int64_t channels, Body body) {
  int64_t channel = 0;
  for (; channel + 8 <= channels; channel += 8) body(channel, int64_t{8});
  if (channel < channels) body(channel, channels - channel);
}

// Calls body(first voxel, end, channel, lanes) for every stretch and eight channels.
template <class Body> static inline void for_stretches(int64_t count, int64_t channels, Body body) {
  const int64_t stretch = stretch_of(channels);
  for (int64_t begin = 0; begin < count; begin += stretch) {
    const int64_t end = count - begin < stretch ? count : begin + stretch;
    for_channels(channels, [&](int64_t channel, int64_t lanes) { body(begin, end, channel, lanes); });
  }
}

// Values of stored inputs.
struct ValueLanes {
  ValueLanes(const NormRun &run, int64_t channel, int64_t count)
      : r(run), at(channel), lanes(count), value(run.norm, run.norm_row, channel, count) {}
  VG_INLINE void operator()(int64_t v) const {
    store_lanes(r.y + v * r.y_step + at, value(load_lanes(r.x + v * r.x_step + at, lanes)), lanes);
  }
  const NormRun &r;
  int64_t at, lanes;
  NormedInput value;
};

// Gradients of stored inputs.
struct InputGradientLanes {
  InputGradientLanes(const NormRun &run, int64_t channel, int64_t count)
      : r(run), at(channel), lanes(count), scale(row(VG_NORM_SCALE)), mean(row(VG_NORM_MEAN)) {
    const v8 rstd = row(VG_NORM_RSTD);
    first = load_lanes(run.sums + channel, count) * run.share;
    second = load_lanes(run.sums + run.sums_row + channel, count) * run.share * rstd * rstd;
  }
  v8 row(vg_norm_row i) const { return load_lanes(r.norm + i * r.norm_row + at, lanes); }
  VG_INLINE void operator()(int64_t v) const {
    const v8 off = load_lanes(r.x + v * r.x_step + at, lanes) - mean;
    const v8 g = load_lanes(r.g + v * r.y_step + at, lanes);
    store_lanes(r.y + v * r.y_step + at, scale * ((g - first) - off * second), lanes);
  }
  const NormRun &r;
  int64_t at, lanes;
  v8 scale, mean, first, second;
};

// Without sums nothing is gained by staying with some channels: voxel after voxel, as memory likes it, with
// coefficients from L1.
template <class Lanes> static void voxel_by_voxel(const NormRun &r) {
  if (r.channels <= 8) {
    const Lanes lanes(r, 0, r.channels);
    for (int64_t v = 0; v < r.count; ++v) lanes(v);
    return;
  }
  for (int64_t v = 0; v < r.count; ++v)
    for_channels(r.channels, [&](int64_t channel, int64_t count) { Lanes(r, channel, count)(v); });
}
void norm_values(const NormRun &r) { voxel_by_voxel<ValueLanes>(r); }
void norm_input_gradient(const NormRun &r) { voxel_by_voxel<InputGradientLanes>(r); }

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
    const int64_t ahead = end - begin;
    int64_t voxel = r.voxel + begin * r.voxel_step;
    for (int64_t v = begin; v < end; ++v, from += r.step, y += r.step, voxel += r.voxel_step) {
      __builtin_prefetch(from + ahead * r.step, Store);
      output.prefetch(voxel + ahead * r.voxel_step);
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

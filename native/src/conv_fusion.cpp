// Checks of vg_conv_fusion, and the sums that convolutions gather over their outputs.
#include "conv_fusion.h"
#include "moments.h"
#include "norm_tile.h"

#include <algorithm>
#include <cmath>

namespace vg {

void check_fusion(const vg_conv_fusion *fusion, const Fusable &can) {
  if (fusion == nullptr) return;
  require_size(fusion);
  const bool gradient = can.gradient > 0 && fusion->x_norm != nullptr;
  VG_REQUIRE(gradient == (fusion->x != nullptr) && gradient == (fusion->sums != nullptr),
             "fusion.x and fusion.sums belong to backward_input with fusion.x_norm, and only there");
  VG_REQUIRE(!gradient || fusion->x_stride >= can.gradient, "fusion.x_stride is %lld, must be at least ci = %lld",
             static_cast<long long>(fusion->x_stride), static_cast<long long>(can.gradient));
  VG_REQUIRE((fusion->gamma == nullptr) == (fusion->beta == nullptr),
             "fusion.gamma and fusion.beta must both be given or both be NULL");
  if (fusion->y_norm == nullptr) return;
  VG_REQUIRE(can.statistics > 0, "fusion.y_norm belongs to vg_conv3d_forward");
  VG_REQUIRE(can.statistics >= 2, "the output has one voxel; a norm needs at least 2");
  VG_REQUIRE(fusion->eps > 0 && std::isfinite(fusion->eps), "fusion.eps is %g, must be positive",
             static_cast<double>(fusion->eps));
}

// One channel of a table, from its statistics.
static void write_norm_table(const vg_conv_fusion &fusion, int64_t c, int64_t sample, int64_t channel, double mean,
                             double variance) {
  const double rstd = 1.0 / std::sqrt(variance + static_cast<double>(fusion.eps));
  const float scale =
      static_cast<float>(fusion.gamma != nullptr ? static_cast<double>(fusion.gamma[channel]) * rstd : rstd);
  const double beta = fusion.beta != nullptr ? static_cast<double>(fusion.beta[channel]) : 0.0;
  float *to = fusion.y_norm + sample * VG_NORM_ROWS * c + channel;
  to[VG_NORM_SCALE * c] = scale;
  // With the scale as it is rounded: the mean itself goes to beta.
  to[VG_NORM_SHIFT * c] = static_cast<float>(beta - mean * static_cast<double>(scale));
  to[VG_NORM_SLOPE * c] = fusion.slope;
  to[VG_NORM_MEAN * c] = static_cast<float>(mean);
  to[VG_NORM_RSTD * c] = static_cast<float>(rstd);
}

OutputSums::OutputSums(vg_context *context, const Fused &fused, int64_t n, int64_t c, int64_t items)
    : fused_(fused), n_(n), c_(c) {
  if (fused.statistics == nullptr && fused.gradient == nullptr) return;
  const int64_t slots = items + n;
  slots_.resize(static_cast<size_t>(slots));
  memory_ =
      std::make_unique<Workspace>(context, slots * row() * static_cast<int64_t>(2 * sizeof(double) + sizeof(float)));
}

OutputWork OutputSums::open(int64_t item, int64_t sample, int64_t voxels, int64_t channel, int64_t channels) {
  OutputWork work{};
  if (memory_ == nullptr) return work;
  const int64_t slot = item + sample; // no two parts of items have the same, as the order says
  if (channel == 0) slots_[static_cast<size_t>(slot)] = {sample, voxels};
  work.kind = fused_.gradient != nullptr ? OutputKind::gradient : OutputKind::statistics;
  work.first = memory_->as<double>() + slot * 2 * row() + channel;
  work.second = work.first + row();
  const int64_t padded = (channels + 7) / 8 * 8;
  std::fill_n(work.first, padded, 0.0);
  std::fill_n(work.second, padded, 0.0);
  const int64_t slots = static_cast<int64_t>(slots_.size());
  work.shift = reinterpret_cast<float *>(memory_->as<double>() + slots * 2 * row()) + slot * row() + channel;
  std::fill_n(work.shift, padded, 0.0f);
  if (fused_.gradient == nullptr) return work;
  work.x = fused_.gradient->x + channel;
  work.x_stride = fused_.gradient->x_stride;
  work.norm = fused_.gradient->x_norm + sample * VG_NORM_ROWS * c_ + channel;
  work.norm_row = c_;
  return work;
}

// Channels that are merged side by side.
static constexpr int64_t group = 16;

void OutputSums::merge_statistics(int64_t sample, int64_t channel, int64_t count) const {
  double total = 0, mean[group] = {}, deviation[group] = {};
  const int64_t slots = static_cast<int64_t>(slots_.size());
  for (int64_t s = 0; s < slots; ++s) {
    const Slot &slot = slots_[static_cast<size_t>(s)];
    if (slot.voxels == 0 || slot.sample != sample) continue;
    const double *first = memory_->as<double>() + s * 2 * row() + channel, *second = first + row();
    const float *shift = reinterpret_cast<float *>(memory_->as<double>() + slots * 2 * row()) + s * row() + channel;
    const double voxels = static_cast<double>(slot.voxels), before = total;
    for (int64_t c = 0; c < count; ++c) {
      const double off = first[c] / voxels, spread = second[c] - first[c] * off;
      total = before;
      merge_moments(total, mean[c], deviation[c], voxels, static_cast<double>(shift[c]) + off,
                    spread < 0 ? 0 : spread); // NaN stays
    }
  }
  for (int64_t c = 0; c < count; ++c)
    write_norm_table(*fused_.statistics, c_, sample, channel + c, mean[c], deviation[c] / total);
}

void OutputSums::merge_gradient(int64_t sample, int64_t channel, int64_t count) const {
  double first[group] = {}, second[group] = {};
  for (int64_t s = 0; s < static_cast<int64_t>(slots_.size()); ++s) {
    const Slot &slot = slots_[static_cast<size_t>(s)];
    if (slot.voxels == 0 || slot.sample != sample) continue;
    const double *from = memory_->as<double>() + s * 2 * row() + channel;
    for (int64_t c = 0; c < count; ++c) {
      first[c] += from[c];
      second[c] += from[row() + c];
    }
  }
  float *to = fused_.gradient->sums + sample * 2 * c_ + channel;
  for (int64_t c = 0; c < count; ++c) {
    to[c] = static_cast<float>(first[c]);
    to[c_ + c] = static_cast<float>(second[c]);
  }
}

void OutputSums::finish(vg_context *context) {
  if (memory_ == nullptr) return;
  const Pieces groups{c_, group};
  parallel_for(context, n_ * groups.count(), [&](int64_t i) {
    const int64_t sample = i / groups.count(), g = i % groups.count(), count = groups.end(g) - groups.begin(g);
    if (fused_.gradient != nullptr)
      merge_gradient(sample, groups.begin(g), count);
    else
      merge_statistics(sample, groups.begin(g), count);
  });
}

void fuse_outputs(vg_context *context, const vg_map &p, const Fused &fused, const float *from, float *y) {
  if (fused.statistics == nullptr && fused.gradient == nullptr) return;
  const Pieces pieces{p.voxels, voxel_grain(p.c)};
  OutputSums sums(context, fused, p.n, p.c, p.n * pieces.count());
  parallel_for(context, p.n * pieces.count(), [&](int64_t item) {
    const int64_t sample = item / pieces.count(), piece = item % pieces.count();
    OutputRun run{};
    run.count = pieces.end(piece) - pieces.begin(piece);
    run.channels = p.c;
    run.voxel = sample * p.voxels + pieces.begin(piece);
    run.voxel_step = 1;
    run.from = from + run.voxel * p.y_stride;
    run.y = y + run.voxel * p.y_stride;
    run.step = p.y_stride;
    run.first = true;
    run.work = sums.open(item, sample, run.count, 0, p.c);
    VG_PICK(context, norm_outputs)(run);
  });
  sums.finish(context);
}

} // namespace vg

// What convolutions do around their sums when the caller asks for it: the norm and activation of their input as they
// load it, statistics or gradient sums of their output as they store it.
#pragma once

#include "fusion_tile.h"
#include "internal.h"

#include <vector>

namespace vg {

// What a function can fuse beside the table of its input: the statistics of so many outputs of one sample (0: none),
// the sums of the gradient of so many input channels (0: none).
struct Fusable {
  int64_t statistics = 0;
  int64_t gradient = 0;
};
void check_fusion(const vg_conv_fusion *fusion, const Fusable &can);

// The fusion of one call as the kernels see it; at most one of the kinds of outputs is set.
struct Fused {
  const float *x_norm = nullptr;              // table of the tensor that is read, nullptr: it holds values
  const vg_conv_fusion *statistics = nullptr; // makes y_norm from the outputs
  const vg_conv_fusion *gradient = nullptr;   // outputs: gradients of the values of `x`, to become g, with its sums
  const float *dy_norm = nullptr; // weight gradient of a transposed convolution: table of what stands for dy
};
inline Fused fused_forward(const vg_conv_fusion *f) {
  if (f == nullptr) return {};
  return {f->x_norm, f->y_norm != nullptr ? f : nullptr, nullptr};
}
inline Fused fused_backward_input(const vg_conv_fusion *f) {
  return {nullptr, nullptr, f != nullptr && f->x_norm != nullptr ? f : nullptr};
}
inline Fused fused_backward_weight(const vg_conv_fusion *f) { return {f == nullptr ? nullptr : f->x_norm}; }

// Sums over the outputs of a call by sample and channel. Work items gather them in slots of their own, which are merged
// in float64 by index.
class OutputSums {
public:
  // Without wishes in `fused` nothing is gathered. Items come in the order of the samples they take outputs of.
  OutputSums(vg_context *context, const Fused &fused, int64_t n, int64_t c, int64_t items);
  // Work for `voxels` outputs that an item takes of a sample, in some channels; channel 0 must be among those of one of
  // the calls.
  OutputWork open(int64_t item, int64_t sample, int64_t voxels, int64_t channel, int64_t channels);
  bool wanted() const { return memory_ != nullptr; }
  void finish(vg_context *context);

private:
  struct Slot {
    int64_t sample = 0, voxels = 0;
  };
  int64_t row() const { return (c_ + 7) / 8 * 8; }
  void merge_statistics(int64_t sample, int64_t channel, int64_t count) const;
  void merge_gradient(int64_t sample, int64_t channel, int64_t count) const;

  Fused fused_;
  int64_t n_, c_;
  std::vector<Slot> slots_;
  std::unique_ptr<Workspace> memory_;
};

// Work on outputs in a pass of its own, from `from` to y, both with y_stride; they may be the same.
void fuse_outputs(vg_context *context, const vg_map &problem, const Fused &fused, const float *from, float *y);

} // namespace vg

// What convolutions do around their sums when the caller asks for it: the norm and activation of their input, and the
// statistics of their output.
#pragma once

#include "internal.h"

namespace vg {

// What a function can fuse beside the table of its input: the statistics of so many outputs of one sample (0: none),
// the sums of the gradient of so many input channels (0: none).
struct Fusable {
  int64_t statistics = 0;
  int64_t gradient = 0;
};
void check_fusion(const vg_conv_fusion *fusion, const Fusable &can);

// The input of a convolution as a dense tensor of values when it has a norm table, else as it is.
class NormalizedInput {
public:
  NormalizedInput(vg_context *context, const vg_conv3d &problem, const vg_conv_fusion *fusion, const float *x);
  const float *data() const { return x_; }
  vg_conv3d problem(const vg_conv3d &p) const {
    vg_conv3d dense = p;
    if (values_) dense.x_stride = p.ci;
    return dense;
  }

private:
  std::unique_ptr<Workspace> values_;
  const float *x_;
};

// dx: gradient of the values to gradient of a, with its sums; nothing without a norm table.
void fuse_gradient(vg_context *context, const vg_conv3d &problem, const vg_conv_fusion *fusion, float *dx);

// On the CPU, for checked problems. norm_table: statistics of y, with y_stride.
void norm_table(vg_context *context, const vg_map &problem, const vg_conv_fusion &fusion, const float *y);
void norm_apply(vg_context *context, const vg_map &problem, const float *x, const float *norm, float *y);
void norm_backward(vg_context *context, const vg_map &problem, const float *x, const float *norm, const float *dy,
                   float *g, float *sums);

} // namespace vg

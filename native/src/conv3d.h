// What the convolution and its transpose share: checks, and the convolution as the adjoint of the other.
#pragma once

#include "conv_fusion.h"
#include "internal.h"

#include <array>
#include <initializer_list>

namespace vg {

struct ConvAxis {
  int64_t in, kernel, stride, padding;
  int64_t out() const { return (in + 2 * padding - kernel) / stride + 1; }
};
using ConvAxes = std::array<ConvAxis, 3>; // z, y, x
ConvAxes conv_axes(const vg_conv3d &problem);

// Of one sample.
int64_t output_voxels(const vg_conv3d &problem);

// Fails when the product reaches 2^60.
int64_t checked_product(const char *what, std::initializer_list<int64_t> factors);
// n, channels, input and kernel sizes, without strides and padding.
void check_conv_sizes(const vg_conv3d *problem);

// On the CPU, for checked problems.
void conv3d_forward(vg_context *context, const vg_conv3d &problem, const float *x, const float *w, const float *b,
                    float *y, const Fused &fused);
void conv3d_backward_weight(vg_context *context, const vg_conv3d &problem, const float *x, const float *dy, float *dw,
                            const Fused &fused);

// db [c] = sum of dy over all voxels, in float64.
void sum_channels(vg_context *context, int64_t voxels, int64_t c, int64_t stride, const float *dy, float *db);

} // namespace vg

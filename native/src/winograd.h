// Convolutions of 3x3x3 and 1x3x3 taps with strides 1 and 2 with fewer multiplications.
#pragma once

#include "correlate.h"

namespace vg {

// Whether the correlation has the right shape and Winograd takes fewer operations than the direct way.
bool winograd_pays(const Correlation &problem);
// As correlate, with a single head at offset 0.
void winograd_correlate(vg_context *context, const Correlation &problem, const float *x, const Weights &weights,
                        const float *bias, float *y, const Fused &fused);
// The same with larger tiles, for the precision `fast`. pays: it takes clearly less than `cost` multiply-adds per pair
// of channels, the time of the other way.
bool winograd_fast_pays(const Correlation &problem, double cost);
void winograd_fast_correlate(vg_context *context, const Correlation &problem, const float *x, const Weights &weights,
                             const float *bias, float *y, const Fused &fused);
// As correlate_weight.
void winograd_weight(vg_context *context, const Correlation &problem, const float *x, const float *dy, float *dw,
                     const Fused &fused);

// Input gradient of a convolution with stride 2 in the plane.
bool winograd_strided_pays(const vg_conv3d &problem);
void winograd_strided_input(vg_context *context, const vg_conv3d &problem, const float *dy, const float *w, float *dx,
                            const Fused &fused);

} // namespace vg

// Correlations with 1 to 4 channels on one side: first layers, their input gradient, segmentation heads.
#pragma once

#include "correlate.h"

namespace vg {

// Whether the functions below take the problem; `single`: one head at offset 0.
bool few_inputs(const Correlation &problem);
bool few_outputs(const Correlation &problem);

// As correlate, with a single head at offset 0.
void few_inputs_correlate(vg_context *context, const Correlation &problem, const float *x, const Weights &weights,
                          const float *bias, float *y, const Fused &fused);
void few_outputs_correlate(vg_context *context, const Correlation &problem, const float *x, const Weights &weights,
                           const float *bias, float *y, const Fused &fused);

// As correlate_weight.
void few_inputs_weight(vg_context *context, const Correlation &problem, const float *x, const float *dy, float *dw,
                       const Fused &fused);
// A single tap at step 1 without padding.
bool few_outputs_weight_fits(const Correlation &problem);
void few_outputs_weight(vg_context *context, const Correlation &problem, const float *x, const float *dy, float *dw,
                        const Fused &fused);

} // namespace vg

// The one engine behind all convolutions on the CPU: a correlation of a tensor with taps on a regular grid, and the
// gradient of its weights. conv3d.cpp and conv_transpose3d.cpp express their six functions with it.
#pragma once

#include "conv_fusion.h"
#include "internal.h"

#include <vector>

namespace vg {

// One axis. Grid point o = 0..out-1 reads the inputs o * step + origin + t of the taps t = 0..taps-1, zero where they
// are outside 0..in-1, and stands for index place + pitch * o of an output axis of length `size`.
struct GridAxis {
  int64_t in, out, taps, step, origin;
  int64_t size, place, pitch;
};

struct Correlation {
  int64_t n, ci, co;
  GridAxis axis[3]; // z, y, x
  int64_t x_stride, y_stride;
  bool fast = false; // larger Winograd tiles where they pay
  int64_t taps() const { return axis[0].taps * axis[1].taps * axis[2].taps; }
  int64_t points() const { return axis[0].out * axis[1].out * axis[2].out; } // of one sample
};

// A weight of (output channel o, tap t, input channel i) lies at w[o * out_stride + tap[t] + i * in_stride]; the result
// goes to the grid's voxel plus y_offset elements. Several heads share one reading of the input.
struct Head {
  std::vector<int64_t> tap; // z, y, x order
  int64_t y_offset;
};
struct Weights {
  const float *w;
  int64_t out_stride, in_stride;
  std::vector<Head> heads;
};

// y = bias + sum over taps and input channels; bias [co] or NULL. Writes exactly the voxels of the grid. Statistics and
// gradient sums need a grid that is the whole output, and one head.
void correlate(vg_context *context, const Correlation &problem, const float *x, const Weights &weights,
               const float *bias, float *y, const Fused &fused);

// dw [co][taps][ci] = sum over samples and grid points of dy[point][co] * x[input of the tap][ci].
void correlate_weight(vg_context *context, const Correlation &problem, const float *x, const float *dy, float *dw,
                      const Fused &fused);

} // namespace vg

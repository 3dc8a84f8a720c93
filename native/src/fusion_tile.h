// What inner tiles know of the work around a convolution (conv_fusion.h): plain pointers, no inline functions.
#pragma once

#include <cstdint>

namespace vg {

enum class OutputKind : int32_t { plain, statistics, gradient };

// Work on outputs as they are stored, all of one sample. Sums are float64 [channels, rounded up to 8] and are added to.
struct OutputWork {
  OutputKind kind;
  double *first, *second; // statistics: of y - shift and its square; gradient: of g and g (x - mean)
  float *shift;           // statistics: about the mean, stored by the tile that starts the slot
  const float *x;         // gradient: the stored input, whose voxels are numbered as the outputs are
  int64_t x_stride;
  const float *norm; // gradient: its table of this sample ...
  int64_t norm_row;  // ... with this distance of rows
};

} // namespace vg

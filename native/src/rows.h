// Voxel-wise traversal: tensors of `rows` voxels with c channels are cut into runs of adjacent elements.
#pragma once

#include "internal.h"

namespace vg {

// Elements per piece of a dense tensor; as many as voxel_grain gives.
constexpr int64_t element_grain = 32768;

// Calls body(x_offset, y_offset, count) in parallel for runs that cover rows x c elements: long runs when both tensors
// are dense, else one run per voxel.
template <class Body>
void parallel_runs(const vg_context *context, int64_t rows, int64_t c, int64_t x_stride, int64_t y_stride,
                   Body &&body) {
  if (x_stride == c && y_stride == c) {
    const Pieces pieces{rows * c, element_grain};
    parallel_for(context, pieces.count(),
                 [&](int64_t i) { body(pieces.begin(i), pieces.begin(i), pieces.end(i) - pieces.begin(i)); });
    return;
  }
  const Pieces pieces{rows, voxel_grain(c)};
  parallel_for(context, pieces.count(), [&](int64_t i) {
    for (int64_t row = pieces.begin(i); row < pieces.end(i); ++row) body(row * x_stride, row * y_stride, c);
  });
}

inline void require_map(const vg_map *problem, bool has_x, bool has_y) {
  require_size(problem);
  require_tensor("x", problem->n, problem->voxels, problem->c, has_x ? problem->x_stride : problem->c);
  if (has_y) require_tensor("y", problem->n, problem->voxels, problem->c, problem->y_stride);
}

} // namespace vg

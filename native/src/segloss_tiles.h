// Inner tiles of segloss.cpp: a run of voxels of one sample.
#pragma once

#include "tile.h"

#include <cstdint>

namespace vg {

constexpr int64_t segloss_class_limit = 256; // labels are bytes

// Coefficients of the gradient, softmax: of a segment five rows of c floats, then the sum of the last row.
enum SeglossCoefficient {
  coefficient_a = 0,
  coefficient_k,
  coefficient_q,
  coefficient_h,
  coefficient_u,
  coefficient_rows
};
// Sigmoid: of a segment and channel K, K + A, U, -H, Q and three unused, so that two channels fill a cache line.
constexpr int64_t sigmoid_coefficients = 8;

// Bytes from one row of a table of targets to the next: rows are copied in words of eight bytes.
constexpr int64_t region_row(int64_t c) { return (c + 7) / 8 * 8; }

struct SeglossTile {
  int64_t voxels, c, x_stride, dx_stride;
  int32_t ignore_label;
  bool all_count;  // no voxel is masked, ignored or badly labelled
  bool bad_labels; // there are bytes that are no label
  const float *logits;
  const float *logits_end; // behind the last channel of the whole tensor: nothing is read from here on
  const uint8_t *labels;   // classes, or targets 0/1 with target_stride from voxel to voxel
  const uint8_t *regions;  // sigmoid: targets by class, 256 rows of region_row(c) bytes; NULL: labels are targets
  int32_t region_labels;   // classes are below
  int64_t target_stride;
  const uint8_t *mask;    // NULL: all
  const int32_t *segment; // [voxels]; NULL: all in 0; values are checked before

  // Forward.
  const float *true_weight, *other_weight; // NULL: 1 and 0
  bool want_nll, want_rest;                // sums of either nll; squares, or nll_other of softmax
  double *sums;                            // [segments][c][VG_SUM_KINDS], added to
  float *voxel_nll;                        // NULL: not wanted

  // Backward.
  const float *coefficients;                        // of the sample
  bool has_region, has_square, has_true, has_other; // rows that are not all zero
  const float *dvoxel_nll;                          // NULL: 0
  const float *nll_true, *nll_other;                // [c], weights of voxel_nll times upstream; NULL: all zero
  float nll_other_sum;
  bool accumulate; // add to dlogits
  float *dlogits;
};

VG_TILE(segloss_softmax_forward, const SeglossTile &tile)
VG_TILE(segloss_softmax_backward, const SeglossTile &tile)
VG_TILE(segloss_sigmoid_forward, const SeglossTile &tile)
VG_TILE(segloss_sigmoid_backward, const SeglossTile &tile)

} // namespace vg

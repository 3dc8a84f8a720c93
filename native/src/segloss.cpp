// The two passes that carry every segmentation loss: sums over voxels, and the gradient of a function of these sums.
//
//   softmax: p_c = exp(z_c)/sum_k exp(z_k), nll_c = logsumexp(z) - z_c
//   sigmoid: p = 1/(1+exp(-z)), nll = softplus(-z)
//   sums[n][segment][c] = (sum p y, sum p, sum p^2, sum nll y, sum of the other nll, sum y, voxels)
//   gradient, for a voxel of label t in segment s with the partials A,K,Q,H,U by the first five sums and, softmax only,
//   d by voxel_nll with the weights a,b: h = H[t] + d a[t], u_c = U[c] + d b[c];
//     softmax  g_c = A[t] [c=t] + K[c] + 2 p_c Q[c];  dz_c = p_c (g_c - sum_k p_k g_k)
//              + h (p_c - [c=t]) + p_c sum_k u_k - u_c
//     sigmoid  dz_c = p (1-p) (A y + K + 2 p Q) + H y (p-1) + U (1-y) p
//
// Logits [n][voxels][c] with a voxel stride; labels are classes [n][voxels], or targets 0/1 of each channel. Each
// sample is cut into pieces; a piece adds float32 blocks of 256 voxels in float64 and pieces are added in index order.
// With many segments there are fewer pieces, so that their partial sums take at most a byte a voxel. Bound by
// arithmetic for few classes (one exp per logit and pass), else by memory: logits twice, gradient once. Matches
// PyTorch's cross_entropy and binary_cross_entropy_with_logits and the Dice family of nnU-Net and MONAI through their
// sums. Masked, ignored and badly labelled voxels are left out by selection: a NaN there never leaks. A NaN logit in a
// voxel that counts makes its sums NaN. 1 - p_t is formed as the sum of the other classes, so gradients keep their
// relative accuracy when a class is almost certain.
#include "internal.h"
#include "segloss_tiles.h"

#include <algorithm>
#include <vector>

using namespace vg;

namespace {

bool class_labels(const vg_segloss &p) { return p.sigmoid == 0 || p.region_labels > 0; }

void check(const vg_segloss *problem, const float *logits, const uint8_t *labels, const uint8_t *regions) {
  require_size(problem);
  const vg_segloss &p = *problem;
  require_tensor("logits", p.n, p.voxels, p.c, p.x_stride);
  VG_REQUIRE(p.c <= segloss_class_limit, "c is %lld, labels are bytes: at most 256", static_cast<long long>(p.c));
  VG_REQUIRE(p.sigmoid == 0 || p.sigmoid == 1, "sigmoid is %d, must be 0 or 1", p.sigmoid);
  VG_REQUIRE(p.sigmoid == 1 || p.c >= 2, "softmax over a single class is constant; use sigmoid or 2 classes");
  VG_REQUIRE(p.ignore_label >= -1 && p.ignore_label <= 255, "ignore_label is %d, must be -1 (none) or 0 to 255",
             p.ignore_label);
  require_positive("segments", p.segments);
  VG_REQUIRE(p.segments < (int64_t{1} << 31), "segments is %lld, too many", static_cast<long long>(p.segments));
  VG_REQUIRE(p.region_labels >= 0 && p.region_labels <= 256, "region_labels is %d, must be 0 to 256", p.region_labels);
  VG_REQUIRE(p.region_labels == 0 || p.sigmoid == 1, "regions exist for sigmoid only");
  VG_REQUIRE(p.region_labels == 0 || regions != nullptr, "regions is NULL, but region_labels is %d", p.region_labels);
  VG_REQUIRE(class_labels(p) || p.target_stride >= p.c, "target_stride is %lld, must be at least c = %lld",
             static_cast<long long>(p.target_stride), static_cast<long long>(p.c));
  VG_REQUIRE(p.accumulate == 0 || p.accumulate == 1, "accumulate is %d, must be 0 or 1", p.accumulate);
  VG_REQUIRE(p.kinds >= 0 && p.kinds < 1 << VG_SUM_KINDS, "kinds is %d, must be 0 (all) or a combination of %d bits",
             p.kinds, VG_SUM_KINDS);
  require_pointer("logits", logits);
  require_pointer("labels", labels);
}

// Pieces of one sample, whole groups of eight voxels. Sums of `row` doubles belong to each: at most a byte a voxel,
// a quarter without segments.
Pieces pieces_of(const vg_segloss &p, int64_t row) {
  const int64_t row_bytes = row * static_cast<int64_t>(sizeof(double));
  const int64_t grain = std::max(voxel_grain(p.c), p.segments > 1 ? row_bytes : 4 * row_bytes);
  return {p.voxels, (std::min(grain, p.voxels) + 7) / 8 * 8};
}

// What the bytes of a run of voxels say.
struct Labels {
  int64_t bad = 0, first_bad = 0; // voxels with a byte that is no label, and that byte
  bool ignored = false;           // there may be voxels with the ignore label
};

uint8_t largest_byte(const uint8_t *bytes, int64_t count) {
  uint8_t top = 0;
  for (int64_t i = 0; i < count; ++i) top = std::max(top, bytes[i]);
  return top;
}

Labels scan_labels(const vg_segloss &p, const uint8_t *labels, int64_t voxels) {
  Labels found;
  const int64_t width = class_labels(p) ? 1 : p.c, stride = class_labels(p) ? 1 : p.target_stride;
  const int64_t classes = p.sigmoid == 0 ? p.c : class_labels(p) ? p.region_labels : 2;
  uint8_t top = 0;
  if (stride == width) top = largest_byte(labels, voxels * width);
  for (int64_t v = 0; stride != width && v < voxels; ++v) top = std::max(top, largest_byte(labels + v * stride, width));
  const int32_t ignore = class_labels(p) ? p.ignore_label : -1;
  if (ignore >= 0 && ignore <= top) {
    int32_t equal = 0;
    for (int64_t v = 0; v < voxels; ++v) equal |= static_cast<int32_t>(labels[v] == ignore);
    found.ignored = equal != 0;
  }
  for (int64_t v = 0; top >= classes && v < voxels; ++v) {
    const uint8_t *y = labels + v * stride;
    const uint8_t *wrong = std::find_if(y, y + width, [&](uint8_t b) { return b >= classes && b != ignore; });
    if (wrong != y + width && found.bad++ == 0) found.first_bad = *wrong;
  }
  return found;
}

// Index of the first value that is not a segment, -1 if there is none. Tiles index by segment.
int64_t wrong_segment(const vg_segloss &p, const int32_t *segment, int64_t count) {
  const auto end = static_cast<int32_t>(p.segments);
  int32_t wrong = 0;
  for (int64_t i = 0; i < count; ++i) wrong |= static_cast<int32_t>(segment[i] < 0) | (segment[i] >= end);
  if (wrong == 0) return -1;
  return std::find_if(segment, segment + count, [&](int32_t s) { return s < 0 || s >= end; }) - segment;
}

// Runs body(tile, sample, first voxel of all samples) for every piece that has good segments; fails afterwards if one
// has not. found[i] receives what the labels of piece i say.
template <class Body>
void for_each_piece(const vg_context *context, const vg_segloss &p, const Pieces &pieces, const SeglossTile &common,
                    std::vector<Labels> &found, Body &&body) {
  std::vector<int64_t> wrong(static_cast<size_t>(p.n * pieces.count()), -1);
  found.resize(wrong.size());
  parallel_for(context, p.n * pieces.count(), [&](int64_t i) {
    const int64_t sample = i / pieces.count(), piece = i % pieces.count();
    const int64_t first = sample * p.voxels + pieces.begin(piece);
    SeglossTile t = common;
    t.voxels = pieces.end(piece) - pieces.begin(piece);
    t.logits += first * p.x_stride;
    t.labels += first * (class_labels(p) ? 1 : p.target_stride);
    if (t.mask != nullptr) t.mask += first;
    if (t.segment != nullptr) {
      t.segment += first;
      const int64_t at = wrong_segment(p, t.segment, t.voxels);
      if (at >= 0) {
        wrong[static_cast<size_t>(i)] = first + at;
        return;
      }
    }
    const Labels labels = found[static_cast<size_t>(i)] = scan_labels(p, t.labels, t.voxels);
    t.bad_labels = labels.bad != 0;
    t.all_count = t.mask == nullptr && labels.bad == 0 && !labels.ignored;
    body(t, i, sample, first);
  });
  for (const int64_t i : wrong)
    VG_REQUIRE(i < 0, "segment is %d at sample %lld, voxel %lld, but there are %lld segments", common.segment[i],
               static_cast<long long>(i / p.voxels), static_cast<long long>(i % p.voxels),
               static_cast<long long>(p.segments));
}

SeglossTile tile_of(const vg_segloss &p, const float *logits, const uint8_t *labels, const uint8_t *mask,
                    const int32_t *segment) {
  SeglossTile t{};
  t.c = p.c;
  t.x_stride = p.x_stride;
  t.dx_stride = p.dx_stride;
  t.ignore_label = p.ignore_label;
  t.logits = logits;
  t.logits_end = logits + (p.n * p.voxels - 1) * p.x_stride + p.c;
  t.labels = labels;
  t.mask = mask;
  t.segment = segment;
  t.region_labels = p.region_labels;
  t.target_stride = p.target_stride;
  return t;
}

// Rows of targets by label, zero for labels that are no class, so that any byte is an index.
class RegionRows {
public:
  RegionRows(vg_context *context, const vg_segloss &p, const uint8_t *regions)
      : memory_(context, p.region_labels > 0 ? 256 * region_row(p.c) : 0), some_(p.region_labels > 0) {
    if (!some_) return;
    uint8_t *to = memory_.as<uint8_t>();
    std::fill_n(to, 256 * region_row(p.c), uint8_t{0});
    for (int64_t label = 0; label < p.region_labels; ++label)
      if (label != p.ignore_label) std::copy_n(regions + label * p.c, p.c, to + label * region_row(p.c));
  }
  const uint8_t *rows() const { return some_ ? memory_.as<uint8_t>() : nullptr; }

private:
  const Workspace memory_;
  const bool some_;
};

bool wanted(const vg_segloss &p, vg_segloss_sum sum) { return p.kinds == 0 || (p.kinds >> sum & 1) != 0; }

// Adds the partial sums [n][pieces][row] of a sample in index order; kinds that are not wanted are 0.
void add_partial_sums(const vg_context *context, const vg_segloss &p, int64_t pieces, int64_t row,
                      const double *partial, double *sums) {
  const Pieces columns{row, VG_SUM_KINDS * 512};
  parallel_for(context, p.n * columns.count(), [&](int64_t i) {
    const int64_t sample = i / columns.count(), begin = columns.begin(i % columns.count());
    const int64_t end = columns.end(i % columns.count());
    const double *from = partial + sample * pieces * row;
    double *to = sums + sample * row;
    std::copy(from + begin, from + end, to + begin);
    for (int64_t piece = 1; piece < pieces; ++piece)
      for (int64_t k = begin; k < end; ++k) to[k] += from[piece * row + k];
    for (int kind = 0; kind < VG_SUM_KINDS; ++kind)
      if (!wanted(p, static_cast<vg_segloss_sum>(kind)))
        for (int64_t k = begin + kind; k < end; k += VG_SUM_KINDS) to[k] = 0;
  });
}

} // namespace

extern "C" int32_t vg_segloss_forward(vg_context *context, const vg_segloss *problem, const float *logits,
                                      const uint8_t *labels, const uint8_t *regions, const uint8_t *mask,
                                      const int32_t *segment, const float *true_weight, const float *other_weight,
                                      double *sums, float *voxel_nll, int64_t *bad_labels) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem, logits, labels, regions);
        require_pointer("sums", sums);
        require_pointer("bad_labels", bad_labels);
        VG_REQUIRE(problem->sigmoid == 0 || voxel_nll == nullptr, "voxel_nll exists for softmax only");
      },
      [&] {
        const vg_segloss &p = *problem;
        const int64_t row = p.segments * p.c * VG_SUM_KINDS;
        const Pieces pieces = pieces_of(p, row);
        Workspace memory(context, p.n * pieces.count() * row * static_cast<int64_t>(sizeof(double)));
        double *partial = memory.as<double>();
        const RegionRows targets(context, p, regions);
        SeglossTile common = tile_of(p, logits, labels, mask, segment);
        common.regions = targets.rows();
        common.true_weight = true_weight;
        common.other_weight = other_weight;
        common.want_nll = voxel_nll != nullptr || wanted(p, VG_SUM_NLL_TRUE) || wanted(p, VG_SUM_NLL_OTHER);
        common.want_rest = wanted(p, VG_SUM_SQUARE) || (p.sigmoid == 0 && wanted(p, VG_SUM_NLL_OTHER));
        std::vector<Labels> found;
        const auto tile =
            p.sigmoid != 0 ? VG_PICK(context, segloss_sigmoid_forward) : VG_PICK(context, segloss_softmax_forward);
        for_each_piece(context, p, pieces, common, found, [&](SeglossTile &t, int64_t i, int64_t, int64_t first) {
          t.sums = partial + i * row;
          std::fill_n(t.sums, row, 0.0);
          if (voxel_nll != nullptr) t.voxel_nll = voxel_nll + first;
          tile(t);
        });
        add_partial_sums(context, p, pieces.count(), row, partial, sums);
        bad_labels[0] = bad_labels[1] = 0;
        for (const Labels &piece : found) {
          if (bad_labels[0] == 0) bad_labels[1] = piece.first_bad;
          bad_labels[0] += piece.bad;
        }
      });
}

namespace {

// Partials times upstream, rounded to float32 once. For softmax K may be shifted by a constant per segment, because the
// p of a voxel sum to 1: the shifted ones are small where all classes have nearly the same K.
void softmax_coefficients(const vg_segloss &p, const double *partials, float upstream, float *to) {
  const int64_t width = coefficient_rows * p.c + 1;
  const double u = upstream;
  for (int64_t s = 0; s < p.n * p.segments; ++s, to += width, partials += p.c * VG_SUM_KINDS) {
    const double shift = partials[VG_SUM_PROBABILITY];
    double other_sum = 0;
    for (int64_t c = 0; c < p.c; ++c) {
      const double *from = partials + c * VG_SUM_KINDS;
      to[coefficient_a * p.c + c] = static_cast<float>(u * from[VG_SUM_INTERSECTION]);
      to[coefficient_k * p.c + c] = static_cast<float>(u * (from[VG_SUM_PROBABILITY] - shift));
      to[coefficient_q * p.c + c] = static_cast<float>(u * from[VG_SUM_SQUARE]);
      to[coefficient_h * p.c + c] = static_cast<float>(u * from[VG_SUM_NLL_TRUE]);
      to[coefficient_u * p.c + c] = static_cast<float>(u * from[VG_SUM_NLL_OTHER]);
      other_sum += from[VG_SUM_NLL_OTHER];
    }
    to[coefficient_rows * p.c] = static_cast<float>(u * other_sum);
  }
}

void sigmoid_coefficients_of(const vg_segloss &p, const double *partials, float upstream, float *to) {
  const double u = upstream;
  for (int64_t i = 0; i < p.n * p.segments * p.c; ++i, to += sigmoid_coefficients, partials += VG_SUM_KINDS) {
    to[0] = static_cast<float>(u * partials[VG_SUM_PROBABILITY]);
    to[1] = static_cast<float>(u * (partials[VG_SUM_PROBABILITY] + partials[VG_SUM_INTERSECTION]));
    to[2] = static_cast<float>(u * partials[VG_SUM_NLL_OTHER]);
    to[3] = static_cast<float>(-u * partials[VG_SUM_NLL_TRUE]);
    to[4] = static_cast<float>(u * partials[VG_SUM_SQUARE]);
    to[5] = to[6] = to[7] = 0;
  }
}

bool any_nonzero(const vg_segloss &p, const double *partials, vg_segloss_sum sum) {
  for (int64_t i = 0; i < p.n * p.segments * p.c; ++i)
    if (partials[i * VG_SUM_KINDS + sum] != 0) return true;
  return false;
}

// Weights of voxel_nll times upstream: those of the true class, of all classes, and the sum of the latter.
struct VoxelWeights {
  float truth[segloss_class_limit], other[segloss_class_limit], other_sum;

  VoxelWeights(const vg_segloss &p, const float *true_weight, const float *other_weight, float upstream) {
    double sum = 0;
    for (int64_t c = 0; c < p.c; ++c) {
      truth[c] = true_weight != nullptr ? upstream * true_weight[c] : upstream;
      other[c] = other_weight != nullptr ? upstream * other_weight[c] : 0.0f;
      sum += other[c];
    }
    other_sum = static_cast<float>(sum);
  }
};

} // namespace

extern "C" int32_t vg_segloss_backward(vg_context *context, const vg_segloss *problem, const float *logits,
                                       const uint8_t *labels, const uint8_t *regions, const uint8_t *mask,
                                       const int32_t *segment, const float *true_weight, const float *other_weight,
                                       const double *partials, const float *dvoxel_nll, float upstream,
                                       float *dlogits) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem, logits, labels, regions);
        require_tensor("dlogits", problem->n, problem->voxels, problem->c, problem->dx_stride);
        require_pointer("partials", partials);
        require_pointer("dlogits", dlogits);
        VG_REQUIRE(problem->sigmoid == 0 || dvoxel_nll == nullptr, "dvoxel_nll exists for softmax only");
      },
      [&] {
        const vg_segloss &p = *problem;
        const int64_t width = p.segments * (p.sigmoid != 0 ? sigmoid_coefficients * p.c : coefficient_rows * p.c + 1);
        Workspace memory(context, p.n * width * static_cast<int64_t>(sizeof(float)));
        float *coefficients = memory.as<float>();
        (p.sigmoid != 0 ? sigmoid_coefficients_of : softmax_coefficients)(p, partials, upstream, coefficients);
        const VoxelWeights weights(p, true_weight, other_weight, upstream);
        const RegionRows targets(context, p, regions);
        SeglossTile common = tile_of(p, logits, labels, mask, segment);
        common.regions = targets.rows();
        common.has_square = any_nonzero(p, partials, VG_SUM_SQUARE);
        common.has_region = common.has_square || any_nonzero(p, partials, VG_SUM_INTERSECTION) ||
                            any_nonzero(p, partials, VG_SUM_PROBABILITY);
        common.has_true = any_nonzero(p, partials, VG_SUM_NLL_TRUE);
        common.has_other = any_nonzero(p, partials, VG_SUM_NLL_OTHER);
        common.nll_true = weights.truth;
        common.nll_other = other_weight != nullptr ? weights.other : nullptr;
        common.nll_other_sum = weights.other_sum;
        common.accumulate = p.accumulate != 0;
        std::vector<Labels> found;
        const auto tile =
            p.sigmoid != 0 ? VG_PICK(context, segloss_sigmoid_backward) : VG_PICK(context, segloss_softmax_backward);
        const Pieces pieces{p.voxels, (voxel_grain(p.c) + 7) / 8 * 8};
        for_each_piece(context, p, pieces, common, found, [&](SeglossTile &t, int64_t, int64_t sample, int64_t first) {
          t.coefficients = coefficients + sample * width;
          if (dvoxel_nll != nullptr) t.dvoxel_nll = dvoxel_nll + first;
          t.dlogits = dlogits + first * p.dx_stride;
          tile(t);
        });
      });
}

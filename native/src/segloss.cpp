// The two passes that carry every segmentation loss: sums over voxels, and the gradient of a function of these sums.
//
//   softmax: p_c = exp(z_c)/sum_k exp(z_k), nll_c = logsumexp(z) - z_c;   sigmoid: p = 1/(1+exp(-z)), nll =
//   softplus(-z) sums[n][segment][c] = (sum p y, sum p, sum p^2, sum nll y, sum of the other nll, sum y, voxels)
//   gradient, for a voxel of label t in segment s with the partials A,K,Q,H,U by the first five sums and weight w:
//     softmax  g_c = A[t] [c=t] + K[c] + 2 p_c Q[c];  dz_c = p_c (g_c - sum_k p_k g_k)
//              + w (H[t] (p_c - [c=t]) + p_c sum_k U[k] - U[c])
//     sigmoid  dz_c = p (1-p) (A y + K + 2 p Q) + w (H y (p-1) + U (1-y) p)
//
// Logits [n][voxels][c] with a voxel stride, labels softmax [n][voxels], sigmoid [n][voxels][c]. Each sample is cut
// into pieces; a piece adds float32 blocks of 256 voxels in float64 and pieces are added in index order. With many
// segments there are fewer pieces, so that their partial sums stay below 64 MB. Bound by arithmetic for few classes
// (one exp per logit and pass), else by memory: logits twice, gradient once. Matches PyTorch's cross_entropy and
// binary_cross_entropy_with_logits and the Dice family of nnU-Net and MONAI through their sums. Masked, ignored and
// badly labelled voxels are left out by selection: a NaN there never leaks. A NaN logit in a voxel that counts makes
// its sums NaN. 1 - p_t is formed as the sum of the other classes, so gradients keep their relative accuracy when a
// class is almost certain.
#include "internal.h"
#include "segloss_tiles.h"

#include <algorithm>
#include <vector>

using namespace vg;

namespace {

constexpr int64_t partial_limit_bytes = int64_t{64} << 20;

void check(const vg_segloss *problem, const float *logits, const uint8_t *labels) {
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
  require_pointer("logits", logits);
  require_pointer("labels", labels);
}

// Pieces of one sample, whole groups of eight voxels.
Pieces pieces_of(const vg_segloss &p) {
  const int64_t sums_bytes = p.segments * p.c * VG_SUM_KINDS * static_cast<int64_t>(sizeof(double));
  const int64_t most = std::max<int64_t>(1, partial_limit_bytes / sums_bytes / p.n);
  const int64_t grain = std::max(voxel_grain(p.c), (p.voxels + most - 1) / most);
  return {p.voxels, (grain + 7) / 8 * 8};
}

SeglossTile tile_of(const vg_segloss &p, const Pieces &pieces, int64_t item, const float *logits, const uint8_t *labels,
                    const uint8_t *mask, const int32_t *segment) {
  const int64_t sample = item / pieces.count(), piece = item % pieces.count();
  const int64_t first = sample * p.voxels + pieces.begin(piece);
  SeglossTile t{};
  t.voxels = pieces.end(piece) - pieces.begin(piece);
  t.c = p.c;
  t.x_stride = p.x_stride;
  t.dx_stride = p.dx_stride;
  t.ignore_label = p.ignore_label;
  t.logits = logits + first * p.x_stride;
  t.logits_end = logits + (p.n * p.voxels - 1) * p.x_stride + p.c;
  t.labels = labels + first * (p.sigmoid != 0 ? p.c : 1);
  t.mask = mask != nullptr ? mask + first : nullptr;
  t.segment = segment != nullptr ? segment + first : nullptr;
  return t;
}

// Tiles index by segment, so the values are checked first.
void check_segments(const vg_context *context, const vg_segloss &p, const int32_t *segment) {
  if (segment == nullptr) return;
  const Pieces pieces{p.n * p.voxels, 65536};
  std::vector<int64_t> bad(static_cast<size_t>(pieces.count()), -1);
  parallel_for(context, pieces.count(), [&](int64_t i) {
    for (int64_t v = pieces.begin(i); v < pieces.end(i) && bad[static_cast<size_t>(i)] < 0; ++v)
      if (segment[v] < 0 || segment[v] >= p.segments) bad[static_cast<size_t>(i)] = v;
  });
  for (const int64_t v : bad)
    VG_REQUIRE(v < 0, "segment is %d at sample %lld, voxel %lld, but there are %lld segments", segment[v],
               static_cast<long long>(v / p.voxels), static_cast<long long>(v % p.voxels),
               static_cast<long long>(p.segments));
}

struct BadLabels {
  int64_t voxels = 0, first = 0;
};

BadLabels bad_labels_of(const vg_segloss &p, const uint8_t *labels, int64_t voxels) {
  BadLabels bad;
  const auto note = [&](int64_t value) {
    if (bad.voxels++ == 0) bad.first = value;
  };
  if (p.sigmoid != 0) {
    uint8_t all = 0;
    for (int64_t i = 0; i < voxels * p.c; ++i) all = static_cast<uint8_t>(all | labels[i]);
    if (all <= 1) return bad;
    for (int64_t v = 0; v < voxels; ++v) {
      const uint8_t *y = labels + v * p.c;
      const uint8_t *found = std::find_if(y, y + p.c, [](uint8_t value) { return value > 1; });
      if (found != y + p.c) note(*found);
    }
    return bad;
  }
  if (p.c == 256) return bad;
  const auto c = static_cast<uint8_t>(p.c);
  const int32_t ignore = p.ignore_label;
  int64_t suspicious = 0;
  for (int64_t v = 0; v < voxels; ++v) suspicious += labels[v] >= c;
  for (int64_t v = 0; suspicious > 0 && v < voxels; ++v)
    if (labels[v] >= c && labels[v] != ignore) note(labels[v]);
  return bad;
}

} // namespace

extern "C" int32_t vg_segloss_forward(vg_context *context, const vg_segloss *problem, const float *logits,
                                      const uint8_t *labels, const uint8_t *mask, const int32_t *segment,
                                      const float *true_weight, const float *other_weight, double *sums,
                                      float *voxel_nll, int64_t *bad_labels) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem, logits, labels);
        require_pointer("sums", sums);
        require_pointer("bad_labels", bad_labels);
        VG_REQUIRE(problem->sigmoid == 0 || voxel_nll == nullptr, "voxel_nll exists for softmax only");
      },
      [&] {
        const vg_segloss &p = *problem;
        check_segments(context, p, segment);
        const Pieces pieces = pieces_of(p);
        const int64_t row = p.segments * p.c * VG_SUM_KINDS;
        Workspace memory(context, p.n * pieces.count() * row * static_cast<int64_t>(sizeof(double)));
        double *partial = memory.as<double>();
        std::vector<BadLabels> bad(static_cast<size_t>(p.n * pieces.count()));
        const auto tile =
            p.sigmoid != 0 ? VG_PICK(context, segloss_sigmoid_forward) : VG_PICK(context, segloss_softmax_forward);
        parallel_for(context, p.n * pieces.count(), [&](int64_t i) {
          SeglossTile t = tile_of(p, pieces, i, logits, labels, mask, segment);
          bad[static_cast<size_t>(i)] = bad_labels_of(p, t.labels, t.voxels);
          t.true_weight = true_weight;
          t.other_weight = other_weight;
          t.sums = partial + i * row;
          std::fill_n(t.sums, row, 0.0);
          if (voxel_nll != nullptr)
            t.voxel_nll = voxel_nll + i / pieces.count() * p.voxels + pieces.begin(i % pieces.count());
          tile(t);
        });
        for (int64_t b = 0; b < p.n; ++b) {
          double *to = sums + b * row;
          std::copy_n(partial + b * pieces.count() * row, row, to);
          for (int64_t i = 1; i < pieces.count(); ++i) {
            const double *from = partial + (b * pieces.count() + i) * row;
            for (int64_t k = 0; k < row; ++k) to[k] += from[k];
          }
        }
        bad_labels[0] = bad_labels[1] = 0;
        for (const BadLabels &found : bad) {
          if (bad_labels[0] == 0) bad_labels[1] = found.first;
          bad_labels[0] += found.voxels;
        }
      });
}

namespace {

// Partials times upstream, rounded to float32 once. For softmax K may be shifted by a constant per segment, because the
// p of a voxel sum to 1: the shifted ones are small where all classes have nearly the same K.
void make_coefficients(const vg_segloss &p, const double *partials, float upstream, float *to) {
  const int64_t width = coefficient_rows * p.c + 1;
  const double u = upstream;
  for (int64_t s = 0; s < p.n * p.segments; ++s, to += width, partials += p.c * VG_SUM_KINDS) {
    const double shift = p.sigmoid != 0 ? 0.0 : partials[VG_SUM_PROBABILITY];
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

bool any_nonzero(const vg_segloss &p, const float *coefficients, SeglossCoefficient row) {
  for (int64_t s = 0; s < p.n * p.segments; ++s) {
    const float *from = coefficients + s * (coefficient_rows * p.c + 1) + row * p.c;
    for (int64_t c = 0; c < p.c; ++c)
      if (from[c] != 0.0f) return true;
  }
  return false;
}

} // namespace

extern "C" int32_t vg_segloss_backward(vg_context *context, const vg_segloss *problem, const float *logits,
                                       const uint8_t *labels, const uint8_t *mask, const int32_t *segment,
                                       const float *true_weight, const float *other_weight, const double *partials,
                                       const float *dvoxel_nll, float upstream, float *dlogits) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem, logits, labels);
        require_tensor("dlogits", problem->n, problem->voxels, problem->c, problem->dx_stride);
        require_pointer("partials", partials);
        require_pointer("dlogits", dlogits);
        VG_REQUIRE(dvoxel_nll == nullptr && true_weight == nullptr && other_weight == nullptr, "not yet");
      },
      [&] {
        const vg_segloss &p = *problem;
        check_segments(context, p, segment);
        const int64_t width = p.segments * (coefficient_rows * p.c + 1);
        Workspace memory(context, p.n * width * static_cast<int64_t>(sizeof(float)));
        float *coefficients = memory.as<float>();
        make_coefficients(p, partials, upstream, coefficients);
        const bool has_square = any_nonzero(p, coefficients, coefficient_q);
        const bool has_region =
            has_square || any_nonzero(p, coefficients, coefficient_a) || any_nonzero(p, coefficients, coefficient_k);
        const bool has_true = any_nonzero(p, coefficients, coefficient_h);
        const bool has_other = any_nonzero(p, coefficients, coefficient_u);
        const Pieces pieces{p.voxels, (voxel_grain(p.c) + 7) / 8 * 8};
        const auto tile =
            p.sigmoid != 0 ? VG_PICK(context, segloss_sigmoid_backward) : VG_PICK(context, segloss_softmax_backward);
        parallel_for(context, p.n * pieces.count(), [&](int64_t i) {
          SeglossTile t = tile_of(p, pieces, i, logits, labels, mask, segment);
          const int64_t sample = i / pieces.count(), first = sample * p.voxels + pieces.begin(i % pieces.count());
          t.coefficients = coefficients + sample * width;
          t.has_region = has_region;
          t.has_square = has_square;
          t.has_true = has_true;
          t.has_other = has_other;
          t.dlogits = dlogits + first * p.dx_stride;
          tile(t);
        });
      });
}

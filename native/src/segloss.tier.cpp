// Inner tiles of segloss.cpp: eight voxels at a time, one vector per class. Softmax is instantiated for 2 to 8 classes,
// whose vectors stay in registers or the first-level cache, and once for any number.
#include "segloss_tiles.h"
#include "vector_math.h"
#include "voxgrad.h"

namespace vg::VG_TIER {

static constexpr int64_t limit = segloss_class_limit;
// Groups of eight voxels added in float32 before the sums move to float64.
static constexpr int64_t block_groups = 32;

// What belongs to the eight voxels of a group besides logits.
struct Group {
  v8i on;    // voxel counts
  v8i label; // softmax only
  int64_t lanes;
};

static inline v8i load_ints(const int32_t *p) {
  typedef int32_t v8i_unaligned __attribute__((vector_size(32), aligned(4), may_alias));
  return *reinterpret_cast<const v8i_unaligned *>(p);
}

static inline v8i bytes_of(const uint8_t *p, int64_t lanes) {
  if (lanes == 8) return load_bytes(p);
  v8i v{};
  for (int64_t i = 0; i < lanes; ++i) v[i] = p[i];
  return v;
}
static inline v8i first_lanes(int64_t lanes) {
  return v8i{0, 1, 2, 3, 4, 5, 6, 7} < broadcast_int(static_cast<int32_t>(lanes));
}
static inline v8 floats_of(const float *p, int64_t lanes) { return lanes == 8 ? load(p) : load_some(p, lanes); }

static inline v8i counted(const SeglossTile &t, int64_t v, int64_t lanes) {
  v8i on = first_lanes(lanes);
  if (t.mask != nullptr) on &= bytes_of(t.mask + v, lanes) != 0;
  return on;
}

static inline Group softmax_group(const SeglossTile &t, int64_t v, int64_t lanes, int64_t c) {
  Group g{counted(t, v, lanes), bytes_of(t.labels + v, lanes), lanes};
  g.on &= (g.label < broadcast_int(static_cast<int32_t>(c))) & (g.label != broadcast_int(t.ignore_label));
  return g;
}

static inline bool readable(const SeglossTile &t, int64_t v, int64_t c) {
  return v + 8 <= t.voxels && t.logits + (v + 7) * t.x_stride + (c + 3) / 4 * 4 <= t.logits_end;
}
// The logits of group v; returns the number of its voxels.
static inline int64_t load_logits(const SeglossTile &t, int64_t v, int64_t c, v8 *z) {
  const float *p = t.logits + v * t.x_stride;
  if (__builtin_expect(readable(t, v, c), 1)) {
    load_voxels(p, t.x_stride, c, z);
    return 8;
  }
  const int64_t lanes = t.voxels - v < 8 ? t.voxels - v : 8;
  load_last_voxels(p, t.x_stride, c, lanes, z);
  return lanes;
}

// exp(z - max) by class, their sum and its inverse. rest = sum - 1 is summed without the largest class, so that
// log(sum) keeps its relative accuracy when one class is almost certain. z becomes z - max.
struct Exponentials {
  v8 sum, inverse, rest;
};
static inline Exponentials exponentials(int64_t c, v8 *z, v8 *e) {
  v8 top = z[0];
  for (int64_t i = 1; i < c; ++i) top = z[i] > top ? z[i] : top;
  v8 small{}, ties = broadcast(-1.0f);
  for (int64_t i = 0; i < c; ++i) {
    z[i] -= top;
    e[i] = exp_nonpositive(z[i]);
    const v8i is_top = z[i] == 0.0f;
    small += masked(~is_top, e[i]);
    ties += masked(is_top, e[i]); // exactly 1 each
  }
  const v8 rest = small + ties, sum = 1.0f + rest;
  return {sum, 1.0f / sum, rest};
}

// Running sums of one segment: five float32 vectors and a counter per class.
template <int64_t Limit> struct Sums {
  v8 value[Limit][5];
  v8i count[Limit];
  v8i voxels;
};
template <int64_t Limit> static inline void clear(Sums<Limit> &s, int64_t c) {
  for (int64_t i = 0; i < c; ++i) {
    for (int k = 0; k < 5; ++k) s.value[i][k] = v8{};
    s.count[i] = v8i{};
  }
  s.voxels = v8i{};
}
static inline double lane_count(v8i negative) {
  int64_t n = 0;
  for (int i = 0; i < 8; ++i) n -= negative[i];
  return static_cast<double>(n);
}
template <int64_t Limit> static inline void flush(Sums<Limit> &s, int64_t c, double *to) {
  const double voxels = lane_count(s.voxels);
  for (int64_t i = 0; i < c; ++i, to += VG_SUM_KINDS) {
    for (int k = 0; k < 5; ++k) to[k] += lane_sum(s.value[i][k]);
    to[VG_SUM_COUNT] += lane_count(s.count[i]);
    to[VG_SUM_VOXELS] += voxels;
  }
  clear(s, c);
}

// Where the sums of a group go. Groups inside one segment are added to the vectors of that segment; a group that
// straddles segments is added to the float64 sums lane by lane.
template <int64_t Limit> struct Router {
  const SeglossTile &tile;
  int64_t c;
  Sums<Limit> sums;
  int32_t current = 0;
  int64_t pending = 0;

  Router(const SeglossTile &t, int64_t classes) : tile(t), c(classes) { clear(sums, c); }
  double *target(int32_t segment) const { return tile.sums + segment * c * VG_SUM_KINDS; }
  void finish() {
    flush(sums, c, target(current));
    pending = 0;
  }
  // True: add to `sums`. False: scatter.
  bool select(int64_t v, int64_t lanes) {
    if (tile.segment == nullptr) return true;
    const int32_t first = tile.segment[v];
    bool uniform = true;
    if (lanes == 8)
      uniform = !any(load_ints(tile.segment + v) != broadcast_int(first));
    else
      for (int64_t i = 1; i < lanes; ++i) uniform &= tile.segment[v + i] == first;
    if (uniform && first != current) {
      finish();
      current = first;
    }
    return uniform;
  }
  void advance() {
    if (++pending == block_groups) finish();
  }
};

// Adds one group: p, nll_true (where y) and nll_other by class; y is a lane mask.
template <int64_t Limit>
static inline void add(Router<Limit> &r, int64_t i, v8i on, v8i y, v8 p, v8 nll_true, v8 nll_other) {
  v8 *s = r.sums.value[i];
  const v8 counted_p = masked(on, p);
  const v8i is = on & y;
  s[VG_SUM_INTERSECTION] += masked(is, p);
  s[VG_SUM_PROBABILITY] += counted_p;
  s[VG_SUM_SQUARE] += counted_p * counted_p;
  s[VG_SUM_NLL_TRUE] += masked(is, nll_true);
  s[VG_SUM_NLL_OTHER] += masked(on, nll_other);
  r.sums.count[i] += is;
}
template <int64_t Limit>
static void scatter(const Router<Limit> &r, int64_t v, int64_t i, v8i on, v8i y, v8 p, v8 nll_true, v8 nll_other) {
  for (int64_t lane = 0; lane < 8; ++lane) {
    if (on[lane] == 0) continue;
    double *to = r.target(r.tile.segment[v + lane]) + i * VG_SUM_KINDS;
    const double probability = p[lane];
    to[VG_SUM_PROBABILITY] += probability;
    to[VG_SUM_SQUARE] += probability * probability;
    to[VG_SUM_NLL_OTHER] += nll_other[lane];
    to[VG_SUM_VOXELS] += 1;
    if (y[lane] == 0) continue;
    to[VG_SUM_INTERSECTION] += probability;
    to[VG_SUM_NLL_TRUE] += nll_true[lane];
    to[VG_SUM_COUNT] += 1;
  }
}

static inline void put_lanes(float *p, v8 value, int64_t lanes) {
  if (lanes == 8)
    store(p, value);
  else
    store_some(p, value, lanes);
}

// ---- softmax ----------------------------------------------------------------------------------------------------

// nll[i] = negative log-likelihood of class i; weighted sum of the true one and of all, 0 where the voxel does not
// count.
static inline v8 weighted_nll(const SeglossTile &t, int64_t c, const Group &g, const v8 *nll) {
  v8 value{};
  for (int64_t i = 0; i < c; ++i) {
    const float weight = t.true_weight != nullptr ? t.true_weight[i] : 1.0f;
    value += masked(g.label == broadcast_int(static_cast<int32_t>(i)), nll[i] * weight);
    if (t.other_weight != nullptr && t.other_weight[i] != 0.0f) value += nll[i] * t.other_weight[i];
  }
  return masked(g.on, value);
}

template <int64_t Classes> static void softmax_forward(const SeglossTile &t) {
  constexpr int64_t room = (Classes == 0 ? limit : Classes) + 3;
  const int64_t c = Classes == 0 ? t.c : Classes;
  v8 z[room], e[room];
  Router<Classes == 0 ? limit : Classes> router(t, c);
  for (int64_t v = 0; v < t.voxels; v += 8) {
    const int64_t lanes = load_logits(t, v, c, z);
    const Group g = softmax_group(t, v, lanes, c);
    const Exponentials x = exponentials(c, z, e);
    const v8 log_sum = log1p_given(x.rest, x.sum, x.inverse);
    const bool together = router.select(v, lanes);
    for (int64_t i = 0; i < c; ++i) {
      const v8 p = e[i] * x.inverse, nll = log_sum - z[i];
      z[i] = nll;
      const v8i y = g.label == broadcast_int(static_cast<int32_t>(i));
      if (together)
        add(router, i, g.on, y, p, nll, nll);
      else
        scatter(router, v, i, g.on, y, p, nll, nll);
    }
    if (together) {
      router.sums.voxels += g.on;
      router.advance();
    }
    if (t.voxel_nll != nullptr) put_lanes(t.voxel_nll + v, weighted_nll(t, c, g, z), lanes);
  }
  router.finish();
}

// Coefficient vectors of a group: broadcast for a segment, gathered where a group straddles segments.
template <int64_t Limit> struct Coefficients {
  v8 row[coefficient_rows][Limit];
  v8 other_sum;
};
template <int64_t Limit>
static void broadcast_coefficients(const SeglossTile &t, int64_t c, int64_t segment, Coefficients<Limit> &k) {
  const float *from = t.coefficients + segment * (coefficient_rows * c + 1);
  for (int64_t r = 0; r < coefficient_rows; ++r)
    for (int64_t i = 0; i < c; ++i) k.row[r][i] = broadcast(from[r * c + i]);
  k.other_sum = broadcast(from[coefficient_rows * c]);
}
template <int64_t Limit>
static void gather_coefficients(const SeglossTile &t, int64_t c, int64_t v, int64_t lanes, Coefficients<Limit> &k) {
  for (int64_t lane = 0; lane < lanes; ++lane) {
    const float *from = t.coefficients + t.segment[v + lane] * (coefficient_rows * c + 1);
    for (int64_t r = 0; r < coefficient_rows; ++r)
      for (int64_t i = 0; i < c; ++i) k.row[r][i][lane] = from[r * c + i];
    k.other_sum[lane] = from[coefficient_rows * c];
  }
}
// Coefficients in `k` serve group v; `current` is the segment they were broadcast from, -1 for none.
template <int64_t Limit>
static inline void prepare(const SeglossTile &t, int64_t c, int64_t v, int64_t lanes, int32_t &current,
                           Coefficients<Limit> &k) {
  int32_t wanted = 0;
  if (t.segment != nullptr) {
    wanted = t.segment[v];
    bool uniform = true;
    if (lanes == 8)
      uniform = !any(load_ints(t.segment + v) != broadcast_int(wanted));
    else
      for (int64_t i = 1; i < lanes; ++i) uniform &= t.segment[v + i] == wanted;
    if (!uniform) {
      gather_coefficients(t, c, v, lanes, k);
      current = -1;
      return;
    }
  }
  if (wanted == current) return;
  broadcast_coefficients(t, c, wanted, k);
  current = wanted;
}

static inline void store_gradient(const SeglossTile &t, int64_t v, int64_t c, int64_t lanes, const v8 *dz) {
  float *to = t.dlogits + v * t.dx_stride;
  if (lanes == 8)
    store_voxels(to, t.dx_stride, c, dz);
  else
    store_last_voxels(to, t.dx_stride, c, lanes, dz);
}

// dz_i += p_i (g_i - sum_k p_k g_k). The g are taken relative to that of the most likely class, which changes nothing
// in exact arithmetic and keeps the digits when that class is almost certain.
template <int64_t Limit>
static inline void region_part(const SeglossTile &t, int64_t c, v8i label, const v8 *z, const v8 *p,
                               const Coefficients<Limit> &k, v8 *g, v8 *dz) {
  v8 top{};
  for (int64_t i = 0; i < c; ++i) {
    const v8i y = label == broadcast_int(static_cast<int32_t>(i));
    v8 value = k.row[coefficient_k][i] + masked(y, k.row[coefficient_a][i]);
    if (t.has_square) value += 2.0f * p[i] * k.row[coefficient_q][i];
    g[i] = value;
    top = z[i] == 0.0f ? value : top;
  }
  v8 mean{};
  for (int64_t i = 0; i < c; ++i) {
    g[i] -= top;
    mean += p[i] * g[i];
  }
  for (int64_t i = 0; i < c; ++i) dz[i] += p[i] * (g[i] - mean);
}

template <int64_t Classes> static void softmax_backward(const SeglossTile &t) {
  constexpr int64_t room = (Classes == 0 ? limit : Classes) + 3;
  const int64_t c = Classes == 0 ? t.c : Classes;
  v8 z[room], p[room], g[room], dz[room] = {};
  Coefficients<Classes == 0 ? limit : Classes> k{};
  int32_t current = -1;
  for (int64_t v = 0; v < t.voxels; v += 8) {
    const int64_t lanes = load_logits(t, v, c, z);
    const Group group = softmax_group(t, v, lanes, c);
    const Exponentials x = exponentials(c, z, p);
    prepare(t, c, v, lanes, current, k);
    const v8 weight = t.voxel_weight != nullptr ? floats_of(t.voxel_weight + v, lanes) : broadcast(1.0f);
    // Of the true class: its coefficient, and 1 - p as the sum of the others.
    v8 true_weight{}, others{};
    for (int64_t i = 0; i < c; ++i) {
      const v8i y = group.label == broadcast_int(static_cast<int32_t>(i));
      true_weight += masked(y, k.row[coefficient_h][i]);
      others += masked(~y, p[i]);
      p[i] *= x.inverse;
      dz[i] = v8{};
    }
    if (t.has_region) region_part(t, c, group.label, z, p, k, g, dz);
    if (t.has_true) {
      const v8 h = weight * true_weight, minus_rest = -(others * x.inverse);
      for (int64_t i = 0; i < c; ++i)
        dz[i] += h * (group.label == broadcast_int(static_cast<int32_t>(i)) ? minus_rest : p[i]);
    }
    if (t.has_other)
      for (int64_t i = 0; i < c; ++i) dz[i] += weight * (p[i] * k.other_sum - k.row[coefficient_u][i]);
    for (int64_t i = 0; i < c; ++i) dz[i] = masked(group.on, dz[i]);
    store_gradient(t, v, c, lanes, dz);
  }
}

#define VG_BY_CLASSES(function)                                                                                        \
  switch (t.c) {                                                                                                       \
  case 2:                                                                                                              \
    return function<2>(t);                                                                                             \
  case 3:                                                                                                              \
    return function<3>(t);                                                                                             \
  case 4:                                                                                                              \
    return function<4>(t);                                                                                             \
  case 5:                                                                                                              \
    return function<5>(t);                                                                                             \
  case 6:                                                                                                              \
    return function<6>(t);                                                                                             \
  case 7:                                                                                                              \
    return function<7>(t);                                                                                             \
  case 8:                                                                                                              \
    return function<8>(t);                                                                                             \
  default:                                                                                                             \
    return function<0>(t);                                                                                             \
  }

void segloss_softmax_forward(const SeglossTile &t) { VG_BY_CLASSES(softmax_forward) }
void segloss_softmax_backward(const SeglossTile &t) { VG_BY_CLASSES(softmax_backward) }

// ---- sigmoid ----------------------------------------------------------------------------------------------------

// Targets by class; a voxel with a byte other than 0 and 1 does not count.
static inline v8i sigmoid_targets(const SeglossTile &t, int64_t v, int64_t c, int64_t lanes, v8i *y) {
  v8i on = counted(t, v, lanes);
  const uint8_t *p = t.labels + v * c;
  for (int64_t i = 0; i < c; ++i) {
    v8i b{};
    if (c == 1)
      b = bytes_of(p, lanes);
    else
      for (int64_t lane = 0; lane < lanes; ++lane) b[lane] = p[lane * c + i];
    on &= b <= 1;
    y[i] = b == 1;
  }
  return on;
}

// p, 1 - p and log(1 + exp(-|z|)), none with cancellation.
struct Sigmoid {
  v8 p, rest, log_part;
};
template <bool Log> static inline Sigmoid sigmoid_of(v8 z) {
  const v8 e = exp_nonpositive(-absolute(z));
  const v8 u = 1.0f + e, inverse = 1.0f / u;
  const v8 large = inverse, small = e * inverse;
  const v8i positive = z >= 0.0f;
  return {positive ? large : small, positive ? small : large, Log ? log1p_given(e, u, inverse) : v8{}};
}

void segloss_sigmoid_forward(const SeglossTile &t) {
  const int64_t c = t.c;
  v8 z[limit + 3];
  v8i y[limit];
  Router<limit> router(t, c);
  for (int64_t v = 0; v < t.voxels; v += 8) {
    const int64_t lanes = load_logits(t, v, c, z);
    const v8i on = sigmoid_targets(t, v, c, lanes, y);
    const bool together = router.select(v, lanes);
    for (int64_t i = 0; i < c; ++i) {
      const Sigmoid s = sigmoid_of<true>(z[i]);
      const v8 nll = s.log_part + (z[i] < 0.0f ? -z[i] : v8{});
      const v8 complement = masked(~y[i], s.log_part + (z[i] > 0.0f ? z[i] : v8{}));
      if (together)
        add(router, i, on, y[i], s.p, nll, complement);
      else
        scatter(router, v, i, on, y[i], s.p, nll, complement);
    }
    if (together) {
      router.sums.voxels += on;
      router.advance();
    }
  }
  router.finish();
}

void segloss_sigmoid_backward(const SeglossTile &t) {
  const int64_t c = t.c;
  v8 z[limit + 3];
  v8i y[limit];
  Coefficients<limit> k;
  int32_t current = -1;
  for (int64_t v = 0; v < t.voxels; v += 8) {
    const int64_t lanes = load_logits(t, v, c, z);
    const v8i on = sigmoid_targets(t, v, c, lanes, y);
    prepare(t, c, v, lanes, current, k);
    const v8 weight = t.voxel_weight != nullptr ? floats_of(t.voxel_weight + v, lanes) : broadcast(1.0f);
    for (int64_t i = 0; i < c; ++i) {
      const Sigmoid s = sigmoid_of<false>(z[i]);
      v8 g = k.row[coefficient_k][i] + masked(y[i], k.row[coefficient_a][i]);
      if (t.has_square) g += 2.0f * s.p * k.row[coefficient_q][i];
      const v8 nll = y[i] ? -(k.row[coefficient_h][i] * s.rest) : k.row[coefficient_u][i] * s.p;
      z[i] = masked(on, s.p * s.rest * g + weight * nll);
    }
    store_gradient(t, v, c, lanes, z);
  }
}

} // namespace vg::VG_TIER

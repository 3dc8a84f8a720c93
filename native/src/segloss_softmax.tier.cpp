// Inner tiles of segloss.cpp for softmax: eight voxels at a time, one vector per class. Instantiated for 2 to 8
// classes, whose vectors stay in registers or the first-level cache, and once for any number.
#include "segloss_lanes.h"

namespace vg::VG_TIER {

namespace {

constexpr int64_t limit = segloss_limit;
template <int64_t Classes> constexpr int64_t room = Classes == 0 ? limit : Classes;

struct Group {
  v8i label, on; // on: the voxel counts
  int64_t lanes;
};
// Groups that pass through each step of a tile together: the steps of one group wait for one another, those of
// different groups do not. More than fit the first-level cache would not help.
template <int64_t Classes> constexpr int64_t together = Classes == 0 ? 1 : 8;

VG_INLINE bool readable(const SeglossTile &t, int64_t v, int64_t c) {
  return v + 8 <= t.voxels && t.logits + (v + 7) * t.x_stride + (c + 3) / 4 * 4 <= t.logits_end;
}
// Labels and logits of the voxels from v. Plain: all eight are there, readable and count.
template <bool Plain> VG_INLINE Group load_group(const SeglossTile &t, int64_t v, int64_t c, v8 *z) {
  const float *p = t.logits + v * t.x_stride;
  if (Plain || readable(t, v, c)) {
    load_voxels(p, t.x_stride, c, z);
    if (Plain) return {load_bytes(t.labels + v), v8i{} - 1, 8};
  }
  const int64_t lanes = t.voxels - v < 8 ? t.voxels - v : 8;
  if (!readable(t, v, c)) load_last_voxels(p, t.x_stride, c, lanes, z);
  Group g{bytes_of(t.labels + v, lanes), counted(t, v, lanes), lanes};
  g.on &= (g.label < broadcast_int(static_cast<int32_t>(c))) & (g.label != broadcast_int(t.ignore_label));
  return g;
}
// First voxel of the groups that are not plain.
inline int64_t plain_voxels(const SeglossTile &t, int64_t c) {
  if (!t.all_count || t.segment != nullptr) return 0;
  int64_t v = t.voxels / 8 * 8;
  while (v > 0 && !readable(t, v - 8, c)) v -= 8;
  return v;
}
VG_INLINE v8i is_class(v8i label, int64_t i) { return label == broadcast_int(static_cast<int32_t>(i)); }

// exp(z - max) by class and the inverse of their sum; z becomes z - max. rest = sum - 1 is summed without the largest
// class, so that log(sum) keeps its relative accuracy when one class is almost certain.
struct Exponentials {
  v8 inverse, rest;
};
// Four classes play a tournament: the winner's exponential is 1, and the other three are the rest. A NaN never wins all
// its games, so it reaches the rest.
struct Tournament {
  v8i first, third, left; // 0 beat 1, 2 beat 3, the winner is 0 or 1
  template <class T> VG_INLINE T winner(const T *of) const {
    return left ? (first ? of[0] : of[1]) : (third ? of[2] : of[3]);
  }
};
VG_INLINE Exponentials exponentials_of_four(const v8 *z, v8 *e, Tournament &games) {
  const v8i first = z[0] >= z[1], third = z[2] >= z[3];
  const v8 winner01 = first ? z[0] : z[1], loser01 = first ? z[1] : z[0];
  const v8 winner23 = third ? z[2] : z[3], loser23 = third ? z[3] : z[2];
  const v8i left = winner01 >= winner23;
  const v8 top = left ? winner01 : winner23, second = left ? winner23 : winner01;
  const v8 e_second = exp_nonpositive(second - top), e01 = exp_nonpositive(loser01 - top);
  const v8 e23 = exp_nonpositive(loser23 - top), one = broadcast(1.0f);
  const v8 e_winner01 = left ? one : e_second, e_winner23 = left ? e_second : one;
  e[0] = first ? e_winner01 : e01;
  e[1] = first ? e01 : e_winner01;
  e[2] = third ? e_winner23 : e23;
  e[3] = third ? e23 : e_winner23;
  games = {first, third, left};
  const v8 rest = e_second + (e01 + e23);
  return {1.0f / (1.0f + rest), rest};
}
template <int64_t Classes> VG_INLINE Exponentials exponentials(int64_t c, v8 *z, v8 *e) {
  if constexpr (Classes == 2) {
    const v8 d = z[1] - z[0], rest = exp_nonpositive(-absolute(d)), one = broadcast(1.0f);
    const v8i second = d > 0.0f;
    e[0] = second ? rest : one;
    e[1] = second ? one : rest;
    z[0] = masked(second, -d);
    z[1] = masked(~second, d);
    return {1.0f / (1.0f + rest), rest};
  }
  if constexpr (Classes == 4) {
    Tournament games;
    const Exponentials x = exponentials_of_four(z, e, games);
    const v8 top = games.winner(z);
    for (int i = 0; i < 4; ++i) z[i] -= top;
    return x;
  }
  v8 top = z[0];
  for (int64_t i = 1; i < c; ++i) top = larger(z[i], top);
  v8 small{};
  v8i ties = v8i{} - 1; // of the largest: how many beside the first
  for (int64_t i = 0; i < c; ++i) {
    z[i] -= top;
    e[i] = exp_nonpositive(z[i]);
    const v8i is_top = z[i] == 0.0f;
    small += masked(~is_top, e[i]);
    ties -= is_top;
  }
  const v8 rest = small + __builtin_convertvector(ties, v8);
  return {1.0f / (1.0f + rest), rest};
}
template <int64_t Classes> VG_INLINE v8 log_of_sum(const Exponentials &x) {
  if constexpr (Classes == 2) return log1p_unit(x.rest);
  if constexpr (Classes == 3 || Classes == 4) return log1p_three(x.rest);
  return log1p_given(x.rest, 1.0f + x.rest, x.inverse);
}

inline void put_lanes(float *p, v8 value, int64_t lanes) {
  if (lanes == 8)
    store(p, value);
  else
    store_some(p, value, lanes);
}

// ---- forward ----------------------------------------------------------------------------------------------------

// Adds a group by class: p, nll where y is set and, if Rest, squares and nll of all. nll = log_sum - z.
template <bool Plain, bool Rest> VG_INLINE void add(Cell &s, v8i on, v8i y, v8 p, v8 nll) {
  const v8i is = Plain ? y : on & y;
  const v8 counted_p = Plain ? p : masked(on, p);
  s.value[VG_SUM_INTERSECTION] += masked(is, p);
  s.value[VG_SUM_PROBABILITY] += counted_p;
  s.value[VG_SUM_NLL_TRUE] += masked(is, nll);
  s.count += is;
  if (Rest) {
    s.value[VG_SUM_SQUARE] += counted_p * counted_p;
    s.value[VG_SUM_NLL_OTHER] += Plain ? nll : masked(on, nll);
  }
}

template <int64_t Classes, bool Rest> class Forward {
public:
  explicit Forward(const SeglossTile &tile) : t(tile) {
    const int64_t c = classes();
    for (int64_t i = 0; i < c; ++i) home[i] = away[i] = Cell{};
  }

  void run() {
    int64_t v = 0;
    const int64_t plain = plain_voxels(t, classes()), stride = 8 * together<Classes>;
    for (; v + stride <= plain; v += stride) {
#pragma GCC unroll 1
      for (int64_t i = 0; i < together<Classes>; ++i) load<true>(v + 8 * i, stage[i]);
#pragma GCC unroll 1
      for (int64_t i = 0; i < together<Classes>; ++i) add_group<true>(v + 8 * i, stage[i]);
    }
    for (; v < t.voxels; v += 8) {
      load<false>(v, stage[0]);
      add_group<false>(v, stage[0]);
    }
    finish();
  }

private:
  const SeglossTile &t;
  // A constant where it is known, so that loops over classes are unrolled.
  int64_t classes() const { return Classes == 0 ? t.c : Classes; }
  Cell home[room<Classes>], away[room<Classes>]; // `voxels` of class 0 serves all classes
  v8i segment{};                                 // of the lanes of `away`
  int64_t pending = 0, certain = 0;              // groups and plain voxels since the last flush

  struct Stage {
    v8 z[room<Classes> + 3], e[room<Classes> + 3];
    Group group;
    Exponentials x;
  };
  Stage stage[together<Classes>];

  template <bool Plain> VG_INLINE void load(int64_t v, Stage &s) {
    s.group = load_group<Plain>(t, v, classes(), s.z);
    s.x = exponentials<Classes>(classes(), s.z, s.e);
  }
  template <bool Plain> VG_INLINE void add_group(int64_t v, const Stage &s) {
    const int64_t c = classes();
    const Group &g = s.group;
    const v8 *z = s.z, *e = s.e, inverse = s.x.inverse;
    const v8 log_sum = t.want_nll ? log_of_sum<Classes>(s.x) : v8{};
    v8i at_home = g.on, elsewhere{};
    const bool mixed = !Plain && t.segment != nullptr && route(v, g, at_home, elsewhere);
    for (int64_t i = 0; i < c; ++i) {
      const v8 p = e[i] * inverse, nll = log_sum - z[i];
      const v8i y = is_class(g.label, i);
      add<Plain, Rest>(home[i], at_home, y, p, nll);
      if (mixed) add<false, Rest>(away[i], elsewhere, y, p, nll);
    }
    if (Plain)
      certain += 8;
    else
      home[0].voxels += at_home;
    if (mixed) away[0].voxels += elsewhere;
    if (t.voxel_nll != nullptr) put_lanes(t.voxel_nll + v, weighted_nll(g, z, log_sum), g.lanes);
    if (++pending == segloss_block) finish();
  }

  // Splits the voxels that count; false when all are at home.
  bool route(int64_t v, const Group &g, v8i &at_home, v8i &elsewhere) {
    const v8i wanted = ints_of(t.segment + v, g.lanes);
    elsewhere = g.on & (wanted != 0);
    if (!any(elsewhere)) return false;
    at_home = g.on & ~elsewhere;
    const v8i changed = elsewhere & (wanted != segment);
    if (any(changed)) {
      release(changed);
      segment = changed ? wanted : segment;
    }
    return true;
  }

  void release(v8i lanes) {
    const int64_t c = classes();
    for (int lane = 0; lane < 8; ++lane) {
      if (lanes[lane] == 0 || away[0].voxels[lane] == 0) continue;
      double *to = t.sums + segment[lane] * c * VG_SUM_KINDS;
      for (int64_t i = 0; i < c; ++i, to += VG_SUM_KINDS) {
        add_lane(away[i], lane, to);
        to[VG_SUM_VOXELS] -= away[0].voxels[lane];
      }
    }
    for (int64_t i = 0; i < c; ++i) clear(away[i], lanes);
  }

  void finish() {
    const int64_t c = classes();
    const double voxels = lane_count(home[0].voxels) + static_cast<double>(certain);
    for (int64_t i = 0; i < c; ++i) {
      double *to = t.sums + i * VG_SUM_KINDS;
      add_lanes(home[i], to);
      to[VG_SUM_VOXELS] += voxels;
      home[i] = Cell{};
    }
    if (t.segment != nullptr) release(v8i{} - 1);
    pending = certain = 0;
  }

  // Weighted sum of the nll of the true class and of all; 0 where the voxel does not count.
  v8 weighted_nll(const Group &g, const v8 *z, v8 log_sum) const {
    const int64_t c = classes();
    v8 value{};
    for (int64_t i = 0; i < c; ++i) {
      const float weight = t.true_weight != nullptr ? t.true_weight[i] : 1.0f;
      value += masked(is_class(g.label, i), (log_sum - z[i]) * weight);
      if (t.other_weight != nullptr && t.other_weight[i] != 0.0f) value += (log_sum - z[i]) * t.other_weight[i];
    }
    return masked(g.on, value);
  }
};

// ---- backward ---------------------------------------------------------------------------------------------------

template <int64_t Classes> class Backward {
public:
  explicit Backward(const SeglossTile &tile)
      : t(tile), region_and_true_only(tile.has_region && tile.has_true && !tile.has_square && !tile.has_other &&
                                      tile.dvoxel_nll == nullptr) {}

  void run() {
    int64_t v = 0;
    if (t.segment == nullptr) broadcast_coefficients(0);
    const int64_t plain = plain_voxels(t, classes()), stride = 8 * together<Classes>;
    for (; v + stride <= plain; v += stride) {
#pragma GCC unroll 1
      for (int64_t i = 0; i < together<Classes>; ++i) load<true>(v + 8 * i, stage[i]);
#pragma GCC unroll 1
      for (int64_t i = 0; i < together<Classes>; ++i) differentiate<true>(v + 8 * i, stage[i]);
    }
    for (; v < t.voxels; v += 8) {
      load<false>(v, stage[0]);
      differentiate<false>(v, stage[0]);
    }
  }

private:
  const SeglossTile &t;
  const bool region_and_true_only; // as in Dice + cross entropy
  // A constant where it is known, so that loops over classes are unrolled.
  int64_t classes() const { return Classes == 0 ? t.c : Classes; }
  // Coefficients of the current group: broadcast for a segment, gathered where a group straddles segments.
  v8 row[coefficient_rows][room<Classes>];
  v8 other_sum;
  int32_t current = -1; // segment they were broadcast from
  // Of a broadcast segment with at most eight classes: the coefficients H as lanes, and K + A by class.
  v8 true_by_label{}, region_true[8];

  struct Stage {
    v8 z[room<Classes> + 3], p[room<Classes> + 3];
    Group group;
    v8 product;       // of both p, two classes only
    Tournament games; // four classes in the short way only, which needs no z
  };
  Stage stage[together<Classes>];

  template <bool Plain> VG_INLINE void load(int64_t v, Stage &s) {
    const int64_t c = classes();
    s.group = load_group<Plain>(t, v, c, s.z);
    if constexpr (Classes == 2) {
      const v8 d = s.z[1] - s.z[0], e = exp_nonpositive(-absolute(d));
      const v8 large = 1.0f / (1.0f + e), small = e * large;
      const v8i positive = d >= 0.0f;
      s.p[0] = positive ? small : large;
      s.p[1] = positive ? large : small;
      s.product = large * small;
    } else if (Classes == 4 && Plain && region_and_true_only) {
      const v8 inverse = exponentials_of_four(s.z, s.p, s.games).inverse;
      for (int64_t i = 0; i < c; ++i) s.p[i] *= inverse;
    } else {
      const Exponentials x = exponentials<Classes>(c, s.z, s.p);
      for (int64_t i = 0; i < c; ++i) s.p[i] *= x.inverse;
    }
  }

  template <bool Plain> VG_INLINE void differentiate(int64_t v, const Stage &s) {
    const int64_t c = classes();
    const Group &g = s.group;
    v8 dz[room<Classes> + 3];
    for (int64_t i = c; i < (c + 3) / 4 * 4; ++i) dz[i] = v8{}; // stored in fours
    if (!Plain && t.segment != nullptr) prepare(v, g.lanes);
    if constexpr (Classes == 2)
      binary(v, g, s.p, s.product, dz);
    else if (Plain && Classes != 0 && region_and_true_only)
      region_and_true(s, dz);
    else
      general(v, g, s.z, s.p, dz);
    if (!Plain)
      for (int64_t i = 0; i < c; ++i) dz[i] = masked(g.on, dz[i]);
    float *to = t.dlogits + v * t.dx_stride;
    if (t.accumulate)
      add_gradient(to, g.lanes, dz);
    else if (Plain || g.lanes == 8)
      store_voxels(to, t.dx_stride, c, dz);
    else
      store_last_voxels(to, t.dx_stride, c, g.lanes, dz);
  }
  void add_gradient(float *to, int64_t lanes, const v8 *dz) const {
    float dense[8 * room<Classes>];
    store_last_voxels(dense, classes(), classes(), lanes, dz);
    add_voxels(to, t.dx_stride, classes(), lanes, dense);
  }

  void prepare(int64_t v, int64_t lanes) {
    const int32_t first = t.segment[v];
    const v8i wanted = lanes == 8 ? load_ints(t.segment + v) : broadcast_int(first);
    bool uniform = !any(wanted != broadcast_int(first));
    for (int64_t i = 1; lanes < 8 && i < lanes; ++i) uniform &= t.segment[v + i] == first;
    if (!uniform)
      gather_coefficients(v, lanes);
    else if (first != current)
      broadcast_coefficients(first);
  }
  void broadcast_coefficients(int32_t segment) {
    const int64_t c = classes();
    const float *from = t.coefficients + segment * (coefficient_rows * c + 1);
    for (int64_t r = 0; r < coefficient_rows; ++r)
      for (int64_t i = 0; i < c; ++i) row[r][i] = broadcast(from[r * c + i]);
    other_sum = broadcast(from[coefficient_rows * c]);
    for (int64_t i = 0; i < c && i < 8; ++i) {
      true_by_label[i] = from[coefficient_h * c + i];
      region_true[i] = row[coefficient_k][i] + row[coefficient_a][i];
    }
    current = segment;
  }
  void gather_coefficients(int64_t v, int64_t lanes) {
    const int64_t c = classes();
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const float *from = t.coefficients + t.segment[v + lane] * (coefficient_rows * c + 1);
      for (int64_t r = 0; r < coefficient_rows; ++r)
        for (int64_t i = 0; i < c; ++i) row[r][i][lane] = from[r * c + i];
      other_sum[lane] = from[coefficient_rows * c];
    }
    current = -1;
  }

  // Derivative by the nll of the true class, without the part of voxel_nll.
  VG_INLINE v8 true_part(v8i label) const {
    const int64_t c = classes();
    v8 h{};
    for (int64_t i = 0; i < c; ++i) h += masked(is_class(label, i), row[coefficient_h][i]);
    return h;
  }
  // Adds the derivative through voxel_nll: by the nll of the true class to h; the others go to dz.
  void voxel_part(int64_t v, const Group &g, const v8 *p, v8 &h, v8 *dz) const {
    const int64_t c = classes();
    const v8 d = floats_of(t.dvoxel_nll + v, g.lanes);
    for (int64_t i = 0; i < c; ++i) h += masked(is_class(g.label, i), d * t.nll_true[i]);
    if (t.nll_other == nullptr) return;
    for (int64_t i = 0; i < c; ++i) dz[i] += d * (p[i] * t.nll_other_sum - t.nll_other[i]);
  }

  // dz_i = p_i (g_i - sum_k p_k g_k). The g are taken relative to that of the most likely class, which changes nothing
  // in exact arithmetic and keeps the digits when that class is almost certain.
  VG_INLINE void region_part(v8i label, const v8 *z, const v8 *p, v8 *dz) const {
    const int64_t c = classes();
    v8 top{};
    for (int64_t i = 0; i < c; ++i) {
      v8 value = row[coefficient_k][i] + masked(is_class(label, i), row[coefficient_a][i]);
      if (t.has_square) value += 2.0f * p[i] * row[coefficient_q][i];
      dz[i] = value;
      top = z[i] == 0.0f ? value : top;
    }
    v8 mean{};
    for (int64_t i = 0; i < c; ++i) {
      dz[i] -= top;
      mean += p[i] * dz[i];
    }
    for (int64_t i = 0; i < c; ++i) dz[i] = p[i] * (dz[i] - mean);
  }

  // region_part and the true class of `general` in fewer steps, for sums without squares (Dice + cross entropy):
  // dz_i = p_i (g_i - mean + h), and p_t (g_t - mean) - h others for the true class.
  VG_INLINE void region_and_true(const Stage &s, v8 *dz) const {
    const int64_t c = classes();
    const v8i label = s.group.label;
    const v8 *p = s.p;
    v8 top{}, mean{}, others{};
    for (int64_t i = 0; i < c; ++i) {
      dz[i] = is_class(label, i) ? region_true[i] : row[coefficient_k][i];
      if (Classes != 4) top = s.z[i] == 0.0f ? dz[i] : top;
    }
    if (Classes == 4) top = s.games.winner(dz);
    for (int64_t i = 0; i < c; ++i) {
      dz[i] -= top;
      mean += p[i] * dz[i];
      others += masked(~is_class(label, i), p[i]);
    }
    const v8 h = (v8)permute((v8i)true_by_label, label), minus_mean = -mean, all = h - mean, wrong = -(h * others);
    for (int64_t i = 0; i < c; ++i) {
      const v8i y = is_class(label, i);
      dz[i] = p[i] * (dz[i] + (y ? minus_mean : all)) + masked(y, wrong);
    }
  }

  // 1 - p of the true class is formed as the sum of the others.
  VG_INLINE void general(int64_t v, const Group &g, const v8 *z, const v8 *p, v8 *dz) const {
    const int64_t c = classes();
    if (t.has_region)
      region_part(g.label, z, p, dz);
    else
      for (int64_t i = 0; i < c; ++i) dz[i] = v8{};
    if (t.has_other)
      for (int64_t i = 0; i < c; ++i) dz[i] += p[i] * other_sum - row[coefficient_u][i];
    if (!t.has_true && t.dvoxel_nll == nullptr) return;
    v8 h = true_part(g.label);
    if (t.dvoxel_nll != nullptr) voxel_part(v, g, p, h, dz);
    v8 others{};
    for (int64_t i = 0; i < c; ++i) others += masked(~is_class(g.label, i), p[i]);
    const v8 wrong = -(h * others);
    for (int64_t i = 0; i < c; ++i) dz[i] += is_class(g.label, i) ? wrong : h * p[i];
  }

  // Two classes: everything follows from z_1 - z_0, and the two derivatives are opposite.
  VG_INLINE void binary(int64_t v, const Group &g, const v8 *p, v8 product, v8 *dz) const {
    const v8i second = is_class(g.label, 1);
    v8 slope =
        row[coefficient_k][1] - row[coefficient_k][0] + (second ? row[coefficient_a][1] : -row[coefficient_a][0]);
    if (t.has_square) slope += 2.0f * (p[1] * row[coefficient_q][1] - p[0] * row[coefficient_q][0]);
    v8 h = second ? row[coefficient_h][1] : row[coefficient_h][0];
    v8 result = product * slope;
    if (t.has_other) result += p[1] * row[coefficient_u][0] - p[0] * row[coefficient_u][1];
    if (t.dvoxel_nll != nullptr) {
      const v8 dv = floats_of(t.dvoxel_nll + v, g.lanes);
      h += dv * (second ? broadcast(t.nll_true[1]) : broadcast(t.nll_true[0]));
      if (t.nll_other != nullptr) result += dv * (p[1] * t.nll_other[0] - p[0] * t.nll_other[1]);
    }
    result += h * (second ? -p[0] : p[1]);
    dz[0] = -result;
    dz[1] = result;
  }
};

} // namespace

template <int64_t Classes> static void forward(const SeglossTile &t) {
  if (t.want_rest)
    Forward<Classes, true>(t).run();
  else
    Forward<Classes, false>(t).run();
}
template <int64_t Classes> static void backward(const SeglossTile &t) { Backward<Classes>(t).run(); }

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

void segloss_softmax_forward(const SeglossTile &t) { VG_BY_CLASSES(forward) }
void segloss_softmax_backward(const SeglossTile &t) { VG_BY_CLASSES(backward) }

} // namespace vg::VG_TIER

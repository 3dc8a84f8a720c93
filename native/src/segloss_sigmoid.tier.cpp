// Inner tiles of segloss.cpp for sigmoid. Channels are independent, so the c logits of eight voxels are taken as c
// vectors of adjacent numbers, whatever channels their lanes belong to; sums go back to their channels at the end.
#include "segloss_lanes.h"

#include <cstring>

namespace vg::VG_TIER {

namespace {

constexpr int64_t limit = segloss_limit;

// Targets 0/1 of eight voxels, dense: those of the tensor, or copies where it has gaps or ends or holds classes. Copies
// are made of many voxels at once, so that they have left the processor's store queue when they are read.
class Targets {
public:
  explicit Targets(const SeglossTile &tile)
      : t(tile), row(region_row(tile.c)), direct(tile.regions == nullptr && tile.target_stride == tile.c) {}

  const uint8_t *of(int64_t v) {
    if (direct && v + 8 <= t.voxels) return t.labels + v * t.c;
    if (v >= copied) copy(v);
    return dense + (v - first) * t.c;
  }

private:
  static constexpr int64_t voxels = 64;

  void copy(int64_t v) {
    first = v;
    copied = v + voxels;
    const int64_t here = t.voxels - v < voxels ? t.voxels - v : voxels;
    uint8_t *to = dense;
    for (int64_t i = v; i < v + here; ++i, to += t.c) {
      if (t.regions == nullptr) {
        std::memcpy(to, t.labels + i * t.target_stride, static_cast<size_t>(t.c));
        continue;
      }
      const uint8_t *from = t.regions + t.labels[i] * row;
      for (int64_t k = 0; k < row; k += 8) std::memcpy(to + k, from + k, 8); // may write into the next voxel's place
    }
    std::memset(to, 0, static_cast<size_t>(8 * t.c)); // lanes behind the last voxel
  }

  const SeglossTile &t;
  const int64_t row;
  const bool direct;
  int64_t first = 0, copied = 0; // voxels in `dense`
  uint8_t dense[(voxels + 8) * limit + 8];
};

// Eight voxels of a tile: dense logits and targets, copied where the tensor has gaps or ends.
class Group {
public:
  int64_t lanes;
  const float *logits;
  const uint8_t *labels;

  explicit Group(const SeglossTile &tile) : t(tile), targets(tile) {
    for (int64_t j = 0; j < t.c; ++j)
      for (int lane = 0; lane < 8; ++lane) {
        voxel_of[j][lane] = static_cast<int32_t>((8 * j + lane) / t.c);
        channel_of[j][lane] = static_cast<int32_t>((8 * j + lane) % t.c);
      }
  }

  const uint8_t *targets_of(int64_t v) { return targets.of(v); }

  void load(int64_t v) {
    lanes = t.voxels - v < 8 ? t.voxels - v : 8;
    logits = t.logits + v * t.x_stride;
    labels = targets.of(v);
    if (lanes < 8 || t.x_stride != t.c) {
      for (int64_t i = 0; i < lanes; ++i)
        std::memcpy(logit_copy + i * t.c, logits + i * t.x_stride, static_cast<size_t>(t.c) * sizeof(float));
      std::memset(logit_copy + lanes * t.c, 0, static_cast<size_t>((8 - lanes) * t.c) * sizeof(float));
      logits = logit_copy;
    }
    on = counted(t, v, lanes);
    if (t.regions != nullptr) {
      const v8i label = bytes_of(t.labels + v, lanes);
      on &= (label < broadcast_int(t.region_labels)) & (label != broadcast_int(t.ignore_label));
    }
    for (int64_t i = 0; t.regions == nullptr && t.bad_labels && i < lanes * t.c; ++i)
      if (labels[i] > 1) on[i / t.c] = 0;
    if (t.segment != nullptr) segments = ints_of(t.segment + v, lanes);
  }

  // Of vector j: lanes that count, channels and segments of the lanes.
  v8i counts(int64_t j) const { return t.c == 1 ? on : permute(on, voxel_of[j]); }
  v8i channels(int64_t j) const { return channel_of[j]; }
  v8i segment(int64_t j) const {
    return (t.c == 1 ? segments : permute(segments, voxel_of[j])) & (load_bytes(labels + 8 * j) != 0);
  }

private:
  const SeglossTile &t;
  Targets targets;
  v8i on, segments;
  v8i voxel_of[limit], channel_of[limit]; // by vector and lane
  float logit_copy[8 * limit];
};

// Voxels that need no look at masks, segments and gaps.
inline int64_t plain_voxels(const SeglossTile &t) {
  return t.all_count && t.segment == nullptr && t.x_stride == t.c && t.dx_stride == t.c ? t.voxels / 8 * 8 : 0;
}

// ---- forward ----------------------------------------------------------------------------------------------------

struct Terms {
  v8 p, nll; // nll of the target
  v8i y;
};
VG_INLINE Terms terms_of(v8 z, v8i label, bool want_nll) {
  const v8i y = label != 0;
  const v8 e = exp_nonpositive(-absolute(z));
  const v8 large = 1.0f / (1.0f + e);
  Terms r{z >= 0.0f ? large : e * large, v8{}, y};
  if (want_nll) {
    const v8 wrong = (v8)((v8i)z ^ (y & (v8i{} + INT32_MIN))); // -z where y
    r.nll = log1p_unit(e) + (wrong > 0.0f ? wrong : v8{});
  }
  return r;
}
template <bool Plain, bool Rest> VG_INLINE void add(Cell &s, v8i on, const Terms &r) {
  const v8i is = Plain ? r.y : on & r.y;
  const v8 p = Plain ? r.p : masked(on, r.p);
  s.value[VG_SUM_INTERSECTION] += masked(is, r.p);
  s.value[VG_SUM_PROBABILITY] += p;
  if (Rest) s.value[VG_SUM_SQUARE] += p * p;
  s.value[VG_SUM_NLL_TRUE] += masked(is, r.nll);
  s.value[VG_SUM_NLL_OTHER] += masked(Plain ? ~r.y : on & ~r.y, r.nll);
  s.count += is;
  if (!Plain) s.voxels += on;
}

template <bool Rest> class Forward {
public:
  explicit Forward(const SeglossTile &tile) : t(tile), c(tile.c), group(tile) {
    for (int64_t j = 0; j < c; ++j) home[j] = away[j] = Cell{}, segment[j] = v8i{};
  }

  void run() {
    int64_t v = 0;
    for (const int64_t plain = plain_voxels(t); v < plain; v += 8) {
      const float *logits = t.logits + v * c;
      const uint8_t *labels = group.targets_of(v);
      for (int64_t j = 0; j < c; ++j)
        add<true, Rest>(home[j], v8i{}, terms_of(load(logits + 8 * j), load_bytes(labels + 8 * j), t.want_nll));
      advance();
    }
    for (int64_t i = 0; i < c; ++i) t.sums[i * VG_SUM_KINDS + VG_SUM_VOXELS] += static_cast<double>(v);
    for (; v < t.voxels; v += 8) {
      group.load(v);
      for (int64_t j = 0; j < c; ++j) guarded(j);
      advance();
    }
    finish();
  }

private:
  const SeglossTile &t;
  const int64_t c;
  Group group;
  Cell home[limit], away[limit];
  v8i segment[limit]; // of the lanes of `away`
  int64_t pending = 0;

  void guarded(int64_t j) {
    const Terms r = terms_of(load(group.logits + 8 * j), load_bytes(group.labels + 8 * j), t.want_nll);
    const v8i on = group.counts(j);
    v8i elsewhere{};
    if (t.segment != nullptr) {
      const v8i wanted = group.segment(j);
      elsewhere = on & (wanted != 0);
      if (any(elsewhere)) {
        const v8i changed = elsewhere & (wanted != segment[j]);
        if (any(changed)) {
          release(j, changed);
          segment[j] = changed ? wanted : segment[j];
        }
        add<false, Rest>(away[j], elsewhere, r);
      }
    }
    add<false, Rest>(home[j], on & ~elsewhere, r);
  }

  void add_to_channel(const Cell &s, int lane, double *to) {
    add_lane(s, lane, to);
    to[VG_SUM_VOXELS] -= s.voxels[lane];
  }
  void release(int64_t j, v8i lanes) {
    Cell &s = away[j];
    const v8i channel = group.channels(j);
    for (int lane = 0; lane < 8; ++lane)
      if (lanes[lane] != 0 && s.voxels[lane] != 0)
        add_to_channel(s, lane, t.sums + (segment[j][lane] * c + channel[lane]) * VG_SUM_KINDS);
    clear(s, lanes);
  }
  void advance() {
    if (++pending == segloss_block) finish();
  }
  void finish() {
    for (int64_t j = 0; j < c; ++j) {
      Cell &s = home[j];
      const v8i channel = group.channels(j);
      if (c == 1) {
        add_lanes(s, t.sums);
        t.sums[VG_SUM_VOXELS] += lane_count(s.voxels);
      } else {
        for (int lane = 0; lane < 8; ++lane) add_to_channel(s, lane, t.sums + channel[lane] * VG_SUM_KINDS);
      }
      s = Cell{};
      if (t.segment != nullptr) release(j, v8i{} - 1);
    }
    pending = 0;
  }
};

// ---- backward ---------------------------------------------------------------------------------------------------

// Of a vector: derivatives by p and by the nll of the target, for target 0 and 1, and by p^2. The sign of nll_true is
// turned, so that both are multiplied by a probability.
struct Factors {
  v8 other, truth, nll_other, nll_true, square;
};

// dz = p (1-p) (dp + 2 p q) + (y ? -H (1-p) : U p)
VG_INLINE v8 gradient_of(const Factors &k, v8 z, v8i label, bool has_square) {
  const v8i y = label != 0;
  const v8 e = exp_nonpositive(-absolute(z));
  const v8 large = 1.0f / (1.0f + e), small = e * large;
  v8 slope = y ? k.truth : k.other;
  const v8i positive = z >= 0.0f;
  if (has_square) slope += 2.0f * (positive ? large : small) * k.square;
  return large * small * slope + (y ? k.nll_true : k.nll_other) * ((positive ^ y) != 0 ? large : small);
}

class Backward {
public:
  explicit Backward(const SeglossTile &tile) : t(tile), c(tile.c), group(tile) {
    for (int64_t j = 0; j < c; ++j) gather(home[j], v8i{}, group.channels(j));
  }

  void run() {
    int64_t v = 0;
    for (const int64_t plain = t.accumulate ? 0 : plain_voxels(t); v < plain; v += 8) {
      const uint8_t *labels = group.targets_of(v);
      for (int64_t j = 0; j < c; ++j) {
        const int64_t i = v * c + 8 * j;
        store(t.dlogits + i, gradient_of(home[j], load(t.logits + i), load_bytes(labels + 8 * j), t.has_square));
      }
    }
    for (; v < t.voxels; v += 8) {
      group.load(v);
      const bool direct = group.lanes == 8 && t.dx_stride == c && !t.accumulate;
      float *to = direct ? t.dlogits + v * c : gradient;
      for (int64_t j = 0; j < c; ++j) store(to + 8 * j, guarded(j));
      if (t.accumulate) add_voxels(t.dlogits + v * t.dx_stride, t.dx_stride, c, group.lanes, gradient);
      for (int64_t i = 0; !direct && !t.accumulate && i < group.lanes; ++i)
        std::memcpy(t.dlogits + (v + i) * t.dx_stride, gradient + i * c, static_cast<size_t>(c) * sizeof(float));
    }
  }

private:
  const SeglossTile &t;
  const int64_t c;
  Group group;
  Factors home[limit];
  float gradient[8 * limit];

  v8 guarded(int64_t j) const {
    const v8 z = load(group.logits + 8 * j);
    const v8i label = load_bytes(group.labels + 8 * j), on = group.counts(j);
    if (t.segment != nullptr) {
      const v8i wanted = group.segment(j);
      if (any(wanted != 0)) {
        Factors k{};
        gather(k, wanted, group.channels(j));
        return masked(on, gradient_of(k, z, label, t.has_square));
      }
    }
    return masked(on, gradient_of(home[j], z, label, t.has_square));
  }

  // Rows of four adjacent coefficients by segment and channel, transposed.
  void gather(Factors &k, v8i segment, v8i channel) const {
    v4 quad[8];
    for (int lane = 0; lane < 8; ++lane) {
      const int64_t row = static_cast<int64_t>(segment[lane]) * c + channel[lane];
      quad[lane] = load4(t.coefficients + row * sigmoid_coefficients);
      if (t.has_square) k.square[lane] = t.coefficients[row * sigmoid_coefficients + 4];
    }
    k.other = join(quad[0], quad[4]);
    k.truth = join(quad[1], quad[5]);
    k.nll_other = join(quad[2], quad[6]);
    k.nll_true = join(quad[3], quad[7]);
    transpose4(k.other, k.truth, k.nll_other, k.nll_true);
  }
};

} // namespace

void segloss_sigmoid_forward(const SeglossTile &t) {
  if (t.want_rest)
    Forward<true>(t).run();
  else
    Forward<false>(t).run();
}
void segloss_sigmoid_backward(const SeglossTile &t) { Backward(t).run(); }

} // namespace vg::VG_TIER

// Ranger21: gradient clipping per row, centralisation and normalisation, positive-negative momentum, softplus, decays
// and look-ahead in two passes over memory. Formulas: vg_ranger21 in voxgrad.h; matches the authors' public code.
//
// Pass 1 reads x and g once: mean and squares of g, squares of x per group. Everything that stands between g and the
// processed gradient is affine per group, so clip factor, row mean and standard deviation of the processed gradient
// follow from these few numbers in float64, and so does the sum of the new s, since the sum of the old one is kept from
// the step before. Hence pass 2 can do all the rest: read x, g, s, both momenta, write x, s, one momentum (and the
// cache in the steps that look ahead). Bound by memory: seven streams in, three out.
//
// Groups are cut into segments of at most 64 Ki elements, segments are handed to the threads in runs of about as many;
// sums are merged by segment in table order.
#include "optimizer_table.h"
#include "ranger21_tiles.h"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace vg;

namespace {

constexpr double norm_floor = 1e-6;      // of the gradient in the clip factor
constexpr double deviation_floor = 1e-8; // beside the standard deviation
constexpr double largest_again = 2;      // what normalising twice may amplify

// A part of a group, and after pass 1 what pass 2 does with it.
struct Segment {
  int64_t tensor, begin, count;
  RangerMoments moments;
  double s_sum;
  float centre, gain, again, shrink;
};

// The segments of a table, in its order, and where each tensor and each piece of work begins among them.
struct Cut {
  std::vector<Segment> segments;
  std::vector<size_t> tensors, pieces;
};

Cut cut(int64_t count, const int64_t *lengths, const int64_t *groups) {
  Cut c;
  int64_t elements = chunk_elements; // of the open piece
  for (int64_t i = 0; i < count; ++i) {
    c.tensors.push_back(c.segments.size());
    for (int64_t group = 0; group < lengths[i]; group += groups[i])
      for (int64_t begin = 0; begin < groups[i]; begin += chunk_elements) {
        const int64_t n = std::min(chunk_elements, groups[i] - begin);
        if (elements + n > chunk_elements) c.pieces.push_back(c.segments.size()), elements = 0;
        elements += n;
        c.segments.push_back({i, group + begin, n, {}, 0, 0, 0, 1, 0});
      }
  }
  c.tensors.push_back(c.segments.size());
  c.pieces.push_back(c.segments.size());
  return c;
}

template <class Body> void each_segment(const vg_context *context, Cut &c, Body &&body) {
  parallel_for(context, static_cast<int64_t>(c.pieces.size()) - 1, [&](int64_t i) {
    const size_t piece = static_cast<size_t>(i);
    for (size_t s = c.pieces[piece]; s < c.pieces[piece + 1]; ++s) body(c.segments[s]);
  });
}

// Mean and squares about it of several sets together (Chan, Golub and LeVeque 1983).
struct Spread {
  double count = 0, mean = 0, squares = 0;
  void add(double n, double other_mean, double other_squares) {
    const double all = count + n, delta = other_mean - mean;
    squares += other_squares + delta * delta * (count * n / all);
    mean += delta * (n / all);
    count = all;
  }
};

struct Group {
  size_t begin, end; // segments
  double clip, x_norm;
};

// Clip factor and norm of every group of a tensor, and what mean and squares become by clipping, row by row.
class TensorStatistics {
public:
  TensorStatistics(const vg_ranger21 &p, const Segment *segments, size_t begin, size_t end, int64_t group, int64_t row)
      : segments_(segments) {
    for (size_t s = begin; s < end;) {
      if (segments[s].begin % row == 0) rows_.push_back({groups_.size(), {}});
      const size_t first = s;
      Spread g;
      double x_squares = 0;
      for (int64_t done = 0; done < group; done += segments[s].count, ++s) {
        g.add(static_cast<double>(segments[s].count), segments[s].moments.mean, segments[s].moments.squares);
        x_squares += segments[s].moments.x_squares;
      }
      const double x_norm = std::sqrt(x_squares);
      const double clip = factor(p, x_norm, std::sqrt(g.squares + g.count * g.mean * g.mean));
      groups_.push_back({first, s, clip, x_norm});
      rows_.back().spread.add(g.count, clip * g.mean, clip * clip * g.squares);
    }
    for (const Row &r : rows_) {
      squares_ += r.spread.squares;
      mean_squares_ += r.spread.count * r.spread.mean * r.spread.mean;
    }
  }
  // About the row means.
  double squares() const { return squares_; }
  double squares_about_zero() const { return squares_ + mean_squares_; }
  const std::vector<Group> &groups() const { return groups_; }
  // body(group, mean of its row after clipping)
  template <class Body> void each(Body &&body) const {
    for (size_t r = 0; r < rows_.size(); ++r)
      for (size_t i = rows_[r].group; i < (r + 1 < rows_.size() ? rows_[r + 1].group : groups_.size()); ++i)
        body(groups_[i], rows_[r].spread.mean);
  }

private:
  struct Row {
    size_t group; // first
    Spread spread;
  };
  static double factor(const vg_ranger21 &p, double x_norm, double g_norm) {
    if (p.clip == 0) return 1;
    const double scaled = std::fabs(static_cast<double>(p.gradient_scale)) * g_norm;
    const double limit = std::fmax(x_norm, p.clip_eps) * p.clip;
    return scaled > limit ? limit / std::fmax(scaled, norm_floor) : 1;
  }
  const Segment *segments_;
  std::vector<Group> groups_;
  std::vector<Row> rows_;
  double squares_ = 0, mean_squares_ = 0;
};

// Sets centre, gain and again of the segments of one tensor; returns the sum of squares of its processed gradient.
double process(const vg_ranger21 &p, Segment *segments, const TensorStatistics &t, int64_t length, bool centred) {
  const double scale = p.gradient_scale;
  double divisor = 1, again = 1;
  if (p.normalize != 0 && length > 2) {
    const double deviation = std::fabs(scale) * std::sqrt(t.squares() / static_cast<double>(length - 1));
    divisor = deviation + deviation_floor;
    again = std::min(largest_again, 1 / (deviation / divisor + deviation_floor));
  }
  t.each([&](const Group &group, double row_mean) {
    for (size_t s = group.begin; s < group.end; ++s) {
      segments[s].centre = static_cast<float>(centred ? row_mean / group.clip : 0);
      segments[s].gain = static_cast<float>(scale * group.clip / divisor);
      segments[s].again = static_cast<float>(again);
    }
  });
  const double gain = scale / divisor;
  return gain * gain * (centred ? t.squares() : t.squares_about_zero());
}

// How much of x weight decay and norm loss take away; the norm after the decay follows from the one before.
float shrink_of(const vg_ranger21 &p, double decay, double x_norm) {
  double loss = 0;
  if (p.norm_loss != 0) loss = 2 * p.lr * p.norm_loss * (1 - 1 / (std::fabs(1 - decay) * x_norm + p.eps));
  return static_cast<float>(decay + loss - decay * loss);
}

RangerStep constants(const vg_ranger21 &p) {
  const double t = static_cast<double>(p.step);
  const bool negative = p.positive_negative != 0;
  const double keep = negative ? p.beta1 * p.beta1 : p.beta1;
  const double noise = negative ? std::hypot(1 + p.beta2, p.beta2) : 1;
  // softplus(d) = log(1 + exp(beta d)) / beta: numerator and denominator both times beta save a division.
  const double beta = p.softplus > 0 ? p.softplus : 1;
  const double rate = beta * p.lr / (1 - std::pow(p.beta1, t)) / noise;
  RangerStep k{};
  k.beta2 = static_cast<float>(p.beta2);
  k.one_minus_beta2 = static_cast<float>(1 - p.beta2);
  k.keep = static_cast<float>(keep);
  k.one_minus_keep = static_cast<float>(1 - keep);
  k.own = static_cast<float>(negative ? 2 * rate : rate);
  k.other = static_cast<float>(-rate);
  k.inverse_root = static_cast<float>(beta / std::sqrt(1 - std::pow(p.beta2, t)));
  k.eps = static_cast<float>(beta * p.eps);
  k.softplus = p.softplus > 0;
  k.alpha = static_cast<float>(p.alpha);
  k.one_minus_alpha = static_cast<float>(1 - p.alpha);
  return k;
}

void check_ranges(const vg_ranger21 &p) {
  VG_REQUIRE(p.step >= 1, "step is %lld, counts from 1", static_cast<long long>(p.step));
  VG_REQUIRE(p.beta1 >= 0 && p.beta1 < 1 && p.beta2 >= 0 && p.beta2 < 1,
             "beta1 and beta2 are %g and %g, must be in [0, 1)", p.beta1, p.beta2);
  VG_REQUIRE(p.clip >= 0 && p.clip_eps > 0 && p.eps > 0 && p.weight_decay >= 0 && p.norm_loss >= 0 && p.softplus >= 0,
             "clip, weight_decay, norm_loss and softplus must be at least 0, clip_eps and eps above 0");
  VG_REQUIRE(p.alpha >= 0 && p.alpha <= 1, "alpha is %g, must be in [0, 1]", p.alpha);
}

void check_groups(int64_t count, const int64_t *lengths, const int64_t *groups, const int64_t *rows) {
  if (count == 0) return;
  require_pointer("groups", groups);
  require_pointer("rows", rows);
  for (int64_t i = 0; i < count; ++i) {
    const long long at = i, n = lengths[i], group = groups[i], row = rows[i];
    VG_REQUIRE(n == 0 || (group >= 1 && n % group == 0), "groups[%lld] is %lld, must divide the length %lld", at, group,
               n);
    VG_REQUIRE(n == 0 || row == 0 || (row >= 1 && n % row == 0 && row % group == 0),
               "rows[%lld] is %lld, must be 0 or divide the length %lld and be a multiple of the group %lld", at, row,
               n, group);
  }
}

struct Tables {
  int64_t count;
  const int64_t *lengths, *groups, *rows;
  float *const *x;
  const float *const *g;
  float *const *odd, *const *even, *const *s, *const *cache;
  double *s_sums;
};

void check(const vg_ranger21 &p, const Tables &t) {
  check_ranges(p);
  check_lengths(t.count, t.lengths);
  check_groups(t.count, t.lengths, t.groups, t.rows);
  check_table("x", t.count, t.lengths, t.x);
  check_table("g", t.count, t.lengths, t.g);
  check_table("odd", t.count, t.lengths, t.odd);
  if (p.positive_negative != 0) check_table("even", t.count, t.lengths, t.even);
  check_table("s", t.count, t.lengths, t.s);
  if (p.merge != 0) check_table("cache", t.count, t.lengths, t.cache);
  if (t.count > 0) require_pointer("s_sums", t.s_sums);
}

void add_up(const Tables &t, const Cut &c, int64_t tensor) {
  const size_t i = static_cast<size_t>(tensor);
  double sum = 0;
  for (size_t k = c.tensors[i]; k < c.tensors[i + 1]; ++k) sum += c.segments[k].s_sum;
  t.s_sums[tensor] = sum;
}

// Pass 1.
void measure(const vg_context *context, const Tables &t, Cut &c) {
  const auto moments = VG_PICK(context, ranger_moments);
  const auto sum = VG_PICK(context, ranger_sum);
  each_segment(context, c, [&](Segment &k) {
    moments(t.g[k.tensor] + k.begin, t.x[k.tensor] + k.begin, k.count, &k.moments);
    if (std::isnan(t.s_sums[k.tensor])) sum(t.s[k.tensor] + k.begin, k.count, &k.s_sum);
  });
  for (int64_t i = 0; i < t.count; ++i)
    if (std::isnan(t.s_sums[i])) add_up(t, c, i);
}

// Between the passes: from the moments to what pass 2 does with each segment.
void decide(const vg_ranger21 &p, const Tables &t, Cut &c) {
  std::vector<TensorStatistics> statistics;
  statistics.reserve(static_cast<size_t>(t.count));
  double elements = 0, s_sum = 0;
  for (int64_t i = 0; i < t.count; ++i) {
    const size_t begin = c.tensors[static_cast<size_t>(i)], end = c.tensors[static_cast<size_t>(i) + 1];
    const bool centred = t.rows[i] != 0;
    statistics.emplace_back(p, c.segments.data(), begin, end, t.groups[i], centred ? t.rows[i] : t.lengths[i]);
    const double squares = process(p, c.segments.data(), statistics.back(), t.lengths[i], centred);
    s_sum += p.beta2 * t.s_sums[i] + (1 - p.beta2) * squares;
    elements += static_cast<double>(t.lengths[i]);
  }
  const double spread = std::sqrt(s_sum / (1 - std::pow(p.beta2, static_cast<double>(p.step))) / elements);
  // Without any gradient so far there is no scale to decay by.
  const double decay = spread > 0 ? p.lr * p.weight_decay / spread : 0;
  for (int64_t i = p.shrink_last_only != 0 ? t.count - 1 : 0; i < t.count; ++i)
    for (const Group &group : statistics[static_cast<size_t>(i)].groups())
      for (size_t k = group.begin; k < group.end; ++k) c.segments[k].shrink = shrink_of(p, decay, group.x_norm);
}

// Pass 2.
void move(const vg_context *context, const vg_ranger21 &p, const Tables &t, Cut &c) {
  const RangerStep step = constants(p);
  const auto tile = VG_PICK(context, ranger_step);
  const bool negative = p.positive_negative != 0, odd_moves = !negative || p.step % 2 == 1;
  each_segment(context, c, [&](Segment &k) {
    RangerTile r{};
    r.centre = k.centre, r.gain = k.gain, r.again = k.again, r.shrink = k.shrink;
    r.x = t.x[k.tensor] + k.begin;
    r.p = (odd_moves ? t.odd : t.even)[k.tensor] + k.begin;
    r.q = negative ? (odd_moves ? t.even : t.odd)[k.tensor] + k.begin : nullptr;
    r.s = t.s[k.tensor] + k.begin;
    r.g = t.g[k.tensor] + k.begin;
    r.cache = p.merge != 0 ? t.cache[k.tensor] + k.begin : nullptr;
    tile(step, r, k.count, &k.s_sum);
  });
  for (int64_t i = 0; i < t.count; ++i) add_up(t, c, i);
}

} // namespace

extern "C" int32_t vg_ranger21_step(vg_context *context, const vg_ranger21 *problem, int64_t count,
                                    const int64_t *lengths, const int64_t *groups, const int64_t *rows, float *const *x,
                                    const float *const *g, float *const *odd, float *const *even, float *const *s,
                                    float *const *cache, double *s_sums) {
  const Tables tables{count, lengths, groups, rows, x, g, odd, even, s, cache, s_sums};
  return dispatch(
      context, __func__,
      [&] {
        require_size(problem);
        check(*problem, tables);
      },
      [&] {
        Cut c = cut(count, lengths, groups);
        if (c.segments.empty()) return;
        measure(context, tables, c);
        decide(*problem, tables, c);
        move(context, *problem, tables, c);
      });
}

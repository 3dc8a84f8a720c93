// Resizes one volume [d][h][w] to [od][oh][ow] with splines of order 0, 1 or 3, in float64.
//
//   output index i of an axis maps to c = (i + 0.5) n/m - 0.5 (half-voxel centres)
//   order 0: nearest index floor(c + 0.5), order 1: the two neighbours, both with c clamped to [0, n-1]
//   order 3: the axis is padded by 12 copies of its edges, turned into cubic B-spline coefficients (one causal and one
//            anticausal recursion with pole sqrt(3) - 2, half-sample symmetric ends) and evaluated at c, not clamped
//   the result is clipped to the range of the input; an axis of unchanged length is not touched
//
// Order 0 and 1 are cut by output rows. Order 1 is one sum over the corners, last axis fastest, each term the value
// times the weights in axis order: so a mask that is exactly one half stays exactly one half. Order 3 runs axis after
// axis over a float64 scratch volume, 16 lines at a time. Order 3 is bound by memory, one read and one write per axis.
// Matches skimage.transform.resize(mode="edge", anti_aliasing=False, clip=True), which uses scipy.ndimage.zoom with
// grid_mode. A NaN in the input spreads along its lines with order 3.
#include "internal.h"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace vg;

namespace {

constexpr int64_t pad = 12;   // the padding scipy uses before a prefilter with edge mode
constexpr int64_t lines = 16; // lines filtered together: two vectors' worth of independent recursions and more

double position(int64_t i, int64_t in, int64_t out) {
  return (static_cast<double>(i) + 0.5) * (static_cast<double>(in) / static_cast<double>(out)) - 0.5;
}

struct LinearTap {
  int64_t low, high;
  double w0, w1;
  int corners; // 1 where the axis is not resized
};

std::vector<LinearTap> linear_taps(int64_t in, int64_t out, int32_t order) {
  std::vector<LinearTap> taps;
  for (int64_t i = 0; i < out; ++i) {
    if (in == out) {
      taps.push_back({i, i, 1.0, 0.0, 1});
      continue;
    }
    const double c = std::clamp(position(i, in, out), 0.0, static_cast<double>(in - 1));
    if (order == 0) {
      const int64_t nearest = static_cast<int64_t>(std::floor(c + 0.5));
      taps.push_back({nearest, nearest, 1.0, 0.0, 1});
      continue;
    }
    const double low = std::floor(c), w0 = 1.0 - (c - low);
    const int64_t k = static_cast<int64_t>(low);
    taps.push_back({k, std::min(k + 1, in - 1), w0, 1.0 - w0, 2});
  }
  return taps;
}

struct Range {
  float low, high;
};
void widen(Range &r, float low, float high) {
  r.low = low < r.low ? low : r.low;
  r.high = high > r.high ? high : r.high;
}
// In eight lanes, which the compiler keeps in vectors. Every comparison begins with x[0], so that a NaN counts only
// there.
Range range_of(const vg_context *context, const float *x, int64_t count) {
  const Pieces pieces{count, 1 << 18};
  std::vector<Range> ranges(static_cast<size_t>(pieces.count()), Range{x[0], x[0]});
  parallel_for(context, pieces.count(), [&](int64_t piece) {
    float low[8], high[8];
    std::fill_n(low, 8, x[0]);
    std::fill_n(high, 8, x[0]);
    int64_t i = pieces.begin(piece);
    for (; i + 8 <= pieces.end(piece); i += 8)
      for (int64_t k = 0; k < 8; ++k) {
        low[k] = x[i + k] < low[k] ? x[i + k] : low[k];
        high[k] = x[i + k] > high[k] ? x[i + k] : high[k];
      }
    Range &range = ranges[static_cast<size_t>(piece)];
    for (; i < pieces.end(piece); ++i) widen(range, x[i], x[i]);
    for (int64_t k = 0; k < 8; ++k) widen(range, low[k], high[k]);
  });
  Range all{x[0], x[0]};
  for (const Range &range : ranges) widen(all, range.low, range.high);
  return all;
}
float clipped(double v, const Range &r) {
  return static_cast<float>(v < r.low ? static_cast<double>(r.low) : v > r.high ? static_cast<double>(r.high) : v);
}

// Up to four lines stand behind a row of outputs. Each is weighted once, then adds its one or two corners to all
// outputs of the row, so that the terms of an output come in the order of the formula.
void by_corners(const vg_context *context, const vg_resample &p, const float *x, const Range &range, float *y) {
  const std::vector<LinearTap> az = linear_taps(p.d, p.od, p.order), ay = linear_taps(p.h, p.oh, p.order),
                               ax = linear_taps(p.w, p.ow, p.order);
  const bool two = ax.front().corners == 2;
  const Pieces pieces{p.od * p.oh, std::max<int64_t>(1, 8192 / p.ow)};
  parallel_for(context, pieces.count(), [&](int64_t piece) {
    std::vector<double> line(static_cast<size_t>(p.w)), sum(static_cast<size_t>(p.ow));
    for (int64_t row = pieces.begin(piece); row < pieces.end(piece); ++row) {
      const LinearTap &tz = az[static_cast<size_t>(row / p.oh)], &ty = ay[static_cast<size_t>(row % p.oh)];
      std::fill(sum.begin(), sum.end(), 0.0);
      for (int a = 0; a < tz.corners; ++a)
        for (int b = 0; b < ty.corners; ++b) {
          const float *from = x + ((a == 0 ? tz.low : tz.high) * p.h + (b == 0 ? ty.low : ty.high)) * p.w;
          const double wz = a == 0 ? tz.w0 : tz.w1, wy = b == 0 ? ty.w0 : ty.w1;
          for (size_t i = 0; i < line.size(); ++i) line[i] = from[i] * wz * wy;
          for (size_t i = 0; i < sum.size(); ++i) {
            const LinearTap &tx = ax[i];
            sum[i] += line[static_cast<size_t>(tx.low)] * tx.w0;
            if (two) sum[i] += line[static_cast<size_t>(tx.high)] * tx.w1;
          }
        }
      for (size_t i = 0; i < sum.size(); ++i) y[row * p.ow + static_cast<int64_t>(i)] = clipped(sum[i], range);
    }
  });
}

// Four coefficients of each output index; index into the padded line.
struct CubicTap {
  int64_t first;
  double weight[4];
};

double b_spline(double t) {
  t = std::fabs(t);
  if (t < 1.0) return 2.0 / 3.0 - t * t + t * t * t / 2.0;
  return t < 2.0 ? (2.0 - t) * (2.0 - t) * (2.0 - t) / 6.0 : 0.0;
}

std::vector<CubicTap> cubic_taps(int64_t in, int64_t out) {
  std::vector<CubicTap> taps;
  for (int64_t i = 0; i < out; ++i) {
    const double c = position(i, in, out);
    const int64_t first = static_cast<int64_t>(std::floor(c)) - 1;
    CubicTap t{first + pad, {}};
    for (int k = 0; k < 4; ++k) t.weight[k] = b_spline(c - static_cast<double>(first + k));
    taps.push_back(t);
  }
  return taps;
}

// Turns n samples of `lines` interleaved lines into B-spline coefficients, in place.
void prefilter(double *a, int64_t n) {
  const double z = std::sqrt(3.0) - 2.0;
  double start[lines] = {};
  double power = 1.0;
  // The causal start value: sum of z^k over the line mirrored with its edge doubled. |z|^60 is below 1e-34.
  for (int64_t k = 0; k < 60; ++k, power *= z) {
    int64_t i = k == 0 ? 0 : (k - 1) % (2 * n);
    if (i >= n) i = 2 * n - 1 - i;
    for (int64_t l = 0; l < lines; ++l) start[l] += power * 6.0 * a[i * lines + l];
  }
  for (int64_t i = 0; i < n * lines; ++i) a[i] *= 6.0;
  for (int64_t l = 0; l < lines; ++l) a[l] = start[l];
  for (int64_t i = lines; i < n * lines; ++i) a[i] += z * a[i - lines];
  for (int64_t l = 0; l < lines; ++l) a[(n - 1) * lines + l] *= z / (z - 1.0);
  for (int64_t i = (n - 1) * lines - 1; i >= 0; --i) a[i] = z * (a[i + lines] - a[i]);
}

// One axis of a [outer][in][inner] volume. Lines that run along the axis are taken `lines` at a time.
void resize_axis(vg_context *context, const double *x, int64_t outer, int64_t in, int64_t inner, int64_t out,
                 double *y) {
  const std::vector<CubicTap> taps = cubic_taps(in, out);
  const int64_t padded = in + 2 * pad, total = outer * inner;
  Workspace scratch(context, context->threads * padded * lines * static_cast<int64_t>(sizeof(double)));
  const Pieces blocks{total, lines};
  parallel_for(context, blocks.count(), [&](int64_t block) {
    double *a = scratch.as<double>() + thread_index() * padded * lines;
    const int64_t first = blocks.begin(block), count = blocks.end(block) - first;
    int64_t from[lines], to[lines];
    for (int64_t l = 0; l < lines; ++l) {
      const int64_t line = first + std::min(l, count - 1); // unused lanes repeat the last line
      from[l] = line / inner * in * inner + line % inner;
      to[l] = line / inner * out * inner + line % inner;
    }
    for (int64_t i = 0; i < padded; ++i) {
      const int64_t source = std::clamp<int64_t>(i - pad, 0, in - 1) * inner;
      for (int64_t l = 0; l < lines; ++l) a[i * lines + l] = x[from[l] + source];
    }
    prefilter(a, padded);
    for (int64_t i = 0; i < out; ++i) {
      const CubicTap &t = taps[static_cast<size_t>(i)];
      const double *s = a + t.first * lines;
      double value[lines];
      for (int64_t l = 0; l < lines; ++l)
        value[l] = t.weight[0] * s[l] + t.weight[1] * s[lines + l] + t.weight[2] * s[2 * lines + l] +
                   t.weight[3] * s[3 * lines + l];
      for (int64_t l = 0; l < count; ++l) y[to[l] + i * inner] = value[l];
    }
  });
}

void cubic(vg_context *context, const vg_resample &p, const float *x, const Range &range, float *y) {
  int64_t size[3] = {p.d, p.h, p.w};
  const int64_t target[3] = {p.od, p.oh, p.ow};
  // Axes that shrink first: the volumes in between stay as small as possible.
  int order[3] = {0, 1, 2};
  std::stable_sort(order, order + 3, [&](int a, int b) { return target[a] * size[b] < target[b] * size[a]; });
  int64_t largest = size[0] * size[1] * size[2];
  for (int64_t s[3] = {size[0], size[1], size[2]}; const int axis : order) {
    s[axis] = target[axis];
    largest = std::max(largest, s[0] * s[1] * s[2]);
  }
  Workspace first(context, largest * static_cast<int64_t>(sizeof(double)));
  Workspace second(context, largest * static_cast<int64_t>(sizeof(double)));
  double *now = first.as<double>(), *next = second.as<double>();
  const Pieces read{size[0] * size[1] * size[2], 65536};
  parallel_for(context, read.count(),
               [&](int64_t i) { std::copy(x + read.begin(i), x + read.end(i), now + read.begin(i)); });
  for (const int axis : order) {
    if (size[axis] == target[axis]) continue;
    int64_t outer = 1, inner = 1;
    for (int a = 0; a < axis; ++a) outer *= size[a];
    for (int a = axis + 1; a < 3; ++a) inner *= size[a];
    resize_axis(context, now, outer, size[axis], inner, target[axis], next);
    size[axis] = target[axis];
    std::swap(now, next);
  }
  const Pieces write{size[0] * size[1] * size[2], 65536};
  parallel_for(context, write.count(), [&](int64_t piece) {
    for (int64_t i = write.begin(piece); i < write.end(piece); ++i) y[i] = clipped(now[i], range);
  });
}

} // namespace

extern "C" int32_t vg_resample_volume(vg_context *context, const vg_resample *problem, const float *x, float *y) {
  return dispatch(
      context, __func__,
      [&] {
        require_size(problem);
        const vg_resample &p = *problem;
        const int64_t sizes[] = {p.d, p.h, p.w, p.od, p.oh, p.ow};
        const char *const names[] = {"d", "h", "w", "od", "oh", "ow"};
        for (int i = 0; i < 6; ++i) {
          require_positive(names[i], sizes[i]);
          VG_REQUIRE(sizes[i] < (int64_t{1} << 20), "%s is %lld, too large", names[i],
                     static_cast<long long>(sizes[i]));
        }
        require_tensor("x", 1, p.d * p.h * p.w, 1, 1);
        require_tensor("y", 1, p.od * p.oh * p.ow, 1, 1);
        VG_REQUIRE(p.order == 0 || p.order == 1 || p.order == 3, "order is %d, must be 0, 1 or 3", p.order);
        require_pointer("x", x);
        require_pointer("y", y);
      },
      [&] {
        const vg_resample &p = *problem;
        const int64_t count = p.d * p.h * p.w;
        if (p.d == p.od && p.h == p.oh && p.w == p.ow) {
          std::copy_n(x, count, y);
          return;
        }
        const Range range = range_of(context, x, count);
        if (p.order == 3)
          cubic(context, p, x, range, y);
        else
          by_corners(context, p, x, range, y);
      });
}

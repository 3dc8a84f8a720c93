// Resizing from (d,h,w) to (od,oh,ow): nearest, nearest of voxel centres, (tri)linear with and without aligned corners;
// the gradient; the same for byte labels.
//
//   per axis an output index o reads source indices i0, i1 with weights w0, w1 (VG_INTERPOLATE_* in voxgrad.h);
//   y = sum over the 2x2x2 corners of the product of weights times x;  dx[i] = sum over all o that read i
//
// x, dx: [n][d][h][w][c], y, dy: [n][od][oh][ow][c] with voxel strides. Work is cut by rows of the written tensor:
// first the four source rows (forward) or all output rows that read this one (backward) are blended into one scratch
// row, then the row is resized. The gradient is gathered in ascending index order, so it needs no atomics. Bound by
// memory for many channels. Matches torch.nn.functional.interpolate (nearest, nearest-exact, trilinear) except that
// coordinates are exact integers or float64 here, where PyTorch rounds the scale to float32.
#include "internal.h"

#include <algorithm>
#include <vector>

using namespace vg;

namespace {

struct Tap {
  int64_t index;
  float weight;
};

// One axis: the sources of each output index, and the outputs that read each source index.
struct Axis {
  int64_t in, out;
  std::vector<Tap> first, second; // by output; a second weight of 0 is not read
  std::vector<Tap> readers;       // by source index, concatenated, outputs ascending
  std::vector<int64_t> begin;     // in + 1 positions in readers
};

Axis make_axis(int64_t in, int64_t out, int32_t mode) {
  Axis a{in, out, {}, {}, {}, {}};
  for (int64_t o = 0; o < out; ++o) {
    if (mode == VG_INTERPOLATE_NEAREST || mode == VG_INTERPOLATE_NEAREST_CENTRE) {
      const int64_t i = mode == VG_INTERPOLATE_NEAREST ? o * in / out : (2 * o + 1) * in / (2 * out);
      a.first.push_back({i, 1.0f});
      a.second.push_back({i, 0.0f});
      continue;
    }
    double source;
    if (mode == VG_INTERPOLATE_LINEAR_CORNERS)
      source = out > 1 ? static_cast<double>(o) * static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0.0;
    else
      source = (static_cast<double>(o) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
    source = std::clamp(source, 0.0, static_cast<double>(in - 1));
    const int64_t i = static_cast<int64_t>(source);
    const double w1 = source - static_cast<double>(i);
    a.first.push_back({i, static_cast<float>(1.0 - w1)});
    a.second.push_back({std::min(i + 1, in - 1), static_cast<float>(w1)});
  }
  std::vector<std::vector<Tap>> by_source(static_cast<size_t>(in));
  for (int64_t o = 0; o < out; ++o)
    for (const auto *taps : {&a.first, &a.second}) {
      const Tap &t = (*taps)[static_cast<size_t>(o)];
      if (t.weight != 0.0f) by_source[static_cast<size_t>(t.index)].push_back({o, t.weight});
    }
  for (const auto &list : by_source) {
    a.begin.push_back(static_cast<int64_t>(a.readers.size()));
    a.readers.insert(a.readers.end(), list.begin(), list.end());
  }
  a.begin.push_back(static_cast<int64_t>(a.readers.size()));
  return a;
}

void check(const vg_interpolate *problem, bool labels) {
  require_size(problem);
  const vg_interpolate &p = *problem;
  const int64_t sizes[] = {p.n, p.d, p.h, p.w, p.c, p.od, p.oh, p.ow};
  const char *const names[] = {"n", "d", "h", "w", "c", "od", "oh", "ow"};
  for (int i = 0; i < 8; ++i) {
    require_positive(names[i], sizes[i]);
    VG_REQUIRE(sizes[i] < (int64_t{1} << 30), "%s is %lld, too large", names[i], static_cast<long long>(sizes[i]));
  }
  require_tensor("x", p.n, p.d * p.h * p.w, p.c, labels ? p.c : p.x_stride);
  require_tensor("y", p.n, p.od * p.oh * p.ow, p.c, labels ? p.c : p.y_stride);
  VG_REQUIRE(p.mode >= VG_INTERPOLATE_NEAREST && p.mode <= VG_INTERPOLATE_LINEAR_CORNERS,
             "mode is %d, not a vg_interpolation", p.mode);
  VG_REQUIRE(!labels || p.mode == VG_INTERPOLATE_NEAREST || p.mode == VG_INTERPOLATE_NEAREST_CENTRE,
             "labels cannot be blended; use mode NEAREST or NEAREST_CENTRE");
}

// row = or += weight * source for w voxels of c channels; row is dense.
void blend(float *row, const float *source, int64_t w, int64_t c, int64_t stride, float weight, bool first) {
  if (stride == c) {
    c *= w;
    w = 1;
  }
  for (int64_t v = 0; v < w; ++v) {
    float *__restrict to = row + v * c;
    const float *__restrict from = source + v * stride;
    if (first)
      for (int64_t i = 0; i < c; ++i) to[i] = weight * from[i];
    else
      for (int64_t i = 0; i < c; ++i) to[i] += weight * from[i];
  }
}

int64_t row_grain(int64_t w, int64_t c) { return std::max<int64_t>(1, voxel_grain(c) / w); }

// One dense scratch row per thread; which thread takes which does not matter.
class ScratchRows {
public:
  ScratchRows(vg_context *context, int64_t floats)
      : floats_((floats + 15) / 16 * 16), memory_(context, context->threads * floats_ * int64_t{sizeof(float)}) {}
  float *mine() const { return memory_.as<float>() + thread_index() * floats_; }

private:
  int64_t floats_;
  Workspace memory_;
};

} // namespace

extern "C" int32_t vg_interpolate_forward(vg_context *context, const vg_interpolate *problem, const float *x,
                                          float *y) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem, false);
        require_pointer("x", x);
        require_pointer("y", y);
      },
      [&] {
        const vg_interpolate &p = *problem;
        const Axis az = make_axis(p.d, p.od, p.mode), ay = make_axis(p.h, p.oh, p.mode),
                   ax = make_axis(p.w, p.ow, p.mode);
        const ScratchRows scratch(context, p.w * p.c);
        const Pieces pieces{p.n * p.od * p.oh, row_grain(p.ow, p.c)};
        parallel_for(context, pieces.count(), [&](int64_t i) {
          float *blended = scratch.mine();
          for (int64_t row = pieces.begin(i); row < pieces.end(i); ++row) {
            const int64_t b = row / (p.od * p.oh);
            const size_t oz = static_cast<size_t>(row / p.oh % p.od), oy = static_cast<size_t>(row % p.oh);
            bool first = true;
            for (const Tap &tz : {az.first[oz], az.second[oz]})
              for (const Tap &ty : {ay.first[oy], ay.second[oy]}) {
                if (tz.weight == 0.0f || ty.weight == 0.0f) continue;
                const float *from = x + ((b * p.d + tz.index) * p.h + ty.index) * p.w * p.x_stride;
                blend(blended, from, p.w, p.c, p.x_stride, tz.weight * ty.weight, first);
                first = false;
              }
            for (int64_t ox = 0; ox < p.ow; ++ox) {
              const Tap t0 = ax.first[static_cast<size_t>(ox)], t1 = ax.second[static_cast<size_t>(ox)];
              float *__restrict to = y + (row * p.ow + ox) * p.y_stride;
              const float *__restrict from0 = blended + t0.index * p.c;
              const float *__restrict from1 = blended + t1.index * p.c;
              if (t1.weight == 0.0f)
                for (int64_t c = 0; c < p.c; ++c) to[c] = from0[c];
              else
                for (int64_t c = 0; c < p.c; ++c) to[c] = t0.weight * from0[c] + t1.weight * from1[c];
            }
          }
        });
      });
}

extern "C" int32_t vg_interpolate_backward(vg_context *context, const vg_interpolate *problem, const float *dy,
                                           float *dx) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem, false);
        require_pointer("dy", dy);
        require_pointer("dx", dx);
      },
      [&] {
        const vg_interpolate &p = *problem;
        const Axis az = make_axis(p.d, p.od, p.mode), ay = make_axis(p.h, p.oh, p.mode),
                   ax = make_axis(p.w, p.ow, p.mode);
        const ScratchRows scratch(context, p.ow * p.c);
        const Pieces pieces{p.n * p.d * p.h, row_grain(p.w, p.c)};
        parallel_for(context, pieces.count(), [&](int64_t i) {
          float *blended = scratch.mine();
          for (int64_t row = pieces.begin(i); row < pieces.end(i); ++row) {
            const int64_t b = row / (p.d * p.h);
            const size_t iz = static_cast<size_t>(row / p.h % p.d), iy = static_cast<size_t>(row % p.h);
            bool first = true;
            for (int64_t rz = az.begin[iz]; rz < az.begin[iz + 1]; ++rz)
              for (int64_t ry = ay.begin[iy]; ry < ay.begin[iy + 1]; ++ry) {
                const Tap &tz = az.readers[static_cast<size_t>(rz)], &ty = ay.readers[static_cast<size_t>(ry)];
                const float *from = dy + ((b * p.od + tz.index) * p.oh + ty.index) * p.ow * p.y_stride;
                blend(blended, from, p.ow, p.c, p.y_stride, tz.weight * ty.weight, first);
                first = false;
              }
            for (int64_t ix = 0; ix < p.w; ++ix) {
              float *__restrict to = dx + (row * p.w + ix) * p.x_stride;
              std::fill_n(to, p.c, 0.0f);
              if (first) continue; // nobody reads this row
              for (int64_t r = ax.begin[static_cast<size_t>(ix)]; r < ax.begin[static_cast<size_t>(ix) + 1]; ++r) {
                const Tap &t = ax.readers[static_cast<size_t>(r)];
                const float *__restrict from = blended + t.index * p.c;
                for (int64_t c = 0; c < p.c; ++c) to[c] += t.weight * from[c];
              }
            }
          }
        });
      });
}

extern "C" int32_t vg_interpolate_labels(vg_context *context, const vg_interpolate *problem, const uint8_t *x,
                                         uint8_t *y) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem, true);
        require_pointer("x", x);
        require_pointer("y", y);
      },
      [&] {
        const vg_interpolate &p = *problem;
        const Axis az = make_axis(p.d, p.od, p.mode), ay = make_axis(p.h, p.oh, p.mode),
                   ax = make_axis(p.w, p.ow, p.mode);
        const Pieces pieces{p.n * p.od * p.oh, row_grain(p.ow, p.c)};
        parallel_for(context, pieces.count(), [&](int64_t i) {
          for (int64_t row = pieces.begin(i); row < pieces.end(i); ++row) {
            const int64_t z = az.first[static_cast<size_t>(row / p.oh % p.od)].index;
            const int64_t yy = ay.first[static_cast<size_t>(row % p.oh)].index;
            const uint8_t *from = x + ((row / (p.od * p.oh) * p.d + z) * p.h + yy) * p.w * p.c;
            for (int64_t ox = 0; ox < p.ow; ++ox)
              std::copy_n(from + ax.first[static_cast<size_t>(ox)].index * p.c, p.c, y + (row * p.ow + ox) * p.c);
          }
        });
      });
}

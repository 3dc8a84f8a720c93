// Inner tiles of instance_norm.cpp.
#include "activation_math.h"
#include "instance_norm_tiles.h"

namespace vg::VG_TIER {

// Rows summed in float32 before the sums move to float64: the rounding error of a block stays below 1e-6 of it.
static constexpr int64_t block_rows = 64;
static constexpr int64_t limit = norm_width_limit;

static inline v8 at(const float *p, int64_t column, int64_t width) {
  return column + 8 <= width ? load(p + column) : load_some(p + column, width - column);
}
static inline void put(float *p, v8 v, int64_t column, int64_t width) {
  if (column + 8 <= width)
    store(p + column, v);
  else
    store_some(p + column, v, width - column);
}

struct Accumulator {
  alignas(64) double total[limit + 8];
  alignas(64) float block[limit + 8];
};
static inline void clear(Accumulator &a, int64_t width) {
  for (int64_t j = 0; j < width; ++j) a.total[j] = 0;
  for (int64_t j = 0; j < width + 7; ++j) a.block[j] = 0;
}
static inline void flush(Accumulator &a, int64_t width) {
  for (int64_t j = 0; j < width; ++j) {
    a.total[j] += a.block[j];
    a.block[j] = 0;
  }
}

// Calls add(row, column) four rows at a time where possible; `flush_block` after every block of rows.
template <class Four, class One, class Flush>
static inline void sweep(int64_t rows, int64_t width, Four four, One one, Flush flush_block) {
  for (int64_t begin = 0; begin < rows; begin += block_rows) {
    const int64_t end = begin + block_rows < rows ? begin + block_rows : rows;
    int64_t row = begin;
    for (; row + 4 <= end; row += 4)
      for (int64_t j = 0; j + 8 <= width; j += 8) four(row, j);
    for (; row < end; ++row)
      for (int64_t j = 0; j + 8 <= width; j += 8) one(row, j);
    if (width % 8 != 0)
      for (row = begin; row < end; ++row) one(row, width / 8 * 8);
    flush_block();
  }
}

void norm_statistics(const NormTile &t, double *mean, double *deviation) {
  Accumulator first, second;
  alignas(32) float shift[limit + 8] = {};
  const int64_t width = t.width, stride = t.x_stride;
  const double inverse = 1.0 / static_cast<double>(t.rows);
  // Mean relative to the first row: exact for constant channels.
  for (int64_t j = 0; j < width; ++j) shift[j] = t.x[j];
  clear(first, width);
  sweep(
      t.rows, width,
      [&](int64_t row, int64_t j) {
        const float *x = t.x + row * stride + j;
        const v8 s = load(shift + j);
        const v8 sum =
            ((load(x) - s) + (load(x + stride) - s)) + ((load(x + 2 * stride) - s) + (load(x + 3 * stride) - s));
        store(first.block + j, load(first.block + j) + sum);
      },
      [&](int64_t row, int64_t j) {
        store(first.block + j, load(first.block + j) + (at(t.x + row * stride, j, width) - load(shift + j)));
      },
      [&] { flush(first, width); });
  for (int64_t j = 0; j < width; ++j) shift[j] = static_cast<float>(shift[j] + first.total[j] * inverse);
  // Second sweep, now from the cache: deviations from the rounded mean, corrected for the rounding.
  clear(first, width);
  clear(second, width);
  sweep(
      t.rows, width,
      [&](int64_t row, int64_t j) {
        const float *x = t.x + row * stride + j;
        const v8 s = load(shift + j);
        const v8 a = load(x) - s, b = load(x + stride) - s, c = load(x + 2 * stride) - s, d = load(x + 3 * stride) - s;
        store(first.block + j, load(first.block + j) + ((a + b) + (c + d)));
        store(second.block + j, load(second.block + j) + ((a * a + b * b) + (c * c + d * d)));
      },
      [&](int64_t row, int64_t j) {
        const v8 a = at(t.x + row * stride, j, width) - load(shift + j);
        store(first.block + j, load(first.block + j) + a);
        store(second.block + j, load(second.block + j) + a * a);
      },
      [&] {
        flush(first, width);
        flush(second, width);
      });
  for (int64_t j = 0; j < width; ++j) {
    mean[j] = shift[j] + first.total[j] * inverse;
    const double d = second.total[j] - first.total[j] * first.total[j] * inverse;
    deviation[j] = d < 0 ? 0 : d; // NaN stays
  }
}

template <class Act> static inline void apply(const NormTile &t, Act act) {
  const int64_t width = t.width;
  for (int64_t row = 0; row < t.rows; ++row) {
    const float *x = t.x + row * t.x_stride;
    float *y = t.y + row * t.y_stride;
    int64_t j = 0;
    for (; j + 8 <= width; j += 8)
      store(y + j, act((load(x + j) - load(t.mean + j)) * load(t.gamma + j) + load(t.beta + j)));
    if (j < width)
      put(y, act((at(x, j, width) - at(t.mean, j, width)) * at(t.gamma, j, width) + at(t.beta, j, width)), j, width);
  }
}

void norm_apply(const NormTile &t) {
  const float slope = t.slope;
  if (t.activation == VG_ACTIVATION_LEAKY_RELU)
    apply(t, [=](v8 z) { return leaky(z, slope); });
  else if (t.activation == VG_ACTIVATION_MISH)
    apply(t, [](v8 z) { return mish(z); });
  else
    apply(t, [](v8 z) { return z; });
}

struct Identity {
  v8 operator()(v8, v8 dy) const { return dy; }
};
struct Leaky {
  float slope;
  v8 operator()(v8 z, v8 dy) const { return z > 0.0f ? dy : dy * slope; }
};
struct Mish {
  v8 operator()(v8 z, v8 dy) const { return dy * mish_derivative(z); }
};

template <class Back> static inline void gradient_sums(const NormTile &t, double *sum_dz, double *sum_dzx, Back back) {
  Accumulator first, second;
  const int64_t width = t.width;
  clear(first, width);
  clear(second, width);
  const auto add = [&](v8 x, v8 dy, v8 &dz_sum, v8 &dzx_sum, v8 mean, v8 rstd, v8 gamma, v8 beta) {
    const v8 xhat = (x - mean) * rstd;
    const v8 dz = back(xhat * gamma + beta, dy);
    dz_sum += dz;
    dzx_sum += dz * xhat;
  };
  sweep(
      t.rows, width,
      [&](int64_t row, int64_t j) {
        const float *x = t.x + row * t.x_stride + j, *dy = t.dy + row * t.y_stride + j;
        const v8 mean = load(t.mean + j), rstd = load(t.rstd + j), gamma = load(t.gamma + j), beta = load(t.beta + j);
        v8 a{}, b{};
        for (int64_t i = 0; i < 4; ++i)
          add(load(x + i * t.x_stride), load(dy + i * t.y_stride), a, b, mean, rstd, gamma, beta);
        store(first.block + j, load(first.block + j) + a);
        store(second.block + j, load(second.block + j) + b);
      },
      [&](int64_t row, int64_t j) {
        v8 a = load(first.block + j), b = load(second.block + j);
        add(at(t.x + row * t.x_stride, j, width), at(t.dy + row * t.y_stride, j, width), a, b, at(t.mean, j, width),
            at(t.rstd, j, width), at(t.gamma, j, width), at(t.beta, j, width));
        store(first.block + j, a);
        store(second.block + j, b);
      },
      [&] {
        flush(first, width);
        flush(second, width);
      });
  for (int64_t j = 0; j < width; ++j) {
    sum_dz[j] = first.total[j];
    sum_dzx[j] = second.total[j];
  }
}

void norm_gradient_sums(const NormTile &t, double *sum_dz, double *sum_dzx) {
  if (t.activation == VG_ACTIVATION_LEAKY_RELU)
    gradient_sums(t, sum_dz, sum_dzx, Leaky{t.slope});
  else if (t.activation == VG_ACTIVATION_MISH)
    gradient_sums(t, sum_dz, sum_dzx, Mish{});
  else
    gradient_sums(t, sum_dz, sum_dzx, Identity{});
}

template <class Back> static inline void gradient(const NormTile &t, Back back) {
  const int64_t width = t.width;
  for (int64_t row = 0; row < t.rows; ++row) {
    const float *x = t.x + row * t.x_stride, *dy = t.dy + row * t.y_stride;
    float *dx = t.y + row * t.x_stride;
    const auto one = [&](auto get, int64_t j) {
      const v8 xhat = (get(x, j) - get(t.mean, j)) * get(t.rstd, j);
      const v8 dz = back(xhat * get(t.gamma, j) + get(t.beta, j), get(dy, j));
      return get(t.scale, j) * ((dz - get(t.mean_dz, j)) - xhat * get(t.mean_dzx, j));
    };
    int64_t j = 0;
    for (; j + 8 <= width; j += 8) store(dx + j, one([](const float *p, int64_t i) { return load(p + i); }, j));
    if (j < width) put(dx, one([=](const float *p, int64_t i) { return at(p, i, width); }, j), j, width);
  }
}

void norm_gradient(const NormTile &t) {
  if (t.activation == VG_ACTIVATION_LEAKY_RELU)
    gradient(t, Leaky{t.slope});
  else if (t.activation == VG_ACTIVATION_MISH)
    gradient(t, Mish{});
  else
    gradient(t, Identity{});
}

} // namespace vg::VG_TIER

// Naive loops in float64 for the convolution and its transpose, and the buffers of one problem.
#pragma once

#include "support.h"

#include <algorithm>
#include <cmath>
#include <memory>

namespace vg::test {

struct ConvCase {
  vg_conv3d p;
  int64_t out[3]; // output size
  int64_t x_voxels() const { return p.n * p.d * p.h * p.w; }
  int64_t y_voxels() const { return p.n * out[0] * out[1] * out[2]; }
  int64_t taps() const { return p.kd * p.kh * p.kw; }
  std::string text() const {
    const int64_t numbers[] = {p.n,  p.d,  p.h,  p.w,  p.ci, p.co, p.kd,       p.kh,      p.kw,
                               p.sd, p.sh, p.sw, p.pd, p.ph, p.pw, p.x_stride, p.y_stride};
    static constexpr const char *names[] = {"n=",  " d=", " h=", " w=", " ci=", " co=", " k=",        "x",         "x",
                                            " s=", "x",   "x",   " p=", "x",    "x",    " x_stride=", " y_stride="};
    std::string all;
    for (size_t i = 0; i < std::size(numbers); ++i) all += names[i] + std::to_string(numbers[i]);
    return all;
  }
};

// Calls visit(x voxel, y voxel, tap) for every product of a problem; `transposed`: kernel = stride, from x to y.
template <class Visit> void for_each_product(const ConvCase &c, bool transposed, Visit &&visit) {
  const vg_conv3d &p = c.p;
  const int64_t in[3] = {p.d, p.h, p.w}, k[3] = {p.kd, p.kh, p.kw};
  const int64_t s[3] = {p.sd, p.sh, p.sw}, pad[3] = {p.pd, p.ph, p.pw};
  int64_t o[3], t[3], i[3];
  for (int64_t n = 0; n < p.n; ++n)
    for (o[0] = 0; o[0] < c.out[0]; ++o[0])
      for (o[1] = 0; o[1] < c.out[1]; ++o[1])
        for (o[2] = 0; o[2] < c.out[2]; ++o[2])
          for (t[0] = 0; t[0] < k[0]; ++t[0])
            for (t[1] = 0; t[1] < k[1]; ++t[1])
              for (t[2] = 0; t[2] < k[2]; ++t[2]) {
                bool inside = true;
                for (int a = 0; a < 3; ++a) {
                  i[a] = transposed ? o[a] / k[a] : o[a] * s[a] + t[a] - pad[a];
                  inside = inside && i[a] >= 0 && i[a] < in[a] && (!transposed || o[a] % k[a] == t[a]);
                }
                if (inside)
                  visit(((n * in[0] + i[0]) * in[1] + i[1]) * in[2] + i[2],
                        ((n * c.out[0] + o[0]) * c.out[1] + o[1]) * c.out[2] + o[2],
                        (t[0] * k[1] + t[1]) * k[2] + t[2]);
              }
}

// A problem of vg_conv3d with gaps behind the channels of x and y.
struct Sizes {
  int64_t n, in[3], ci, co, k[3], s[3], p[3], x_gap = 0, y_gap = 0;
};

inline ConvCase make(const Sizes &z) {
  ConvCase c{};
  c.p = {sizeof(vg_conv3d),
         z.n,
         z.in[0],
         z.in[1],
         z.in[2],
         z.ci,
         z.co,
         z.k[0],
         z.k[1],
         z.k[2],
         z.s[0],
         z.s[1],
         z.s[2],
         z.p[0],
         z.p[1],
         z.p[2],
         z.ci + z.x_gap,
         z.co + z.y_gap,
         VG_PRECISION_DEFAULT,
         0};
  for (int a = 0; a < 3; ++a) c.out[a] = (z.in[a] + 2 * z.p[a] - z.k[a]) / z.s[a] + 1;
  return c;
}

// What the precision `fast` promises, for numbers that cancel little.
inline constexpr Tolerance fast_tolerance{5e-6, 5e-5};

// Inputs and expected results of one problem.
struct ConvExpected {
  Tensor x, dy;
  Guarded<float> w, b;
  std::vector<double> y, dx, dw, db;

  ConvExpected(const ConvCase &c, bool transposed, Side side, uint64_t seed)
      : x(c.x_voxels(), c.p.ci, c.p.x_stride, side), dy(c.y_voxels(), c.p.co, c.p.y_stride, side),
        w(c.p.co * c.taps() * c.p.ci, side), b(c.p.co, side), y(static_cast<size_t>(c.y_voxels() * c.p.co)),
        dx(static_cast<size_t>(c.x_voxels() * c.p.ci)), dw(static_cast<size_t>(w.size())),
        db(static_cast<size_t>(c.p.co)) {
    x.fill(Random(seed));
    dy.fill(Random(seed + 1));
    Random(seed + 2).fill(w);
    Random(seed + 3).fill(b);
    std::vector<double> input;
    for (int64_t v = 0; v < c.x_voxels(); ++v)
      for (int64_t i = 0; i < c.p.ci; ++i) input.push_back(static_cast<double>(x.at(v, i)));
    compute(c, transposed, input);
  }

  // Results for other inputs than x, dense.
  void compute(const ConvCase &c, bool transposed, const std::vector<double> &inputs) {
    std::fill(dx.begin(), dx.end(), 0.0);
    std::fill(dw.begin(), dw.end(), 0.0);
    std::fill(db.begin(), db.end(), 0.0);
    const int64_t ci = c.p.ci, co = c.p.co, taps = c.taps();
    for (int64_t v = 0; v < c.y_voxels(); ++v)
      for (int64_t o = 0; o < co; ++o) {
        y[static_cast<size_t>(v * co + o)] = static_cast<double>(b[o]);
        db[static_cast<size_t>(o)] += static_cast<double>(dy.at(v, o));
      }
    for_each_product(c, transposed, [&](int64_t from, int64_t to, int64_t tap) {
      for (int64_t o = 0; o < co; ++o) {
        double &sum = y[static_cast<size_t>(to * co + o)];
        const double g = static_cast<double>(dy.at(to, o));
        for (int64_t i = 0; i < ci; ++i) {
          const int64_t at = transposed ? (i * taps + tap) * co + o : (o * taps + tap) * ci + i;
          const double weight = static_cast<double>(w[at]), input = inputs[static_cast<size_t>(from * ci + i)];
          sum += input * weight;
          dx[static_cast<size_t>(from * ci + i)] += g * weight;
          dw[static_cast<size_t>(at)] += g * input;
        }
      }
    });
  }
};

// Results of one problem, poisoned before the calls.
struct ConvResults {
  Tensor y, dx;
  Guarded<float> dw, db;
  ConvResults(const ConvCase &c, Side side)
      : y(c.y_voxels(), c.p.co, c.p.y_stride, side), dx(c.x_voxels(), c.p.ci, c.p.x_stride, side),
        dw(c.p.co * c.taps() * c.p.ci, side), db(c.p.co, side) {}
};

struct ConvFunctions {
  const char *name;
  bool transposed;
  decltype(&vg_conv3d_forward) forward;
  decltype(&vg_conv3d_backward_input) backward_input;
  decltype(&vg_conv3d_backward_weight) backward_weight;
};

inline const ConvFunctions conv3d{"conv3d", false, vg_conv3d_forward, vg_conv3d_backward_input,
                                  vg_conv3d_backward_weight};

inline std::unique_ptr<ConvResults> run(const ConvFunctions &f, const Cpu &cpu, const ConvCase &c,
                                        const ConvExpected &e, Side side) {
  auto r = std::make_unique<ConvResults>(c, side);
  EXPECT_EQ(f.forward(cpu, &c.p, nullptr, e.x.data(), e.w.data(), e.b.data(), r->y.data()), VG_OK)
      << cpu.error() << c.text();
  EXPECT_EQ(f.backward_input(cpu, &c.p, nullptr, e.dy.data(), e.w.data(), r->dx.data()), VG_OK)
      << cpu.error() << c.text();
  EXPECT_EQ(f.backward_weight(cpu, &c.p, nullptr, e.x.data(), e.dy.data(), r->dw.data(), r->db.data()), VG_OK)
      << cpu.error() << c.text();
  return r;
}

inline void expect_same_bits(const ConvFunctions &f, const ConvCase &c, const ConvResults &a, const ConvResults &b) {
  const std::string name = f.name;
  expect_same_bits(name + " forward", c.text(), a.y, b.y);
  expect_same_bits(name + " backward_input", c.text(), a.dx, b.dx);
  expect_same_bits(name + " backward_weight", c.text(), a.dw, b.dw);
  expect_same_bits(name + " backward_weight db", c.text(), a.db, b.db);
}

// All three functions on both tiers and both sides of a guard page against the naive loops.
inline void expect_naive(const ConvFunctions &f, const ConvCase &c, uint64_t seed) {
  for (const Side side : {Side::after, Side::before}) {
    const ConvExpected e(c, f.transposed, side, seed);
    for (const char *isa : isas()) {
      const Cpu cpu(2, isa);
      const auto r = run(f, cpu, c, e, side);
      const std::string name = std::string(f.name) + " " + isa;
      expect_close(name + " forward", c.text(), r->y, e.y);
      expect_close(name + " backward_input", c.text(), r->dx, e.dx);
      expect_close(name + " backward_weight", c.text(), r->dw, e.dw);
      expect_close(name + " backward_weight db", c.text(), r->db, e.db);
    }
  }
}

// |actual - exact| / |exact|.
struct Errors {
  double y, dx, dw;
};
inline Errors relative_errors(const ConvCase &c, const ConvExpected &e, const ConvResults &r) {
  const auto relative = [](const std::vector<double> &expected, auto at) {
    double difference = 0, norm = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      const double d = static_cast<double>(at(static_cast<int64_t>(i))) - expected[i];
      difference += d * d;
      norm += expected[i] * expected[i];
    }
    return std::sqrt(difference / norm);
  };
  return {relative(e.y, [&](int64_t i) { return r.y.at(i / c.p.co, i % c.p.co); }),
          relative(e.dx, [&](int64_t i) { return r.dx.at(i / c.p.ci, i % c.p.ci); }),
          relative(e.dw, [&](int64_t i) { return r.dw[i]; })};
}

// One thread and more give the same bits, on fresh scratch and on used.
inline void expect_same_bits_for_threads(const ConvFunctions &f, const ConvCase &c) {
  const ConvExpected e(c, f.transposed, Side::after, 77);
  for (const char *isa : isas()) {
    const auto one = run(f, Cpu(1, isa), c, e, Side::after);
    for (const int threads : {2, 3, 7}) {
      const Cpu cpu(threads, isa);
      expect_same_bits(f, c, *one, *run(f, cpu, c, e, Side::after));
      expect_same_bits(f, c, *one, *run(f, cpu, c, e, Side::after));
    }
  }
}

// b and db may be NULL: y without bias, dw as with db.
inline void expect_optional_bias(const ConvFunctions &f, const ConvCase &c) {
  const ConvExpected e(c, f.transposed, Side::after, 5);
  const Cpu cpu(2);
  const auto with = run(f, cpu, c, e, Side::after);
  ConvResults without(c, Side::after);
  Guarded<float> zero(c.p.co);
  for (float &value : zero) value = 0;
  ASSERT_EQ(f.forward(cpu, &c.p, nullptr, e.x.data(), e.w.data(), nullptr, without.y.data()), VG_OK) << cpu.error();
  ASSERT_EQ(f.forward(cpu, &c.p, nullptr, e.x.data(), e.w.data(), zero.data(), with->y.data()), VG_OK) << cpu.error();
  ASSERT_EQ(f.backward_weight(cpu, &c.p, nullptr, e.x.data(), e.dy.data(), without.dw.data(), nullptr), VG_OK)
      << cpu.error();
  expect_same_bits(f.name, c.text(), with->y, without.y);
  expect_same_bits(f.name, c.text(), with->dw, without.dw);
}

} // namespace vg::test

// vg_pad_forward and _backward.
#include "tiers.h"

#include <algorithm>

using namespace vg::test;

struct PadCase {
  int64_t n, d, h, w, c, ad, ah, aw, x_gap, y_gap;
  Side side = Side::after;
};
static const std::vector<PadCase> cases = {{1, 1, 1, 1, 1, 0, 0, 0, 0, 0},
                                           {2, 3, 4, 5, 3, 1, 0, 1, 0, 0},
                                           {1, 2, 3, 4, 33, 2, 1, 3, 5, 2, Side::before},
                                           {1, 1, 7, 5, 2, 0, 1, 1, 0, 1},
                                           {2, 9, 30, 31, 4, 1, 1, 1, 0, 0}};

TEST(Pad, CopiesOrClearsAndTheGradientSumsTheCopies) {
  for (const PadCase &k : cases)
    for (const int32_t replicate : {0, 1}) {
      vg_pad p = sized<vg_pad>();
      p.n = k.n, p.d = k.d, p.h = k.h, p.w = k.w, p.c = k.c;
      p.after_d = k.ad, p.after_h = k.ah, p.after_w = k.aw;
      p.x_stride = k.c + k.x_gap, p.y_stride = k.c + k.y_gap;
      p.replicate = replicate;
      const int64_t od = k.d + k.ad, oh = k.h + k.ah, ow = k.w + k.aw;
      Tensor x(k.n * k.d * k.h * k.w, k.c, p.x_stride, k.side), dy(k.n * od * oh * ow, k.c, p.y_stride, k.side);
      x.fill(Random(41));
      dy.fill(Random(42));
      std::vector<double> y_expected, dx_expected(static_cast<size_t>(x.voxels() * k.c));
      for (int64_t o = 0; o < dy.voxels(); ++o) {
        const int64_t z = o / (oh * ow) % od, y = o / ow % oh, w = o % ow;
        const bool inside = z < k.d && y < k.h && w < k.w;
        const int64_t i = ((o / (od * oh * ow) * k.d + std::min(z, k.d - 1)) * k.h + std::min(y, k.h - 1)) * k.w +
                          std::min(w, k.w - 1);
        for (int64_t c = 0; c < k.c; ++c) {
          y_expected.push_back(inside || replicate != 0 ? x.at(i, c) : 0);
          if (inside || replicate != 0) dx_expected[static_cast<size_t>(i * k.c + c)] += dy.at(o, c);
        }
      }
      const std::string text = "w=" + std::to_string(k.w) + " c=" + std::to_string(k.c);
      on_every_tier(text, [&](const Cpu &cpu, Bits &bits) {
        Tensor y(dy.voxels(), k.c, p.y_stride, k.side), dx(x.voxels(), k.c, p.x_stride, k.side);
        ASSERT_EQ(vg_pad_forward(cpu, &p, x.data(), y.data()), VG_OK) << cpu.error();
        ASSERT_EQ(vg_pad_backward(cpu, &p, dy.data(), dx.data()), VG_OK) << cpu.error();
        expect_close("pad", text, y, y_expected, {0, 0});
        expect_close("pad dx", text, dx, dx_expected);
        bits.add(y);
        bits.add(dx);
      });
    }
}

TEST(Pad, ArgumentErrors) {
  const Cpu cpu;
  float x[1] = {}, y[1] = {};
  vg_pad p = sized<vg_pad>();
  p.n = p.d = p.h = p.w = p.c = p.x_stride = p.y_stride = 1;
  p.after_w = -1;
  expect_error(cpu, vg_pad_forward(cpu, &p, x, y), VG_INVALID_ARGUMENT, "negative padding");
  p.after_w = 0;
  expect_error(cpu, vg_pad_backward(cpu, &p, nullptr, y), VG_INVALID_ARGUMENT, "dy is NULL");
}

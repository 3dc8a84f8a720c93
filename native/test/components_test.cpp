// vg_components_label against a flood fill that visits voxels one by one.
#include "tiers.h"

using namespace vg::test;

namespace {

// One problem with its bytes; `value(voxel, channel)` draws those of c interleaved maps.
struct Scene {
  vg_components p = sized<vg_components>();
  int64_t c;
  std::vector<uint8_t> x, mask, foreground; // foreground may be empty
  std::string name;

  Scene(std::string text, int64_t n, int64_t d, int64_t h, int64_t w, int64_t channels,
        const std::function<int(int64_t, int64_t)> &value)
      : c(channels), name(std::move(text)) {
    p.n = n;
    p.d = d;
    p.h = h;
    p.w = w;
    p.x_stride = c;
    for (int64_t v = 0; v < n * d * h * w; ++v)
      for (int64_t k = 0; k < c; ++k) x.push_back(static_cast<uint8_t>(value(v, k)));
  }
  int64_t voxels() const { return p.d * p.h * p.w; }
  std::string text() const {
    return name + " n=" + std::to_string(p.n) + " " + std::to_string(p.d) + "x" + std::to_string(p.h) + "x" +
           std::to_string(p.w) + " c=" + std::to_string(c) + " connectivity=" + std::to_string(p.connectivity) +
           (p.keep != 0 ? " keep" : "") + (mask.empty() ? "" : " mask");
  }
};

bool neighbours(int32_t connectivity, int64_t dz, int64_t dy, int64_t dx) {
  const int64_t steps = std::abs(dz) + std::abs(dy) + std::abs(dx);
  return steps >= 1 && steps <= (connectivity == 6 ? 1 : connectivity == 18 ? 2 : 3);
}

// ids of the voxels of one channel and the counts, the slow way: a new id at each unvisited voxel in raster order.
std::vector<int32_t> flood(const Scene &s, int64_t c, std::vector<int64_t> &counts) {
  const vg_components &p = s.p;
  std::vector<int32_t> ids(static_cast<size_t>(p.n * s.voxels()), 0);
  const auto foreground = [&](int64_t b, int64_t v) {
    const size_t value = s.x[static_cast<size_t>((b * s.voxels() + v) * s.c + c)];
    const bool set = s.foreground.empty() ? value != 0 : s.foreground[value] != 0;
    return set && (s.mask.empty() || s.mask[static_cast<size_t>(b * s.voxels() + v)] != 0);
  };
  for (int64_t b = 0; b < p.n; ++b) {
    const auto id = [&](int64_t v) -> int32_t & { return ids[static_cast<size_t>(b * s.voxels() + v)]; };
    int32_t next = 0;
    for (int64_t seed = 0; seed < s.voxels(); ++seed) {
      if (!foreground(b, seed) || id(seed) != 0) continue;
      std::vector<int64_t> open{seed};
      id(seed) = ++next;
      while (!open.empty()) {
        const int64_t v = open.back(), z = v / (p.h * p.w), y = v / p.w % p.h, x = v % p.w;
        open.pop_back();
        for (int64_t dz = -1; dz <= 1; ++dz)
          for (int64_t dy = -1; dy <= 1; ++dy)
            for (int64_t dx = -1; dx <= 1; ++dx) {
              if (!neighbours(p.connectivity, dz, dy, dx)) continue;
              if (z + dz < 0 || z + dz >= p.d || y + dy < 0 || y + dy >= p.h || x + dx < 0 || x + dx >= p.w) continue;
              const int64_t other = v + (dz * p.h + dy) * p.w + dx;
              if (!foreground(b, other) || id(other) != 0) continue;
              id(other) = next;
              open.push_back(other);
            }
      }
    }
    counts.push_back(next);
  }
  return ids;
}

// Each channel with all connectivities, 1, 2, 3 and 7 threads, with and without keeping the other ids; both ends of the
// buffers touch guard pages in turn.
void check(Scene s) {
  for (const int32_t connectivity : {6, 18, 26})
    for (int64_t c = 0; c < s.c; ++c) {
      s.p.connectivity = connectivity;
      std::vector<int64_t> expected_counts;
      const std::vector<int32_t> expected = flood(s, c, expected_counts);
      for (const int threads : {1, 2, 3, 7}) {
        const Side side = threads % 2 == 0 ? Side::before : Side::after;
        s.p.keep = threads == 2 || threads == 7;
        const Cpu cpu(threads);
        Guarded<uint8_t> x(static_cast<int64_t>(s.x.size()) - c, side), mask(static_cast<int64_t>(s.mask.size()), side);
        Guarded<int32_t> ids(s.p.n * s.voxels(), side);
        Guarded<int64_t> counts(s.p.n, side);
        std::copy(s.x.begin() + c, s.x.end(), x.begin());
        std::copy(s.mask.begin(), s.mask.end(), mask.begin());
        for (int32_t &id : ids) id = -5;
        ASSERT_EQ(vg_components_label(cpu, &s.p, x.data(), s.foreground.empty() ? nullptr : s.foreground.data(),
                                      s.mask.empty() ? nullptr : mask.data(), ids.data(), counts.data()),
                  VG_OK)
            << cpu.error();
        const std::string problem = s.text() + " channel=" + std::to_string(c) + " threads=" + std::to_string(threads);
        for (int64_t i = 0; i < ids.size(); ++i) {
          const int32_t id = expected[static_cast<size_t>(i)];
          ASSERT_EQ(ids[i], id == 0 && s.p.keep != 0 ? -5 : id) << problem << ": index " << i;
        }
        for (int64_t i = 0; i < counts.size(); ++i)
          ASSERT_EQ(counts[i], expected_counts[static_cast<size_t>(i)]) << problem << ": count " << i;
      }
    }
}

// Bytes that are `value` in about `share` of 100 voxels, else 0.
Scene random_scene(uint64_t seed, int64_t n, int64_t d, int64_t h, int64_t w, int64_t c, int64_t share) {
  Random random(seed);
  return Scene("random " + std::to_string(share) + "%", n, d, h, w, c, [&](int64_t, int64_t) {
    return random.index(100) < share ? static_cast<int>(1 + random.index(255)) : 0;
  });
}

} // namespace

TEST(Components, MatchAFloodFillForManySizes) {
  uint64_t seed = 1;
  for (const int64_t share : {10, 30, 55, 80}) {
    for (const int64_t w : {1, 2, 7, 8, 9, 31, 63, 64, 65, 67}) check(random_scene(seed++, 1, 5, 7, w, 1, share));
    for (const int64_t h : {1, 3, 67}) check(random_scene(seed++, 1, 1, h, 65, 1, share));
    for (const int64_t d : {2, 67}) check(random_scene(seed++, 1, d, 11, 13, 1, share));
  }
}

TEST(Components, MatchAFloodFillAcrossSlabs) {
  check(random_scene(100, 1, 9, 127, 129, 1, 35)); // 2 planes a slab, 5 slabs
  check(random_scene(101, 1, 1, 700, 257, 1, 45)); // rows of one plane, 6 slabs
  check(random_scene(102, 1, 130, 16, 70, 1, 25)); // 30 planes a slab
  check(random_scene(103, 1, 67, 67, 67, 1, 20));
}

TEST(Components, SamplesAndChannelsAreMapsOfTheirOwn) {
  check(random_scene(200, 3, 5, 6, 67, 1, 40));
  check(random_scene(201, 1, 6, 5, 66, 3, 40));
  check(random_scene(202, 2, 7, 9, 5, 4, 40));
  check(random_scene(203, 2, 1, 33, 130, 2, 50));
}

TEST(Components, MaskedVoxelsAreBackground) {
  for (const int64_t c : {1, 2}) {
    Scene s = random_scene(300, 2, 6, 7, 67, c, 70);
    Random random(301);
    for (int64_t v = 0; v < s.p.n * s.voxels(); ++v)
      s.mask.push_back(random.index(4) == 0 ? 0 : static_cast<uint8_t>(1 + random.index(255)));
    check(std::move(s));
  }
}

// Single labels, ranges, sets with gaps and the empty set.
TEST(Components, SetsOfLabelsOfALabelMap) {
  const std::vector<std::vector<size_t>> sets = {{1}, {2}, {128}, {255}, {0}, {128, 129}, {1, 2, 255}, {0, 1, 2}, {}};
  for (const std::vector<size_t> &set : sets)
    for (const int64_t c : {1, 2}) {
      Random random(400);
      const int labels[] = {0, 1, 2, 128, 255, 129};
      Scene s("labels", 1, 5, 9, 67, c, [&](int64_t, int64_t) { return labels[random.index(6)]; });
      s.foreground.assign(256, 0);
      for (const size_t label : set) s.foreground[label] = 1;
      check(std::move(s));
    }
}

TEST(Components, FullEmptyAndCheckerboard) {
  for (const int64_t w : {1, 64, 67}) {
    const int64_t h = 5, d = 4;
    check(Scene("empty", 1, d, h, w, 1, [](int64_t, int64_t) { return 0; }));
    check(Scene("full", 1, d, h, w, 1, [](int64_t, int64_t) { return 255; }));
    check(Scene("checkerboard", 1, d, h, w, 1,
                [&](int64_t v, int64_t) { return static_cast<int>((v / (h * w) + v / w % h + v % w) % 2); }));
    check(Scene("first and last voxel", 1, d, h, w, 1,
                [&](int64_t v, int64_t) { return v == 0 || v == d * h * w - 1 ? 1 : 0; }));
  }
}

// One path of voxels through everything: late joins of runs with very different numbers.
TEST(Components, SpiralsAndCombs) {
  const int64_t size = 67;
  std::vector<int> spiral(static_cast<size_t>(size * size), 0);
  const auto cell = [&](int64_t y, int64_t x) -> int & { return spiral[static_cast<size_t>(y * size + x)]; };
  const auto inside = [&](int64_t y, int64_t x) { return y >= 0 && y < size && x >= 0 && x < size; };
  int64_t y = 0, x = 0, dy = 0, dx = 1;
  for (int turns = 0; turns < 2;) {
    cell(y, x) = 1;
    const int64_t ny = y + dy, nx = x + dx, fy = ny + dy, fx = nx + dx;
    if (!inside(ny, nx) || (inside(fy, fx) && cell(fy, fx) == 1)) {
      const int64_t kept = dy;
      dy = dx;
      dx = -kept;
      ++turns;
    } else {
      y = ny, x = nx, turns = 0;
    }
  }
  check(Scene("spiral", 1, 1, size, size, 1, [&](int64_t v, int64_t) { return spiral[static_cast<size_t>(v)]; }));
  check(
      Scene("spiral along d", 1, size, 1, size, 1, [&](int64_t v, int64_t) { return spiral[static_cast<size_t>(v)]; }));
  check(Scene("comb joined in the last row", 1, 1, 700, 101, 1,
              [](int64_t v, int64_t) { return v / 101 == 699 || v % 101 % 2 == 0 ? 1 : 0; }));
  check(Scene("comb joined in the last plane", 1, 40, 31, 33, 1,
              [](int64_t v, int64_t) { return v / (31 * 33) == 39 || (v / 33 % 31 % 2 == 0 && v % 33 % 2 == 0); }));
}

TEST(Components, RowsLongerThanSixteenBits) {
  Random random(500);
  check(Scene("long rows", 1, 1, 3, 70001, 1, [&](int64_t, int64_t) { return random.index(5) < 2 ? 1 : 0; }));
  check(Scene("a full long row", 1, 1, 1, 65536, 1, [](int64_t, int64_t) { return 1; }));
  check(Scene("the longest short row", 1, 1, 2, 65535, 1, [](int64_t, int64_t) { return 1; }));
}

TEST(Components, ArgumentErrors) {
  const Cpu cpu;
  uint8_t x[8] = {};
  int32_t ids[8];
  int64_t counts[1];
  Scene s = random_scene(1, 1, 2, 2, 2, 1, 50);
  vg_components p = s.p;
  p.connectivity = 26;
  ASSERT_EQ(vg_components_label(cpu, &p, x, nullptr, nullptr, ids, counts), VG_OK) << cpu.error();
  expect_error(cpu, vg_components_label(cpu, nullptr, x, nullptr, nullptr, ids, counts), VG_INVALID_ARGUMENT,
               "problem is NULL");
  expect_error(cpu, vg_components_label(cpu, &p, nullptr, nullptr, nullptr, ids, counts), VG_INVALID_ARGUMENT,
               "x is NULL");
  expect_error(cpu, vg_components_label(cpu, &p, x, nullptr, nullptr, nullptr, counts), VG_INVALID_ARGUMENT,
               "ids is NULL");
  expect_error(cpu, vg_components_label(cpu, &p, x, nullptr, nullptr, ids, nullptr), VG_INVALID_ARGUMENT,
               "counts is NULL");
  p.connectivity = 8;
  expect_error(cpu, vg_components_label(cpu, &p, x, nullptr, nullptr, ids, counts), VG_INVALID_ARGUMENT,
               "connectivity is 8");
  p.connectivity = 6;
  p.keep = 2;
  expect_error(cpu, vg_components_label(cpu, &p, x, nullptr, nullptr, ids, counts), VG_INVALID_ARGUMENT, "keep is 2");
  p.keep = 0;
  p.x_stride = 0;
  expect_error(cpu, vg_components_label(cpu, &p, x, nullptr, nullptr, ids, counts), VG_INVALID_ARGUMENT,
               "x_stride is 0");
  p.x_stride = 1;
  p.d = int64_t{1} << 40;
  expect_error(cpu, vg_components_label(cpu, &p, x, nullptr, nullptr, ids, counts), VG_INVALID_ARGUMENT, "2^31");
  p.d = 0;
  expect_error(cpu, vg_components_label(cpu, &p, x, nullptr, nullptr, ids, counts), VG_INVALID_ARGUMENT, "d is 0");
  p.size = 8;
  expect_error(cpu, vg_components_label(cpu, &p, x, nullptr, nullptr, ids, counts), VG_INVALID_ARGUMENT,
               "different headers");
}

// Connected components of a set of voxels of byte maps [n][d][h][w]: every sample is one map of its own.
//
// A row of voxels is cut into runs of foreground voxels; runs are the nodes of a union-find forest in which the root is
// always the run with the smallest index. Runs are numbered in raster order, so the root holds the first voxel of its
// component and numbering the roots in order gives ids in raster order, whatever the order of the unions was.
//
//   1. count the runs of each row           parallel over slabs (whole planes; rows of a map with one plane)
//   2. store them, join those of one slab   parallel over slabs, which share no runs
//   3. join neighbouring slabs              rounds of a tournament: pairs of slabs, pairs of pairs, ...
//   4. number the roots                     one sweep over the runs
//   5. write the ids                        parallel over slabs
//
// Bound by memory: the bytes are read twice, the ids written once; scratch memory is 8 bytes a run (12 in rows of more
// than 65535 voxels), that is at most 4 bytes a voxel for rows of 2 and more. Matches scipy.ndimage.label.
#include "internal.h"

#include <algorithm>
#include <bit>
#include <limits>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

using namespace vg;

namespace {

// At least this many voxels in a slab, so that the start of a piece costs nothing; at most this many slabs, so that few
// planes wait for the joins of step 3.
constexpr int64_t slab_voxels = 32768, max_slabs = 64;

// The bytes of the set: a table, and the first and last of them where there is none between that is not in the set.
struct Foreground {
  uint8_t contains[256] = {};
  bool range = true;
  uint8_t first = 255, last = 0; // the empty set has none

  explicit Foreground(const uint8_t *table) {
    for (int value = 0; value < 256; ++value) {
      if (table != nullptr ? table[value] == 0 : value == 0) continue;
      range &= last == 0 || value == last + 1;
      contains[value] = 1;
      if (first > value) first = static_cast<uint8_t>(value);
      last = static_cast<uint8_t>(value);
    }
  }
};

// One sample.
struct Map {
  const uint8_t *x;
  const uint8_t *mask; // may be NULL
  int64_t d, h, w, x_stride;
  const Foreground &foreground;

  int64_t rows() const { return d * h; }
  bool is_foreground(int64_t voxel) const {
    return foreground.contains[x[voxel * x_stride]] != 0 && (mask == nullptr || mask[voxel] != 0);
  }
#if defined(__SSE2__)
  // Bit i: voxel + i is foreground; for 64 adjacent bytes and a range of them.
  uint64_t dense_word(int64_t voxel) const {
    const __m128i first = _mm_set1_epi8(static_cast<char>(foreground.first)), zero = _mm_setzero_si128();
    const __m128i span = _mm_set1_epi8(static_cast<char>(foreground.last - foreground.first));
    const auto load = [](const uint8_t *from) { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(from)); };
    uint64_t bits = 0;
    for (int64_t i = 0; i < 64; i += 16) {
      const __m128i above = _mm_sub_epi8(load(x + voxel + i), first); // wraps below the first
      int32_t flags = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(above, span), above));
      if (mask != nullptr) flags &= ~_mm_movemask_epi8(_mm_cmpeq_epi8(load(mask + voxel + i), zero));
      bits |= static_cast<uint64_t>(flags) << i;
    }
    return bits;
  }
#endif
  uint64_t word(int64_t voxel, int64_t count) const {
#if defined(__SSE2__)
    if (x_stride == 1 && count == 64 && foreground.range && foreground.first <= foreground.last)
      return dense_word(voxel);
#endif
    uint64_t bits = 0;
    for (int64_t i = 0; i < count; ++i) bits |= static_cast<uint64_t>(is_foreground(voxel + i)) << i;
    return bits;
  }
  // Calls edge(position) where foreground begins or ends in a row: begin, end, begin, end, ...
  template <class Edge> void edges(int64_t row, Edge &&edge) const {
    uint64_t before = 0; // foreground of the last voxel
    for (int64_t at = 0; at < w; at += 64) {
      const uint64_t bits = word(row * w + at, std::min<int64_t>(64, w - at));
      uint64_t changes = bits ^ (bits << 1 | before);
      before = bits >> 63;
      for (; changes != 0; changes &= changes - 1) edge(at + std::countr_zero(changes));
    }
    if (before != 0) edge(w); // a last word that is not full has ended its run already
  }
};

// Rows of a neighbourhood that come before a row: dz, dy and how far beyond its own ends a run reaches there.
struct Neighbour {
  int64_t dz, dy, reach;
};
struct Neighbourhood {
  Neighbour rows[4];
  int32_t count;
};

Neighbourhood neighbourhood(int32_t connectivity) {
  if (connectivity == 6) return {{{0, -1, 0}, {-1, 0, 0}}, 2};
  const int64_t corner = connectivity == 26 ? 1 : 0;
  return {{{0, -1, 1}, {-1, 0, 1}, {-1, -1, corner}, {-1, 1, corner}}, 4};
}

// The runs of a map. Position is the type of a place in a row: the smaller one halves the scratch memory.
template <class Position> struct Runs {
  const int32_t *first; // first[row] to first[row + 1]: the runs of a row
  int32_t *parent;      // after step 4: the id
  Position *begin, *end;

  int32_t root(int32_t run) const {
    while (parent[run] != run) run = parent[run] = parent[parent[run]];
    return run;
  }
  void unite(int32_t a, int32_t b) const {
    a = root(a);
    b = root(b);
    if (a != b) parent[std::max(a, b)] = std::min(a, b);
  }
  // Joins the runs of two rows that touch. Both lists ascend and have gaps, so the run that ends first is done.
  void join(int64_t row, int64_t other, int64_t reach) const {
    int32_t i = first[row], j = first[other];
    const int32_t i_end = first[row + 1], j_end = first[other + 1];
    while (i < i_end && j < j_end) {
      if (begin[i] < end[j] + reach && begin[j] < end[i] + reach) unite(i, j);
      end[i] < end[j] ? ++i : ++j;
    }
  }
};

// Joins the runs of rows [begin, end) with earlier rows from `lowest` to `highest` - 1.
template <class Position>
void join_rows(const Map &map, const Neighbourhood &near, const Runs<Position> &runs, int64_t begin, int64_t end,
               int64_t lowest, int64_t highest) {
  for (int64_t row = begin; row < end; ++row) {
    if (runs.first[row] == runs.first[row + 1]) continue;
    const int64_t z = row / map.h, y = row % map.h;
    for (int32_t k = 0; k < near.count; ++k) {
      const Neighbour &n = near.rows[k];
      if (z + n.dz < 0 || y + n.dy < 0 || y + n.dy >= map.h) continue;
      const int64_t other = row + n.dz * map.h + n.dy;
      if (other >= lowest && other < std::min(highest, row)) runs.join(row, other, n.reach);
    }
  }
}

template <class Position>
void find_runs(vg_context *context, const Map &map, const Neighbourhood &near, const Pieces &slabs,
               const Runs<Position> &runs) {
  parallel_for(context, slabs.count(), [&](int64_t slab) {
    for (int64_t row = slabs.begin(slab); row < slabs.end(slab); ++row) {
      int64_t edge = 2 * static_cast<int64_t>(runs.first[row]);
      map.edges(row, [&](int64_t position) {
        Position *const places = edge % 2 == 0 ? runs.begin : runs.end;
        places[edge / 2] = static_cast<Position>(position);
        ++edge;
      });
      for (int32_t run = runs.first[row]; run < runs.first[row + 1]; ++run) runs.parent[run] = run;
      join_rows(map, near, runs, row, row + 1, slabs.begin(slab), slabs.end(slab));
    }
  });
}

// Each round joins blocks of `width` slabs with the next block; a pair of blocks shares no runs with another pair. Only
// the first plane (or row) of the right block has neighbours in the left one.
template <class Position>
void join_slabs(vg_context *context, const Map &map, const Neighbourhood &near, const Pieces &slabs,
                const Runs<Position> &runs) {
  const int64_t layer = map.d == 1 ? 1 : map.h;
  for (int64_t width = 1; width < slabs.count(); width *= 2) {
    const int64_t pairs = (slabs.count() + width - 1) / (2 * width);
    parallel_for(context, pairs, [&](int64_t pair) {
      const int64_t left = slabs.begin(pair * 2 * width), right = slabs.begin((pair * 2 + 1) * width);
      join_rows(map, near, runs, right, right + layer, left, right);
    });
  }
}

// Replaces parents by ids. A parent has a smaller index than its run, so it has its id already.
int64_t number_roots(int32_t *parent, int64_t count) {
  int32_t id = 0;
  for (int64_t run = 0; run < count; ++run) parent[run] = parent[run] == run ? ++id : parent[parent[run]];
  return id;
}

template <class Position>
void write_ids(vg_context *context, const Map &map, const Pieces &slabs, const Runs<Position> &runs, bool keep,
               int32_t *ids) {
  parallel_for(context, slabs.count(), [&](int64_t slab) {
    for (int64_t row = slabs.begin(slab); row < slabs.end(slab); ++row) {
      int32_t *const to = ids + row * map.w;
      int64_t at = 0;
      for (int32_t run = runs.first[row]; run < runs.first[row + 1]; ++run) {
        if (!keep) std::fill(to + at, to + runs.begin[run], 0);
        std::fill(to + runs.begin[run], to + runs.end[run], runs.parent[run]);
        at = runs.end[run];
      }
      if (!keep) std::fill(to + at, to + map.w, 0);
    }
  });
}

// Number of runs before each row, and of all behind the last.
void count_runs(vg_context *context, const Map &map, const Pieces &slabs, int32_t *first) {
  first[0] = 0;
  parallel_for(context, slabs.count(), [&](int64_t slab) {
    for (int64_t row = slabs.begin(slab); row < slabs.end(slab); ++row) {
      int32_t edges = 0;
      map.edges(row, [&](int64_t) { ++edges; });
      first[row + 1] = edges / 2;
    }
  });
  for (int64_t row = 0; row < map.rows(); ++row) first[row + 1] += first[row];
}

template <class Position>
int64_t label(vg_context *context, const Map &map, const Neighbourhood &near, const Pieces &slabs, const int32_t *first,
              bool keep, int32_t *ids) {
  const int64_t count = first[map.rows()];
  const Workspace parent(context, count * static_cast<int64_t>(sizeof(int32_t)));
  const Workspace places(context, 2 * count * static_cast<int64_t>(sizeof(Position)));
  const Runs<Position> runs{first, parent.as<int32_t>(), places.as<Position>(), places.as<Position>() + count};
  find_runs(context, map, near, slabs, runs);
  join_slabs(context, map, near, slabs, runs);
  const int64_t components = number_roots(runs.parent, count);
  write_ids(context, map, slabs, runs, keep, ids);
  return components;
}

int64_t label_map(vg_context *context, const Map &map, const Neighbourhood &near, bool keep, int32_t *ids) {
  const int64_t layer = map.d == 1 ? 1 : map.h, layers = map.rows() / layer, layer_voxels = layer * map.w;
  const int64_t layers_per_slab =
      std::max((slab_voxels + layer_voxels - 1) / layer_voxels, (layers + max_slabs - 1) / max_slabs);
  const Pieces slabs{map.rows(), layers_per_slab * layer};
  const Workspace first(context, (map.rows() + 1) * static_cast<int64_t>(sizeof(int32_t)));
  count_runs(context, map, slabs, first.as<int32_t>());
  return map.w <= std::numeric_limits<uint16_t>::max()
             ? label<uint16_t>(context, map, near, slabs, first.as<int32_t>(), keep, ids)
             : label<int32_t>(context, map, near, slabs, first.as<int32_t>(), keep, ids);
}

void check(const vg_components *problem) {
  require_size(problem);
  const vg_components &p = *problem;
  const int64_t sizes[] = {p.n, p.d, p.h, p.w, p.x_stride};
  const char *const names[] = {"n", "d", "h", "w", "x_stride"};
  for (int i = 0; i < 5; ++i) require_positive(names[i], sizes[i]);
  const int64_t most = std::numeric_limits<int32_t>::max();
  VG_REQUIRE(p.d <= most / p.h && p.d * p.h <= most / p.w,
             "a map of %lld x %lld x %lld voxels has more than 2^31 - 1; crop it, ids are int32",
             static_cast<long long>(p.d), static_cast<long long>(p.h), static_cast<long long>(p.w));
  require_tensor("x", p.n, p.d * p.h * p.w, 1, p.x_stride);
  VG_REQUIRE(p.connectivity == 6 || p.connectivity == 18 || p.connectivity == 26,
             "connectivity is %d; use 6 (faces), 18 (faces and edges) or 26 (all neighbours)", p.connectivity);
  VG_REQUIRE(p.keep == 0 || p.keep == 1, "keep is %d, must be 0 or 1", p.keep);
}

} // namespace

extern "C" int32_t vg_components_label(vg_context *context, const vg_components *problem, const uint8_t *x,
                                       const uint8_t *foreground, const uint8_t *mask, int32_t *ids, int64_t *counts) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem);
        require_pointer("x", x);
        require_pointer("ids", ids);
        require_pointer("counts", counts);
      },
      [&] {
        const vg_components &p = *problem;
        const int64_t voxels = p.d * p.h * p.w;
        const Neighbourhood near = neighbourhood(p.connectivity);
        const Foreground set(foreground);
        for (int64_t b = 0; b < p.n; ++b) {
          const uint8_t *const sample_mask = mask == nullptr ? nullptr : mask + b * voxels;
          const Map map{x + b * voxels * p.x_stride, sample_mask, p.d, p.h, p.w, p.x_stride, set};
          counts[b] = label_map(context, map, near, p.keep != 0, ids + b * voxels);
        }
      });
}

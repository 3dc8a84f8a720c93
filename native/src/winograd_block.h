// Blocks of tiles of 2x2x2 outputs and transformed weights: what the Winograd convolution and its gradients share. For
// .cpp files only.
#pragma once

#include "winograd_scheme.h"
#include "winograd_tiling.h"

namespace vg {

// Frequencies and outputs of a block, below the L2 of the smallest processors in use.
inline constexpr int64_t block_bytes = 256 << 10;
inline constexpr int64_t fewest_tiles = 4 * winograd_rows, most_tiles = 16 * winograd_rows;
// Blocks from which on each is a work item.
inline constexpr int64_t fewest_items = 16;
// Frequencies and outputs of all tiles that go through the stages together, at most about this much.
inline constexpr int64_t stage_bytes = 32 << 20;
// Tiles of an item of a stage.
inline constexpr int64_t stage_run = 2 * winograd_rows;
// Up to so many tiles the weights are most of the work (winograd_panels.cpp).
inline constexpr int64_t few_tiles = most_tiles;

// The scheme of a correlation with strides 1 or 2.
inline WinogradScheme scheme_of(const Correlation &p) {
  const StridedAxes strided{p.axis[0].step == 2, p.axis[2].step == 2};
  std::span<const WinogradSlice> slices = deep_slices;
  if (p.axis[0].taps == 1) slices = flat_slices;
  if (strided.depth) slices = strided_slices;
  return {strided.plane ? strided_plane : unit_plane, slices, strided};
}

// Tiles of 2x2x2 outputs, or of 1x2x2 for 1x3x3 taps.
struct Tiling : TileGrid {
  explicit Tiling(const Correlation &problem)
      : TileGrid(problem, problem.axis[0].taps == 3 ? 2 : 1, winograd_step), scheme(scheme_of(problem)) {}
  // The same tiles of a problem with so many channels.
  Tiling part(int64_t ci, int64_t co) const {
    Tiling t = *this;
    t.p.ci = ci;
    t.p.co = co;
    return t;
  }
  // Multiply-adds of the products per pair of channels; the transforms take as long as 3 channels more on either side.
  double cost() const {
    return static_cast<double>(tiles() * scheme.inputs()) *
           (1 + 3 / static_cast<double>(p.ci) + 3 / static_cast<double>(p.co));
  }

  WinogradScheme scheme;
};

// Transforms the weights of input channels [first, last) of one panel: v[(depth frequency * 16 + f) * v_frequency],
// then [channel - first][lanes].
inline void transform_weights(vg_context *context, const WinogradScheme &scheme, const Panels &panels,
                              const Weights &weights, int64_t panel, int64_t first, int64_t last, float *v,
                              int64_t v_frequency) {
  WinogradKernel k{};
  k.strided = scheme.strided;
  k.w = weights.w + panels.begin(panel) * weights.out_stride + first * weights.in_stride;
  k.tap = weights.heads.front().tap.data();
  k.planes = scheme.count() == 1 ? 1 : 3;
  k.in_stride = weights.in_stride;
  k.out_stride = weights.out_stride;
  k.inputs = last - first;
  k.outputs = panels.width(panel);
  k.lanes = panels.lanes(panel);
  k.v = v;
  k.v_frequency = v_frequency;
  VG_PICK(context, winograd_kernel)(k);
}

// Transformed weights [depth frequency][f][panel][ci][lanes].
class Kernels {
public:
  Kernels(vg_context *context, const WinogradScheme &scheme, int64_t ci, int64_t co, const Weights &weights)
      : frequency(Panels{co}.padded() * ci + frequency_gap), panels_{co}, ci_(ci),
        memory_(context, scheme.weights() * winograd_frequencies * frequency * static_cast<int64_t>(sizeof(float))),
        v_(memory_.as<float>()) {
    const Pieces pieces{ci_, 32};
    parallel_for(context, panels_.count() * pieces.count(), [&](int64_t item) {
      const int64_t panel = item / pieces.count(), first = pieces.begin(item % pieces.count());
      transform_weights(context, scheme, panels_, weights, panel, first, pieces.end(item % pieces.count()),
                        v_ + panels_.begin(panel) * ci_ + first * panels_.lanes(panel), frequency);
    });
  }
  const float *at(int64_t depth, int64_t panel) const {
    return v_ + depth * winograd_frequencies * frequency + panels_.begin(panel) * ci_;
  }

  const int64_t frequency; // distance of f

private:
  Panels panels_;
  int64_t ci_;
  Workspace memory_;
  float *v_;
};

// Scratch for up to `room` tiles: frequencies of the inputs, of the products, and the outputs.
class Block {
public:
  static int64_t floats(const Tiling &tiling, int64_t room) {
    const Block b(tiling, room, nullptr, nullptr, nullptr);
    return b.u_floats() + b.m_floats() + b.sums_floats();
  }

  Block(const Tiling &tiling, int64_t room, float *memory) : Block(tiling, room, memory, nullptr, nullptr) {
    m = u + u_floats();
    sums = m + m_floats();
  }
  Block(const Tiling &tiling, int64_t room, float *inputs, float *products, float *outputs)
      : u(inputs), m(products), sums(outputs), tiling_(tiling), panels_{tiling.p.co}, room_(room) {
    u_tile = round_up(tiling.p.ci, 8);
    m_tile = panels_.padded();
    u_frequency = room * u_tile + frequency_gap;
    m_frequency = room * m_tile + frequency_gap;
  }
  int64_t u_floats() const { return tiling_.scheme.plane.inputs * u_frequency; }
  int64_t m_floats() const { return tiling_.scheme.plane.products * m_frequency; }
  int64_t sums_floats() const { return room_ * sums_tile(); }

  float *u, *m, *sums;
  int64_t u_tile, u_frequency, m_tile, m_frequency;

  // Inputs of tiles [begin, end) of the problem in slice s; the first one is tile `at` of the block.
  void gather(vg_context *context, const WinogradInput &input, int64_t s, int64_t begin, int64_t end,
              int64_t at) const {
    const Correlation &p = tiling_.p;
    const int64_t size[3] = {p.axis[0].in, p.axis[1].in, p.axis[2].in};
    const WinogradSlice &slice = tiling_.scheme.slice(s);
    tiling_.for_runs(begin, end, at, [&](const TileGrid::Run &run) {
      int64_t from[3];
      for (int k = 0; k < 3; ++k) from[k] = run.at[k] * p.axis[k].step + p.axis[k].origin;
      const Plane first{input.x, size, p.x_stride, run.n, from[0] + slice.first};
      const Plane second{input.x, size, p.x_stride, run.n, from[0] + slice.second};
      const int64_t column = from[2];
      WinogradGather g{};
      g.strided = tiling_.scheme.strided.plane;
      for (int64_t h = 0; h < tiling_.scheme.plane.side; ++h) {
        g.row[0][h] = first.row(from[1] + h, column);
        g.row[1][h] = second.row(from[1] + h, column);
      }
      g.sign = slice.sign;
      g.stride = p.x_stride;
      g.begin = -column;
      g.end = p.axis[2].in - column;
      g.tiles = run.tiles;
      g.channels = p.ci;
      if (input.norm != nullptr) g.norm = input.norm + run.n * VG_NORM_ROWS * input.norm_row;
      g.norm_row = input.norm_row;
      g.u = u + run.block * u_tile;
      g.u_tile = u_tile;
      g.u_frequency = u_frequency;
      VG_PICK(context, winograd_gather)(g);
    });
  }

  // The same of the gradients of the outputs, to m.
  void spread(vg_context *context, const float *dy, int64_t s, int64_t begin, int64_t end, int64_t at) const {
    const Correlation &p = tiling_.p;
    const int64_t size[3] = {p.axis[0].out, p.axis[1].out, p.axis[2].out};
    const WinogradSlice &slice = tiling_.scheme.slice(s);
    tiling_.for_runs(begin, end, at, [&](const TileGrid::Run &run) {
      WinogradGather g{};
      g.strided = tiling_.scheme.strided.plane;
      for (int64_t z = 0; z < 2; ++z)
        for (int64_t h = 0; h < winograd_step && slice.out[z] != 0; ++h)
          g.row[z][h] = Plane{dy, size, p.y_stride, run.n, run.at[0] + z}.row(run.at[1] + h, run.at[2]);
      g.sign = slice.out[1];
      g.stride = p.y_stride;
      g.end = p.axis[2].out - run.at[2];
      g.tiles = run.tiles;
      g.channels = p.co;
      g.u = m + run.block * m_tile;
      g.u_tile = m_tile;
      g.u_frequency = m_frequency;
      VG_PICK(context, winograd_spread)(g);
    });
  }

  // Product f of `tiles` tiles of `in` with a panel, whose weights at the depth of the slice are v[weight *
  // v_frequency].
  void multiply(vg_context *context, const Block &in, const float *v, int64_t v_frequency, int64_t f, int64_t panel,
                int64_t tiles, bool add) const {
    const WinogradTerms &terms = tiling_.scheme.plane.of_product[static_cast<size_t>(f)];
    WinogradProduct p{};
    p.terms = terms.count;
    for (int64_t t = 0; t < terms.count; ++t) {
      p.u[t] = in.u + terms.first[t] * in.u_frequency;
      p.v[t] = v + terms.second[t] * v_frequency;
    }
    p.m = m + f * m_frequency + panels_.begin(panel);
    p.u_tile = in.u_tile;
    p.m_tile = m_tile;
    p.tiles = tiles;
    p.channels = in.tiling_.p.ci;
    p.lanes = panels_.lanes(panel);
    p.add = add;
    VG_PICK(context, winograd_product)(p);
  }

  // Products of the inputs of `in` and the gradients of tiles [begin, end) for one frequency of the weights in the
  // plane: sum [ci][lanes] of a panel.
  void outer(vg_context *context, const Block &in, int64_t weight, int64_t panel, int64_t begin, int64_t end,
             float *sum, bool add) const {
    const WinogradTerms &terms = tiling_.scheme.plane.of_weight[static_cast<size_t>(weight)];
    for (int64_t t = 0; t < terms.count; ++t) VG_PICK(context, winograd_outer)
    ({in.u + terms.first[t] * in.u_frequency + begin * in.u_tile,
      m + terms.second[t] * m_frequency + begin * m_tile + panels_.begin(panel), sum, in.u_tile, m_tile, end - begin,
      in.tiling_.p.ci, panels_.lanes(panel), add || t > 0});
  }

  // Outputs of tiles [begin, end) of the problem, which are the block's from `at` on, after slice s. They are work item
  // `item` of the outputs. The products of slice s must be complete.
  void scatter(vg_context *context, int64_t s, int64_t begin, int64_t end, int64_t at, const WinogradOutput &output,
               int64_t item) const {
    tiling_.for_samples(begin, end, [&](int64_t sample, int64_t first, int64_t last) {
      scatter_sample(context, s, first, last, at + first - begin, output, item, sample);
    });
  }

private:
  void scatter_sample(vg_context *context, int64_t s, int64_t begin, int64_t end, int64_t at,
                      const WinogradOutput &output, int64_t item, int64_t sample) const {
    const Correlation &p = tiling_.p;
    const WinogradSlice &slice = tiling_.scheme.slice(s);
    int64_t places[most_tiles];
    uint8_t inside[most_tiles];
    WinogradScatter g{};
    g.strided = tiling_.scheme.strided.plane;
    g.m = m + at * m_tile;
    g.m_tile = m_tile;
    g.m_frequency = m_frequency;
    g.tiles = end - begin;
    g.channels = p.co;
    g.planes = tiling_.planes;
    std::copy(slice.out, slice.out + 2, g.out);
    g.first = slice.product == 0;
    g.last = s == tiling_.scheme.count() - 1;
    g.sums = sums + at * sums_tile();
    g.bias = output.bias;
    g.y = output.y;
    g.place = places;
    g.inside = inside;
    g.y_stride = p.y_stride;
    g.row = p.axis[2].out;
    g.plane = g.row * p.axis[1].out;
    if (g.last) {
      int64_t voxels = 0;
      tiling_.for_runs(begin, end, 0, [&](const TileGrid::Run &run) {
        voxels += tiling_.place(run, places + run.block, inside + run.block);
      });
      g.work = output.sums.open(item, sample, voxels, output.channel, p.co);
    }
    VG_PICK(context, winograd_scatter)(g);
  }

  int64_t sums_tile() const { return 4 * tiling_.planes * round_up(tiling_.p.co, 8); }

  Tiling tiling_;
  Panels panels_;
  int64_t room_;
};

// Tiles whose frequencies and outputs fill about so many bytes, in whole register tiles.
inline int64_t tiles_in(const Tiling &tiling, int64_t bytes) {
  const int64_t each = Block::floats(tiling, 2) - Block::floats(tiling, 1);
  return bytes / (each * static_cast<int64_t>(sizeof(float))) / fewest_tiles * fewest_tiles;
}
inline Pieces blocks_of(const Tiling &tiling) {
  return {tiling.tiles(), std::clamp(tiles_in(tiling, block_bytes), fewest_tiles, most_tiles)};
}
// Tiles that go through the stages together.
inline Pieces chunks_of(const Tiling &tiling) {
  return {tiling.tiles(), std::min(tiling.tiles(), std::max(tiles_in(tiling, stage_bytes), most_tiles))};
}

// With few tiles; as winograd_correlate and winograd_weight.
void by_panels(vg_context *context, const Tiling &tiling, const WinogradInput &x, const Weights &weights,
               const WinogradOutput &y);
void weight_by_panels(vg_context *context, const Tiling &tiling, const WinogradInput &x, const float *dy, float *dw);

} // namespace vg

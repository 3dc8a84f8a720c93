// Blocks of tiles of 2x2x2 outputs: what the Winograd convolution and its weight gradient share. For .cpp files only.
#pragma once

#include "winograd_tile.h"
#include "winograd_tiling.h"

#include <array>

namespace vg {

// Frequencies and outputs of a block, below the L2 of the smallest processors in use.
inline constexpr int64_t block_bytes = 256 << 10;
inline constexpr int64_t fewest_tiles = 4 * winograd_rows, most_tiles = 16 * winograd_rows;
// Work items that keep many threads busy to the end.
inline constexpr int64_t enough_items = 32, fewest_items = 16;
// Frequencies and outputs of all tiles that go through the stages together, at most about this much.
inline constexpr int64_t stage_bytes = 32 << 20;
// Tiles of an item of a stage.
inline constexpr int64_t stage_run = 2 * winograd_rows;
// Up to so many tiles the weights are most of the work (winograd_panels.cpp).
inline constexpr int64_t few_tiles = most_tiles;

// A frequency of the depth: inputs first + sign * second, added to the outputs with these factors.
struct WinogradSlice {
  int64_t first, second;
  float sign;
  float out[2];
};
inline constexpr std::array<WinogradSlice, 4> deep_slices{
    {{0, 2, -1, {1, 0}}, {1, 2, 1, {1, 1}}, {2, 1, -1, {1, -1}}, {1, 3, -1, {0, -1}}}};
inline constexpr std::array<WinogradSlice, 1> flat_slices{{{0, 0, 0, {1, 0}}}};

// Tiles of 2x2x2 outputs, or of 1x2x2 for 1x3x3 taps.
struct Tiling : TileGrid {
  explicit Tiling(const Correlation &problem) : TileGrid(problem, problem.axis[0].taps == 3 ? 2 : 1, winograd_step) {}
  // The same tiles of a problem with so many channels.
  Tiling part(int64_t ci, int64_t co) const {
    Tiling t = *this;
    t.p.ci = ci;
    t.p.co = co;
    return t;
  }
  int64_t slices() const { return planes == 2 ? 4 : 1; }
  // Multiply-adds of the products per pair of channels; the transforms take as long as 3 channels more on either side.
  double cost() const {
    return static_cast<double>(tiles() * slices() * winograd_frequencies) *
           (1 + 3 / static_cast<double>(p.ci) + 3 / static_cast<double>(p.co));
  }
  const WinogradSlice &slice(int64_t s) const {
    return planes == 2 ? deep_slices[static_cast<size_t>(s)] : flat_slices[static_cast<size_t>(s)];
  }
};

// Transforms the weights of input channels [first, last) of one panel: v[(slice * 16 + f) * v_frequency], then
// [channel - first][lanes].
inline void transform_weights(vg_context *context, const Tiling &tiling, const Weights &weights, int64_t panel,
                              int64_t first, int64_t last, float *v, int64_t v_frequency) {
  const Panels panels{tiling.p.co};
  WinogradKernel k{};
  k.w = weights.w + panels.begin(panel) * weights.out_stride + first * weights.in_stride;
  k.tap = weights.heads.front().tap.data();
  k.planes = tiling.p.axis[0].taps;
  k.in_stride = weights.in_stride;
  k.out_stride = weights.out_stride;
  k.inputs = last - first;
  k.outputs = panels.width(panel);
  k.lanes = panels.lanes(panel);
  k.v = v;
  k.v_frequency = v_frequency;
  VG_PICK(context, winograd_kernel)(k);
}

// Transformed weights [slice * 16 + f][panel][ci][lanes].
class Kernels {
public:
  Kernels(vg_context *context, const Tiling &tiling, const Weights &weights)
      : panels_{tiling.p.co}, ci_(tiling.p.ci), frequency_(panels_.padded() * ci_ + 16),
        memory_(context, tiling.slices() * winograd_frequencies * frequency_ * static_cast<int64_t>(sizeof(float))),
        v_(memory_.as<float>()) {
    const Pieces pieces{ci_, 32};
    parallel_for(context, panels_.count() * pieces.count(), [&](int64_t item) {
      const int64_t panel = item / pieces.count(), first = pieces.begin(item % pieces.count());
      transform_weights(context, tiling, weights, panel, first, pieces.end(item % pieces.count()),
                        v_ + panels_.begin(panel) * ci_ + first * panels_.lanes(panel), frequency_);
    });
  }
  const float *at(int64_t frequency, int64_t panel) const {
    return v_ + frequency * frequency_ + panels_.begin(panel) * ci_;
  }

private:
  Panels panels_;
  int64_t ci_, frequency_;
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
    // One cache line more per frequency: a stride of a multiple of 4096 bytes would use few sets of the cache.
    constexpr int64_t line = 16;
    u_tile = round_up(tiling.p.ci, 8);
    m_tile = panels_.padded();
    u_frequency = room * u_tile + line;
    m_frequency = room * m_tile + line;
  }
  int64_t u_floats() const { return winograd_frequencies * u_frequency; }
  int64_t m_floats() const { return winograd_frequencies * m_frequency; }
  int64_t sums_floats() const { return room_ * sums_tile(); }

  float *u, *m, *sums;
  int64_t u_tile, u_frequency, m_tile, m_frequency;

  // Inputs of tiles [begin, end) of the problem in slice s; the first one is tile `at` of the block.
  void gather(vg_context *context, const WinogradInput &input, int64_t s, int64_t begin, int64_t end,
              int64_t at) const {
    const Correlation &p = tiling_.p;
    const int64_t size[3] = {p.axis[0].in, p.axis[1].in, p.axis[2].in};
    const WinogradSlice &slice = tiling_.slice(s);
    tiling_.for_runs(begin, end, at, [&](const TileGrid::Run &run) {
      const Plane first{input.x, size, p.x_stride, run.n, run.at[0] + p.axis[0].origin + slice.first};
      const Plane second{input.x, size, p.x_stride, run.n, run.at[0] + p.axis[0].origin + slice.second};
      const int64_t column = run.at[2] + p.axis[2].origin;
      WinogradGather g{};
      for (int64_t h = 0; h < winograd_side; ++h) {
        g.row[0][h] = first.row(run.at[1] + p.axis[1].origin + h, column);
        g.row[1][h] = second.row(run.at[1] + p.axis[1].origin + h, column);
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
    const WinogradSlice &slice = tiling_.slice(s);
    tiling_.for_runs(begin, end, at, [&](const TileGrid::Run &run) {
      WinogradGather g{};
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

  // Products of `tiles` tiles at one frequency of slice s with panels [begin, end).
  void multiply(vg_context *context, const Kernels &kernels, int64_t s, int64_t f, int64_t tiles, int64_t begin,
                int64_t end) const {
    const auto tile = VG_PICK(context, winograd_product);
    for (int64_t panel = begin; panel < end; ++panel)
      tile({u + f * u_frequency, kernels.at(s * winograd_frequencies + f, panel),
            m + f * m_frequency + panels_.begin(panel), u_tile, m_tile, tiles, tiling_.p.ci, panels_.lanes(panel),
            false});
  }

  // Products of inputs and gradients of the block's tiles [begin, end) at one frequency: sum [ci][lanes] of a panel.
  void outer(vg_context *context, int64_t f, int64_t panel, int64_t begin, int64_t end, float *sum, bool add) const {
    VG_PICK(context, winograd_outer)
    ({u + f * u_frequency + begin * u_tile, m + f * m_frequency + begin * m_tile + panels_.begin(panel), sum, u_tile,
      m_tile, end - begin, tiling_.p.ci, panels_.lanes(panel), add});
  }

  // Outputs of tiles [begin, end) of the problem, which are the block's from `at` on, after slice s. They are work item
  // `item` of the outputs.
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
    const WinogradSlice &slice = tiling_.slice(s);
    int64_t places[most_tiles];
    uint8_t inside[most_tiles];
    WinogradScatter g{};
    g.m = m + at * m_tile;
    g.m_tile = m_tile;
    g.m_frequency = m_frequency;
    g.tiles = end - begin;
    g.channels = p.co;
    g.planes = tiling_.planes;
    std::copy(slice.out, slice.out + 2, g.out);
    g.first = s == 0;
    g.last = s == tiling_.slices() - 1;
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

  struct Plane {
    const float *tensor;
    const int64_t *size; // z, y, x
    int64_t stride, n, z;
    // nullptr outside; the column may lie outside.
    const float *row(int64_t y, int64_t column) const {
      if (z < 0 || z >= size[0] || y < 0 || y >= size[1]) return nullptr;
      return tensor + (((n * size[0] + z) * size[1] + y) * size[2] + column) * stride;
    }
  };

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

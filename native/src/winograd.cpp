// Winograd convolution F(2,3) along every axis (Winograd 1980, Lavin and Gray 2016): 2x2x2 outputs from 4x4x4 inputs
// take 64 multiplications instead of 216.
//
//   y = A^T [ (G w G^T) * sum over channels of (B^T x B) ] A,  along z, y and x
//
// The depth is taken one frequency at a time: a slice is the sum or difference of two input planes, its 16 frequencies
// of the plane are 16 products [tiles x ci] [ci x co], and their 2x2 outputs are added to one or both output planes. So
// the frequencies of a block of tiles fill a quarter of the memory and stay in L2, and 1x3x3 taps are the same thing
// with one slice. Weights are transformed once per call.
//
// Threads: a work item is a block of tiles (24 to 96, in the order n, z, y, x) through all slices; for the weight
// gradient, a range of blocks in one slice with its own partial sums, which are added in index order. Where that gives
// few items, the stages of a slice run one after the other over many tiles, and an item is a run of tiles or a
// frequency times a group of panels. The cut depends on the problem only. Bound by arithmetic;
// the transforms take about 3/ci + 3/co of the time of the products. Zeros of the padding are never read.
// As accurate as the direct sum (relative error 3e-7 at 32 channels, 6e-7 at 256).
#include "winograd.h"
#include "panels.h"
#include "winograd_tile.h"

#include <algorithm>
#include <array>
#include <bit>

namespace vg {

namespace {

// Frequencies and outputs of a block, below the L2 of the smallest processors in use.
constexpr int64_t block_bytes = 256 << 10;
constexpr int64_t fewest_tiles = 4 * winograd_rows, most_tiles = 16 * winograd_rows;
// Work items that keep many threads busy to the end.
constexpr int64_t enough_items = 32, fewest_items = 16;
// Frequencies and outputs of all tiles that go through the stages together, at most about this much.
constexpr int64_t stage_bytes = 32 << 20;
// Tiles of an item of a stage.
constexpr int64_t stage_run = 2 * winograd_rows;

// Up to so many tiles the weights are most of the work; a set of inputs and panel of outputs has so many channels that
// its 64 frequencies, 131 KB, stay in L2. A line more per frequency, for the same reason as in Block.
constexpr int64_t few_tiles = most_tiles, few_inputs = 32, few_frequency = few_inputs * panel_lanes + 16;

// Partial sums of a weight gradient take at most about this much memory (more only if one set does).
constexpr int64_t partial_bytes = 16 << 20;

// A frequency of the depth: inputs first + sign * second, added to the outputs with these factors.
struct Slice {
  int64_t first, second;
  float sign;
  float out[2];
};
constexpr std::array<Slice, 4> deep_slices{
    {{0, 2, -1, {1, 0}}, {1, 2, 1, {1, 1}}, {2, 1, -1, {1, -1}}, {1, 3, -1, {0, -1}}}};
constexpr std::array<Slice, 1> flat_slices{{{0, 0, 0, {1, 0}}}};

bool unit_axis(const GridAxis &a, int64_t taps) {
  return a.taps == taps && a.step == 1 && a.place == 0 && a.pitch == 1 && a.size == a.out;
}

// The cut of the outputs into tiles.
struct Tiling {
  explicit Tiling(const Correlation &problem) : p(problem), planes(p.axis[0].taps == 3 ? 2 : 1) {
    counts[0] = ceil_div(p.axis[0].out, planes);
    for (int k = 1; k < 3; ++k) counts[k] = ceil_div(p.axis[k].out, winograd_step);
  }
  // The same tiles of a problem with so many channels.
  Tiling part(int64_t ci, int64_t co) const {
    Tiling t = *this;
    t.p.ci = ci;
    t.p.co = co;
    return t;
  }
  int64_t tiles() const { return p.n * counts[0] * counts[1] * counts[2]; }
  int64_t slices() const { return planes == 2 ? 4 : 1; }
  const Slice &slice(int64_t s) const {
    return planes == 2 ? deep_slices[static_cast<size_t>(s)] : flat_slices[static_cast<size_t>(s)];
  }

  Correlation p;
  int64_t planes; // outputs of a tile along z
  int64_t counts[3];
};

// Transforms the weights of input channels [first, last) of one panel: v[(slice * 16 + f) * v_frequency], then
// [channel - first][lanes].
void transform_weights(vg_context *context, const Tiling &tiling, const Weights &weights, int64_t panel, int64_t first,
                       int64_t last, float *v, int64_t v_frequency) {
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

// A stored input and its norm table of so many channels; nullptr: it holds values.
struct Input {
  const float *x, *norm;
  int64_t norm_row;
  Input part(int64_t channel) const { return {x + channel, norm != nullptr ? norm + channel : nullptr, norm_row}; }
};

// Where outputs go, from some channel on, and what work items gather of them on the way.
struct Output {
  const float *bias;
  float *y;
  OutputSums &sums;
  int64_t channel;
  Output part(int64_t first) const {
    return {bias != nullptr ? bias + first : nullptr, y + first, sums, channel + first};
  }
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
  void gather(vg_context *context, const Input &input, int64_t s, int64_t begin, int64_t end, int64_t at) const {
    const Correlation &p = tiling_.p;
    const int64_t size[3] = {p.axis[0].in, p.axis[1].in, p.axis[2].in};
    const Slice &slice = tiling_.slice(s);
    for_runs(begin, end, at, [&](const Run &run) {
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
    const Slice &slice = tiling_.slice(s);
    for_runs(begin, end, at, [&](const Run &run) {
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
  void scatter(vg_context *context, int64_t s, int64_t begin, int64_t end, int64_t at, const Output &output,
               int64_t item) const {
    const int64_t sample_tiles = tiling_.tiles() / tiling_.p.n;
    while (begin < end) {
      const int64_t sample = begin / sample_tiles, stop = std::min(end, (sample + 1) * sample_tiles);
      scatter_sample(context, s, begin, stop, at, output, item, sample);
      at += stop - begin;
      begin = stop;
    }
  }

private:
  void scatter_sample(vg_context *context, int64_t s, int64_t begin, int64_t end, int64_t at, const Output &output,
                      int64_t item, int64_t sample) const {
    const Correlation &p = tiling_.p;
    const Slice &slice = tiling_.slice(s);
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
      for_runs(begin, end, 0, [&](const Run &run) { place(run, places + run.block, inside + run.block); });
      int64_t voxels = 0;
      for (int64_t t = 0; t < g.tiles; ++t) voxels += std::popcount(inside[t]);
      g.work = output.sums.open(item, sample, voxels, output.channel, p.co);
    }
    VG_PICK(context, winograd_scatter)(g);
  }

  int64_t sums_tile() const { return 4 * tiling_.planes * round_up(tiling_.p.co, 8); }

  // Tiles side by side along x.
  struct Run {
    int64_t n, at[3]; // first output of the first tile
    int64_t tiles, block;
  };
  template <class Body> void for_runs(int64_t begin, int64_t end, int64_t block, Body &&body) const {
    while (begin < end) {
      const int64_t tx = begin % tiling_.counts[2], line = begin / tiling_.counts[2];
      const int64_t ty = line % tiling_.counts[1], tz = line / tiling_.counts[1] % tiling_.counts[0];
      const Run run{line / tiling_.counts[1] / tiling_.counts[0],
                    {tz * tiling_.planes, ty * winograd_step, tx * winograd_step},
                    std::min(end - begin, tiling_.counts[2] - tx),
                    block};
      body(run);
      begin += run.tiles;
      block += run.tiles;
    }
  }

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

  // Number of the first output of each tile, and which outputs exist.
  void place(const Run &run, int64_t *to, uint8_t *inside) const {
    const Correlation &p = tiling_.p;
    const int64_t *at = run.at, size[3] = {p.axis[0].out, p.axis[1].out, p.axis[2].out};
    const int64_t first = ((run.n * size[0] + at[0]) * size[1] + at[1]) * size[2] + at[2];
    const bool deep = tiling_.planes == 2 && at[0] + 1 < size[0];
    const int rows = at[1] + 1 < size[1] ? 0xf : 0x3, rest = deep ? rows | rows << 4 : rows;
    for (int64_t t = 0; t < run.tiles; ++t) {
      to[t] = first + t * winograd_step;
      inside[t] = static_cast<uint8_t>(at[2] + t * winograd_step + 1 < size[2] ? rest : rest & 0x55);
    }
  }

  Tiling tiling_;
  Panels panels_;
  int64_t room_;
};

// Tiles whose frequencies and outputs fill about so many bytes, in whole register tiles.
int64_t tiles_in(const Tiling &tiling, int64_t bytes) {
  const int64_t each = Block::floats(tiling, 2) - Block::floats(tiling, 1);
  return bytes / (each * static_cast<int64_t>(sizeof(float))) / fewest_tiles * fewest_tiles;
}
Pieces blocks_of(const Tiling &tiling) {
  return {tiling.tiles(), std::clamp(tiles_in(tiling, block_bytes), fewest_tiles, most_tiles)};
}
// Tiles that go through the stages together.
Pieces chunks_of(const Tiling &tiling) {
  return {tiling.tiles(), std::min(tiling.tiles(), std::max(tiles_in(tiling, stage_bytes), most_tiles))};
}

// Items of the stage that stores outputs.
int64_t stage_items(const Tiling &tiling) {
  const Pieces chunks = chunks_of(tiling);
  return chunks.count() * ceil_div(chunks.grain, stage_run);
}

void by_blocks(vg_context *context, const Tiling &tiling, const Kernels &kernels, const Pieces &blocks, const Input &x,
               const Output &y) {
  const int64_t floats = round_up(Block::floats(tiling, blocks.grain), 64), panels = Panels{tiling.p.co}.count();
  Workspace memory(context, context->threads * floats * static_cast<int64_t>(sizeof(float)));
  parallel_for(context, blocks.count(), [&](int64_t i) {
    const Block block(tiling, blocks.grain, memory.as<float>() + thread_index() * floats);
    const int64_t begin = blocks.begin(i), end = blocks.end(i);
    for (int64_t s = 0; s < tiling.slices(); ++s) {
      block.gather(context, x, s, begin, end, 0);
      for (int64_t f = 0; f < winograd_frequencies; ++f) block.multiply(context, kernels, s, f, end - begin, 0, panels);
      block.scatter(context, s, begin, end, 0, y, i);
    }
  });
}

void by_stages(vg_context *context, const Tiling &tiling, const Kernels &kernels, const Input &x, const Output &y) {
  const Pieces chunks = chunks_of(tiling), groups{Panels{tiling.p.co}.count(), 4};
  Workspace memory(context, Block::floats(tiling, chunks.grain) * static_cast<int64_t>(sizeof(float)));
  const Block block(tiling, chunks.grain, memory.as<float>());
  for (int64_t chunk = 0; chunk < chunks.count(); ++chunk) {
    const int64_t first = chunks.begin(chunk), tiles = chunks.end(chunk) - first;
    const Pieces runs{tiles, stage_run};
    for (int64_t s = 0; s < tiling.slices(); ++s) {
      parallel_for(context, runs.count(), [&](int64_t i) {
        block.gather(context, x, s, first + runs.begin(i), first + runs.end(i), runs.begin(i));
      });
      parallel_for(context, winograd_frequencies * groups.count(), [&](int64_t i) {
        const int64_t g = i % groups.count();
        block.multiply(context, kernels, s, i / groups.count(), tiles, groups.begin(g), groups.end(g));
      });
      parallel_for(context, runs.count(), [&](int64_t i) {
        block.scatter(context, s, first + runs.begin(i), first + runs.end(i), runs.begin(i), y,
                      chunk * ceil_div(chunks.grain, stage_run) + i);
      });
    }
  }
}

// ---- gradient of the weights ------------------------------------------------------------------------------------

// Partial sums [slice][range][f][panel][ci][lanes].
struct WeightSums {
  WeightSums(const Tiling &t, int64_t range_count)
      : tiling(t), panels{t.p.co}, ranges(range_count), frequency(panels.padded() * t.p.ci) {}
  int64_t floats() const { return tiling.slices() * ranges * winograd_frequencies * frequency; }
  int64_t offset(int64_t s, int64_t range, int64_t f, int64_t panel) const {
    return ((s * ranges + range) * winograd_frequencies + f) * frequency + panels.begin(panel) * tiling.p.ci;
  }

  const Tiling &tiling;
  Panels panels;
  int64_t ranges, frequency;
};

void sum_by_blocks(vg_context *context, const WeightSums &sums, const Pieces &blocks, const Pieces &ranges,
                   const Input &x, const float *dy, float *to) {
  const Tiling &tiling = sums.tiling;
  const int64_t floats = round_up(Block::floats(tiling, blocks.grain), 64);
  Workspace memory(context, context->threads * floats * static_cast<int64_t>(sizeof(float)));
  parallel_for(context, ranges.count() * tiling.slices(), [&](int64_t item) {
    const int64_t range = item / tiling.slices(), s = item % tiling.slices();
    const Block block(tiling, blocks.grain, memory.as<float>() + thread_index() * floats);
    for (int64_t b = ranges.begin(range); b < ranges.end(range); ++b) {
      const int64_t begin = blocks.begin(b), end = blocks.end(b);
      block.gather(context, x, s, begin, end, 0);
      block.spread(context, dy, s, begin, end, 0);
      for (int64_t f = 0; f < winograd_frequencies; ++f)
        for (int64_t panel = 0; panel < sums.panels.count(); ++panel)
          block.outer(context, f, panel, 0, end - begin, to + sums.offset(s, range, f, panel), b > ranges.begin(range));
    }
  });
}

void sum_by_stages(vg_context *context, const WeightSums &sums, const Input &x, const float *dy, float *to) {
  const Tiling &tiling = sums.tiling;
  const Pieces chunks = chunks_of(tiling);
  Workspace memory(context, Block::floats(tiling, chunks.grain) * static_cast<int64_t>(sizeof(float)));
  const Block block(tiling, chunks.grain, memory.as<float>());
  for (int64_t chunk = 0; chunk < chunks.count(); ++chunk) {
    const int64_t first = chunks.begin(chunk), tiles = chunks.end(chunk) - first;
    const Pieces runs{tiles, stage_run}, chains{tiles, most_tiles};
    for (int64_t s = 0; s < tiling.slices(); ++s) {
      parallel_for(context, 2 * runs.count(), [&](int64_t i) {
        const int64_t at = runs.begin(i / 2), begin = first + at, end = first + runs.end(i / 2);
        i % 2 == 0 ? block.gather(context, x, s, begin, end, at) : block.spread(context, dy, s, begin, end, at);
      });
      parallel_for(context, winograd_frequencies * sums.panels.count(), [&](int64_t item) {
        const int64_t f = item / sums.panels.count(), panel = item % sums.panels.count();
        for (int64_t i = 0; i < chains.count(); ++i)
          block.outer(context, f, panel, chains.begin(i), chains.end(i), to + sums.offset(s, 0, f, panel),
                      chunk > 0 || i > 0);
      });
    }
  }
}

void finish_weights(vg_context *context, const WeightSums &sums, const float *from, float *dw) {
  const Correlation &p = sums.tiling.p;
  const Pieces pieces{p.ci, 32};
  parallel_for(context, sums.panels.count() * pieces.count(), [&](int64_t item) {
    const int64_t panel = item / pieces.count(), first = pieces.begin(item % pieces.count());
    WinogradFinish pass{};
    pass.lanes = sums.panels.lanes(panel);
    pass.sums = from + sums.offset(0, 0, 0, panel) + first * pass.lanes;
    pass.slices = sums.tiling.slices();
    pass.ranges = sums.ranges;
    pass.slice = sums.offset(1, 0, 0, 0);
    pass.range = winograd_frequencies * sums.frequency;
    pass.frequency = sums.frequency;
    pass.inputs = pieces.end(item % pieces.count()) - first;
    pass.outputs = sums.panels.width(panel);
    pass.tap_stride = p.ci;
    pass.out_stride = p.taps() * p.ci;
    pass.dw = dw + sums.panels.begin(panel) * pass.out_stride + first;
    VG_PICK(context, winograd_finish)(pass);
  });
}

// ---- few tiles --------------------------------------------------------------------------------------------------

// Frequencies of all tiles in all slices, by parts of the channels: of the inputs, or of the gradients of the outputs.
class Frequencies {
public:
  enum class Of { inputs, gradients };

  Frequencies(vg_context *context, const Tiling &tiling, Of of, const Input &tensor)
      : parts{of == Of::inputs ? tiling.p.ci : tiling.p.co, of == Of::inputs ? few_inputs : panel_lanes},
        tiling_(tiling), of_(of), slice_(whole_slice()),
        memory_(context, parts.count() * tiling.slices() * slice_ * static_cast<int64_t>(sizeof(float))) {
    const Pieces runs{tiling.tiles(), 2 * winograd_rows};
    parallel_for(context, runs.count() * tiling.slices() * parts.count(), [&](int64_t item) {
      const int64_t run = item % runs.count(), s = item / runs.count() % tiling.slices();
      const int64_t part = item / runs.count() / tiling.slices(), begin = runs.begin(run), end = runs.end(run);
      const Block block = at(part, s);
      if (of_ == Of::inputs)
        block.gather(context, tensor.part(parts.begin(part)), s, begin, end, begin);
      else
        block.spread(context, tensor.x + parts.begin(part), s, begin, end, begin);
    });
  }
  Block at(int64_t part, int64_t s) const {
    float *const memory = memory_.as<float>() + (part * tiling_.slices() + s) * slice_;
    const int64_t channels = parts.end(part) - parts.begin(part);
    return of_ == Of::inputs ? Block(tiling_.part(channels, 1), tiling_.tiles(), memory, nullptr, nullptr)
                             : Block(tiling_.part(1, channels), tiling_.tiles(), nullptr, memory, nullptr);
  }

  const Pieces parts;

private:
  int64_t whole_slice() const {
    const Block block(tiling_.part(parts.grain, parts.grain), tiling_.tiles(), nullptr);
    return of_ == Of::inputs ? block.u_floats() : block.m_floats();
  }

  const Tiling &tiling_;
  Of of_;
  int64_t slice_;
  Workspace memory_;
};

// The weights are most of the work of a small map, and their transform is larger than they are. So it never leaves the
// cache: an item is a panel of outputs, which transforms its weights of some input channels and multiplies at once.
void by_panels(vg_context *context, const Tiling &tiling, const Input &x, const Weights &weights, const Output &y) {
  const Frequencies inputs(context, tiling, Frequencies::Of::inputs, x);
  const Panels panels{tiling.p.co};
  const int64_t tiles = tiling.tiles(), slices = tiling.slices();
  const Block widest(tiling.part(few_inputs, panel_lanes), tiles, nullptr);
  const int64_t v_floats = slices * winograd_frequencies * few_frequency;
  const int64_t floats = round_up(v_floats + slices * widest.m_floats() + widest.sums_floats(), 64);
  Workspace memory(context, context->threads * floats * static_cast<int64_t>(sizeof(float)));
  parallel_for(context, panels.count(), [&](int64_t panel) {
    float *const v = memory.as<float>() + thread_index() * floats, *const m = v + v_floats;
    float *const sums = m + slices * widest.m_floats();
    const int64_t lanes = panels.lanes(panel), first = panels.begin(panel);
    const Tiling part = tiling.part(few_inputs, panels.width(panel));
    for (int64_t i = 0; i < inputs.parts.count(); ++i) {
      const int64_t begin = inputs.parts.begin(i), end = inputs.parts.end(i);
      transform_weights(context, tiling, weights, panel, begin, end, v, few_frequency);
      for (int64_t s = 0; s < slices; ++s) {
        const Block in = inputs.at(i, s), out(part, tiles, nullptr, m + s * widest.m_floats(), sums);
        for (int64_t f = 0; f < winograd_frequencies; ++f) VG_PICK(context, winograd_product)
        ({in.u + f * in.u_frequency, v + (s * winograd_frequencies + f) * few_frequency, out.m + f * out.m_frequency,
          in.u_tile, out.m_tile, tiles, end - begin, lanes, i > 0});
      }
    }
    const Pieces runs{tiles, most_tiles};
    for (int64_t s = 0; s < slices; ++s) {
      const Block out(part, tiles, nullptr, m + s * widest.m_floats(), sums);
      for (int64_t i = 0; i < runs.count(); ++i)
        out.scatter(context, s, runs.begin(i), runs.end(i), runs.begin(i), y.part(first), i);
    }
  });
}

// The same for the weight gradient: an item is a panel and some input channels, whose sums stay in the cache.
void weight_by_panels(vg_context *context, const Tiling &tiling, const Input &x, const float *dy, float *dw) {
  const Frequencies inputs(context, tiling, Frequencies::Of::inputs, x);
  const Frequencies gradients(context, tiling, Frequencies::Of::gradients, {dy, nullptr, 0});
  const Panels panels{tiling.p.co};
  const int64_t slices = tiling.slices(), floats = slices * winograd_frequencies * few_frequency;
  const Pieces chains{tiling.tiles(), most_tiles};
  Workspace memory(context, context->threads * floats * static_cast<int64_t>(sizeof(float)));
  parallel_for(context, panels.count() * inputs.parts.count(), [&](int64_t item) {
    const int64_t panel = item / inputs.parts.count(), i = item % inputs.parts.count();
    const int64_t begin = inputs.parts.begin(i), channels = inputs.parts.end(i) - begin, lanes = panels.lanes(panel);
    float *const sums = memory.as<float>() + thread_index() * floats;
    for (int64_t s = 0; s < slices; ++s) {
      const Block in = inputs.at(i, s), out = gradients.at(panel, s);
      for (int64_t f = 0; f < winograd_frequencies; ++f)
        for (int64_t c = 0; c < chains.count(); ++c) VG_PICK(context, winograd_outer)
      ({in.u + f * in.u_frequency + chains.begin(c) * in.u_tile,
        out.m + f * out.m_frequency + chains.begin(c) * out.m_tile,
        sums + (s * winograd_frequencies + f) * few_frequency, in.u_tile, out.m_tile, chains.end(c) - chains.begin(c),
        channels, lanes, c > 0});
    }
    const int64_t out_stride = tiling.p.taps() * tiling.p.ci;
    VG_PICK(context, winograd_finish)
    ({sums, slices, 1, winograd_frequencies * few_frequency, 0, few_frequency, channels, panels.width(panel), lanes,
      dw + panels.begin(panel) * out_stride + begin, out_stride, tiling.p.ci});
  });
}

} // namespace

bool winograd_pays(const Correlation &problem) {
  const GridAxis *a = problem.axis;
  if (problem.ci < 8 || problem.co < 8) return false;
  if (!(unit_axis(a[0], 3) || unit_axis(a[0], 1)) || !unit_axis(a[1], 3) || !unit_axis(a[2], 3)) return false;
  const Tiling tiling(problem);
  const double ci = static_cast<double>(problem.ci), co = static_cast<double>(problem.co);
  const double direct = static_cast<double>(problem.n * problem.points() * problem.taps());
  const double products = static_cast<double>(tiling.tiles() * tiling.slices() * winograd_frequencies);
  return products * (1 + 3 / ci + 3 / co) < 0.9 * direct;
}

void winograd_correlate(vg_context *context, const Correlation &problem, const float *x, const Weights &weights,
                        const float *bias, float *y, const Fused &fused) {
  const Tiling tiling(problem);
  const Input input{x, fused.x_norm, problem.ci};
  Pieces blocks = blocks_of(tiling);
  if (blocks.count() < enough_items)
    blocks.grain = std::max(fewest_tiles, tiling.tiles() / enough_items / fewest_tiles * fewest_tiles);
  const bool by_block = blocks.count() >= fewest_items;
  OutputSums sums(context, fused, problem.n, problem.co, by_block ? blocks.count() : stage_items(tiling));
  const Output output{bias, y, sums, 0};
  if (tiling.tiles() <= few_tiles) {
    by_panels(context, tiling, input, weights, output);
  } else {
    const Kernels kernels(context, tiling, weights);
    if (by_block)
      by_blocks(context, tiling, kernels, blocks, input, output);
    else
      by_stages(context, tiling, kernels, input, output);
  }
  sums.finish(context);
}

void winograd_weight(vg_context *context, const Correlation &problem, const float *x, const float *dy, float *dw,
                     const Fused &fused) {
  const Tiling tiling(problem);
  const Input input{x, fused.x_norm, problem.ci};
  if (tiling.tiles() <= few_tiles) return weight_by_panels(context, tiling, input, dy, dw);
  const Pieces blocks = blocks_of(tiling);
  const int64_t set = WeightSums(tiling, 1).floats() * static_cast<int64_t>(sizeof(float));
  const int64_t most = std::clamp<int64_t>(partial_bytes / set, 1, enough_items);
  const Pieces by_memory{blocks.count(), ceil_div(blocks.count(), most)};
  const bool stages = by_memory.count() * tiling.slices() < enough_items;
  const Pieces ranges = stages ? Pieces{blocks.count(), blocks.count()} : by_memory;
  const WeightSums sums(tiling, ranges.count());
  Workspace memory(context, sums.floats() * static_cast<int64_t>(sizeof(float)));
  if (stages)
    sum_by_stages(context, sums, input, dy, memory.as<float>());
  else
    sum_by_blocks(context, sums, blocks, ranges, input, dy, memory.as<float>());
  finish_weights(context, sums, memory.as<float>(), dw);
}

} // namespace vg

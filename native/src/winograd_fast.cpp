// Winograd convolution with larger tiles, for the precision `fast`: F(4,3) in the plane, and along the depth F(4,3),
// F(2,3) or nothing (1x3x3 taps). An output takes 3.4 multiplications with 4x4x4 tiles and 4.5 with 2x4x4, in place of
// 27; with 1x4x4, 2.25 in place of 9. winograd.cpp holds the idea: y = A^T [ (G w G^T) * (B^T x B) ] A, one frequency
// of the depth at a time.
//
// The products of a block of tiles are made and added to the outputs one panel of channels after the other, so that 36
// frequencies of the inputs, a panel of products and the outputs stay in L2. Threads: a work item is a block of tiles
// through all slices. Bound by arithmetic: products, then transforms, which weigh twice as much per product as with
// 2x2x2 tiles. Relative error, with the interpolation points of winograd_fast_tile.h: 0.8e-6 (2x4x4) and 1.4e-6
// (4x4x4) at 32 channels, 1.9e-6 and 3.3e-6 at 256. A NaN of the input spoils the tiles it is part of.
#include "winograd.h"
#include "winograd_fast_tile.h"
#include "winograd_tile.h"
#include "winograd_tiling.h"

#include <algorithm>
#include <array>

namespace vg {

namespace {

// Frequencies of the inputs, products of a panel and outputs of a block: most of the L2 of the smallest processors.
constexpr int64_t block_bytes = 384 << 10;
constexpr int64_t fewest_tiles = 2 * winograd_rows, most_tiles = 8 * winograd_rows;
constexpr int64_t fewest_items = 16;

// A frequency of the depth: the sum of factor * plane, added to output z with the factor out[z].
struct Slice {
  int terms;
  int64_t plane[fast_most_terms];
  float factor[fast_most_terms], out[fast_most_planes];
};
constexpr float pa = fast_a, pb = fast_b, aa = fast_aa, bb = fast_bb;
constexpr std::array<Slice, 1> flat_slices{{{1, {0}, {1}, {1}}}};
constexpr std::array<Slice, 4> two_slices{{{2, {0, 2}, {1, -1}, {1, 0}},
                                           {2, {1, 2}, {1, 1}, {1, 1}},
                                           {2, {2, 1}, {1, -1}, {1, -1}},
                                           {2, {1, 3}, {1, -1}, {0, -1}}}};
constexpr std::array<Slice, 6> four_slices{{{3, {4, 2, 0}, {1, -aa - bb, aa *bb}, {1, 0, 0, 0}},
                                            {4, {4, 3, 2, 1}, {1, pa, -bb, -pa *bb}, {1, pa, aa, pa *aa}},
                                            {4, {4, 3, 2, 1}, {1, -pa, -bb, pa *bb}, {1, -pa, aa, -pa *aa}},
                                            {4, {4, 3, 2, 1}, {1, pb, -aa, -pb *aa}, {1, pb, bb, pb *bb}},
                                            {4, {4, 3, 2, 1}, {1, -pb, -aa, pb *aa}, {1, -pb, bb, -pb *bb}},
                                            {3, {5, 3, 1}, {1, -aa - bb, aa *bb}, {0, 0, 0, 1}}}};

// Tiles of 1, 2 or 4 planes of 4x4 outputs.
struct Tiling : TileGrid {
  Tiling(const Correlation &problem, int64_t outputs) : TileGrid(problem, outputs, fast_step) {}
  int64_t slices() const { return planes == 1 ? 1 : planes + 2; }
  const Slice &slice(int64_t s) const {
    const size_t i = static_cast<size_t>(s);
    return planes == 1 ? flat_slices[i] : planes == 2 ? two_slices[i] : four_slices[i];
  }
  // Multiply-adds of the products per pair of channels; the transforms take as long as so many channels more on either
  // side, most with slices of up to four planes.
  double cost() const {
    const double more = planes == 4 ? 20 : 7;
    return static_cast<double>(tiles() * slices() * fast_frequencies) *
           (1 + more / static_cast<double>(p.co) + more / static_cast<double>(p.ci));
  }
};

// Transformed weights [slice][panel][f][ci][lanes].
class Kernels {
public:
  Kernels(vg_context *context, const Tiling &tiling, const Weights &weights)
      : panels_{tiling.p.co}, ci_(tiling.p.ci), slice_(fast_frequencies * panels_.padded() * ci_),
        memory_(context, tiling.slices() * slice_ * static_cast<int64_t>(sizeof(float))), v_(memory_.as<float>()) {
    const Pieces pieces{ci_, 32};
    parallel_for(context, panels_.count() * pieces.count(), [&](int64_t item) {
      const int64_t panel = item / pieces.count(), first = pieces.begin(item % pieces.count());
      FastKernel k{};
      k.w = weights.w + panels_.begin(panel) * weights.out_stride + first * weights.in_stride;
      k.tap = weights.heads.front().tap.data();
      k.planes = tiling.p.axis[0].taps;
      k.slices = tiling.slices();
      k.in_stride = weights.in_stride;
      k.out_stride = weights.out_stride;
      k.inputs = pieces.end(item % pieces.count()) - first;
      k.outputs = panels_.width(panel);
      k.lanes = panels_.lanes(panel);
      k.v_slice = slice_;
      k.v_frequency = ci_ * k.lanes;
      k.v = const_cast<float *>(at(0, panel)) + first * k.lanes;
      VG_PICK(context, fast_kernel)(k);
    });
  }
  const float *at(int64_t slice, int64_t panel) const {
    return v_ + slice * slice_ + fast_frequencies * panels_.begin(panel) * ci_;
  }

private:
  Panels panels_;
  int64_t ci_, slice_;
  Workspace memory_;
  float *v_;
};

// Scratch for up to `room` tiles: frequencies of the inputs, of the products of a panel, and the outputs.
class Block {
public:
  static int64_t floats(const Tiling &tiling, int64_t room) {
    const Block b(tiling, room, nullptr);
    return fast_frequencies * (b.u_frequency_ + b.m_frequency_) + room * b.sums_tile_;
  }

  Block(const Tiling &tiling, int64_t room, float *memory) : tiling_(tiling), panels_{tiling.p.co} {
    u_tile_ = round_up(tiling.p.ci, 8);
    u_frequency_ = room * u_tile_ + frequency_gap;
    m_frequency_ = room * panel_lanes + frequency_gap;
    sums_tile_ = fast_step * fast_step * tiling.planes * panels_.padded();
    u_ = memory;
    m_ = u_ + fast_frequencies * u_frequency_;
    sums_ = m_ + fast_frequencies * m_frequency_;
  }

  // Inputs of tiles [begin, end) of the problem in slice s.
  void gather(vg_context *context, const WinogradInput &input, int64_t s, int64_t begin, int64_t end) const {
    const Correlation &p = tiling_.p;
    const Slice &slice = tiling_.slice(s);
    tiling_.for_runs(begin, end, 0, [&](const TileGrid::Run &run) {
      const int64_t line = run.at[1] + p.axis[1].origin, column = run.at[2] + p.axis[2].origin;
      FastGather g{};
      g.terms = slice.terms;
      for (int t = 0; t < slice.terms; ++t) {
        const int64_t plane = run.at[0] + p.axis[0].origin + slice.plane[t];
        const bool inside = plane >= 0 && plane < p.axis[0].in;
        const int64_t first = (run.n * p.axis[0].in + plane) * p.axis[1].in;
        for (int64_t h = 0; h < fast_side; ++h)
          if (inside && line + h >= 0 && line + h < p.axis[1].in)
            g.row[t][h] = input.x + ((first + line + h) * p.axis[2].in + column) * p.x_stride;
        g.factor[t] = slice.factor[t];
      }
      g.stride = p.x_stride;
      g.begin = -column;
      g.end = p.axis[2].in - column;
      g.tiles = run.tiles;
      g.channels = p.ci;
      if (input.norm != nullptr) g.norm = input.norm + run.n * VG_NORM_ROWS * input.norm_row;
      g.norm_row = input.norm_row;
      g.u = u_ + run.block * u_tile_;
      g.u_tile = u_tile_;
      g.u_frequency = u_frequency_;
      VG_PICK(context, fast_gather)(g);
    });
  }

  // Products of `tiles` tiles with a panel in slice s.
  void multiply(vg_context *context, const Kernels &kernels, int64_t s, int64_t panel, int64_t tiles) const {
    const int64_t lanes = panels_.lanes(panel);
    const float *v = kernels.at(s, panel);
    for (int64_t f = 0; f < fast_frequencies; ++f, v += tiling_.p.ci * lanes) VG_PICK(context, winograd_product)
    ({1, {u_ + f * u_frequency_}, {v}, m_ + f * m_frequency_, u_tile_, panel_lanes, tiles, tiling_.p.ci, lanes, false});
  }

  // Outputs of a panel of tiles [begin, end) of the problem after slice s. They are work item `item` of the outputs.
  void scatter(vg_context *context, int64_t s, int64_t panel, int64_t begin, int64_t end, const WinogradOutput &output,
               int64_t item) const {
    tiling_.for_samples(begin, end, [&](int64_t sample, int64_t first, int64_t last) {
      scatter_sample(context, s, panel, first, last, first - begin, output.part(panels_.begin(panel)), item, sample);
    });
  }

private:
  void scatter_sample(vg_context *context, int64_t s, int64_t panel, int64_t begin, int64_t end, int64_t at,
                      const WinogradOutput &output, int64_t item, int64_t sample) const {
    const Correlation &p = tiling_.p;
    const Slice &slice = tiling_.slice(s);
    int64_t places[most_tiles];
    uint64_t inside[most_tiles];
    FastScatter g{};
    g.m = m_ + at * panel_lanes;
    g.m_tile = panel_lanes;
    g.m_frequency = m_frequency_;
    g.tiles = end - begin;
    g.channels = panels_.width(panel);
    g.planes = tiling_.planes;
    std::copy(slice.out, slice.out + fast_most_planes, g.out);
    g.first = s == 0;
    g.last = s == tiling_.slices() - 1;
    g.sums = sums_ + at * sums_tile_ + fast_step * fast_step * tiling_.planes * panels_.begin(panel);
    g.sums_tile = sums_tile_;
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
      g.work = output.sums.open(item, sample, voxels, output.channel, g.channels);
    }
    VG_PICK(context, fast_scatter)(g);
  }

  const Tiling &tiling_;
  Panels panels_;
  float *u_, *m_, *sums_;
  int64_t u_tile_, u_frequency_, m_frequency_, sums_tile_;
};

// Tiles of a block, in whole register tiles: what fits, less where that gives few blocks.
Pieces blocks_of(const Tiling &tiling) {
  const int64_t each = Block::floats(tiling, 2) - Block::floats(tiling, 1);
  const int64_t fit = block_bytes / (each * static_cast<int64_t>(sizeof(float))), even = tiling.tiles() / enough_items;
  return {tiling.tiles(), std::clamp(std::min(fit, even) / winograd_rows * winograd_rows, fewest_tiles, most_tiles)};
}

// The planes of the fastest tile.
int64_t best_planes(const Correlation &problem) {
  if (problem.axis[0].taps == 1) return 1;
  return Tiling(problem, 4).cost() < Tiling(problem, 2).cost() ? 4 : 2;
}

} // namespace

bool winograd_fast_pays(const Correlation &problem, double cost) {
  if (problem.axis[0].step != 1 || problem.axis[2].step != 1) return false;
  const Tiling tiling(problem, best_planes(problem));
  return blocks_of(tiling).count() >= fewest_items && tiling.cost() < 0.95 * cost;
}

void winograd_fast_correlate(vg_context *context, const Correlation &problem, const float *x, const Weights &weights,
                             const float *bias, float *y, const Fused &fused) {
  const Tiling tiling(problem, best_planes(problem));
  const Kernels kernels(context, tiling, weights);
  const Pieces blocks = blocks_of(tiling);
  const int64_t floats = round_up(Block::floats(tiling, blocks.grain), 64), panels = Panels{problem.co}.count();
  const WinogradInput input{x, fused.x_norm, problem.ci};
  OutputSums sums(context, fused, problem.n, problem.co, blocks.count());
  const WinogradOutput output{bias, y, sums, 0};
  Workspace memory(context, context->threads * floats * static_cast<int64_t>(sizeof(float)));
  parallel_for(context, blocks.count(), [&](int64_t i) {
    const Block block(tiling, blocks.grain, memory.as<float>() + thread_index() * floats);
    const int64_t begin = blocks.begin(i), end = blocks.end(i);
    for (int64_t s = 0; s < tiling.slices(); ++s) {
      block.gather(context, input, s, begin, end);
      for (int64_t panel = 0; panel < panels; ++panel) {
        block.multiply(context, kernels, s, panel, end - begin);
        block.scatter(context, s, panel, begin, end, output, i);
      }
    }
  });
  sums.finish(context);
}

} // namespace vg

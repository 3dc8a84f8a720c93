// Weight gradient by Winograd: dw = G^T [ sum over tiles of (B^T x B) * (A dy A^T) ] G with the tiles of winograd.cpp.
//
// Threads: a work item is a range of blocks and one frequency of the depth of the weights, with its own partial sums,
// which are added in index order.
// Where that gives few items, the stages of a slice run one after the other over many tiles. The cut depends on the
// problem only. Bound by arithmetic: products, then transforms.
#include "winograd.h"
#include "winograd_block.h"

#include <algorithm>

namespace vg {

namespace {

// Partial sums [depth frequency][range][f][panel][ci][lanes].
struct WeightSums {
  WeightSums(const Tiling &t, int64_t range_count)
      : tiling(t), panels{t.p.co}, ranges(range_count), frequency(panels.padded() * t.p.ci) {}
  int64_t floats() const { return tiling.scheme.weights() * ranges * winograd_frequencies * frequency; }
  int64_t offset(int64_t depth, int64_t range, int64_t f, int64_t panel) const {
    return ((depth * ranges + range) * winograd_frequencies + f) * frequency + panels.begin(panel) * tiling.p.ci;
  }

  const Tiling &tiling;
  Panels panels;
  int64_t ranges, frequency;
};

void sum_by_blocks(vg_context *context, const WeightSums &sums, const Pieces &blocks, const Pieces &ranges,
                   const WinogradInput &x, const float *dy, float *to) {
  const Tiling &tiling = sums.tiling;
  const WinogradScheme &scheme = tiling.scheme;
  const int64_t floats = round_up(Block::floats(tiling, blocks.grain), 64);
  Workspace memory(context, context->threads * floats * static_cast<int64_t>(sizeof(float)));
  parallel_for(context, ranges.count() * scheme.weights(), [&](int64_t item) {
    const int64_t range = item / scheme.weights(), depth = item % scheme.weights();
    const Block block(tiling, blocks.grain, memory.as<float>() + thread_index() * floats);
    for (int64_t b = ranges.begin(range); b < ranges.end(range); ++b) {
      const int64_t begin = blocks.begin(b), end = blocks.end(b);
      for (int64_t s = 0; s < scheme.count(); ++s) {
        if (scheme.slice(s).weight != depth) continue;
        block.gather(context, x, s, begin, end, 0);
        block.spread(context, dy, s, begin, end, 0);
        for (int64_t f = 0; f < winograd_frequencies; ++f)
          for (int64_t panel = 0; panel < sums.panels.count(); ++panel)
            block.outer(context, block, f, panel, 0, end - begin, to + sums.offset(depth, range, f, panel),
                        b > ranges.begin(range) || !scheme.begins_weight(s));
      }
    }
  });
}

void sum_by_stages(vg_context *context, const WeightSums &sums, const WinogradInput &x, const float *dy, float *to) {
  const Tiling &tiling = sums.tiling;
  const WinogradScheme &scheme = tiling.scheme;
  const Pieces chunks = chunks_of(tiling);
  Workspace memory(context, Block::floats(tiling, chunks.grain) * static_cast<int64_t>(sizeof(float)));
  const Block block(tiling, chunks.grain, memory.as<float>());
  for (int64_t chunk = 0; chunk < chunks.count(); ++chunk) {
    const int64_t first = chunks.begin(chunk), tiles = chunks.end(chunk) - first;
    const Pieces runs{tiles, stage_run}, chains{tiles, most_tiles};
    for (int64_t s = 0; s < scheme.count(); ++s) {
      parallel_for(context, 2 * runs.count(), [&](int64_t i) {
        const int64_t at = runs.begin(i / 2), begin = first + at, end = first + runs.end(i / 2);
        i % 2 == 0 ? block.gather(context, x, s, begin, end, at) : block.spread(context, dy, s, begin, end, at);
      });
      parallel_for(context, winograd_frequencies * sums.panels.count(), [&](int64_t item) {
        const int64_t f = item / sums.panels.count(), panel = item % sums.panels.count();
        for (int64_t i = 0; i < chains.count(); ++i)
          block.outer(context, block, f, panel, chains.begin(i), chains.end(i),
                      to + sums.offset(scheme.slice(s).weight, 0, f, panel),
                      chunk > 0 || i > 0 || !scheme.begins_weight(s));
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
    pass.strided = sums.tiling.scheme.strided;
    pass.lanes = sums.panels.lanes(panel);
    pass.sums = from + sums.offset(0, 0, 0, panel) + first * pass.lanes;
    pass.depths = sums.tiling.scheme.weights();
    pass.ranges = sums.ranges;
    pass.depth = sums.offset(1, 0, 0, 0);
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

} // namespace

void winograd_weight(vg_context *context, const Correlation &problem, const float *x, const float *dy, float *dw,
                     const Fused &fused) {
  const Tiling tiling(problem);
  const WinogradInput input{x, fused.x_norm, problem.ci};
  if (tiling.tiles() <= few_tiles) return weight_by_panels(context, tiling, input, dy, dw);
  const Pieces blocks = blocks_of(tiling);
  const int64_t set = WeightSums(tiling, 1).floats() * static_cast<int64_t>(sizeof(float));
  const int64_t most = std::clamp<int64_t>(partial_bytes / set, 1, enough_items);
  const Pieces by_memory{blocks.count(), ceil_div(blocks.count(), most)};
  const bool stages = by_memory.count() * tiling.scheme.weights() < enough_items;
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

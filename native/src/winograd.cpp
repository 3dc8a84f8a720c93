// Winograd convolution F(2,3) along every axis (Winograd 1980, Lavin and Gray 2016): 2x2x2 outputs from 4x4x4 inputs
// take 64 multiplications instead of 216.
//
//   y = A^T [ (G w G^T) * sum over channels of (B^T x B) ] A,  along z, y and x
//
// The depth is taken one frequency at a time: a slice is the sum or difference of two input planes, its 16 frequencies
// of the plane are 16 products [tiles x ci] [ci x co], and their 2x2 outputs are added to one or both output planes. So
// the frequencies of a block of tiles fill a quarter of the memory and stay in L2, and 1x3x3 taps are the same thing
// with one slice. Weights are transformed once per call. Axes with stride 2 take 5 multiplications in place of 6
// (winograd_scheme.h): 125 in place of 216 for 2x2x2 outputs.
//
// Threads: a work item is a block of tiles (24 to 96, in the order n, z, y, x) through all slices; for the weight
// gradient, a range of blocks and one frequency of the depth with its own partial sums, which are added in index order.
// Where that gives few items, the stages of a slice run one after the other over many tiles, and an item is a run of
// tiles or a frequency times a group of panels. The cut depends on the problem only. Bound by arithmetic; the
// transforms take about 3/ci + 3/co of the time of the products. Zeros of the padding are never read. As accurate as a
// direct sum: relative error 3e-7 at 32 channels, at most 6e-7 at 256; 4e-7 with stride 2.
#include "winograd.h"
#include "winograd_block.h"

#include <algorithm>

namespace vg {

namespace {

bool whole_axis(const GridAxis &a, int64_t taps, int64_t step) {
  return a.taps == taps && a.step == step && a.place == 0 && a.pitch == 1 && a.size == a.out;
}

// Items of the stage that stores outputs.
int64_t stage_items(const Tiling &tiling) {
  const Pieces chunks = chunks_of(tiling);
  return chunks.count() * ceil_div(chunks.grain, stage_run);
}

void by_blocks(vg_context *context, const Tiling &tiling, const Kernels &kernels, const Pieces &blocks,
               const WinogradInput &x, const WinogradOutput &y) {
  const WinogradScheme &scheme = tiling.scheme;
  const int64_t floats = round_up(Block::floats(tiling, blocks.grain), 64), panels = Panels{tiling.p.co}.count();
  Workspace memory(context, context->threads * floats * static_cast<int64_t>(sizeof(float)));
  parallel_for(context, blocks.count(), [&](int64_t i) {
    const Block block(tiling, blocks.grain, memory.as<float>() + thread_index() * floats);
    const int64_t begin = blocks.begin(i), end = blocks.end(i);
    for (int64_t s = 0; s < scheme.count(); ++s) {
      block.gather(context, x, s, begin, end, 0);
      for (int64_t f = 0; f < scheme.plane.products; ++f)
        for (int64_t panel = 0; panel < panels; ++panel)
          block.multiply(context, block, kernels.at(scheme.slice(s).weight, panel), kernels.frequency, f, panel,
                         end - begin, !scheme.begins(s));
      if (scheme.ends(s)) block.scatter(context, s, begin, end, 0, y, i);
    }
  });
}

void by_stages(vg_context *context, const Tiling &tiling, const Kernels &kernels, const WinogradInput &x,
               const WinogradOutput &y) {
  const WinogradScheme &scheme = tiling.scheme;
  const Pieces chunks = chunks_of(tiling), groups{Panels{tiling.p.co}.count(), 4};
  Workspace memory(context, Block::floats(tiling, chunks.grain) * static_cast<int64_t>(sizeof(float)));
  const Block block(tiling, chunks.grain, memory.as<float>());
  for (int64_t chunk = 0; chunk < chunks.count(); ++chunk) {
    const int64_t first = chunks.begin(chunk), tiles = chunks.end(chunk) - first;
    const Pieces runs{tiles, stage_run};
    for (int64_t s = 0; s < scheme.count(); ++s) {
      parallel_for(context, runs.count(), [&](int64_t i) {
        block.gather(context, x, s, first + runs.begin(i), first + runs.end(i), runs.begin(i));
      });
      parallel_for(context, scheme.plane.products * groups.count(), [&](int64_t i) {
        const int64_t g = i % groups.count();
        for (int64_t panel = groups.begin(g); panel < groups.end(g); ++panel)
          block.multiply(context, block, kernels.at(scheme.slice(s).weight, panel), kernels.frequency,
                         i / groups.count(), panel, tiles, !scheme.begins(s));
      });
      if (!scheme.ends(s)) continue;
      parallel_for(context, runs.count(), [&](int64_t i) {
        block.scatter(context, s, first + runs.begin(i), first + runs.end(i), runs.begin(i), y,
                      chunk * ceil_div(chunks.grain, stage_run) + i);
      });
    }
  }
}

} // namespace

bool winograd_pays(const Correlation &problem) {
  const GridAxis *a = problem.axis;
  if (problem.ci < 8 || problem.co < 8) return false;
  if (!whole_axis(a[0], 1, 1) && !whole_axis(a[0], 3, 1) && !whole_axis(a[0], 3, 2)) return false;
  const int64_t step = a[2].step;
  if (step > 2 || !whole_axis(a[1], 3, step) || !whole_axis(a[2], 3, step)) return false;
  const double direct = static_cast<double>(problem.n * problem.points() * problem.taps());
  return Tiling(problem).cost() < 0.9 * direct;
}

void winograd_correlate(vg_context *context, const Correlation &problem, const float *x, const Weights &weights,
                        const float *bias, float *y, const Fused &fused) {
  const Tiling tiling(problem);
  if (problem.fast && winograd_fast_pays(problem, tiling.cost()))
    return winograd_fast_correlate(context, problem, x, weights, bias, y, fused);
  const WinogradInput input{x, fused.x_norm, problem.ci};
  Pieces blocks = blocks_of(tiling);
  if (blocks.count() < enough_items)
    blocks.grain = std::max(fewest_tiles, tiling.tiles() / enough_items / fewest_tiles * fewest_tiles);
  const bool by_block = blocks.count() >= fewest_items;
  OutputSums sums(context, fused, problem.n, problem.co, by_block ? blocks.count() : stage_items(tiling));
  const WinogradOutput output{bias, y, sums, 0};
  if (tiling.tiles() <= few_tiles) {
    by_panels(context, tiling, input, weights, output);
  } else {
    const Kernels kernels(context, tiling.scheme, problem.ci, problem.co, weights);
    if (by_block)
      by_blocks(context, tiling, kernels, blocks, input, output);
    else
      by_stages(context, tiling, kernels, input, output);
  }
  sums.finish(context);
}

} // namespace vg

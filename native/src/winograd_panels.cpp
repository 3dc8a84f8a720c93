// Winograd convolution and weight gradient of small maps, whose weights are most of the work: 320 to 320 channels at
// 4^3 have 16 tiles and 11 MB of weights, and their transform is 2.4 times larger.
//
// The frequencies of all tiles are made first. Then a work item is a panel of outputs: it transforms its weights of
// some input channels and multiplies at once, or sums the products of some input channels and transforms them back, so
// that frequencies of weights never leave L2. Bound by the transforms, and by reading or writing the weights once.
#include "winograd_block.h"

#include <algorithm>

namespace vg {

namespace {

// A set of inputs and a panel of outputs have so many channels that their 64 frequencies, 131 KB, stay in L2.
constexpr int64_t few_inputs = 32, few_frequency = few_inputs * panel_lanes + frequency_gap;

// Frequencies of all tiles in all slices, by parts of the channels: of the inputs, or of the gradients of the outputs.
class Frequencies {
public:
  enum class Of { inputs, gradients };

  Frequencies(vg_context *context, const Tiling &tiling, Of of, const WinogradInput &tensor)
      : parts{of == Of::inputs ? tiling.p.ci : tiling.p.co, of == Of::inputs ? few_inputs : panel_lanes},
        tiling_(tiling), of_(of), slice_(whole_slice()),
        memory_(context, parts.count() * tiling.scheme.count() * slice_ * static_cast<int64_t>(sizeof(float))) {
    const Pieces runs{tiling.tiles(), 2 * winograd_rows};
    const int64_t slices = tiling.scheme.count();
    parallel_for(context, runs.count() * slices * parts.count(), [&](int64_t item) {
      const int64_t run = item % runs.count(), s = item / runs.count() % slices;
      const int64_t part = item / runs.count() / slices, begin = runs.begin(run), end = runs.end(run);
      const Block block = at(part, s);
      if (of_ == Of::inputs)
        block.gather(context, tensor.part(parts.begin(part)), s, begin, end, begin);
      else
        block.spread(context, tensor.x + parts.begin(part), s, begin, end, begin);
    });
  }
  Block at(int64_t part, int64_t s) const {
    float *const memory = memory_.as<float>() + (part * tiling_.scheme.count() + s) * slice_;
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

} // namespace

// The weights are most of the work of a small map, and their transform is larger than they are. So it never leaves the
// cache: an item is a panel of outputs, which transforms its weights of some input channels and multiplies at once.
void by_panels(vg_context *context, const Tiling &tiling, const WinogradInput &x, const Weights &weights,
               const WinogradOutput &y) {
  const Frequencies inputs(context, tiling, Frequencies::Of::inputs, x);
  const Panels panels{tiling.p.co};
  const WinogradScheme &scheme = tiling.scheme;
  const int64_t tiles = tiling.tiles();
  const Block widest(tiling.part(few_inputs, panel_lanes), tiles, nullptr);
  const int64_t v_slice = winograd_frequencies * few_frequency, v_floats = scheme.weights() * v_slice;
  const int64_t floats = round_up(v_floats + scheme.products() * widest.m_floats() + widest.sums_floats(), 64);
  Workspace memory(context, context->threads * floats * static_cast<int64_t>(sizeof(float)));
  parallel_for(context, panels.count(), [&](int64_t panel) {
    float *const v = memory.as<float>() + thread_index() * floats, *const m = v + v_floats;
    float *const sums = m + scheme.products() * widest.m_floats();
    const Tiling part = tiling.part(few_inputs, panels.width(panel));
    const auto products = [&](int64_t s) {
      return Block(part, tiles, nullptr, m + scheme.slice(s).product * widest.m_floats(), sums);
    };
    for (int64_t i = 0; i < inputs.parts.count(); ++i) {
      const int64_t begin = inputs.parts.begin(i), end = inputs.parts.end(i);
      transform_weights(context, scheme, panels, weights, panel, begin, end, v, few_frequency);
      for (int64_t s = 0; s < scheme.count(); ++s) {
        const Block in = inputs.at(i, s), out = products(s);
        for (int64_t f = 0; f < scheme.plane.products; ++f)
          out.multiply(context, in, v + scheme.slice(s).weight * v_slice, few_frequency, f, 0, tiles,
                       i > 0 || !scheme.begins(s));
      }
    }
    for (int64_t s = 0; s < scheme.count(); ++s)
      if (scheme.ends(s)) products(s).scatter(context, s, 0, tiles, 0, y.part(panels.begin(panel)), 0);
  });
}

// The same for the weight gradient: an item is a panel and some input channels, whose sums stay in the cache.
void weight_by_panels(vg_context *context, const Tiling &tiling, const WinogradInput &x, const float *dy, float *dw) {
  const Frequencies inputs(context, tiling, Frequencies::Of::inputs, x);
  const Frequencies gradients(context, tiling, Frequencies::Of::gradients, {dy, nullptr, 0});
  const Panels panels{tiling.p.co};
  const WinogradScheme &scheme = tiling.scheme;
  const int64_t sums_slice = winograd_frequencies * few_frequency, floats = scheme.weights() * sums_slice;
  const Pieces chains{tiling.tiles(), most_tiles};
  Workspace memory(context, context->threads * floats * static_cast<int64_t>(sizeof(float)));
  parallel_for(context, panels.count() * inputs.parts.count(), [&](int64_t item) {
    const int64_t panel = item / inputs.parts.count(), i = item % inputs.parts.count();
    const int64_t begin = inputs.parts.begin(i), channels = inputs.parts.end(i) - begin;
    float *const sums = memory.as<float>() + thread_index() * floats;
    for (int64_t s = 0; s < scheme.count(); ++s) {
      const Block in = inputs.at(i, s), out = gradients.at(panel, s);
      for (int64_t weight = 0; weight < winograd_frequencies; ++weight)
        for (int64_t c = 0; c < chains.count(); ++c)
          out.outer(context, in, weight, 0, chains.begin(c), chains.end(c),
                    sums + scheme.slice(s).weight * sums_slice + weight * few_frequency,
                    c > 0 || !scheme.begins_weight(s));
    }
    const int64_t out_stride = tiling.p.taps() * tiling.p.ci;
    VG_PICK(context, winograd_finish)
    ({scheme.strided, sums, scheme.weights(), 1, sums_slice, 0, few_frequency, channels, panels.width(panel),
      panels.lanes(panel), dw + panels.begin(panel) * out_stride + begin, out_stride, tiling.p.ci});
  });
}

} // namespace vg

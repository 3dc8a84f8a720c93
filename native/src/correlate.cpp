// Direct convolution as an implicit matrix product.
//
//   y[p][o] = bias[o] + sum over taps t, channels i of x[p * step + origin + t][i] * w[o][t][i]
//
// For a box of voxels (correlate_boxes.h), weights are packed once per call as [panel][tap][channel][16 output
// channels], so that a panel of `depth` channels stays in L2 besides the inputs while the tiles of conv3d.tier.cpp run
// over the box.
//
// Threads: a work item is a box times a group of panels. The cut depends on the problem only. Bound by arithmetic from
// about 8 channels on, by memory below.
#include "correlate_boxes.h"
#include "few_channels.h"
#include "slots.h"
#include "winograd.h"

namespace vg {

namespace {

// Output voxels, of all samples, up to which weights are packed where they are used: each of them serves so few.
constexpr int64_t few_voxels = 256;

// Rows of weights that are fetched before they are copied.
constexpr int64_t packed_ahead = 16;

// ---- packed weights ---------------------------------------------------------------------------------------------

// Weights of one head, panel and slice as [tap][channel of the slice][lanes], lanes beyond co zero.
void pack_tap(const Cut &cut, const Weights &weights, int64_t head, int64_t panel, int64_t slice, int64_t tap,
              float *to) {
  const Panels panels{cut.p.co};
  const int64_t lanes = panels.lanes(panel), width = panels.width(panel), depth = cut.slice_depth(slice);
  const float *from = weights.w + weights.heads[static_cast<size_t>(head)].tap[static_cast<size_t>(tap)] +
                      panels.begin(panel) * weights.out_stride + slice * cut.depth * weights.in_stride;
  to += tap * depth * lanes;
  if (width < lanes) std::fill_n(to, depth * lanes, 0.0f);
  if (weights.out_stride == 1) { // rows of a panel, each far from the next: no other prefetch sees them
    for (int64_t i = 0; i < depth; ++i, to += lanes, from += weights.in_stride) {
      __builtin_prefetch(from + packed_ahead * weights.in_stride);
      if (width == panel_lanes)
        std::memcpy(to, from, panel_lanes * sizeof(float));
      else
        std::copy_n(from, width, to);
    }
    return;
  }
  // A cache line of every row at a time: rows are often a power of two apart.
  constexpr int64_t block = 16;
  for (int64_t i = 0; i < depth; i += block, to += block * lanes, from += block * weights.in_stride)
    for (int64_t lane = 0; lane < width; ++lane)
      for (int64_t k = 0; k < std::min(block, depth - i); ++k)
        to[k * lanes + lane] = from[lane * weights.out_stride + k * weights.in_stride];
}

// All of them, [head][panel][slice], then the bias [padded co].
class Packed {
public:
  Packed(vg_context *context, const Cut &cut, const Weights &weights, const float *bias)
      : cut_(cut), panels_{cut.p.co}, taps_(cut.p.taps()), head_floats_(taps_ * cut.p.ci * panels_.padded()),
        memory_(context, (static_cast<int64_t>(weights.heads.size()) * head_floats_ + panels_.padded()) * 4),
        w_(memory_.as<float>()), bias_(w_ + static_cast<int64_t>(weights.heads.size()) * head_floats_) {
    std::fill_n(bias_, panels_.padded(), 0.0f);
    if (bias != nullptr) std::copy_n(bias, cut.p.co, bias_);
    const int64_t heads = static_cast<int64_t>(weights.heads.size());
    parallel_for(context, heads * panels_.count() * taps_, [&](int64_t item) {
      const int64_t tap = item % taps_, panel = item / taps_ % panels_.count(), head = item / taps_ / panels_.count();
      for (int64_t slice = 0; slice < cut_.slices; ++slice)
        pack_tap(cut_, weights, head, panel, slice, tap, at(head, panel, slice));
    });
  }
  const float *weights(int64_t head, int64_t panel, int64_t slice) const { return at(head, panel, slice); }
  const float *bias(int64_t panel) const { return bias_ + panels_.begin(panel); }

private:
  float *at(int64_t head, int64_t panel, int64_t slice) const {
    return w_ + head * head_floats_ + taps_ * cut_.p.ci * panels_.begin(panel) +
           taps_ * slice * cut_.depth * panels_.lanes(panel);
  }

  const Cut &cut_;
  Panels panels_;
  int64_t taps_, head_floats_;
  Workspace memory_;
  float *w_, *bias_;
};

// Voxels of a box, from `begin`.
struct Block {
  int64_t begin, count;
};

// One panel of one block.
void run_panel(vg_context *context, const View &view, const Block &block, const Ahead &ahead, const Panels &panels,
               int64_t panel, int64_t head_offset, const float *w, const float *bias) {
  PanelPass pass{};
  pass.fetch_y = view.far_apart();
  pass.x = view.x + block.begin;
  pass.y = view.y + block.begin;
  pass.count = block.count;
  pass.ahead = ahead;
  pass.segment = view.segment.data();
  pass.segments = static_cast<int64_t>(view.segment.size());
  pass.run = view.run;
  pass.w = w;
  pass.bias = bias;
  pass.y_offset = head_offset + panels.begin(panel);
  pass.lanes = panels.lanes(panel);
  pass.channels = panels.width(panel);
  VG_PICK(context, conv_panel)(pass);
}

// What is gathered of the outputs of a box in panels [begin, end) while they are in the cache.
void gather_sums(vg_context *context, const Correlation &p, int64_t item, const Box &box, int64_t begin, int64_t end,
                 float *y, OutputSums &sums) {
  if (!sums.wanted()) return;
  const Panels panels{p.co};
  const int64_t channel = panels.begin(begin), channels = std::min(panels.begin(end), p.co) - channel;
  OutputRun run{};
  run.count = box.size[2];
  run.channels = channels;
  run.voxel_step = p.axis[2].pitch;
  run.step = run.voxel_step * p.y_stride;
  run.first = true;
  run.work = sums.open(item, box.n, box.voxels(), channel, channels);
  for (int64_t z = 0; z < box.size[0]; ++z)
    for (int64_t y_ = 0; y_ < box.size[1]; ++y_, run.first = false) {
      run.voxel = output_voxel(p, box, z, y_);
      run.from = run.y = y + run.voxel * p.y_stride + channel;
      VG_PICK(context, norm_outputs)(run);
    }
}

// Small maps: every weight serves a few voxels only, so a panel is packed where and when it is used, and stays in L2.
void correlate_small_map(vg_context *context, const Cut &cut, const float *x, const Weights &weights, const float *bias,
                         float *y, OutputSums &sums) {
  const Panels panels{cut.p.co};
  const int64_t all_panels = static_cast<int64_t>(weights.heads.size()) * panels.count();
  // Two panels share the copies of their inputs, where there are enough of them.
  const Pieces group{all_panels, all_panels >= 16 ? 2 : 1};
  const int64_t panel_floats = cut.p.taps() * cut.depth * panel_lanes;
  const int64_t view_bytes = round_up(View::bytes(cut), align);
  Slots slots(context, group.count(), view_bytes + group.grain * panel_floats * 4);
  parallel_for(context, group.count(), [&](int64_t item) {
    const Slots::Lease lease(slots);
    View view(context, cut, lease.memory);
    float *packed = reinterpret_cast<float *>(lease.memory + view_bytes);
    for (int64_t slice = 0; slice < cut.slices; ++slice) {
      for (int64_t i = group.begin(item); i < group.end(item); ++i)
        for (int64_t tap = 0; tap < cut.p.taps(); ++tap)
          pack_tap(cut, weights, i / panels.count(), i % panels.count(), slice, tap,
                   packed + (i - group.begin(item)) * panel_floats);
      for (int64_t b = 0; b < cut.boxes(); ++b) {
        const Box box = cut.box(b);
        view.open(box, slice, x, y);
        for (int64_t i = group.begin(item); i < group.end(item); ++i) {
          const int64_t panel = i % panels.count();
          float first[panel_lanes] = {};
          if (bias != nullptr) std::copy_n(bias + panels.begin(panel), panels.width(panel), first);
          run_panel(context, view, {0, box.voxels()}, {}, panels, panel,
                    weights.heads[static_cast<size_t>(i / panels.count())].y_offset,
                    packed + (i - group.begin(item)) * panel_floats, slice == 0 ? first : nullptr);
        }
        if (slice == cut.slices - 1) gather_sums(context, cut.p, b, box, group.begin(item), group.end(item), y, sums);
      }
    }
  });
}

// Inputs that no output reads, as the residues of a pointwise convolution with a stride: lines of zeros.
void fill_grid(vg_context *context, const Correlation &p, float *y) {
  const GridAxis &az = p.axis[0], &ay = p.axis[1], &ax = p.axis[2];
  const Pieces lines{p.n * az.out * ay.out, std::max<int64_t>(1, 4096 / ax.out)};
  parallel_for(context, lines.count(), [&](int64_t piece) {
    for (int64_t line = lines.begin(piece); line < lines.end(piece); ++line) {
      const int64_t oy = line % ay.out, oz = line / ay.out % az.out, n = line / ay.out / az.out;
      const int64_t iz = n * az.size + az.place + az.pitch * oz, iy = iz * ay.size + ay.place + ay.pitch * oy;
      float *to = y + (iy * ax.size + ax.place) * p.y_stride;
      const bool dense = ax.pitch * p.y_stride == p.co;
      for (int64_t v = 0; v < (dense ? 1 : ax.out); ++v)
        std::fill_n(to + v * ax.pitch * p.y_stride, dense ? ax.out * p.co : p.co, 0.0f);
    }
  });
}

void correlate_boxes(vg_context *context, const Correlation &problem, const float *x, const Weights &weights,
                     const float *bias, float *y, const Fused &fused) {
  if (problem.taps() == 0 && bias == nullptr) return fill_grid(context, problem, y);
  const Cut cut(problem, fused.x_norm);
  OutputSums sums(context, fused, problem.n, problem.co, cut.boxes());
  if (problem.n * problem.points() <= few_voxels) {
    correlate_small_map(context, cut, x, weights, bias, y, sums);
    return sums.finish(context);
  }
  const Panels panels{problem.co};
  const Packed packed(context, cut, weights, bias);

  const int64_t all_panels = static_cast<int64_t>(weights.heads.size()) * panels.count();
  const int64_t groups = std::clamp<int64_t>(ceil_div(enough_items, cut.boxes()), 1, all_panels);
  const Pieces group{all_panels, ceil_div(all_panels, groups)};
  const int64_t items = cut.boxes() * group.count(), step = cut.block();
  Slots slots(context, items, View::bytes(cut));
  parallel_for(context, items, [&](int64_t item) {
    const Box box = cut.box(item / group.count());
    const int64_t first = group.begin(item % group.count()), last = group.end(item % group.count());
    const Slots::Lease lease(slots);
    View view(context, cut, lease.memory);
    for (int64_t slice = 0; slice < cut.slices; ++slice) {
      view.open(box, slice, x, y);
      for (int64_t begin = 0, end; begin < box.voxels(); begin = end) {
        end = std::min(begin + step, box.voxels());
        const int64_t next = std::min(step, box.voxels() - end);
        for (int64_t i = first; i < last; ++i) {
          const int64_t head = i / panels.count(), panel = i % panels.count();
          run_panel(context, view, {begin, end - begin},
                    view.ahead(end, next, i - first, last - first, group.count() > 1), panels, panel,
                    weights.heads[static_cast<size_t>(head)].y_offset, packed.weights(head, panel, slice),
                    slice == 0 ? packed.bias(panel) : nullptr);
        }
      }
    }
    gather_sums(context, problem, item / group.count(), box, first, last, y, sums);
  });
  sums.finish(context);
}

} // namespace

void correlate(vg_context *context, const Correlation &problem, const float *x, const Weights &weights,
               const float *bias, float *y, const Fused &fused) {
  if (problem.points() == 0) return;
  const bool single = weights.heads.size() == 1 && weights.heads.front().y_offset == 0;
  if (single && winograd_pays(problem)) return winograd_correlate(context, problem, x, weights, bias, y, fused);
  if (single && few_inputs(problem))
    few_inputs_correlate(context, problem, x, weights, bias, y, fused);
  else if (single && few_outputs(problem))
    few_outputs_correlate(context, problem, x, weights, bias, y, fused);
  else
    correlate_boxes(context, problem, x, weights, bias, y, fused);
}

} // namespace vg

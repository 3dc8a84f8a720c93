// Gradient of the weights of a direct convolution.
//
//   dw[o][t][i] = sum over p of dy[p][o] * x[p * step + origin + t][i]
//
// The boxes and patches of correlate_boxes.h with sums in place of weights. Threads: a work item is a range of boxes
// times a slice of channels times a group of panels, with its own partial sums that are added in index order
// afterwards. The cut depends on the problem only. Bound by arithmetic from about 8 channels on, by memory below.
#include "correlate_boxes.h"
#include "few_channels.h"
#include "slots.h"
#include "winograd.h"

namespace vg {

namespace {

// Values of what stands for dy with a table.
constexpr int64_t value_bytes = 128 << 10;

// Partial sums [range][slice][panel][tap][channel of the slice][lanes].
struct Partials {
  const Cut &cut;
  Panels panels;
  int64_t set_floats() const { return cut.p.taps() * cut.p.ci * panels.padded(); }
  int64_t offset(int64_t range, int64_t slice, int64_t panel) const {
    return range * set_floats() +
           cut.p.taps() * (slice * cut.depth * panels.padded() + cut.slice_depth(slice) * panels.begin(panel));
  }
};

// dw of one panel and tap: adds the ranges in order.
void finish(const Partials &partials, int64_t ranges, const float *sums, int64_t panel, int64_t tap, float *dw) {
  const Cut &cut = partials.cut;
  const int64_t lanes = partials.panels.lanes(panel), width = partials.panels.width(panel);
  const int64_t row = cut.p.taps() * cut.p.ci;
  constexpr int64_t inputs = 16; // a cache line of dw
  for (int64_t slice = 0; slice < cut.slices; ++slice)
    for (int64_t i = 0, depth = cut.slice_depth(slice); i < depth; i += inputs) {
      const int64_t count = std::min(inputs, depth - i);
      double total[inputs * panel_lanes] = {};
      for (int64_t range = 0; range < ranges; ++range) {
        const float *from = sums + partials.offset(range, slice, panel) + (tap * depth + i) * lanes;
        for (int64_t k = 0; k < count * lanes; ++k) total[k] += static_cast<double>(from[k]);
      }
      float *to = dw + partials.panels.begin(panel) * row + tap * cut.p.ci + slice * cut.depth + i;
      for (int64_t lane = 0; lane < width; ++lane, to += row)
        for (int64_t k = 0; k < count; ++k) to[k] = static_cast<float>(total[k * lanes + lane]);
    }
}

// Values of some channels of a tensor with a table that stands for dy, of one box, in rows of `row` floats.
void box_values(vg_context *context, const Correlation &p, const Box &box, int64_t channel, int64_t channels,
                const float *from, const float *norm, int64_t row, float *to) {
  NormRun run{};
  run.count = box.size[2];
  run.channels = channels;
  run.x_step = p.axis[2].pitch * p.y_stride;
  run.y_step = row;
  run.norm = norm + box.n * VG_NORM_ROWS * p.co + channel;
  run.norm_row = p.co;
  for (int64_t z = 0; z < box.size[0]; ++z)
    for (int64_t y = 0; y < box.size[1]; ++y) {
      run.x = from + output_voxel(p, box, z, y) * p.y_stride + channel;
      run.y = to + (z * box.size[1] + y) * box.size[2] * row;
      VG_PICK(context, norm_values)(run);
    }
}

// A tensor with a table that stands for dy: the values of `panels` panels of a box at a time, as many as stay in L2
// with whole lines of memory read.
struct Gradient {
  const float *dy, *norm; // norm is nullptr where dy holds values
  int64_t panels;
  float *values;
};
int64_t value_panels(const Cut &cut, const float *norm, int64_t most) {
  return norm == nullptr ? 0 : std::clamp<int64_t>(value_bytes / (cut.voxels() * panel_lanes * 4), 1, most);
}

// Adds one box to the sums of panels [begin, end): block by block where inputs are read in place, for they are many and
// the sums few, else panel by panel.
template <class Sums>
void add_box(vg_context *context, const Cut &cut, View &view, const Box &box, int64_t begin, int64_t end,
             const Gradient &gradient, Sums &&sums) {
  const Panels panels{cut.p.co};
  std::vector<int64_t> distance;
  view.distances(distance);
  const int64_t row = gradient.panels * panel_lanes;
  for (int64_t i = 0; i < box.voxels() && row > 0; ++i) view.y[i] = gradient.values + i * row;
  const int64_t stride = row > 0 ? gradient.panels : end - begin, voxels = box.voxels();
  const int64_t step = cut.in_place ? outer_voxels : voxels;
  for (int64_t low = begin; low < end; low += stride) {
    const int64_t high = std::min(low + stride, end), first = row > 0 ? panels.begin(low) : 0;
    if (row > 0)
      box_values(context, cut.p, box, first, std::min(panels.begin(high), cut.p.co) - first, gradient.dy, gradient.norm,
                 row, gradient.values);
    for (int64_t v = 0, next; v < voxels; v = next) {
      next = std::min(v + step, voxels);
      for (int64_t panel = low; panel < high; ++panel) {
        const bool more = panel + 1 < high;
        const int64_t follower = more ? v : next, line = panels.begin(more ? panel + 1 : low) - first;
        OuterPass pass{};
        pass.x = view.x + v;
        pass.dy = view.y + v;
        pass.count = next - v;
        pass.distance = distance.data();
        pass.rows = static_cast<int64_t>(distance.size());
        pass.sum = sums(panel);
        pass.dy_offset = panels.begin(panel) - first;
        pass.lanes = panels.lanes(panel);
        pass.channels = panels.width(panel);
        pass.ahead =
            view.ahead(next, std::min(step, voxels - next), panel - low, high - low, end - begin < panels.count());
        if (cut.in_place) pass.ahead_dy = {view.y + follower, std::min(step, voxels - follower), &line, 1};
        VG_PICK(context, conv_outer)(pass);
      }
    }
  }
}

// dw of one panel and slice from complete sums.
void store_gradient(const Partials &partials, const float *sums, int64_t slice, int64_t panel, float *dw) {
  const Cut &cut = partials.cut;
  const int64_t lanes = partials.panels.lanes(panel), width = partials.panels.width(panel);
  const int64_t depth = cut.slice_depth(slice), row = cut.p.taps() * cut.p.ci;
  for (int64_t tap = 0; tap < cut.p.taps(); ++tap, sums += depth * lanes)
    for (int64_t lane = 0; lane < width; ++lane) {
      float *to = dw + (partials.panels.begin(panel) + lane) * row + tap * cut.p.ci + slice * cut.depth;
      for (int64_t i = 0; i < depth; ++i) to[i] = sums[i * lanes + lane];
    }
}

} // namespace

void correlate_weight(vg_context *context, const Correlation &problem, const float *x, const float *dy, float *dw,
                      const Fused &fused) {
  if (winograd_pays(problem)) return winograd_weight(context, problem, x, dy, dw, fused);
  if (few_inputs(problem)) return few_inputs_weight(context, problem, x, dy, dw, fused);
  if (few_outputs_weight_fits(problem)) return few_outputs_weight(context, problem, x, dy, dw, fused);
  const Cut cut(problem, fused.x_norm);
  const Partials partials{cut, Panels{problem.co}};
  const Panels &panels = partials.panels;
  const int64_t most = std::clamp<int64_t>(partial_bytes / (partials.set_floats() * 4), 1, enough_items);
  const Pieces range{cut.boxes(), ceil_div(cut.boxes(), std::min(most, cut.boxes()))};
  const int64_t groups = std::clamp<int64_t>(ceil_div(enough_items, range.count() * cut.slices), 1, panels.count());
  const Pieces group{panels.count(), ceil_div(panels.count(), groups)};
  const int64_t items = range.count() * cut.slices * group.count();
  // With a single range the sums of an item are complete: they stay in its scratch and go to dw from there.
  const bool direct = range.count() == 1;
  const int64_t view_bytes = round_up(View::bytes(cut), align);
  const int64_t valued = value_panels(cut, fused.dy_norm, group.grain);
  const int64_t valued_floats = valued * cut.voxels() * panel_lanes;
  const int64_t panel_floats = problem.taps() * cut.depth * panel_lanes;

  Workspace memory(context, direct ? 0 : range.count() * partials.set_floats() * 4);
  Slots slots(context, items, view_bytes + valued_floats * 4 + (direct ? group.grain * panel_floats * 4 : 0));
  parallel_for(context, items, [&](int64_t item) {
    const int64_t g = item % group.count(), slice = item / group.count() % cut.slices;
    const int64_t r = item / group.count() / cut.slices, rows = problem.taps() * cut.slice_depth(slice);
    const Slots::Lease lease(slots);
    View view(context, cut, lease.memory);
    float *values = reinterpret_cast<float *>(lease.memory + view_bytes), *own = values + valued_floats;
    const auto sums = [&](int64_t panel) {
      return direct ? own + (panel - group.begin(g)) * panel_floats
                    : memory.as<float>() + partials.offset(r, slice, panel);
    };
    for (int64_t panel = group.begin(g); panel < group.end(g); ++panel)
      std::fill_n(sums(panel), rows * panels.lanes(panel), 0.0f);
    for (int64_t b = range.begin(r); b < range.end(r); ++b) {
      const Box box = cut.box(b);
      view.open(box, slice, x, const_cast<float *>(dy)); // only read
      add_box(context, cut, view, box, group.begin(g), group.end(g), {dy, fused.dy_norm, valued, values}, sums);
    }
    if (direct)
      for (int64_t panel = group.begin(g); panel < group.end(g); ++panel)
        store_gradient(partials, sums(panel), slice, panel, dw);
  });
  if (direct) return;
  parallel_for(context, panels.count() * problem.taps(), [&](int64_t item) {
    finish(partials, range.count(), memory.as<float>(), item / problem.taps(), item % problem.taps(), dw);
  });
}

} // namespace vg

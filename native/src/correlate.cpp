// Direct convolution as an implicit matrix product.
//
//   y[p][o] = bias[o] + sum over taps t, channels i of x[p * step + origin + t][i] * w[o][t][i]
//
// The grid is cut into boxes of about 512 output voxels. For a box, the inputs it needs (with its halo and the zeros
// of the padding, up to `depth` channels) are copied to a dense patch that stays in L2, as values where they have a
// norm table; values without padding are read in place. Weights are packed once per call as [panel][tap][channel][16
// output channels], so that a panel of `depth` channels stays in L2 too while the tiles of conv3d.tier.cpp run over the
// box. The weight gradient uses the same boxes and patches with sums in place of weights.
//
// Threads: a work item is a box times a group of panels; for the weight gradient, a range of boxes times a slice of
// channels times a group of panels, with its own partial sums that are added in index order afterwards. The cut depends
// on the problem only. Bound by arithmetic from about 8 channels on, by memory below.
#include "correlate.h"
#include "few_channels.h"
#include "norm_tile.h"
#include "panels.h"
#include "slots.h"
#include "winograd.h"

#include <algorithm>

namespace vg {

namespace {

// L2 of the smallest processors in use is 256 to 512 KB: a patch and a panel of weights together stay below.
constexpr int64_t patch_bytes = 192 << 10;
// Products that one sum in float32 takes before it is added to the result: longer chains of additions would lose more
// than 1e-6, and a panel of weights of this length (16 channels: 96 KB) leaves room in L2.
constexpr int64_t chain = 1536;
// Voxels of a box: enough to spread the last, partly filled tile and to reuse a panel of weights many times.
constexpr int64_t box_voxels = 512;
// Work items that keep many threads busy to the end.
constexpr int64_t enough_items = 64;
// Partial sums of a weight gradient take at most about this much memory (more only if one set does).
constexpr int64_t partial_bytes = 16 << 20;

// Output voxels, of all samples, up to which weights are packed where they are used: each of them serves so few.
constexpr int64_t few_voxels = 256;

// Values of what stands for dy with a table.
constexpr int64_t value_bytes = 128 << 10;

constexpr int64_t align = 64;

// A piece of the grid of one sample.
struct Box {
  int64_t n, begin[3], size[3];
  int64_t voxels() const { return size[0] * size[1] * size[2]; }
};

// How a correlation is cut: slices of input channels, boxes of the grid, and whether inputs are read in place.
class Cut {
public:
  // norm: table of the input, which is made values on the way to a patch; nullptr: it holds values.
  Cut(const Correlation &problem, const float *table) : p(problem), norm(table), in_place(table == nullptr) {
    for (const GridAxis &a : p.axis)
      in_place = in_place && a.origin >= 0 && (a.out - 1) * a.step + a.origin + a.taps <= a.in;
    if (p.taps() == 0) in_place = true; // nothing is read
    const int64_t deepest = std::max<int64_t>(8, chain / std::max<int64_t>(p.taps(), 1) / 8 * 8);
    depth = p.ci <= deepest ? p.ci : round_up(ceil_div(p.ci, ceil_div(p.ci, deepest)), 8);
    slices = ceil_div(p.ci, depth);
    choose_box();
  }

  int64_t boxes() const { return p.n * counts[0] * counts[1] * counts[2]; }
  Box box(int64_t i) const {
    Box b;
    for (int k = 2; k >= 0; --k) {
      b.begin[k] = i % counts[k] * extent[k];
      b.size[k] = std::min(extent[k], p.axis[k].out - b.begin[k]);
      i /= counts[k];
    }
    b.n = i;
    return b;
  }
  int64_t slice_depth(int64_t slice) const { return std::min(depth, p.ci - slice * depth); }

  int64_t patch_floats() const { return in_place ? 0 : static_cast<int64_t>(patch_size(extent)); }
  int64_t voxels() const { return extent[0] * extent[1] * extent[2]; }

  Correlation p;
  const float *norm;
  bool in_place;
  int64_t slices, depth; // of input channels
  int64_t extent[3];     // largest box
  int64_t counts[3];

private:
  // In floats; a double, for extents that are tried may be absurdly large.
  double patch_size(const int64_t size[3]) const {
    double floats = static_cast<double>(depth);
    for (int k = 0; k < 3; ++k) floats *= static_cast<double>((size[k] - 1) * p.axis[k].step + p.axis[k].taps);
    return floats;
  }

  // Whole rows first, then height and depth in turns so that the halo stays small.
  void choose_box() {
    extent[0] = extent[1] = 1;
    extent[2] = even_part(p.axis[2].out, 128);
    while (extent[2] > 1 && patch_size(extent) * 4 > patch_bytes) extent[2] = even_part(p.axis[2].out, extent[2] / 2);
    for (;;) {
      int64_t best[3];
      double best_halo = 0;
      for (int k = 0; k < 3; ++k) {
        int64_t grown[3] = {extent[0], extent[1], extent[2]};
        grown[k] = std::min(p.axis[k].out, extent[k] + std::max<int64_t>(1, extent[k] / 2));
        const int64_t volume = grown[0] * grown[1] * grown[2];
        if (grown[k] == extent[k] || volume > box_voxels || (!in_place && patch_size(grown) * 4 > patch_bytes))
          continue;
        const double halo = patch_size(grown) / static_cast<double>(volume);
        if (best_halo == 0 || halo < best_halo) best_halo = halo, std::copy(grown, grown + 3, best);
      }
      if (best_halo == 0) break;
      std::copy(best, best + 3, extent);
    }
    for (int k = 0; k < 3; ++k) {
      extent[k] = even_part(p.axis[k].out, extent[k]);
      counts[k] = ceil_div(p.axis[k].out, extent[k]);
    }
  }

  // Largest size <= limit that cuts the axis into nearly equal parts.
  static int64_t even_part(int64_t length, int64_t limit) { return ceil_div(length, ceil_div(length, limit)); }
};

int64_t flat(int64_t n, int64_t size_z, int64_t z, int64_t size_y, int64_t y, int64_t size_x, int64_t x) {
  return ((n * size_z + z) * size_y + y) * size_x + x;
}
// Number of the first output voxel of a line of the box.
int64_t output_voxel(const Correlation &p, const Box &box, int64_t z, int64_t y) {
  const GridAxis &az = p.axis[0], &ay = p.axis[1], &ax = p.axis[2];
  return flat(box.n, az.size, az.place + az.pitch * (box.begin[0] + z), ay.size,
              ay.place + ay.pitch * (box.begin[1] + y), ax.size, ax.place + ax.pitch * box.begin[2]);
}

// What the tiles see of one slice of input channels of a box: a pointer for every voxel and the distances of the taps.
class View {
public:
  static int64_t bytes(const Cut &cut) { return patch_part(cut) + 2 * pointer_part(cut); }

  View(vg_context *context, const Cut &cut, char *memory)
      : x(reinterpret_cast<const float **>(memory + patch_part(cut))),
        y(reinterpret_cast<float **>(memory + patch_part(cut) + pointer_part(cut))), context_(context), cut_(cut),
        p_(cut.p), patch_(reinterpret_cast<float *>(memory)) {}

  void open(const Box &box, int64_t slice, const float *input, float *output) {
    first_channel_ = slice * cut_.depth;
    depth_ = cut_.slice_depth(slice);
    for (int k = 0; k < 3; ++k) lines_[k] = (box.size[k] - 1) * p_.axis[k].step + p_.axis[k].taps;
    if (!cut_.in_place) copy(box, input);
    set_segments();
    set_pointers(box, input, output);
  }
  // Distance of every (tap, channel of the slice).
  void distances(std::vector<int64_t> &to) const {
    to.clear();
    for (const int64_t s : segment)
      for (int64_t j = 0; j < run; ++j) to.push_back(s + j);
  }

  const float **x; // input under the first tap
  float **y;
  std::vector<int64_t> segment; // as in PanelPass
  int64_t run = 0;

private:
  static int64_t patch_part(const Cut &cut) { return round_up(cut.patch_floats() * 4, align); }
  static int64_t pointer_part(const Cut &cut) { return round_up(cut.voxels() * 8, align); }

  // Fills the patch [z][y][x][channels of the slice], zero outside the tensor.
  void copy(const Box &box, const float *input) {
    int64_t begin[3];
    for (int k = 0; k < 3; ++k) begin[k] = box.begin[k] * p_.axis[k].step + p_.axis[k].origin;
    const int64_t in_z = p_.axis[0].in, in_y = p_.axis[1].in, in_x = p_.axis[2].in;
    const int64_t first = std::clamp<int64_t>(-begin[2], 0, lines_[2]);
    const int64_t last = std::clamp<int64_t>(in_x - begin[2], first, lines_[2]);
    float *to = patch_;
    for (int64_t line = 0; line < lines_[0] * lines_[1]; ++line, to += lines_[2] * depth_) {
      const int64_t z = begin[0] + line / lines_[1], y_ = begin[1] + line % lines_[1];
      if (z < 0 || z >= in_z || y_ < 0 || y_ >= in_y || first == last) {
        std::fill_n(to, lines_[2] * depth_, 0.0f);
        continue;
      }
      const int64_t voxel = ((box.n * in_z + z) * in_y + y_) * in_x + begin[2] + first;
      std::fill_n(to, first * depth_, 0.0f);
      copy_voxels(to + first * depth_, input + voxel * p_.x_stride + first_channel_, last - first, box.n);
      std::fill_n(to + last * depth_, (lines_[2] - last) * depth_, 0.0f);
    }
  }

  void copy_voxels(float *to, const float *from, int64_t voxels, int64_t sample) const {
    if (cut_.norm != nullptr) {
      NormRun pass{};
      pass.count = voxels;
      pass.channels = pass.y_step = depth_;
      pass.x = from;
      pass.x_step = p_.x_stride;
      pass.y = to;
      pass.norm = cut_.norm + sample * VG_NORM_ROWS * p_.ci + first_channel_;
      pass.norm_row = p_.ci;
      return VG_PICK(context_, norm_values)(pass);
    }
    if (p_.x_stride == depth_) {
      std::memcpy(to, from, static_cast<size_t>(voxels * depth_) * sizeof(float));
      return;
    }
    for (int64_t v = 0; v < voxels; ++v, to += depth_, from += p_.x_stride)
      for (int64_t c = 0; c < depth_; ++c) to[c] = from[c];
  }

  // Taps along x join to one run where their channels follow one another in memory.
  void set_segments() {
    const int64_t voxel = cut_.in_place ? p_.x_stride : depth_;
    const int64_t row = voxel * (cut_.in_place ? p_.axis[2].in : lines_[2]);
    const int64_t plane = row * (cut_.in_place ? p_.axis[1].in : lines_[1]);
    const int64_t start = cut_.in_place ? first_channel_ : 0, taps = p_.axis[2].taps;
    const int64_t joined = voxel == depth_ && taps > 0 ? taps : 1;
    run = joined * depth_;
    segment.clear();
    for (int64_t z = 0; z < p_.axis[0].taps; ++z)
      for (int64_t y_ = 0; y_ < p_.axis[1].taps; ++y_)
        for (int64_t x_ = 0; x_ < taps; x_ += joined) segment.push_back(start + z * plane + y_ * row + x_ * voxel);
  }

  void set_pointers(const Box &box, const float *input, float *output) {
    const GridAxis &az = p_.axis[0], &ay = p_.axis[1], &ax = p_.axis[2];
    const bool reads = p_.taps() > 0;
    const int64_t x_step = !reads ? 0 : ax.step * (cut_.in_place ? p_.x_stride : depth_);
    const int64_t y_step = ax.pitch * p_.y_stride;
    int64_t i = 0;
    for (int64_t z = 0; z < box.size[0]; ++z)
      for (int64_t y_ = 0; y_ < box.size[1]; ++y_) {
        const int64_t oz = box.begin[0] + z, oy = box.begin[1] + y_, ox = box.begin[2];
        const float *from = input;
        if (!cut_.in_place)
          from = patch_ + (z * az.step * lines_[1] + y_ * ay.step) * lines_[2] * depth_;
        else if (reads)
          from += flat(box.n, az.in, oz * az.step + az.origin, ay.in, oy * ay.step + ay.origin, ax.in,
                       ox * ax.step + ax.origin) *
                  p_.x_stride;
        float *to = output + output_voxel(p_, box, z, y_) * p_.y_stride;
        for (int64_t x_ = 0; x_ < box.size[2]; ++x_, ++i) {
          x[i] = from + x_ * x_step;
          y[i] = to + x_ * y_step;
        }
      }
  }

  vg_context *context_;
  const Cut &cut_;
  const Correlation &p_;
  float *patch_;
  int64_t lines_[3]; // extent of the patch
  int64_t first_channel_ = 0, depth_ = 0;
};

// ---- packed weights ---------------------------------------------------------------------------------------------

// Weights of one head, panel and slice as [tap][channel of the slice][lanes], lanes beyond co zero.
void pack_tap(const Cut &cut, const Weights &weights, int64_t head, int64_t panel, int64_t slice, int64_t tap,
              float *to) {
  const Panels panels{cut.p.co};
  const int64_t lanes = panels.lanes(panel), width = panels.width(panel), depth = cut.slice_depth(slice);
  const float *from = weights.w + weights.heads[static_cast<size_t>(head)].tap[static_cast<size_t>(tap)] +
                      panels.begin(panel) * weights.out_stride + slice * cut.depth * weights.in_stride;
  to += tap * depth * lanes;
  for (int64_t i = 0; i < depth; ++i, to += lanes, from += weights.in_stride) {
    for (int64_t lane = 0; lane < width; ++lane) to[lane] = from[lane * weights.out_stride];
    for (int64_t lane = width; lane < lanes; ++lane) to[lane] = 0;
  }
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

// One panel of one box.
void run_panel(vg_context *context, const View &view, const Box &box, const Panels &panels, int64_t panel,
               int64_t head_offset, const float *w, const float *bias) {
  PanelPass pass{};
  pass.x = view.x;
  pass.y = view.y;
  pass.count = box.voxels();
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
          run_panel(context, view, box, panels, panel, weights.heads[static_cast<size_t>(i / panels.count())].y_offset,
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
      for (int64_t v = 0; v < ax.out; ++v) std::fill_n(to + v * ax.pitch * p.y_stride, p.co, 0.0f);
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
  const int64_t items = cut.boxes() * group.count();
  Slots slots(context, items, View::bytes(cut));
  parallel_for(context, items, [&](int64_t item) {
    const Box box = cut.box(item / group.count());
    const Slots::Lease lease(slots);
    View view(context, cut, lease.memory);
    for (int64_t slice = 0; slice < cut.slices; ++slice) {
      view.open(box, slice, x, y);
      for (int64_t i = group.begin(item % group.count()); i < group.end(item % group.count()); ++i) {
        const int64_t head = i / panels.count(), panel = i % panels.count();
        run_panel(context, view, box, panels, panel, weights.heads[static_cast<size_t>(head)].y_offset,
                  packed.weights(head, panel, slice), slice == 0 ? packed.bias(panel) : nullptr);
      }
    }
    gather_sums(context, problem, item / group.count(), box, group.begin(item % group.count()),
                group.end(item % group.count()), y, sums);
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

// ---- gradient of the weights ------------------------------------------------------------------------------------

namespace {

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
  for (int64_t slice = 0; slice < cut.slices; ++slice)
    for (int64_t i = 0; i < cut.slice_depth(slice); ++i) {
      double total[panel_lanes] = {};
      for (int64_t range = 0; range < ranges; ++range) {
        const float *from = sums + partials.offset(range, slice, panel) + (tap * cut.slice_depth(slice) + i) * lanes;
        for (int64_t lane = 0; lane < lanes; ++lane) total[lane] += static_cast<double>(from[lane]);
      }
      float *to = dw + partials.panels.begin(panel) * row + tap * cut.p.ci + slice * cut.depth + i;
      for (int64_t lane = 0; lane < width; ++lane) to[lane * row] = static_cast<float>(total[lane]);
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

// Adds one box to the sums of panels [begin, end).
template <class Sums>
void add_box(vg_context *context, const Cut &cut, View &view, const Box &box, int64_t begin, int64_t end,
             const Gradient &gradient, Sums &&sums) {
  const Panels panels{cut.p.co};
  std::vector<int64_t> distance;
  view.distances(distance);
  const int64_t row = gradient.panels * panel_lanes;
  for (int64_t i = 0; i < box.voxels() && row > 0; ++i) view.y[i] = gradient.values + i * row;
  int64_t first = 0;
  for (int64_t panel = begin; panel < end; ++panel) {
    OuterPass pass{};
    pass.x = view.x;
    pass.dy = view.y;
    pass.count = box.voxels();
    pass.distance = distance.data();
    pass.rows = static_cast<int64_t>(distance.size());
    pass.sum = sums(panel);
    pass.lanes = panels.lanes(panel);
    pass.channels = panels.width(panel);
    if (row > 0 && (panel - begin) % gradient.panels == 0) {
      first = panels.begin(panel);
      const int64_t channels = std::min(panels.begin(std::min(panel + gradient.panels, end)), cut.p.co) - first;
      box_values(context, cut.p, box, first, channels, gradient.dy, gradient.norm, row, gradient.values);
    }
    pass.dy_offset = panels.begin(panel) - first;
    VG_PICK(context, conv_outer)(pass);
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

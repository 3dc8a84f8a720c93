// How a correlation is cut into boxes of voxels, and what the tiles see of one. For correlate.cpp and
// correlate_weight.cpp.
//
// The grid is cut into boxes of about 512 output voxels. For a box, the inputs it needs (with its halo and the zeros
// of the padding, up to `depth` channels) are copied to a dense patch that stays in L2, as values where they have a
// norm table; values without padding are read in place.
#pragma once

#include "correlate.h"
#include "norm_tile.h"
#include "panels.h"

#include <algorithm>
#include <cstring>

namespace vg {

// L2 of the smallest processors in use is 256 to 512 KB: a patch and a panel of weights together stay below.
inline constexpr int64_t patch_bytes = 192 << 10;
// Weights of an output channel that a pass over a box takes: a panel of them (16 channels: 128 KB) leaves room in L2.
inline constexpr int64_t slice_weights = 2048;
// Voxels of a box: enough to spread the last, partly filled tile and to reuse a panel of weights many times.
inline constexpr int64_t box_voxels = 512;
// Inputs that all panels see before the next ones where they are read in place: those stay in L1 or near it, and the
// next ones are fetched meanwhile, else memory and arithmetic would take turns. Whole tiles of 6 and 12 voxels, and an
// eighth of a box at most, for nobody fetches the first ones of a box.
inline constexpr int64_t in_place_bytes = 48 << 10, block_voxels = 60, fewest_block_voxels = 24;
// Bytes between the outputs of two voxels from which they are fetched before they are written: of nearer ones the
// processor sees the pattern by itself.
inline constexpr int64_t far_bytes = 512;
// Panels among which that fetching is spread, at least: with fewer it asks for more than memory gives. Where panels are
// divided among work items, the inputs are often in a cache already.
inline constexpr int64_t ahead_panels = 2, ahead_divided_panels = 4;
inline constexpr int64_t align = 64;

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
    const int64_t deepest = std::max<int64_t>(8, slice_weights / std::max<int64_t>(p.taps(), 1) / 8 * 8);
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
  // Voxels of a box that all panels see before the next ones.
  int64_t block() const {
    const int64_t bytes = std::max<int64_t>(p.taps(), 1) * depth * 4;
    return in_place ? std::clamp(in_place_bytes / bytes / 12 * 12, fewest_block_voxels, block_voxels) : voxels();
  }

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

inline int64_t flat(int64_t n, int64_t size_z, int64_t z, int64_t size_y, int64_t y, int64_t size_x, int64_t x) {
  return ((n * size_z + z) * size_y + y) * size_x + x;
}
// Number of the first output voxel of a line of the box.
inline int64_t output_voxel(const Correlation &p, const Box &box, int64_t z, int64_t y) {
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
  // Whether every other voxel at most is written, and they lie far apart.
  bool far_apart() const {
    return p_.axis[2].pitch > 1 && p_.axis[2].pitch * p_.y_stride * static_cast<int64_t>(sizeof(float)) >= far_bytes;
  }
  // What panel `part` of `parts` fetches of `count` voxels from `begin`: inputs in place that no other voxel shares.
  // divided: other work items have more panels.
  Ahead ahead(int64_t begin, int64_t count, int64_t part, int64_t parts, bool divided) const {
    if (parts < (divided ? ahead_divided_panels : ahead_panels) || count <= 0) return {};
    const int64_t lines = static_cast<int64_t>(line_.size()), first = lines * part / parts;
    return {x + begin, count, line_.data() + first, lines * (part + 1) / parts - first};
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
    const auto apart = [](const GridAxis &a) { return a.taps <= a.step; };
    line_.clear();
    if (!cut_.in_place || !std::all_of(p_.axis, p_.axis + 3, apart)) return;
    for (const int64_t s : segment)
      for (int64_t j = 0; j < run; j += 16) line_.push_back(s + j);
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
  std::vector<int64_t> line_; // distances of the cache lines of a voxel's inputs
};

} // namespace vg

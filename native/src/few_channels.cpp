// Convolutions with 1 to 4 channels on one side.
//
//   few inputs   y[v][o] = bias[o] + sum over t, i of x[v * step + origin + t][i] * w[o][t][i], all o of a voxel at
//   once
//                dw[o][t][i] = sum over v of dy[v][o] * x[v * step + origin + t][i]
//   few outputs  y[v][o], one o at a time: lanes hold input channels and are added up at the end
//
// What a general tile does for every voxel (pointers, copies, partly filled vectors) would cost as much as the few
// products here, so these walk along whole lines (line.tier.cpp). With padding the inputs of a work item, a few lines
// with their halo, are copied to a patch that stays near; few outputs read in place, zeros stand in outside. The table
// of an input is applied as it is copied, for few outputs to a ring of planes.
//
// Threads: a work item is a piece of some lines of one plane; for the weight gradient a range of such pieces with its
// own partial sums, added in index order afterwards. Bound by arithmetic for 3x3x3 taps (27 products for 4 to 5 bytes
// at 32 channels), by memory for single taps and for 9.
#include "few_channels.h"
#include "line_tile.h"
#include "norm_tile.h"
#include "panels.h"
#include "slots.h"

namespace vg {

namespace {

constexpr int64_t few = 4;
// With more products for an output the general tiles reach more: their voxels need not lie in lines.
constexpr int64_t many_products = 128;
constexpr int64_t patch_bytes = 48 << 10;
constexpr int64_t ring_bytes = 256 << 10;
constexpr int64_t enough_line_items = 64;

// A voxel of the output reads one voxel of the input: the grid is one long line for each sample.
bool pointwise(const Correlation &p) {
  bool same = true;
  for (const GridAxis &a : p.axis)
    same = same && a.taps == 1 && a.step == 1 && a.origin == 0 && a.place == 0 && a.pitch == 1 && a.in == a.out &&
           a.size == a.out;
  return same;
}
Correlation flattened(const Correlation &problem) {
  Correlation p = problem;
  if (!pointwise(p)) return p;
  const int64_t voxels = p.points();
  p.axis[0] = p.axis[1] = {1, 1, 1, 1, 0, 1, 0, 1};
  p.axis[2] = {voxels, voxels, 1, 1, 0, voxels, 0, 1};
  return p;
}

// Lines y..y+lines-1 of plane z of a sample, voxels x..x+count-1 of them.
struct Piece {
  int64_t n, z, y, x, lines, count;
};

class LineCut {
public:
  // norm: table of the input, which is made values on the way to a patch; nullptr: it holds values.
  LineCut(const Correlation &problem, int64_t voxels, const float *table)
      : p(problem), norm(table), in_place(table == nullptr) {
    for (const GridAxis &a : p.axis)
      in_place = in_place && a.origin >= 0 && (a.out - 1) * a.step + a.origin + a.taps <= a.in;
    width_ = even_part(p.axis[2].out, voxels);
    while (width_ > 16 && !in_place && patch_floats(1, width_) * 4 > patch_bytes)
      width_ = even_part(p.axis[2].out, width_ / 2);
    lines_ = std::clamp<int64_t>(voxels / width_, 1, p.axis[1].out);
    while (lines_ > 1 && !in_place && patch_floats(lines_, width_) * 4 > patch_bytes) --lines_;
    lines_ = even_part(p.axis[1].out, lines_);
  }
  int64_t pieces() const { return p.n * p.axis[0].out * line_parts() * width_parts(); }
  Piece piece(int64_t i) const {
    Piece b;
    b.x = i % width_parts() * width_, i /= width_parts();
    b.y = i % line_parts() * lines_, i /= line_parts();
    b.z = i % p.axis[0].out, b.n = i / p.axis[0].out;
    b.count = std::min(width_, p.axis[2].out - b.x);
    b.lines = std::min(lines_, p.axis[1].out - b.y);
    return b;
  }
  int64_t patch_floats() const { return in_place ? 0 : patch_floats(lines_, width_); }
  int64_t voxels() const { return lines_ * width_; }
  int64_t output_voxel(const Piece &b) const {
    const GridAxis &az = p.axis[0], &ay = p.axis[1], &ax = p.axis[2];
    const int64_t line = (b.n * az.size + az.place + az.pitch * b.z) * ay.size + ay.place + ay.pitch * b.y;
    return line * ax.size + ax.place + ax.pitch * b.x;
  }
  float *output(const Piece &b, float *y) const { return y + output_voxel(b) * p.y_stride; }
  int64_t output_line() const { return p.axis[1].pitch * p.axis[2].size * p.y_stride; }
  int64_t output_step() const { return p.axis[2].pitch * p.y_stride; }

  const Correlation p;
  const float *norm;
  bool in_place;

private:
  int64_t patch_floats(int64_t lines, int64_t width) const {
    return p.axis[0].taps * ((lines - 1) * p.axis[1].step + p.axis[1].taps) *
           ((width - 1) * p.axis[2].step + p.axis[2].taps) * p.ci;
  }
  static int64_t even_part(int64_t length, int64_t limit) { return ceil_div(length, ceil_div(length, limit)); }
  int64_t line_parts() const { return ceil_div(p.axis[1].out, lines_); }
  int64_t width_parts() const { return ceil_div(p.axis[2].out, width_); }

  int64_t lines_, width_;
};

// The inputs of a piece: copied with zeros around them, or in place.
class Window {
public:
  Window(vg_context *context, const LineCut &cut, float *patch)
      : context_(context), p_(cut.p), norm_(cut.norm), in_place_(cut.in_place), patch_(patch) {}

  void open(const Piece &b, const float *input) {
    const GridAxis &az = p_.axis[0], &ay = p_.axis[1], &ax = p_.axis[2];
    const int64_t z = b.z * az.step + az.origin, y = b.y * ay.step + ay.origin, x0 = b.x * ax.step + ax.origin;
    if (in_place_) {
      voxel_ = p_.x_stride;
      row_ = ax.in * voxel_;
      plane_ = ay.in * row_;
      x = input + (((b.n * az.in + z) * ay.in + y) * ax.in + x0) * voxel_;
      return;
    }
    const int64_t lines = (b.lines - 1) * ay.step + ay.taps, width = (b.count - 1) * ax.step + ax.taps;
    voxel_ = p_.ci;
    row_ = width * voxel_;
    plane_ = lines * row_;
    x = patch_;
    for (int64_t tz = 0; tz < az.taps; ++tz)
      for (int64_t ty = 0; ty < lines; ++ty) {
        float *to = patch_ + tz * plane_ + ty * row_;
        if (z + tz < 0 || z + tz >= az.in || y + ty < 0 || y + ty >= ay.in)
          std::fill_n(to, row_, 0.0f);
        else
          copy_line(to, input + ((b.n * az.in + z + tz) * ay.in + y + ty) * ax.in * p_.x_stride, x0, width, b.n);
      }
  }
  int64_t step() const { return p_.axis[2].step * voxel_; }
  int64_t line() const { return p_.axis[1].step * row_; }
  // Distance of every stretch of `run` consecutive inputs, one for each line of taps where voxels are dense.
  int64_t segments(std::vector<int64_t> &to) const {
    const int64_t taps = p_.axis[2].taps, joined = voxel_ == p_.ci ? taps : 1;
    to.clear();
    for (int64_t tz = 0; tz < p_.axis[0].taps; ++tz)
      for (int64_t ty = 0; ty < p_.axis[1].taps; ++ty)
        for (int64_t tx = 0; tx < taps; tx += joined) to.push_back(tz * plane_ + ty * row_ + tx * voxel_);
    return joined * p_.ci;
  }

  const float *x; // under the first tap of the piece's first voxel

private:
  // Voxels x0..x0+width-1 of a line, zero outside.
  void copy_line(float *to, const float *line, int64_t x0, int64_t width, int64_t sample) const {
    const int64_t first = std::clamp<int64_t>(-x0, 0, width);
    const int64_t last = std::clamp<int64_t>(p_.axis[2].in - x0, first, width);
    std::fill_n(to, first * p_.ci, 0.0f);
    const float *from = line + (x0 + first) * p_.x_stride;
    if (norm_ != nullptr) {
      NormRun run{};
      run.count = last - first;
      run.channels = run.norm_row = run.y_step = p_.ci;
      run.x = from;
      run.x_step = p_.x_stride;
      run.y = to + first * p_.ci;
      run.norm = norm_ + sample * VG_NORM_ROWS * p_.ci;
      VG_PICK(context_, norm_values)(run);
    } else if (p_.x_stride == p_.ci) {
      std::copy_n(from, (last - first) * p_.ci, to + first * p_.ci);
    } else {
      float *voxel = to + first * p_.ci;
      for (int64_t v = first; v < last; ++v, from += p_.x_stride, voxel += p_.ci) std::copy_n(from, p_.ci, voxel);
    }
    std::fill_n(to + last * p_.ci, (width - last) * p_.ci, 0.0f);
  }

  vg_context *context_;
  const Correlation &p_;
  const float *norm_;
  bool in_place_;
  float *patch_;
  int64_t voxel_ = 0, row_ = 0, plane_ = 0;
};

// [panel][tap][input channel][lanes], then the bias [padded co], zero beyond co.
void pack_few_inputs(const Correlation &p, const Weights &weights, const float *bias, float *to) {
  const Panels panels{p.co};
  for (int64_t i = 0; i < panels.count(); ++i)
    for (const int64_t tap : weights.heads.front().tap)
      for (int64_t c = 0; c < p.ci; ++c, to += panels.lanes(i)) {
        const float *from = weights.w + tap + c * weights.in_stride + panels.begin(i) * weights.out_stride;
        for (int64_t lane = 0; lane < panels.lanes(i); ++lane)
          to[lane] = lane < panels.width(i) ? from[lane * weights.out_stride] : 0;
      }
  std::fill_n(to, panels.padded(), 0.0f);
  if (bias != nullptr) std::copy_n(bias, p.co, to);
}

// What is gathered of the outputs of a piece while they are in the cache.
void gather_sums(vg_context *context, const LineCut &cut, const Piece &piece, float *y, const OutputWork &work) {
  OutputRun run{};
  run.count = piece.count;
  run.channels = cut.p.co;
  run.voxel_step = cut.p.axis[2].pitch;
  run.step = cut.output_step();
  run.work = work;
  for (int64_t line = 0; line < piece.lines; ++line) {
    run.voxel = cut.output_voxel(piece) + line * cut.output_line() / cut.p.y_stride;
    run.from = run.y = y + run.voxel * cut.p.y_stride;
    run.first = line == 0;
    VG_PICK(context, norm_outputs)(run);
  }
}

} // namespace

bool few_inputs(const Correlation &p) { return p.ci <= few && p.taps() > 0 && p.taps() * p.ci <= many_products; }

void few_inputs_correlate(vg_context *context, const Correlation &problem, const float *x, const Weights &weights,
                          const float *bias, float *y, const Fused &fused) {
  const Correlation p = flattened(problem);
  const LineCut cut(p, 512, fused.x_norm);
  const int64_t padded = Panels{p.co}.padded(), products = p.taps() * p.ci;
  Workspace memory(context, (products + 1) * padded * 4);
  float *packed = memory.as<float>();
  pack_few_inputs(p, weights, bias, packed);
  Slots slots(context, cut.pieces(), cut.patch_floats() * 4);
  OutputSums sums(context, fused, p.n, p.co, cut.pieces());
  parallel_for(context, cut.pieces(), [&](int64_t item) {
    const Slots::Lease lease(slots);
    const Piece piece = cut.piece(item);
    Window window(context, cut, reinterpret_cast<float *>(lease.memory));
    window.open(piece, x);
    std::vector<int64_t> segment;
    LinePass pass{};
    pass.run = window.segments(segment);
    pass.segment = segment.data();
    pass.segments = static_cast<int64_t>(segment.size());
    pass.x_step = window.step();
    pass.y_step = cut.output_step();
    pass.count = piece.count;
    pass.w = packed;
    pass.bias = packed + products * padded;
    pass.channels = p.co;
    float *to = cut.output(piece, y);
    for (int64_t line = 0; line < piece.lines; ++line) {
      pass.x = window.x + line * window.line();
      pass.y = to + line * cut.output_line();
      VG_PICK(context, line_forward)(pass);
    }
    if (sums.wanted())
      gather_sums(context, cut, piece, y, sums.open(item, piece.n, piece.lines * piece.count, 0, p.co));
  });
  sums.finish(context);
}

// ---- weight gradient --------------------------------------------------------------------------------------------

namespace {

// dw of output channel o and row (tap, input channel) goes to dw[o * out_stride + row * row_stride].
struct GradientPlace {
  float *dw;
  int64_t out_stride, row_stride;
};

// The gradient's lines in place, or copied to whole vectors of channels. In its place may be a tensor with a table.
void open_gradient(vg_context *context, const LineCut &cut, const Piece &piece, const float *dy, const float *norm,
                   float *copy, LineOuterPass &pass) {
  const float *from = cut.output(piece, const_cast<float *>(dy)); // only read
  pass.dy = from;
  pass.dy_step = cut.output_step();
  pass.dy_line = cut.output_line();
  if (pass.channels == cut.p.co && norm == nullptr) return;
  NormRun run{};
  run.count = piece.count;
  run.channels = run.norm_row = cut.p.co;
  run.x_step = pass.dy_step;
  run.y_step = pass.channels;
  if (norm != nullptr) run.norm = norm + piece.n * VG_NORM_ROWS * cut.p.co;
  for (int64_t line = 0; line < piece.lines; ++line) {
    run.x = from + line * pass.dy_line;
    run.y = copy + line * piece.count * pass.channels;
    if (norm != nullptr) VG_PICK(context, norm_values)(run);
    for (int64_t v = 0; v < piece.count && pass.channels > cut.p.co; ++v) {
      float *to = copy + (line * piece.count + v) * pass.channels;
      if (norm == nullptr) std::copy_n(from + line * pass.dy_line + v * pass.dy_step, cut.p.co, to);
      std::fill_n(to + cut.p.co, pass.channels - cut.p.co, 0.0f);
    }
  }
  pass.dy = copy;
  pass.dy_step = pass.channels;
  pass.dy_line = piece.count * pass.channels;
}

// Tensors with their tables, nullptr where they hold values.
struct LineTensors {
  const float *x, *x_norm, *dy, *dy_norm;
};

void line_weight(vg_context *context, const Correlation &p, const LineTensors &t, const GradientPlace &place) {
  // A panel of their gradients stays in L1, where voxels at a distance of 32 channels can use half of the lines, those
  // at 64 a quarter, and so on.
  const LineCut cut(p, std::clamp<int64_t>(8192 / p.y_stride, 32, 256), t.x_norm);
  const int64_t rows = p.taps() * p.ci, channels = round_up(p.co, half_panel_lanes), set = rows * channels;
  const int64_t most = std::clamp<int64_t>(partial_bytes / (set * 4), 1, enough_line_items);
  const Pieces range{cut.pieces(), ceil_div(cut.pieces(), std::min(most, cut.pieces()))};
  Workspace memory(context, range.count() * set * 4);
  float *sums = memory.as<float>();
  const int64_t patch = round_up(cut.patch_floats(), 16), copied = channels != p.co || t.dy_norm != nullptr;
  const int64_t copy = copied ? cut.voxels() * channels : 0;
  Slots slots(context, range.count(), (patch + copy) * 4);
  parallel_for(context, range.count(), [&](int64_t r) {
    const Slots::Lease lease(slots);
    float *scratch = reinterpret_cast<float *>(lease.memory);
    Window window(context, cut, scratch);
    std::vector<int64_t> segment, distance;
    LineOuterPass pass{};
    pass.rows = rows;
    pass.sum = sums + r * set;
    pass.channels = channels;
    std::fill_n(pass.sum, set, 0.0f);
    for (int64_t i = range.begin(r); i < range.end(r); ++i) {
      const Piece piece = cut.piece(i);
      window.open(piece, t.x);
      const int64_t run = window.segments(segment);
      distance.clear();
      for (const int64_t s : segment)
        for (int64_t j = 0; j < run; ++j) distance.push_back(s + j);
      pass.distance = distance.data();
      pass.x = window.x;
      pass.x_step = window.step();
      pass.x_line = window.line();
      pass.count = piece.count;
      pass.lines = piece.lines;
      open_gradient(context, cut, piece, t.dy, t.dy_norm, scratch + patch, pass);
      pass.next = pass.next_end = nullptr;
      if (i + 1 < range.end(r)) {
        const Piece then = cut.piece(i + 1);
        pass.next = cut.output(then, const_cast<float *>(t.dy));
        pass.next_end = pass.next + then.lines * cut.output_line();
      }
      VG_PICK(context, line_outer)(pass);
    }
  });
  parallel_for(context, ceil_div(p.co, panel_lanes), [&](int64_t panel) {
    for (int64_t o = panel * panel_lanes; o < std::min(p.co, (panel + 1) * panel_lanes); ++o)
      for (int64_t row = 0; row < rows; ++row) {
        double total = 0;
        for (int64_t r = 0; r < range.count(); ++r) total += static_cast<double>(sums[r * set + row * channels + o]);
        place.dw[o * place.out_stride + row * place.row_stride] = static_cast<float>(total);
      }
  });
}

} // namespace

void few_inputs_weight(vg_context *context, const Correlation &problem, const float *x, const float *dy, float *dw,
                       const Fused &fused) {
  const Correlation p = flattened(problem);
  line_weight(context, p, {x, fused.x_norm, dy, fused.dy_norm}, {dw, p.taps() * p.ci, 1});
}

bool few_outputs_weight_fits(const Correlation &p) { return p.co <= few && pointwise(p); }

// With a single tap x and dy are alike: the few channels of dy become the rows.
void few_outputs_weight(vg_context *context, const Correlation &problem, const float *x, const float *dy, float *dw,
                        const Fused &fused) {
  Correlation p = flattened(problem);
  std::swap(p.ci, p.co);
  std::swap(p.x_stride, p.y_stride);
  line_weight(context, p, {dy, fused.dy_norm, x, fused.x_norm}, {dw, 1, p.co});
}

// ---- few outputs ------------------------------------------------------------------------------------------------

namespace {

// Input channels i..i+7 of an output and a tap. A last chunk that reaches too far ends with the last channel, with
// zeros for those of the chunk before.
void pack_chunk(const Correlation &p, const Weights &weights, int64_t o, int64_t tap, int64_t i, float *to) {
  const int64_t at = std::min(i, p.ci - 8);
  const float *from = weights.w + o * weights.out_stride + tap + at * weights.in_stride;
  for (int64_t lane = 0; lane < 8; ++lane) to[lane] = at + lane < i ? 0 : from[lane * weights.in_stride];
}

// [output][line of taps][chunk of 8 input channels][tap along x][lane].
struct NarrowWeights {
  explicit NarrowWeights(const Correlation &problem) : p(problem) {}
  int64_t line() const { return ceil_div(p.ci, 8) * p.axis[2].taps * 8; }
  int64_t output() const { return p.axis[0].taps * p.axis[1].taps * line(); }
  void pack(const Weights &weights, float *to) const {
    const int64_t taps = p.axis[2].taps;
    for (int64_t o = 0; o < p.co; ++o)
      for (int64_t l = 0; l < p.axis[0].taps * p.axis[1].taps; ++l)
        for (int64_t i = 0; i < p.ci; i += 8)
          for (int64_t t = 0; t < taps; ++t, to += 8)
            pack_chunk(p, weights, o, weights.heads.front().tap[static_cast<size_t>(l * taps + t)], i, to);
  }
  const Correlation &p;
};

} // namespace

bool few_outputs(const Correlation &p) {
  return p.co <= few && p.ci >= 8 && p.taps() > 0 && p.axis[2].step == 1 && p.axis[2].taps <= narrow_taps;
}

namespace {

// Heads of a network: voxels one after the other, all outputs of a voxel at once.
void heads(vg_context *context, const Correlation &p, const float *x, const Weights &weights, const float *bias,
           float *y, const Fused &fused) {
  const int64_t pitch = p.co == 3 ? few : p.co;
  Workspace memory(context, (ceil_div(p.ci, 8) * 8 * p.co + 8) * 4);
  float *packed = memory.as<float>() + 8, *biases = memory.as<float>();
  for (int64_t lane = 0; lane < 8; ++lane)
    biases[lane] = bias == nullptr || lane % pitch >= p.co ? 0 : bias[lane % pitch];
  for (int64_t i = 0; i < p.ci; i += 8)
    for (int64_t o = 0; o < p.co; ++o)
      pack_chunk(p, weights, o, weights.heads.front().tap.front(), i, packed + (i * p.co + o * 8));
  const Pieces pieces{p.axis[2].out, fused.x_norm == nullptr ? voxel_grain(p.ci) : ceil_div(voxel_grain(p.ci), 8)};
  const int64_t values = fused.x_norm == nullptr ? 0 : pieces.grain * p.ci;
  Slots slots(context, p.n * pieces.count(), values * 4);
  parallel_for(context, p.n * pieces.count(), [&](int64_t item) {
    const Slots::Lease lease(slots);
    const int64_t sample = item / pieces.count(), i = item % pieces.count();
    const int64_t voxel = sample * p.axis[2].out + pieces.begin(i);
    HeadPass pass{};
    pass.x = x + voxel * p.x_stride;
    pass.x_step = p.x_stride;
    pass.channels = p.ci;
    pass.w = packed;
    pass.bias = biases;
    pass.y = y + voxel * p.y_stride;
    pass.y_step = p.y_stride;
    pass.count = pieces.end(i) - pieces.begin(i);
    if (fused.x_norm != nullptr) {
      NormRun run{};
      run.count = pass.count;
      run.channels = run.norm_row = run.y_step = p.ci;
      run.x = pass.x;
      run.x_step = p.x_stride;
      run.y = reinterpret_cast<float *>(lease.memory);
      run.norm = fused.x_norm + sample * VG_NORM_ROWS * p.ci;
      VG_PICK(context, norm_values)(run);
      pass.x = run.y;
      pass.x_step = p.ci;
    }
    pass.outputs = p.co;
    VG_PICK(context, line_heads)(pass);
  });
}

// Lines [begin, end) of the input planes that the taps of an output plane read: in place, or as values of a table in a
// ring of planes that stays near.
class Planes {
public:
  struct Range {
    int64_t sample, begin, end;
  };
  Planes(vg_context *context, const Correlation &problem, const float *input, const float *table, const Range &lines,
         float *memory)
      : context_(context), p_(problem), input_(input), norm_(table), lines_(lines), ring_(memory),
        held_(static_cast<size_t>(problem.axis[0].taps), -1) {}
  int64_t voxel() const { return norm_ == nullptr ? p_.x_stride : p_.ci; }
  const float *line(int64_t z, int64_t y) {
    if (norm_ == nullptr) return place(z, y);
    const int64_t slot = z % p_.axis[0].taps, row = p_.axis[2].in * p_.ci;
    float *plane = ring_ + slot * (lines_.end - lines_.begin) * row;
    if (held_[static_cast<size_t>(slot)] != z) fill(z, plane);
    held_[static_cast<size_t>(slot)] = z;
    return plane + (y - lines_.begin) * row;
  }

private:
  const float *place(int64_t z, int64_t y) const {
    return input_ + ((lines_.sample * p_.axis[0].in + z) * p_.axis[1].in + y) * p_.axis[2].in * p_.x_stride;
  }
  void fill(int64_t z, float *plane) const {
    NormRun run{};
    run.count = (lines_.end - lines_.begin) * p_.axis[2].in;
    run.channels = run.norm_row = run.y_step = p_.ci;
    run.x = place(z, lines_.begin);
    run.x_step = p_.x_stride;
    run.y = plane;
    run.norm = norm_ + lines_.sample * VG_NORM_ROWS * p_.ci;
    VG_PICK(context_, norm_values)(run);
  }

  vg_context *context_;
  const Correlation &p_;
  const float *input_, *norm_;
  const Range lines_;
  float *ring_;
  std::vector<int64_t> held_; // plane in each place of the ring
};

// Other kernels: lines of voxels, one output at a time.
void lines(vg_context *context, const Correlation &p, const float *x, const Weights &weights, const float *bias,
           float *y, const Fused &fused) {
  const NarrowWeights narrow(p);
  Workspace memory(context, p.co * narrow.output() * 4);
  float *packed = memory.as<float>();
  narrow.pack(weights, packed);
  const GridAxis &az = p.axis[0], &ay = p.axis[1], &ax = p.axis[2];
  const auto ring_floats = [&](int64_t height) {
    return fused.x_norm == nullptr ? 0 : az.taps * ((height - 1) * ay.step + ay.taps) * ax.in * p.ci;
  };
  int64_t most = std::max<int64_t>(1, 512 / ax.out);
  while (most > 1 && ring_floats(most) * 4 > ring_bytes) --most;
  const Pieces rows{ay.out, most};
  const int64_t count = az.taps * ay.taps;
  // Several planes of the same rows one after the other: most of their inputs are still in L2 for the next plane.
  const Pieces planes{az.out, std::clamp<int64_t>(p.n * az.out * rows.count() / enough_line_items, 1, 8)};
  Slots slots(context, p.n * planes.count() * rows.count(), ring_floats(most) * 4);
  parallel_for(context, p.n * planes.count() * rows.count(), [&](int64_t item) {
    const Slots::Lease lease(slots);
    const int64_t part = item % rows.count(), plane = item / rows.count() % planes.count();
    const int64_t n = item / rows.count() / planes.count();
    const int64_t first = rows.begin(part) * ay.step + ay.origin, last = (rows.end(part) - 1) * ay.step + ay.origin;
    Planes input(context, p, x, fused.x_norm, {n, std::max<int64_t>(first, 0), std::min(last + ay.taps, ay.in)},
                 reinterpret_cast<float *>(lease.memory));
    std::vector<const float *> line, w;
    std::vector<int64_t> place;
    NarrowPass pass{};
    pass.taps = ax.taps;
    pass.first = ax.origin;
    pass.width = ax.in;
    pass.x_step = input.voxel();
    pass.channels = p.ci;
    pass.y_step = ax.pitch * p.y_stride;
    pass.count = ax.out;
    const int64_t height = rows.end(part) - rows.begin(part);
    for (int64_t row = 0; row < height * (planes.end(plane) - planes.begin(plane)); ++row) {
      const int64_t z = planes.begin(plane) + row / height, oy = rows.begin(part) + row % height;
      line.clear(), place.clear();
      for (int64_t l = 0; l < count; ++l) {
        const int64_t iz = z * az.step + az.origin + l / ay.taps, iy = oy * ay.step + ay.origin + l % ay.taps;
        if (iz < 0 || iz >= az.in || iy < 0 || iy >= ay.in) continue;
        line.push_back(input.line(iz, iy));
        place.push_back(l * narrow.line());
      }
      w.resize(line.size());
      pass.line = line.data();
      pass.lines = static_cast<int64_t>(line.size());
      const int64_t voxel =
          ((n * az.size + az.place + az.pitch * z) * ay.size + ay.place + ay.pitch * oy) * ax.size + ax.place;
      for (int64_t o = 0; o < p.co; ++o) {
        for (size_t l = 0; l < line.size(); ++l) w[l] = packed + o * narrow.output() + place[l];
        pass.w = w.data();
        pass.y = y + voxel * p.y_stride + o;
        pass.bias = bias == nullptr ? 0 : bias[o];
        VG_PICK(context, line_narrow)(pass);
      }
    }
  });
}

} // namespace

void few_outputs_correlate(vg_context *context, const Correlation &problem, const float *x, const Weights &weights,
                           const float *bias, float *y, const Fused &fused) {
  if (pointwise(problem))
    heads(context, flattened(problem), x, weights, bias, y, fused);
  else
    lines(context, problem, x, weights, bias, y, fused);
  const vg_map map{sizeof(vg_map), problem.n, problem.points(), problem.co, problem.y_stride, problem.y_stride};
  fuse_outputs(context, map, fused, y, y);
}

} // namespace vg

// Input gradient of a convolution with stride 2 with fewer multiplications.
//
// Along an axis every other input meets taps 0 and 2 and the ones between them tap 1. Four inputs come from three
// outputs' gradients d: two of them by F(2,2), two by a product each, which is 5 multiplications in place of 6,
//
//   (d0 - d1) w2 + d1 (w0 + w2),  d1 (w0 + w2) + (d2 - d1) w0,  and w1 times d0 and d1 or, with even padding, d1 and d2
//
// and 125 in place of 216 for 4x4x4 inputs. The frequencies of the weights are those of winograd_scheme.h. The depth
// may have stride 1 (F(2,3), 2x4x4) or have one tap (1x4x4).
//
// Threads: a work item is a block of tiles times a group of panels of channels; it makes the frequencies of its tiles,
// then the products of one panel after the other, which stay in L2 until they are outputs. The cut depends on the
// problem only. Bound by arithmetic: products, then transforms.
#include "conv3d.h"
#include "winograd.h"
#include "winograd_block.h"
#include "winograd_strided_tile.h"

#include <algorithm>
#include <vector>

namespace vg {

namespace {

// Enough for the weights of a panel to be met many times; half of it is as fast.
constexpr int64_t block_tiles = 4 * winograd_rows;

// Of products 0 to 4 of an axis with stride 2: the frequency of the weights, and that of the inputs where the padding
// is even or odd.
constexpr int64_t axis_weight[5] = {3, 2, 0, 1, 1};
constexpr int64_t axis_input[2][5] = {{0, 1, 2, 1, 3}, {0, 1, 2, 3, 1}};

// A frequency of the depth, first + sign * second, and a slice of products of it and one of the weights.
struct DepthInput {
  int64_t first, second;
  float sign;
};
struct DepthProduct {
  int64_t input, weight;
};

// dx as outputs, dy as inputs: their channels, sizes and distances. The first input of a tile is at / step + origin.
Correlation gradient_grid(const vg_conv3d &p) {
  Correlation c{p.n, p.co, p.ci, {}, p.y_stride, p.x_stride};
  const ConvAxes axes = conv_axes(p);
  for (int k = 0; k < 3; ++k) {
    const ConvAxis &a = axes[k];
    const int64_t origin = a.stride == 2 ? (a.padding + 1) / 2 - 1 : a.padding - (a.kernel - 1);
    c.axis[k] = {a.out(), a.in, a.kernel, a.stride, origin, a.in, 0, 1};
  }
  return c;
}

int64_t planes_of(const ConvAxis &depth) { return depth.stride == 2 ? 4 : depth.kernel == 3 ? 2 : 1; }

struct GradientTiling : TileGrid {
  explicit GradientTiling(const vg_conv3d &problem)
      : TileGrid(gradient_grid(problem), planes_of(conv_axes(problem)[0]), strided_step) {
    const ConvAxes axes = conv_axes(problem);
    for (int k = 0; k < 3; ++k) odd[k] = axes[k].padding % 2 != 0;
    if (planes == 4) {
      const int64_t single = odd[0] ? 0 : 2;
      inputs = {{0, 1, -1}, {1, 0, 0}, {2, 1, -1}, {single, 0, 0}};
      for (int64_t i = 0; i < 5; ++i) products.push_back({axis_input[odd[0]][i], axis_weight[i]});
    } else {
      const WinogradScheme scheme = scheme_of(p);
      for (const WinogradSlice &s : scheme.slices) {
        inputs.push_back({s.first, s.second, s.sign});
        products.push_back({s.weight, s.weight});
      }
    }
  }
  // Multiply-adds per pair of channels: of the products, with transforms that take as long as 9 channels more on either
  // side, and of the transform of the weights, which go to memory and back: as long as 47 for each frequency.
  double cost() const {
    const double frequencies = static_cast<double>(winograd_frequencies * (planes == 1 ? 1 : 4));
    return static_cast<double>(tiles() * strided_products) * static_cast<double>(products.size()) *
               (1 + 9 / static_cast<double>(p.ci) + 9 / static_cast<double>(p.co)) +
           47 * frequencies;
  }

  bool odd[3];
  std::vector<DepthInput> inputs;
  std::vector<DepthProduct> products;
};

// Scratch of a work item: frequencies of the inputs [depth][f][tile][ci] and products of a panel
// [slice][product][tile][lanes], which become outputs.
class GradientBlock {
public:
  static int64_t floats(const GradientTiling &tiling) {
    const GradientBlock b(tiling, nullptr);
    return static_cast<int64_t>(tiling.inputs.size()) * b.u_slice_ +
           static_cast<int64_t>(tiling.products.size()) * b.m_slice_;
  }

  GradientBlock(const GradientTiling &tiling, float *memory) : tiling_(tiling), panels_{tiling.p.co} {
    u_tile_ = round_up(tiling.p.ci, 8);
    u_frequency_ = block_tiles * u_tile_ + frequency_gap;
    u_slice_ = strided_frequencies * u_frequency_;
    m_product_ = block_tiles * panel_lanes + frequency_gap;
    m_slice_ = strided_products * m_product_;
    u_ = memory;
    m_ = u_ + static_cast<int64_t>(tiling.inputs.size()) * u_slice_;
  }

  // All frequencies of tiles [begin, end).
  void gather(vg_context *context, const float *dy, int64_t begin, int64_t end) const {
    for (size_t s = 0; s < tiling_.inputs.size(); ++s)
      tiling_.for_runs(begin, end, 0, [&](const TileGrid::Run &run) {
        gather_run(context, dy, tiling_.inputs[s], run, u_ + static_cast<int64_t>(s) * u_slice_);
      });
  }

  // All products of `tiles` tiles with a panel.
  void multiply(vg_context *context, const Kernels &kernels, int64_t panel, int64_t tiles) const {
    const int64_t *y_input = axis_input[tiling_.odd[1]], *x_input = axis_input[tiling_.odd[2]];
    float *m = m_;
    for (const DepthProduct &depth : tiling_.products) {
      const float *u = u_ + depth.input * u_slice_, *v = kernels.at(depth.weight, panel);
      for (int64_t y = 0; y < 5; ++y)
        for (int64_t x = 0; x < 5; ++x, m += m_product_) VG_PICK(context, winograd_product)
      ({1,
        {u + (y_input[y] * 4 + x_input[x]) * u_frequency_},
        {v + (axis_weight[y] * 4 + axis_weight[x]) * kernels.frequency},
        m,
        u_tile_,
        panel_lanes,
        tiles,
        tiling_.p.ci,
        panels_.lanes(panel),
        false});
    }
  }

  // Outputs of a panel of tiles [begin, end). They are work item `item` of the outputs.
  void scatter(vg_context *context, int64_t panel, int64_t begin, int64_t end, const WinogradOutput &output,
               int64_t item) const {
    tiling_.for_samples(begin, end, [&](int64_t sample, int64_t first, int64_t last) {
      scatter_sample(context, first, last, m_ + (first - begin) * panel_lanes, panels_.width(panel),
                     output.part(panels_.begin(panel)), item, sample);
    });
  }

private:
  void gather_run(vg_context *context, const float *dy, const DepthInput &depth, const TileGrid::Run &run,
                  float *u) const {
    const Correlation &p = tiling_.p;
    int64_t from[3];
    for (int k = 0; k < 3; ++k) from[k] = run.at[k] / p.axis[k].step + p.axis[k].origin;
    const int64_t size[3] = {p.axis[0].in, p.axis[1].in, p.axis[2].in};
    const Plane first{dy, size, p.x_stride, run.n, from[0] + depth.first};
    const Plane second{dy, size, p.x_stride, run.n, from[0] + depth.second};
    StridedGather g{};
    for (int64_t h = 0; h < strided_inputs; ++h) {
      g.row[0][h] = first.row(from[1] + h, from[2]);
      g.row[1][h] = second.row(from[1] + h, from[2]);
    }
    g.sign = depth.sign;
    g.odd_y = tiling_.odd[1];
    g.odd_x = tiling_.odd[2];
    g.stride = p.x_stride;
    g.begin = -from[2];
    g.end = p.axis[2].in - from[2];
    g.tiles = run.tiles;
    g.channels = p.ci;
    g.u = u + run.block * u_tile_;
    g.u_tile = u_tile_;
    g.u_frequency = u_frequency_;
    VG_PICK(context, strided_gather)(g);
  }

  void scatter_sample(vg_context *context, int64_t begin, int64_t end, const float *m, int64_t channels,
                      const WinogradOutput &output, int64_t item, int64_t sample) const {
    int64_t places[block_tiles], voxels = 0;
    uint64_t inside[block_tiles];
    tiling_.for_runs(begin, end, 0, [&](const TileGrid::Run &run) {
      voxels += tiling_.place(run, places + run.block, inside + run.block);
    });
    StridedScatter g{};
    g.m = m;
    g.m_tile = panel_lanes;
    g.m_product = m_product_;
    g.m_slice = m_slice_;
    g.tiles = end - begin;
    g.channels = channels;
    g.slices = static_cast<int64_t>(tiling_.products.size());
    g.planes = tiling_.planes;
    g.odd_z = tiling_.odd[0];
    g.odd_y = tiling_.odd[1];
    g.odd_x = tiling_.odd[2];
    g.y = output.y;
    g.y_stride = tiling_.p.y_stride;
    g.place = places;
    g.inside = inside;
    g.row = tiling_.p.axis[2].out;
    g.plane = g.row * tiling_.p.axis[1].out;
    g.work = output.sums.open(item, sample, voxels, output.channel, channels);
    VG_PICK(context, strided_scatter)(g);
  }

  const GradientTiling &tiling_;
  Panels panels_;
  float *u_, *m_;
  int64_t u_tile_, u_frequency_, u_slice_, m_product_, m_slice_;
};

// Weights [co][taps][ci] with ci as outputs. With stride 1 the taps of the depth are met in reverse order.
Weights gradient_weights(const vg_conv3d &p, const float *w) {
  Head head{{}, 0};
  for (int64_t z = 0; z < p.kd; ++z)
    for (int64_t t = 0; t < p.kh * p.kw; ++t)
      head.tap.push_back(((p.sd == 1 ? p.kd - 1 - z : z) * p.kh * p.kw + t) * p.ci);
  return {w, 1, p.kd * p.kh * p.kw * p.ci, {head}};
}

} // namespace

bool winograd_strided_pays(const vg_conv3d &p) {
  const ConvAxes axes = conv_axes(p);
  if (p.ci < 8 || p.co < 8) return false;
  for (int k = 1; k < 3; ++k)
    if (axes[k].kernel != 3 || axes[k].stride != 2) return false;
  const ConvAxis &depth = axes[0];
  if (!(depth.kernel == 3 && depth.stride <= 2) && !(depth.kernel == 1 && depth.stride == 1)) return false;
  const double direct = static_cast<double>(p.n * output_voxels(p) * p.kd * p.kh * p.kw);
  return GradientTiling(p).cost() < 0.95 * direct;
}

void winograd_strided_input(vg_context *context, const vg_conv3d &p, const float *dy, const float *w, float *dx,
                            const Fused &fused) {
  const GradientTiling tiling(p);
  const Panels panels{p.ci};
  const Kernels kernels(context, scheme_of(tiling.p), tiling.p.ci, tiling.p.co, gradient_weights(p, w));
  const Pieces blocks{tiling.tiles(), block_tiles};
  const int64_t groups = std::clamp<int64_t>(ceil_div(enough_items, blocks.count()), 1, panels.count());
  const Pieces group{panels.count(), ceil_div(panels.count(), groups)};
  const int64_t floats = round_up(GradientBlock::floats(tiling), 64);
  OutputSums sums(context, fused, p.n, p.ci, blocks.count());
  const WinogradOutput output{nullptr, dx, sums, 0};
  Workspace memory(context, context->threads * floats * static_cast<int64_t>(sizeof(float)));
  parallel_for(context, blocks.count() * group.count(), [&](int64_t item) {
    const GradientBlock block(tiling, memory.as<float>() + thread_index() * floats);
    const int64_t b = item / group.count(), begin = blocks.begin(b), end = blocks.end(b);
    block.gather(context, dy, begin, end);
    for (int64_t panel = group.begin(item % group.count()); panel < group.end(item % group.count()); ++panel) {
      block.multiply(context, kernels, panel, end - begin);
      block.scatter(context, panel, begin, end, output, b);
    }
  });
  sums.finish(context);
}

} // namespace vg

// What Winograd convolutions of every tile share: the cut of the outputs into tiles, where inputs come from, where
// outputs go. For .cpp files only.
#pragma once

#include "conv_fusion.h"
#include "correlate.h"
#include "panels.h"

#include <algorithm>

namespace vg {

// Floats between frequencies beyond what they hold, one cache line: distances of a multiple of 4096 bytes would use few
// sets of the cache.
inline constexpr int64_t frequency_gap = 16;

// A stored input and its norm table of so many channels; nullptr: it holds values.
struct WinogradInput {
  const float *x, *norm;
  int64_t norm_row;
  WinogradInput part(int64_t channel) const {
    return {x + channel, norm != nullptr ? norm + channel : nullptr, norm_row};
  }
};

// Where outputs go, from some channel on, and what work items gather of them on the way.
struct WinogradOutput {
  const float *bias;
  float *y;
  OutputSums &sums;
  int64_t channel;
  WinogradOutput part(int64_t first) const {
    return {bias != nullptr ? bias + first : nullptr, y + first, sums, channel + first};
  }
};

// A plane of one sample of a tensor.
struct Plane {
  const float *tensor;
  const int64_t *size; // z, y, x
  int64_t stride, n, z;
  // nullptr outside; the column may lie outside.
  const float *row(int64_t y, int64_t column) const {
    if (z < 0 || z >= size[0] || y < 0 || y >= size[1]) return nullptr;
    return tensor + (((n * size[0] + z) * size[1] + y) * size[2] + column) * stride;
  }
};

// Tiles of planes x step x step outputs in the order n, z, y, x.
struct TileGrid {
  TileGrid(const Correlation &problem, int64_t depth, int64_t side) : p(problem), planes(depth), step(side) {
    for (int k = 0; k < 3; ++k) counts[k] = ceil_div(p.axis[k].out, k == 0 ? planes : step);
  }
  int64_t tiles() const { return p.n * sample_tiles(); }
  int64_t sample_tiles() const { return counts[0] * counts[1] * counts[2]; }

  // Tiles side by side along x.
  struct Run {
    int64_t n, at[3]; // first output of the first tile
    int64_t tiles, block;
  };
  // Runs of tiles [begin, end); the first tile is tile `block` of a block.
  template <class Body> void for_runs(int64_t begin, int64_t end, int64_t block, Body &&body) const {
    while (begin < end) {
      const int64_t tx = begin % counts[2], line = begin / counts[2];
      const int64_t ty = line % counts[1], tz = line / counts[1] % counts[0];
      const Run run{line / counts[1] / counts[0],
                    {tz * planes, ty * step, tx * step},
                    std::min(end - begin, counts[2] - tx),
                    block};
      body(run);
      begin += run.tiles;
      block += run.tiles;
    }
  }
  // Calls body(sample, begin, end) for the tiles of each sample.
  template <class Body> void for_samples(int64_t begin, int64_t end, Body &&body) const {
    while (begin < end) {
      const int64_t sample = begin / sample_tiles(), stop = std::min(end, (sample + 1) * sample_tiles());
      body(sample, begin, stop);
      begin = stop;
    }
  }

  // Number of the first output of each tile, and which outputs exist: bit (z * step + y) * step + x. Returns how many.
  template <class Mask> int64_t place(const Run &run, int64_t *to, Mask *inside) const {
    const int64_t *at = run.at, size[3] = {p.axis[0].out, p.axis[1].out, p.axis[2].out};
    const int64_t first = ((run.n * size[0] + at[0]) * size[1] + at[1]) * size[2] + at[2];
    const int64_t lines = std::min(planes, size[0] - at[0]) * std::min(step, size[1] - at[1]);
    int64_t outputs = 0;
    for (int64_t t = 0; t < run.tiles; ++t) {
      to[t] = first + t * step;
      const int64_t width = std::min(step, size[2] - at[2] - t * step);
      inside[t] = 0;
      for (int64_t z = 0; z < planes && at[0] + z < size[0]; ++z)
        for (int64_t y = 0; y < step && at[1] + y < size[1]; ++y)
          inside[t] = static_cast<Mask>(inside[t] | ((Mask{1} << width) - 1) << (z * step + y) * step);
      outputs += lines * width;
    }
    return outputs;
  }

  Correlation p;
  int64_t planes, step; // outputs of a tile along z; along y and x
  int64_t counts[3];
};

} // namespace vg

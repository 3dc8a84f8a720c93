// How tiles of two outputs along each axis are computed: tables of slices along the depth and of products in the plane.
// For .cpp files only.
//
// With stride 1 an axis is F(2,3): four frequencies of the inputs, each times one of the weights. With stride 2 the
// even inputs meet taps 0 and 2 as F(2,2) does, and the odd ones tap 1:
//
//   y0 = x0 w0 + x1 w1 + x2 w2 = [ (x0 - x2) w0 + x1 w1 ] + [ x2 (w0 + w2) ]
//   y1 = x2 w0 + x3 w1 + x4 w2 = [ x2 (w0 + w2) ] + [ (x4 - x2) w2 + x3 w1 ]
//
// so five frequencies of the inputs and four of the weights make three products: 5 multiplications in place of 6, 125
// in place of 216 for 2x2x2 outputs.
#pragma once

#include "winograd_tile.h"

#include <algorithm>
#include <array>
#include <span>

namespace vg {

// Frequency i of the inputs of an axis times frequency weight[i] of the weights is part of product[i].
struct WinogradAxis {
  int64_t inputs, products;
  int64_t weight[strided_side], product[strided_side];
};
inline constexpr WinogradAxis unit_axis{winograd_side, 4, {0, 1, 2, 3}, {0, 1, 2, 3}};
inline constexpr WinogradAxis strided_axis{strided_side, 3, {0, 1, 2, 1, 3}, {0, 0, 1, 2, 2}};

// What is summed in one place: frequencies of two factors.
struct WinogradTerms {
  int64_t count = 0, first[winograd_most_terms] = {}, second[winograd_most_terms] = {};
};

// The plane: frequencies of the inputs and number of the products; what each product sums of inputs and weights, and
// each frequency of the weights, for their gradient, of inputs and products.
struct WinogradPlane {
  explicit constexpr WinogradPlane(const WinogradAxis &axis)
      : inputs(axis.inputs * axis.inputs), products(axis.products * axis.products), side(axis.inputs) {
    for (int64_t y = 0; y < side; ++y)
      for (int64_t x = 0; x < side; ++x) {
        const int64_t input = y * side + x, weight = axis.weight[y] * winograd_side + axis.weight[x];
        const int64_t product = axis.product[y] * axis.products + axis.product[x];
        add(of_product[static_cast<size_t>(product)], input, weight);
        add(of_weight[static_cast<size_t>(weight)], input, product);
      }
  }
  int64_t inputs, products, side;
  std::array<WinogradTerms, winograd_frequencies> of_product, of_weight;

private:
  static constexpr void add(WinogradTerms &terms, int64_t first, int64_t second) {
    terms.first[terms.count] = first;
    terms.second[terms.count++] = second;
  }
};
inline constexpr WinogradPlane unit_plane{unit_axis}, strided_plane{strided_axis};

// A frequency of the depth: inputs first + sign * second and a frequency of the weights, for a product that is added to
// the outputs with these factors. Slices of the same product follow one another.
struct WinogradSlice {
  int64_t first, second;
  float sign;
  int64_t weight, product;
  float out[2];
};
inline constexpr WinogradSlice flat_slices[]{{0, 0, 0, 0, 0, {1, 0}}};
inline constexpr WinogradSlice deep_slices[]{
    {0, 2, -1, 0, 0, {1, 0}}, {1, 2, 1, 1, 1, {1, 1}}, {2, 1, -1, 2, 2, {1, -1}}, {1, 3, -1, 3, 3, {0, -1}}};
inline constexpr WinogradSlice strided_slices[]{{0, 2, -1, 0, 0, {1, 0}},
                                                {1, 0, 0, 1, 0, {1, 0}},
                                                {2, 0, 0, 2, 1, {1, 1}},
                                                {3, 0, 0, 1, 2, {0, 1}},
                                                {4, 2, -1, 3, 2, {0, 1}}};

// All three axes.
struct WinogradScheme {
  const WinogradPlane &plane;
  std::span<const WinogradSlice> slices;
  StridedAxes strided;
  int64_t inputs() const { return count() * plane.inputs; } // frequencies, which is multiplications of a tile
  int64_t count() const { return static_cast<int64_t>(slices.size()); }
  // Along the depth: products, and frequencies of the weights.
  int64_t products() const { return slices.back().product + 1; }
  int64_t weights() const { return count() == 1 ? 1 : winograd_side; }
  const WinogradSlice &slice(int64_t s) const { return slices[static_cast<size_t>(s)]; }
  // Whether slice s is the first or last of its product, or the first of its frequency of the weights.
  bool begins(int64_t s) const { return s == 0 || slice(s - 1).product != slice(s).product; }
  bool ends(int64_t s) const { return s + 1 == count() || slice(s + 1).product != slice(s).product; }
  bool begins_weight(int64_t s) const {
    return std::none_of(slices.begin(), slices.begin() + s,
                        [&](const WinogradSlice &other) { return other.weight == slice(s).weight; });
  }
};

} // namespace vg

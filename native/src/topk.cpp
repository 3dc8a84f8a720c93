// Selection of the largest values of each row without sorting: radix selection on the float bits.
//
//   key(x) = bits of x, all flipped where x < 0, else only the sign: unsigned order is the order of the floats; every
//   NaN has the largest key. Three passes count digits of 11, 11 and 10 bits among the keys that begin with the digits
//   found so far; each narrows the key of the smallest selected value by one digit. One pass adds the selected values
//   and writes them; where some of equal values are to be selected, they are counted first and written in a pass more.
//
// values [rows][count]. A row is cut into pieces, whose histograms are integers and whose float64 sums are added in
// index order, so the number of threads changes nothing; rows of a single piece are the unit of work themselves.
// Memory bound, four or five reads of the values and one write, 3 % of them as scratch. Same selection as torch.topk,
// whose choice among equal values is not specified; here they are taken from the lowest index on, or share the places.
#include "internal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

using namespace vg;

namespace {

constexpr int64_t piece_values = 65536;
constexpr int32_t bins = 2048;
// Equal digits in a row would wait for one another's increment; four histograms take turns.
constexpr int64_t copies = 4;
constexpr int64_t group = 256;

using Histogram = std::array<uint32_t, bins>;

uint32_t key_of(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const uint32_t key = bits ^ (static_cast<uint32_t>(static_cast<int32_t>(bits) >> 31) | 0x80000000u);
  return (bits & 0x7fffffffu) > 0x7f800000u ? 0xffffffffu : key;
}
float value_of(uint32_t key) {
  return std::bit_cast<float>(key >> 31 != 0 ? key ^ 0x80000000u : ~key); // the largest key gives a NaN
}

using Parts = std::array<std::array<uint32_t, bins>, copies>;

// The leading digits of all keys.
void count_leading(const float *x, int64_t count, int shift, Parts &parts) {
  for (int64_t i = 0; i < count; ++i) ++parts[static_cast<size_t>(i % copies)][key_of(x[i]) >> shift];
}

// Digit `shift` bits up, among the keys that agree with `prefix` above it. These are few and lie anywhere: they are
// gathered without a branch before they are counted.
void count_following(const float *x, int64_t count, int shift, int width, uint32_t prefix, Parts &parts) {
  const uint32_t mask = (1u << width) - 1;
  std::array<uint32_t, group> all, found;
  for (int64_t begin = 0; begin < count; begin += group) {
    const int64_t here = std::min(group, count - begin);
    for (int64_t k = 0; k < here; ++k) all[static_cast<size_t>(k)] = key_of(x[begin + k]) >> shift;
    size_t matches = 0;
    for (int64_t k = 0; k < here; ++k) {
      found[matches] = all[static_cast<size_t>(k)];
      matches += found[matches] >> width == prefix;
    }
    for (size_t k = 0; k < matches; ++k) ++parts[k % static_cast<size_t>(copies)][found[k] & mask];
  }
}

void count_digits(const float *x, int64_t count, int shift, int width, uint32_t prefix, Histogram &histogram) {
  Parts parts{};
  if (shift + width == 32)
    count_leading(x, count, shift, parts);
  else
    count_following(x, count, shift, width, prefix, parts);
  for (size_t b = 0; b < bins; ++b) {
    histogram[b] = 0;
    for (const auto &part : parts) histogram[b] += part[b];
  }
}

// What is selected of a row: keys above `cut`, and `open` of the `equal` keys that are `cut`.
struct Cut {
  uint32_t cut = 0xffffffffu;
  int64_t open = 0, equal = 0;
};

Cut find_cut(const vg_context *context, const float *x, const Pieces &pieces, int64_t select) {
  if (select == 0) return {};
  if (select == pieces.total) return {0, 0, 0}; // 0 is not the key of any float
  std::vector<Histogram> histograms(static_cast<size_t>(pieces.count()));
  uint32_t prefix = 0;
  int64_t open = select, equal = 0;
  int shift = 32;
  for (const int width : {11, 11, 10}) {
    shift -= width;
    parallel_for(context, pieces.count(), [&](int64_t i) {
      count_digits(x + pieces.begin(i), pieces.end(i) - pieces.begin(i), shift, width, prefix,
                   histograms[static_cast<size_t>(i)]);
    });
    uint32_t digit = 1u << width;
    do {
      open -= equal; // all keys of the bin before are selected
      --digit;
      equal = 0;
      for (const Histogram &h : histograms) equal += h[digit];
    } while (equal < open);
    prefix = prefix << width | digit;
    if (equal == open) return {(prefix << shift) - 1, 0, 0};
    if (shift > 0) equal = 0;
  }
  return {prefix, open, equal};
}

// Sum of the values above the cut, in a fixed order, and number of those at the cut.
struct PieceSum {
  double above = 0;
  int64_t equal = 0;
};
PieceSum sum_piece(const float *x, int64_t count, uint32_t cut) {
  std::array<double, 8> lanes{};
  PieceSum sum;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t key = key_of(x[i]);
    lanes[static_cast<size_t>(i % 8)] += key > cut ? static_cast<double>(x[i]) : 0.0;
    sum.equal += key == cut;
  }
  for (const double lane : lanes) sum.above += lane;
  return sum;
}

// Both at once, where no value at the cut is selected.
double select_piece(const float *x, int64_t count, uint32_t cut, float factor, float *y) {
  std::array<double, 8> lanes{};
  std::array<float, group> chosen; // between reading x and writing y, which may be the same
  for (int64_t begin = 0; begin < count; begin += group) {
    const int64_t here = std::min(group, count - begin);
    for (int64_t k = 0; k < here; ++k) {
      const float value = x[begin + k];
      const bool selected = key_of(value) > cut;
      lanes[static_cast<size_t>(k % 8)] += static_cast<double>(selected ? value : 0.0f);
      chosen[static_cast<size_t>(k)] = selected ? factor : 0.0f;
    }
    std::copy_n(chosen.begin(), here, y + begin);
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

// The first `first` values at the cut get `factor`, the later ones `rest`.
void write_piece(const float *x, int64_t count, uint32_t cut, float factor, int64_t first, float rest, float *y) {
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t key = key_of(x[i]);
    float value = key > cut ? factor : 0.0f;
    if (key == cut) value = first-- > 0 ? factor : rest;
    y[i] = value;
  }
}

double select_row(const vg_context *context, const vg_topk &p, const float *x, int64_t select, float factor, float *y) {
  const Pieces pieces{p.count, piece_values};
  const Cut found = find_cut(context, x, pieces, select);
  std::vector<PieceSum> sums(static_cast<size_t>(pieces.count()));
  const bool at_once = y != nullptr && found.open == 0;
  parallel_for(context, pieces.count(), [&](int64_t i) {
    const int64_t begin = pieces.begin(i), values = pieces.end(i) - begin;
    if (at_once)
      sums[static_cast<size_t>(i)].above = select_piece(x + begin, values, found.cut, factor, y + begin);
    else
      sums[static_cast<size_t>(i)] = sum_piece(x + begin, values, found.cut);
  });
  double sum = found.open > 0 ? static_cast<double>(found.open) * value_of(found.cut) : 0.0;
  for (const PieceSum &piece : sums) sum += piece.above;
  if (y == nullptr || at_once) return sum;
  const bool shared = p.ties == VG_TIES_SHARED && found.open > 0;
  const double share = shared ? static_cast<double>(found.open) / static_cast<double>(found.equal) : 0.0;
  int64_t open = shared ? 0 : found.open;
  std::vector<int64_t> first(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    first[i] = std::max<int64_t>(open, 0);
    open -= sums[i].equal;
  }
  parallel_for(context, pieces.count(), [&](int64_t i) {
    const int64_t begin = pieces.begin(i);
    write_piece(x + begin, pieces.end(i) - begin, found.cut, factor, first[static_cast<size_t>(i)],
                static_cast<float>(share * factor), y + begin);
  });
  return sum;
}

void check(const vg_topk *problem, const float *values, const int64_t *select) {
  require_size(problem);
  require_positive("rows", problem->rows);
  require_positive("count", problem->count);
  require_tensor("values", problem->rows, problem->count, 1, 1);
  VG_REQUIRE(problem->ties == VG_TIES_FIRST || problem->ties == VG_TIES_SHARED, "ties is %d, must be 0 or 1",
             problem->ties);
  require_pointer("values", values);
  require_pointer("select", select);
  for (int64_t row = 0; row < problem->rows; ++row)
    VG_REQUIRE(select[row] >= 0 && select[row] <= problem->count, "select is %lld in row %lld, must be 0 to %lld",
               static_cast<long long>(select[row]), static_cast<long long>(row),
               static_cast<long long>(problem->count));
}

} // namespace

extern "C" int32_t vg_topk_select(vg_context *context, const vg_topk *problem, const float *values,
                                  const int64_t *select, const float *factor, double *sums, float *selected) {
  return dispatch(
      context, __func__,
      [&] {
        check(problem, values, select);
        require_pointer("sums", sums);
        VG_REQUIRE(selected == nullptr || factor != nullptr, "factor is NULL, but selected is wanted");
      },
      [&] {
        const vg_topk &p = *problem;
        const auto row = [&](int64_t i) {
          sums[i] = select_row(context, p, values + i * p.count, select[i], factor != nullptr ? factor[i] : 0.0f,
                               selected != nullptr ? selected + i * p.count : nullptr);
        };
        if (p.count <= piece_values)
          parallel_for(context, p.rows, row);
        else
          for (int64_t i = 0; i < p.rows; ++i) row(i);
      });
}

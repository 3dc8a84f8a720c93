// vg_segloss_forward and _backward.
#include "tiers.h"

#include <memory>

using namespace vg::test;

struct LossCase {
  int64_t n, voxels, c, x_gap, dx_gap, segments;
  bool sigmoid, masked, weighted; // weighted: with a derivative by voxel_nll
  int32_t ignore_label = -1;
  Side side = Side::after;
  float scale = 4;
  int32_t region_labels = 0; // sigmoid: classes, whose targets regions give
  bool accumulate = false;
  bool classes() const { return !sigmoid || region_labels > 0; }
  std::string text() const {
    return std::string(sigmoid ? "sigmoid" : "softmax") + " n=" + std::to_string(n) +
           " voxels=" + std::to_string(voxels) + " c=" + std::to_string(c) + " segments=" + std::to_string(segments) +
           (region_labels > 0 ? " regions of " + std::to_string(region_labels) : "") + (accumulate ? " added" : "") +
           (masked ? " masked" : "") + (weighted ? " weighted" : "");
  }
};

static std::vector<LossCase> all_cases() {
  std::vector<LossCase> cases;
  for (int64_t c = 1; c <= 64; ++c) {
    if (c >= 2) cases.push_back({2, 61, c, 0, 0, 1, false, c % 2 == 0, c % 3 == 0, c % 2 == 0 ? 1 : -1});
    if (c >= 2) cases.push_back({1, 35, c, c % 4, 3, c, false, c % 2 == 1, true, 255, Side::before});
    cases.push_back({2, 43, c, 0, 0, 1, true, c % 2 == 0, false});
    cases.push_back({1, 21, c, c % 3, 1, 5, true, true, false, -1, Side::before, 4, 0, c % 2 == 0});
    cases.push_back({2, 27, c, 0, 0, 3, true, c % 3 == 0, false, -1, Side::after, 4, static_cast<int32_t>(c % 4 * c)});
    cases.push_back({1, 77, c, 0, c % 2, 1, true, false, false, c % 3 == 0 ? 3 : 200, Side::after, 4, 5, c % 4 == 1});
    if (c >= 2) cases.push_back({1, 29, c, 0, c % 3, 1 + c % 2, false, false, true, -1, Side::before, 4, 0, true});
  }
  for (const int64_t c : {2, 3, 4, 5, 8, 9}) { // long enough for sums to move to float64
    cases.push_back({1, 1111, c, 0, 0, 1, false, false, false});
    cases.push_back({2, 701, c, 0, 1, 4, false, false, true});
    cases.push_back({2, 1111, c, 0, 0, 1, true, false, false});
    cases.push_back({1, 701, c, 0, 0, 9, true, c % 2 == 0, false});
    cases.push_back({2, 1111, c, 0, 0, 1, true, false, false, -1, Side::after, 4, 7});
    cases.push_back({1, 701, c, 0, 0, 1, false, false, false, -1, Side::after, 4, 0, true});
  }
  cases.push_back({1, 1, 2, 0, 0, 1, false, false, false});
  cases.push_back({1, 1, 3, 0, 0, 1, true, false, false});
  cases.push_back({3, 8, 4, 0, 0, 3, false, false, true});
  cases.push_back({1, 19, 28, 5, 0, 1, false, true, true, 3});
  cases.push_back({2, 9, 33, 0, 7, 2, false, false, false});
  cases.push_back({1, 13, 256, 0, 0, 1, false, true, true, 0});
  cases.push_back({1, 13, 256, 0, 0, 2, true, true, false});
  cases.push_back({2, 20011, 3, 0, 0, 1, false, true, true});
  cases.push_back({1, 30013, 4, 0, 0, 70, false, false, true});
  cases.push_back({1, 70001, 1, 0, 0, 40, true, true, false});
  cases.push_back({2, 14001, 3, 0, 0, 40, true, false, false, -1, Side::after, 4, 256});
  cases.push_back({1, 99, 256, 1, 0, 3, true, true, false, 9, Side::after, 4, 11, true});
  return cases;
}

// Inputs of a case and everything the two passes should give, in float64 and straight from the header.
class Problem {
public:
  LossCase k;
  vg_segloss p = sized<vg_segloss>();
  Tensor logits;
  int64_t target_gap; // bytes between the targets of voxels
  Guarded<uint8_t> labels, regions, mask;
  Guarded<int32_t> segment;
  Guarded<float> dvoxel_nll, true_weight, other_weight;
  Guarded<double> partials;
  float upstream = 0.75f;
  std::vector<double> sums, voxel_nll, gradient;
  int64_t bad = 0, first_bad = 0;

  explicit Problem(const LossCase &loss_case)
      : k(loss_case), logits(k.n * k.voxels, k.c, k.c + k.x_gap, k.side), target_gap(k.x_gap),
        labels(k.classes() ? k.n * k.voxels : k.n * k.voxels * (k.c + target_gap) - target_gap, k.side),
        regions(k.region_labels * k.c, k.side), mask(k.n * k.voxels, k.side), segment(k.n * k.voxels, k.side),
        dvoxel_nll(k.n * k.voxels, k.side), true_weight(k.c, k.side), other_weight(k.c, k.side),
        partials(k.n * k.segments * k.c * VG_SUM_KINDS, k.side) {
    p.n = k.n, p.voxels = k.voxels, p.c = k.c;
    p.x_stride = k.c + k.x_gap, p.dx_stride = k.c + k.dx_gap;
    p.segments = k.segments, p.sigmoid = k.sigmoid, p.ignore_label = k.ignore_label;
    p.target_stride = k.c + target_gap;
    p.region_labels = k.region_labels, p.accumulate = k.accumulate;
    Random random(81);
    logits.fill(random, k.scale);
    const int64_t values = class_count();
    for (uint8_t &label : labels) label = static_cast<uint8_t>(random.index(values));
    for (uint8_t &y : regions) y = static_cast<uint8_t>(random.index(2));
    for (int64_t v = 0; k.classes() && k.ignore_label >= values && v < labels.size(); v += 5)
      labels[v] = static_cast<uint8_t>(k.ignore_label);
    for (uint8_t &flag : mask) flag = static_cast<uint8_t>(random.index(3));
    // Runs of voxels in one segment, as components have, and some that change from voxel to voxel.
    int32_t current = 0;
    for (int64_t v = 0; v < segment.size(); ++v) {
      if (random.index(v / 200 % 2 == 0 ? 30 : 2) == 0) current = static_cast<int32_t>(random.index(k.segments));
      segment[v] = current;
    }
    random.fill(dvoxel_nll);
    for (float &w : true_weight) w = 1.5f + random.number();
    for (float &w : other_weight) w = random.number() < 0 ? 0 : 0.2f;
    for (double &d : partials) d = random.number();
    if (k.masked) {
      const int64_t v = k.n * k.voxels / 2;
      mask[v] = 0;
      logits.at(v, 0) = dvoxel_nll[v] = NAN;
    }
  }

  int64_t class_count() const { return !k.sigmoid ? k.c : k.region_labels > 0 ? k.region_labels : 2; }
  const uint8_t *regions_data() const { return k.region_labels > 0 ? regions.data() : nullptr; }
  const uint8_t *mask_data() const { return k.masked ? mask.data() : nullptr; }
  const int32_t *segment_data() const { return k.segments > 1 ? segment.data() : nullptr; }

  void expect() {
    sums.assign(static_cast<size_t>(partials.size()), 0);
    voxel_nll.assign(static_cast<size_t>(k.n * k.voxels), 0);
    gradient.assign(static_cast<size_t>(k.n * k.voxels * k.c), 0);
    bad = first_bad = 0;
    for (int64_t v = 0; v < k.n * k.voxels; ++v) {
      if (!counts(v)) continue;
      if (k.sigmoid)
        sigmoid_voxel(v);
      else
        softmax_voxel(v, row_of(v, 0));
    }
  }

private:
  int target(int64_t v, int64_t c) const {
    return k.region_labels > 0 ? regions[labels[v] * k.c + c] : labels[v * (k.c + target_gap) + c];
  }

  // Index of the sums of the segment and channel of a voxel.
  int64_t row_of(int64_t v, int64_t c) const {
    const int64_t s = k.segments == 1 || (k.sigmoid && target(v, c) == 0) ? 0 : segment[v];
    return ((v / k.voxels * k.segments + s) * k.c + c) * VG_SUM_KINDS;
  }

  bool counts(int64_t v) {
    bool good = true;
    int64_t value = 0;
    const int64_t width = k.classes() ? 1 : k.c, first = v * (k.classes() ? 1 : k.c + target_gap);
    for (int64_t i = first + width - 1; i >= first; --i)
      if (labels[i] >= class_count() && (!k.classes() || labels[v] != k.ignore_label)) {
        good = false;
        value = labels[i];
      }
    if (!good && bad++ == 0) first_bad = value;
    if (k.classes() && labels[v] == k.ignore_label) good = false;
    return good && (!k.masked || mask[v] != 0);
  }

  void softmax_voxel(int64_t v, int64_t row) {
    double *sum = &sums[static_cast<size_t>(row)];
    const double *d = &partials[row], dv = k.weighted ? dvoxel_nll[v] : 0;
    const int64_t t = labels[v];
    double top = -INFINITY, z = 0;
    for (int64_t c = 0; c < k.c; ++c) top = std::fmax(top, logits.at(v, c));
    for (int64_t c = 0; c < k.c; ++c) z += std::exp(logits.at(v, c) - top);
    std::vector<double> prob, g;
    double mean = 0, other = 0;
    for (int64_t c = 0; c < k.c; ++c) {
      const double e = std::exp(logits.at(v, c) - top) / z, nll = std::log(z) + top - logits.at(v, c);
      double *to = sum + c * VG_SUM_KINDS;
      const double *from = d + c * VG_SUM_KINDS;
      to[VG_SUM_INTERSECTION] += c == t ? e : 0;
      to[VG_SUM_PROBABILITY] += e;
      to[VG_SUM_SQUARE] += e * e;
      to[VG_SUM_NLL_TRUE] += c == t ? nll : 0;
      to[VG_SUM_NLL_OTHER] += nll;
      to[VG_SUM_COUNT] += c == t;
      to[VG_SUM_VOXELS] += 1;
      voxel_nll[static_cast<size_t>(v)] += (c == t ? true_weight[c] * nll : 0) + other_weight[c] * nll;
      prob.push_back(e);
      g.push_back((c == t ? from[VG_SUM_INTERSECTION] : 0) + from[VG_SUM_PROBABILITY] + 2 * e * from[VG_SUM_SQUARE]);
      mean += e * g.back();
      other += from[VG_SUM_NLL_OTHER] + dv * other_weight[c];
    }
    const double h = d[t * VG_SUM_KINDS + VG_SUM_NLL_TRUE] + dv * true_weight[t];
    for (int64_t c = 0; c < k.c; ++c) {
      const size_t i = static_cast<size_t>(c);
      gradient[static_cast<size_t>(v * k.c) + i] =
          upstream * (prob[i] * (g[i] - mean) + h * (prob[i] - (c == t)) + prob[i] * other -
                      d[c * VG_SUM_KINDS + VG_SUM_NLL_OTHER] - dv * other_weight[c]);
    }
  }

  void sigmoid_voxel(int64_t v) {
    for (int64_t c = 0; c < k.c; ++c) {
      double *sum = &sums[static_cast<size_t>(row_of(v, c))];
      const double *d = &partials[row_of(v, c)];
      const double z = logits.at(v, c), y = target(v, c), e = std::exp(-std::fabs(z));
      const double prob = z >= 0 ? 1 / (1 + e) : e / (1 + e), rest = z >= 0 ? e / (1 + e) : 1 / (1 + e);
      sum[VG_SUM_INTERSECTION] += prob * y;
      sum[VG_SUM_PROBABILITY] += prob;
      sum[VG_SUM_SQUARE] += prob * prob;
      sum[VG_SUM_NLL_TRUE] += y * (std::fmax(-z, 0) + std::log1p(e));
      sum[VG_SUM_NLL_OTHER] += (1 - y) * (std::fmax(z, 0) + std::log1p(e));
      sum[VG_SUM_COUNT] += y;
      sum[VG_SUM_VOXELS] += 1;
      gradient[static_cast<size_t>(v * k.c + c)] =
          upstream * (prob * rest * (d[VG_SUM_INTERSECTION] * y + d[VG_SUM_PROBABILITY] + 2 * prob * d[VG_SUM_SQUARE]) +
                      -d[VG_SUM_NLL_TRUE] * y * rest + d[VG_SUM_NLL_OTHER] * (1 - y) * prob);
    }
  }
};

static void run(const Problem &q, const Cpu &cpu, Bits &bits, Tolerance gradient_tolerance = {1e-6, 2e-6}) {
  const LossCase &k = q.k;
  Guarded<double> sums(q.partials.size(), k.side);
  Guarded<float> nll(k.n * k.voxels, k.side);
  Guarded<int64_t> bad(2);
  Tensor dlogits(k.n * k.voxels, k.c, k.c + k.dx_gap, k.side);
  std::vector<double> expected = q.gradient;
  for (int64_t i = 0; k.accumulate && i < k.n * k.voxels * k.c; ++i) {
    const float before = dlogits.at(i / k.c, i % k.c) = static_cast<float>(i % 7 - 3) / 8;
    expected[static_cast<size_t>(i)] += before;
  }
  ASSERT_EQ(vg_segloss_forward(cpu, &q.p, q.logits.data(), q.labels.data(), q.regions_data(), q.mask_data(),
                               q.segment_data(), k.sigmoid ? nullptr : q.true_weight.data(),
                               k.sigmoid ? nullptr : q.other_weight.data(), sums.data(),
                               k.sigmoid ? nullptr : nll.data(), bad.data()),
            VG_OK)
      << cpu.error();
  const bool weighted = k.weighted && !k.sigmoid;
  ASSERT_EQ(vg_segloss_backward(cpu, &q.p, q.logits.data(), q.labels.data(), q.regions_data(), q.mask_data(),
                                q.segment_data(), weighted ? q.true_weight.data() : nullptr,
                                weighted ? q.other_weight.data() : nullptr, q.partials.data(),
                                weighted ? q.dvoxel_nll.data() : nullptr, q.upstream, dlogits.data()),
            VG_OK)
      << cpu.error();
  // One kind of sum at a time, so that large ones do not hide errors of small ones.
  for (int64_t kind = 0; kind < VG_SUM_KINDS; ++kind)
    expect_close(
        "segloss sum " + std::to_string(kind), k.text(), sums.size() / VG_SUM_KINDS,
        [&](int64_t i) { return sums[i * VG_SUM_KINDS + kind]; },
        [&](int64_t i) { return q.sums[static_cast<size_t>(i * VG_SUM_KINDS + kind)]; },
        kind >= VG_SUM_COUNT ? Tolerance{0, 0} : Tolerance{6e-7, 1e-6});
  if (!k.sigmoid) expect_close("segloss voxel_nll", k.text(), nll, q.voxel_nll, {3e-7, 1e-6});
  expect_close("segloss gradient", k.text(), dlogits, expected, gradient_tolerance);
  for (int64_t v = 0; v < k.n * k.voxels; ++v)
    for (int64_t c = 0; c < k.c && k.masked && q.mask[v] == 0; ++c)
      ASSERT_EQ(dlogits.at(v, c), k.accumulate ? static_cast<float>(expected[static_cast<size_t>(v * k.c + c)]) : 0)
          << "voxel " << v;
  EXPECT_EQ(bad[0], q.bad);
  EXPECT_EQ(bad[1], q.first_bad);
  bits.add(sums);
  if (!k.sigmoid) bits.add(nll);
  bits.add(dlogits);
}

TEST(Segloss, MatchesDefinition) {
  for (const LossCase &k : all_cases()) {
    Problem q(k);
    q.expect();
    on_every_tier(k.text(), [&](const Cpu &cpu, Bits &bits) { run(q, cpu, bits); });
  }
}

TEST(Segloss, BadLabelsAreCountedAndMasked) {
  for (const int kind : {0, 1, 2}) { // softmax, sigmoid of targets, sigmoid of classes
    Problem q({2, 9001, 5, 0, 0, 1, kind > 0, false, false, 9, Side::after, 4, kind == 2 ? 4 : 0});
    const int64_t width = kind == 1 ? 5 : 1;
    for (int64_t v = 300; v < 18002; v += 1000) q.labels[v * width] = static_cast<uint8_t>(v % 100 + 17);
    q.labels[300 * width] = 77;
    if (kind != 1) q.labels[5] = 9; // ignored, not bad
    q.expect();
    ASSERT_EQ(q.bad, 18);
    ASSERT_EQ(q.first_bad, 77);
    on_every_tier(q.k.text(), [&](const Cpu &cpu, Bits &bits) { run(q, cpu, bits); });
  }
}

// Each part alone: gradients must keep their relative accuracy, however small they are.
TEST(Segloss, ExtremeLogitsKeepRelativeAccuracy) {
  for (const bool sigmoid : {false, true})
    for (const int part : {VG_SUM_INTERSECTION, VG_SUM_PROBABILITY, VG_SUM_NLL_TRUE})
      for (const char *isa : isas()) {
        Problem q({1, 333, 3, 0, 0, 1, sigmoid, false, false, -1, Side::after, 80});
        for (int64_t i = 0; i < q.partials.size(); ++i)
          q.partials[i] = i % VG_SUM_KINDS == part ? 1e-10 * (1 + std::fabs(q.partials[i])) : 0;
        q.expect();
        const Cpu cpu(1, isa);
        Tensor dx(333, 3, 3);
        ASSERT_EQ(vg_segloss_backward(cpu, &q.p, q.logits.data(), q.labels.data(), nullptr, nullptr, nullptr, nullptr,
                                      nullptr, q.partials.data(), nullptr, q.upstream, dx.data()),
                  VG_OK);
        for (int64_t i = 0; i < dx.size(); ++i) {
          const double e = q.gradient[static_cast<size_t>(i)];
          // Below: the range where float32 itself loses digits, and float64 cancellation of the reference.
          const double noise = 1e-36 + (sigmoid ? 0 : 1e-25);
          ASSERT_NEAR(dx[i], e, 1e-6 * std::fabs(e) + noise) << q.k.text() << " part " << part << " at " << i;
        }
      }
}

TEST(Segloss, NanInACountedVoxelShowsAndElsewhereDoesNot) {
  for (const bool sigmoid : {false, true})
    for (const char *isa : isas()) {
      const Cpu cpu(1, isa);
      Problem q({1, 40, 3, 0, 0, 2, sigmoid, true, false});
      for (int64_t v = 0; v < 40; ++v) {
        q.mask[v] = v != 17;
        q.segment[v] = v >= 20;
        for (int64_t c = 0; c < 3; ++c)
          if (!std::isfinite(q.logits.at(v, c))) q.logits.at(v, c) = 0;
      }
      for (int64_t c = 0; c < 3; ++c) q.logits.at(17, c) = NAN;
      Guarded<double> sums(q.partials.size());
      int64_t bad[2];
      Tensor dx(40, 3, 3);
      const auto forward = [&] {
        return vg_segloss_forward(cpu, &q.p, q.logits.data(), q.labels.data(), nullptr, q.mask.data(), q.segment.data(),
                                  nullptr, nullptr, sums.data(), nullptr, bad);
      };
      ASSERT_EQ(forward(), VG_OK);
      for (const double s : sums) ASSERT_TRUE(std::isfinite(s));
      ASSERT_EQ(vg_segloss_backward(cpu, &q.p, q.logits.data(), q.labels.data(), nullptr, q.mask.data(),
                                    q.segment.data(), nullptr, nullptr, q.partials.data(), nullptr, 1, dx.data()),
                VG_OK);
      for (int64_t v = 0; v < 40; ++v)
        for (int64_t c = 0; c < 3; ++c) ASSERT_TRUE(v == 17 ? dx.at(v, c) == 0 : std::isfinite(dx.at(v, c))) << v;
      q.mask[17] = 1; // now it counts: segment 0 is spoilt, segment 1 is not
      ASSERT_EQ(forward(), VG_OK);
      for (int64_t c = 0; c < 3; ++c) {
        EXPECT_TRUE(std::isnan(sums[c * VG_SUM_KINDS + VG_SUM_PROBABILITY]));
        EXPECT_TRUE(std::isfinite(sums[(3 + c) * VG_SUM_KINDS + VG_SUM_PROBABILITY]));
      }
    }
}

// Every sum alone and all but one: the wanted ones are those of a call for all of them, the others are 0.
TEST(Segloss, SumsThatAreNotWantedAreZero) {
  for (const bool sigmoid : {false, true})
    for (const int64_t segments : {1, 3}) {
      Problem q({2, 333, 4, 0, 0, segments, sigmoid, segments == 3, false});
      const Cpu cpu;
      const auto forward = [&](int32_t kinds, Guarded<double> &sums) {
        int64_t bad[2];
        q.p.kinds = kinds;
        ASSERT_EQ(vg_segloss_forward(cpu, &q.p, q.logits.data(), q.labels.data(), nullptr, q.mask_data(),
                                     q.segment_data(), nullptr, nullptr, sums.data(), nullptr, bad),
                  VG_OK)
            << cpu.error();
      };
      Guarded<double> all(q.partials.size());
      forward(0, all);
      constexpr int32_t every = (1 << VG_SUM_KINDS) - 1;
      for (int kind = 0; kind < VG_SUM_KINDS; ++kind)
        for (const int32_t kinds : {1 << kind, every - (1 << kind)}) {
          Guarded<double> some(q.partials.size());
          forward(kinds, some);
          for (int64_t i = 0; i < some.size(); ++i)
            ASSERT_EQ(some[i], (kinds >> i % VG_SUM_KINDS & 1) != 0 ? all[i] : 0) << "kinds " << kinds << " at " << i;
        }
    }
}

// A NaN in one channel of a voxel that does not count, with every other feature at work.
TEST(Segloss, NanUnderAMaskNeverLeaks) {
  for (int64_t c = 1; c <= 9; ++c)
    for (const bool sigmoid : {false, true})
      for (const int32_t region_labels : {0, 6}) {
        if ((c == 1 && !sigmoid) || (region_labels > 0 && !sigmoid)) continue;
        const LossCase k{2, 77, c, c % 2, 0, 4, sigmoid, true, true, -1, Side::after, 4, region_labels, c % 4 == 0};
        Problem q(k), clean(k);
        for (int64_t v = 0; v < 2 * 77; ++v) {
          if (q.mask[v] != 0) continue;
          q.logits.at(v, v % c) = v % 3 == 0 ? INFINITY : NAN;
          q.dvoxel_nll[v] = NAN;
          for (int64_t i = 0; i < c; ++i) clean.logits.at(v, i) = 0;
          clean.dvoxel_nll[v] = 0;
        }
        clean.expect();
        q.sums = clean.sums, q.voxel_nll = clean.voxel_nll, q.gradient = clean.gradient;
        on_every_tier(q.k.text(), [&](const Cpu &cpu, Bits &bits) { run(q, cpu, bits); });
      }
}

TEST(Segloss, ManySegmentsKeepScratchBounded) {
  const Cpu cpu(2, nullptr, int64_t{256} << 20);
  Problem q({1, 400000, 2, 0, 0, 300000, false, false, false});
  q.expect();
  Bits bits;
  run(q, cpu, bits);
}

TEST(Segloss, ArgumentErrors) {
  const Cpu cpu;
  Problem q({1, 20, 3, 0, 0, 2, false, false, false});
  std::vector<double> sums(static_cast<size_t>(q.partials.size()));
  int64_t bad[2];
  Tensor dx(20, 3, 3);
  const auto forward = [&](float *nll = nullptr) {
    return vg_segloss_forward(cpu, &q.p, q.logits.data(), q.labels.data(), q.regions_data(), nullptr, q.segment.data(),
                              nullptr, nullptr, sums.data(), nll, bad);
  };
  q.segment[7] = 2;
  expect_error(cpu, forward(), VG_INVALID_ARGUMENT, "segment is 2 at sample 0, voxel 7");
  q.segment[7] = -1;
  expect_error(cpu,
               vg_segloss_backward(cpu, &q.p, q.logits.data(), q.labels.data(), nullptr, nullptr, q.segment.data(),
                                   nullptr, nullptr, q.partials.data(), nullptr, 1, dx.data()),
               VG_INVALID_ARGUMENT, "segment is -1");
  q.segment[7] = 0;
  EXPECT_EQ(forward(), VG_OK);
  q.p.c = q.p.x_stride = 1;
  expect_error(cpu, forward(), VG_INVALID_ARGUMENT, "single class");
  q.p.c = q.p.x_stride = 257;
  expect_error(cpu, forward(), VG_INVALID_ARGUMENT, "at most 256");
  q.p.c = q.p.x_stride = 3;
  q.p.sigmoid = 1;
  float nll[20];
  expect_error(cpu, forward(nll), VG_INVALID_ARGUMENT, "softmax only");
  expect_error(cpu,
               vg_segloss_backward(cpu, &q.p, q.logits.data(), q.labels.data(), nullptr, nullptr, q.segment.data(),
                                   nullptr, nullptr, q.partials.data(), nll, 1, dx.data()),
               VG_INVALID_ARGUMENT, "softmax only");
  q.p.kinds = 128;
  expect_error(cpu, forward(), VG_INVALID_ARGUMENT, "kinds is 128");
  q.p.kinds = 0;
  q.p.region_labels = 2;
  expect_error(cpu, forward(), VG_INVALID_ARGUMENT, "regions is NULL");
  q.p.region_labels = 257;
  expect_error(cpu, forward(), VG_INVALID_ARGUMENT, "region_labels is 257");
  q.p.region_labels = 2, q.p.sigmoid = 0;
  expect_error(cpu, forward(), VG_INVALID_ARGUMENT, "sigmoid only");
  q.p.region_labels = 0, q.p.sigmoid = 1, q.p.target_stride = 2;
  expect_error(cpu, forward(), VG_INVALID_ARGUMENT, "target_stride is 2");
  q.p.target_stride = 3, q.p.sigmoid = 0, q.p.accumulate = 2;
  expect_error(cpu, forward(), VG_INVALID_ARGUMENT, "accumulate is 2");
  q.p.accumulate = 0;
  q.p.segments = 0;
  expect_error(cpu, forward(), VG_INVALID_ARGUMENT, "segments is 0");
  q.p.segments = 2;
  q.p.ignore_label = 256;
  expect_error(cpu, forward(), VG_INVALID_ARGUMENT, "ignore_label is 256");
}

// SGD with momentum, Adam and AdamW, global gradient norm, moving average of weights: one pass over a table of tensors.
//
//   SGD    g' = scale g + wd x;  v = g' first, then mu v + (1 - dampening) g';  d = g' + mu v (nesterov) or v;  x -= lr
//   d AdamW  m = b1 m + (1-b1) g';  s = b2 s + (1-b2) g'^2;  s_max = max(s_max, s) (amsgrad)
//          x -= lr wd x + lr/(1 - b1^t) m / (sqrt(s)/sqrt(1 - b2^t) + eps);  Adam: wd x is added to g' instead
//   norm   sqrt(sum g^2) in float64;   average   shadow = decay shadow + (1 - decay) x, computed in float64
//
// Tensors are dense. The table is cut into chunks of 64 Ki elements that never span two tensors; chunks of the norm are
// added in table order. Bound by memory (SGD: three streams in, two out). Matches torch.optim.SGD (momentum 0 keeps no
// buffer), AdamW and Adam, and clip_grad_norm_'s norm; powers of beta are computed in float64.
#include "optimizer_table.h"
#include "optimizer_tiles.h"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace vg;

namespace {

struct Chunk {
  int64_t tensor, begin, count;
};

std::vector<Chunk> chunks_of(int64_t count, const int64_t *lengths) {
  std::vector<Chunk> chunks;
  for (int64_t i = 0; i < count; ++i)
    for (int64_t begin = 0; begin < lengths[i]; begin += chunk_elements)
      chunks.push_back({i, begin, std::min(chunk_elements, lengths[i] - begin)});
  return chunks;
}

} // namespace

extern "C" int32_t vg_sgd_step(vg_context *context, const vg_sgd *problem, int64_t count, const int64_t *lengths,
                               float *const *x, const float *const *g, float *const *momentum) {
  return dispatch(
      context, __func__,
      [&] {
        require_size(problem);
        check_lengths(count, lengths);
        check_table("x", count, lengths, x);
        check_table("g", count, lengths, g);
        if (problem->momentum != 0.0f) check_table("momentum", count, lengths, momentum);
        VG_REQUIRE(problem->nesterov == 0 || (problem->momentum > 0.0f && problem->dampening == 0.0f),
                   "nesterov needs a momentum above 0 and no dampening");
      },
      [&] {
        const vg_sgd &p = *problem;
        const auto tile = VG_PICK(context, sgd_step);
        const std::vector<Chunk> chunks = chunks_of(count, lengths);
        parallel_for(context, static_cast<int64_t>(chunks.size()), [&](int64_t i) {
          const Chunk &k = chunks[static_cast<size_t>(i)];
          float *v = p.momentum != 0.0f ? momentum[k.tensor] + k.begin : nullptr;
          tile({p.lr, p.momentum, 1.0f - p.dampening, p.weight_decay, p.gradient_scale, p.nesterov != 0,
                p.first_step != 0, x[k.tensor] + k.begin, v, g[k.tensor] + k.begin},
               k.count);
        });
      });
}

extern "C" int32_t vg_adamw_step(vg_context *context, const vg_adamw *problem, int64_t count, const int64_t *lengths,
                                 float *const *x, const float *const *g, float *const *m, float *const *s,
                                 float *const *s_max) {
  return dispatch(
      context, __func__,
      [&] {
        require_size(problem);
        check_lengths(count, lengths);
        check_table("x", count, lengths, x);
        check_table("g", count, lengths, g);
        check_table("m", count, lengths, m);
        check_table("s", count, lengths, s);
        if (problem->amsgrad != 0) check_table("s_max", count, lengths, s_max);
        VG_REQUIRE(problem->step >= 1, "step is %lld, counts from 1", static_cast<long long>(problem->step));
        VG_REQUIRE(problem->beta1 >= 0 && problem->beta1 < 1 && problem->beta2 >= 0 && problem->beta2 < 1,
                   "beta1 and beta2 are %g and %g, must be in [0, 1)", problem->beta1, problem->beta2);
      },
      [&] {
        const vg_adamw &p = *problem;
        AdamTile shared{};
        shared.decay = static_cast<float>(p.decoupled != 0 ? p.lr * p.weight_decay : 0.0);
        shared.l2 = static_cast<float>(p.decoupled != 0 ? 0.0 : p.weight_decay);
        shared.beta1 = static_cast<float>(p.beta1);
        shared.beta2 = static_cast<float>(p.beta2);
        shared.one_minus_beta1 = static_cast<float>(1.0 - p.beta1);
        shared.one_minus_beta2 = static_cast<float>(1.0 - p.beta2);
        shared.step = static_cast<float>(p.lr / (1.0 - std::pow(p.beta1, static_cast<double>(p.step))));
        shared.inverse_root = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(p.beta2, static_cast<double>(p.step))));
        shared.eps = static_cast<float>(p.eps);
        shared.gradient_scale = p.gradient_scale;
        const auto tile = VG_PICK(context, adamw_step);
        const std::vector<Chunk> chunks = chunks_of(count, lengths);
        parallel_for(context, static_cast<int64_t>(chunks.size()), [&](int64_t i) {
          const Chunk &k = chunks[static_cast<size_t>(i)];
          AdamTile t = shared;
          t.x = x[k.tensor] + k.begin;
          t.g = g[k.tensor] + k.begin;
          t.m = m[k.tensor] + k.begin;
          t.s = s[k.tensor] + k.begin;
          t.s_max = p.amsgrad != 0 ? s_max[k.tensor] + k.begin : nullptr;
          tile(t, k.count);
        });
      });
}

extern "C" int32_t vg_global_norm(vg_context *context, int64_t count, const int64_t *lengths, const float *const *g,
                                  double *norm) {
  return dispatch(
      context, __func__,
      [&] {
        check_lengths(count, lengths);
        check_table("g", count, lengths, g);
        require_pointer("norm", norm);
      },
      [&] {
        const auto tile = VG_PICK(context, square_sum);
        const std::vector<Chunk> chunks = chunks_of(count, lengths);
        std::vector<double> sums(chunks.size());
        parallel_for(context, static_cast<int64_t>(chunks.size()), [&](int64_t i) {
          const Chunk &k = chunks[static_cast<size_t>(i)];
          tile(g[k.tensor] + k.begin, k.count, &sums[static_cast<size_t>(i)]);
        });
        double total = 0;
        for (const double sum : sums) total += sum;
        *norm = std::sqrt(total);
      });
}

extern "C" int32_t vg_ema_update(vg_context *context, double decay, int64_t count, const int64_t *lengths,
                                 const float *const *x, float *const *shadow) {
  return dispatch(
      context, __func__,
      [&] {
        check_lengths(count, lengths);
        check_table("x", count, lengths, x);
        check_table("shadow", count, lengths, shadow);
        VG_REQUIRE(decay >= 0.0 && decay <= 1.0, "decay is %g, must be in [0, 1]", decay);
      },
      [&] {
        const auto tile = VG_PICK(context, ema_step);
        const std::vector<Chunk> chunks = chunks_of(count, lengths);
        parallel_for(context, static_cast<int64_t>(chunks.size()), [&](int64_t i) {
          const Chunk &k = chunks[static_cast<size_t>(i)];
          tile(decay, x[k.tensor] + k.begin, shadow[k.tensor] + k.begin, k.count);
        });
      });
}

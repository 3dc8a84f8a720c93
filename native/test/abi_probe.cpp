// Describes the header as this compiler sees it, so that the generated bindings can be checked without jextract: every
// function by the types of its result and arguments, every struct field by offset and type, every constant by value.
// Loaded by AbiAgreementTest; a name missing here makes that test fail, because it compares the sets.
#include "voxgrad.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

namespace {

template <class T> std::string code() {
  if constexpr (std::is_pointer_v<T>) return "P";
  if constexpr (std::is_same_v<T, float>) return "F";
  if constexpr (std::is_same_v<T, double>) return "D";
  if constexpr (std::is_integral_v<T> && sizeof(T) == 4) return "I4";
  if constexpr (std::is_integral_v<T> && sizeof(T) == 8) return "I8";
  return "?";
}

template <class R, class... A> std::string signature(R (*)(A...)) {
  std::string text = code<R>();
  ((text += " " + code<A>()), ...);
  return text;
}

template <class T> double number(T value) {
  if constexpr (std::is_pointer_v<T>)
    return static_cast<double>(reinterpret_cast<uintptr_t>(value));
  else
    return static_cast<double>(value);
}

std::string describe() {
  std::string out;
#define FUNCTION(name) out += "function " #name " " + signature(&name) + "\n"
#define CONSTANT(name) out += "constant " #name " " + std::to_string(static_cast<long long>(name)) + "\n"
#define STRUCT(name)                                                                                                   \
  using S = name;                                                                                                      \
  out += "struct " #name " " + std::to_string(sizeof(S)) + " " + std::to_string(alignof(S)) + "\n";                    \
  const std::string owner = #name
#define FIELD(name)                                                                                                    \
  out += "field " + owner + " " #name " " + std::to_string(offsetof(S, name)) + " " + code<decltype(S::name)>() + "\n"

  FUNCTION(vg_abi_version);
  FUNCTION(vg_version);
  FUNCTION(vg_device_count);
  FUNCTION(vg_context_create);
  FUNCTION(vg_context_destroy);
  FUNCTION(vg_context_synchronize);
  FUNCTION(vg_context_describe);
  FUNCTION(vg_measure_peak);
  FUNCTION(vg_last_error);
  FUNCTION(vg_allocate);
  FUNCTION(vg_free);
  FUNCTION(vg_pool_trim);
  FUNCTION(vg_step_begin);
  FUNCTION(vg_step_end);
  FUNCTION(vg_copy_from_host);
  FUNCTION(vg_copy_to_host);
  FUNCTION(vg_fill);
  FUNCTION(vg_scale);
  FUNCTION(vg_add);
  FUNCTION(vg_activation_forward);
  FUNCTION(vg_activation_backward);
  FUNCTION(vg_softmax_forward);
  FUNCTION(vg_softmax_backward);
  FUNCTION(vg_log_softmax_forward);
  FUNCTION(vg_log_softmax_backward);
  FUNCTION(vg_argmax);
  FUNCTION(vg_dropout_apply);
  FUNCTION(vg_conv3d_forward);
  FUNCTION(vg_conv3d_backward_input);
  FUNCTION(vg_conv3d_backward_weight);
  FUNCTION(vg_conv_transpose3d_forward);
  FUNCTION(vg_conv_transpose3d_backward_input);
  FUNCTION(vg_conv_transpose3d_backward_weight);
  FUNCTION(vg_norm_apply);
  FUNCTION(vg_norm_backward);
  FUNCTION(vg_norm_backward_input);
  FUNCTION(vg_instance_norm_forward);
  FUNCTION(vg_instance_norm_backward);
  FUNCTION(vg_pool_forward);
  FUNCTION(vg_pool_backward);
  FUNCTION(vg_interpolate_forward);
  FUNCTION(vg_interpolate_backward);
  FUNCTION(vg_interpolate_labels);
  FUNCTION(vg_pad_forward);
  FUNCTION(vg_pad_backward);
  FUNCTION(vg_segloss_forward);
  FUNCTION(vg_segloss_backward);
  FUNCTION(vg_topk_select);
  FUNCTION(vg_components_label);
  FUNCTION(vg_distance_transform);
  FUNCTION(vg_sgd_step);
  FUNCTION(vg_adamw_step);
  FUNCTION(vg_global_norm);
  FUNCTION(vg_ema_update);
  FUNCTION(vg_ranger21_step);
  FUNCTION(vg_window_gather);
  FUNCTION(vg_window_accumulate);
  FUNCTION(vg_window_normalize);
  FUNCTION(vg_resample_volume);
  CONSTANT(VG_ABI_VERSION);
  CONSTANT(VG_OK);
  CONSTANT(VG_INVALID_ARGUMENT);
  CONSTANT(VG_OUT_OF_MEMORY);
  CONSTANT(VG_DEVICE_FAILURE);
  CONSTANT(VG_UNAVAILABLE);
  CONSTANT(VG_UNSUPPORTED);
  CONSTANT(VG_INTERNAL);
  CONSTANT(VG_DEVICE_CPU);
  CONSTANT(VG_DEVICE_CUDA);
  CONSTANT(VG_ACTIVATION_IDENTITY);
  CONSTANT(VG_ACTIVATION_LEAKY_RELU);
  CONSTANT(VG_ACTIVATION_MISH);
  CONSTANT(VG_ACTIVATION_SIGMOID);
  CONSTANT(VG_ACTIVATION_SOFTPLUS);
  CONSTANT(VG_PRECISION_DEFAULT);
  CONSTANT(VG_PRECISION_FAST);
  CONSTANT(VG_NORM_SCALE);
  CONSTANT(VG_NORM_SHIFT);
  CONSTANT(VG_NORM_SLOPE);
  CONSTANT(VG_NORM_MEAN);
  CONSTANT(VG_NORM_RSTD);
  CONSTANT(VG_NORM_ROWS);
  CONSTANT(VG_POOL_MAX);
  CONSTANT(VG_POOL_AVERAGE);
  CONSTANT(VG_INTERPOLATE_NEAREST);
  CONSTANT(VG_INTERPOLATE_NEAREST_CENTRE);
  CONSTANT(VG_INTERPOLATE_LINEAR);
  CONSTANT(VG_INTERPOLATE_LINEAR_CORNERS);
  CONSTANT(VG_TIES_FIRST);
  CONSTANT(VG_TIES_SHARED);
  CONSTANT(VG_SUM_INTERSECTION);
  CONSTANT(VG_SUM_PROBABILITY);
  CONSTANT(VG_SUM_SQUARE);
  CONSTANT(VG_SUM_NLL_TRUE);
  CONSTANT(VG_SUM_NLL_OTHER);
  CONSTANT(VG_SUM_COUNT);
  CONSTANT(VG_SUM_VOXELS);
  CONSTANT(VG_SUM_KINDS);

  {
    STRUCT(vg_context_options);
    FIELD(size);
    FIELD(device_kind);
    FIELD(device_index);
    FIELD(threads);
    FIELD(measure);
    FIELD(memory_limit_bytes);
  }
  {
    STRUCT(vg_context_info);
    FIELD(size);
    FIELD(device_kind);
    FIELD(device_index);
    FIELD(threads);
    FIELD(compute_capability);
    FIELD(memory_total_bytes);
    FIELD(memory_free_bytes);
    FIELD(pool_live_bytes);
    FIELD(pool_live_blocks);
    FIELD(pool_reserved_bytes);
    FIELD(pool_peak_bytes);
    FIELD(arena_bytes);
    FIELD(system_allocations);
    FIELD(device_name);
    FIELD(isa);
    FIELD(driver);
  }
  {
    STRUCT(vg_map);
    FIELD(size);
    FIELD(n);
    FIELD(voxels);
    FIELD(c);
    FIELD(x_stride);
    FIELD(y_stride);
  }
  {
    STRUCT(vg_activation);
    FIELD(size);
    FIELD(n);
    FIELD(voxels);
    FIELD(c);
    FIELD(x_stride);
    FIELD(y_stride);
    FIELD(kind);
    FIELD(slope);
    FIELD(beta);
    FIELD(threshold);
  }
  {
    STRUCT(vg_dropout);
    FIELD(size);
    FIELD(n);
    FIELD(voxels);
    FIELD(c);
    FIELD(x_stride);
    FIELD(y_stride);
    FIELD(seed);
    FIELD(stream);
    FIELD(p);
    FIELD(per_channel);
  }
  {
    STRUCT(vg_conv3d);
    FIELD(size);
    FIELD(n);
    FIELD(d);
    FIELD(h);
    FIELD(w);
    FIELD(ci);
    FIELD(co);
    FIELD(kd);
    FIELD(kh);
    FIELD(kw);
    FIELD(sd);
    FIELD(sh);
    FIELD(sw);
    FIELD(pd);
    FIELD(ph);
    FIELD(pw);
    FIELD(x_stride);
    FIELD(y_stride);
    FIELD(precision);
    FIELD(reserved);
  }
  {
    STRUCT(vg_conv_fusion);
    FIELD(size);
    FIELD(x_norm);
    FIELD(x);
    FIELD(x_stride);
    FIELD(sums);
    FIELD(y_norm);
    FIELD(gamma);
    FIELD(beta);
    FIELD(eps);
    FIELD(slope);
  }
  {
    STRUCT(vg_instance_norm);
    FIELD(size);
    FIELD(n);
    FIELD(voxels);
    FIELD(c);
    FIELD(x_stride);
    FIELD(y_stride);
    FIELD(eps);
    FIELD(activation);
    FIELD(slope);
    FIELD(reserved);
  }
  {
    STRUCT(vg_pool);
    FIELD(size);
    FIELD(n);
    FIELD(d);
    FIELD(h);
    FIELD(w);
    FIELD(c);
    FIELD(kd);
    FIELD(kh);
    FIELD(kw);
    FIELD(x_stride);
    FIELD(y_stride);
    FIELD(kind);
    FIELD(reserved);
  }
  {
    STRUCT(vg_interpolate);
    FIELD(size);
    FIELD(n);
    FIELD(d);
    FIELD(h);
    FIELD(w);
    FIELD(c);
    FIELD(od);
    FIELD(oh);
    FIELD(ow);
    FIELD(x_stride);
    FIELD(y_stride);
    FIELD(mode);
    FIELD(reserved);
  }
  {
    STRUCT(vg_pad);
    FIELD(size);
    FIELD(n);
    FIELD(d);
    FIELD(h);
    FIELD(w);
    FIELD(c);
    FIELD(after_d);
    FIELD(after_h);
    FIELD(after_w);
    FIELD(x_stride);
    FIELD(y_stride);
    FIELD(replicate);
    FIELD(reserved);
  }
  {
    STRUCT(vg_segloss);
    FIELD(size);
    FIELD(n);
    FIELD(voxels);
    FIELD(c);
    FIELD(x_stride);
    FIELD(dx_stride);
    FIELD(target_stride);
    FIELD(segments);
    FIELD(sigmoid);
    FIELD(ignore_label);
    FIELD(region_labels);
    FIELD(kinds);
    FIELD(accumulate);
    FIELD(reserved);
  }
  {
    STRUCT(vg_topk);
    FIELD(size);
    FIELD(rows);
    FIELD(count);
    FIELD(ties);
    FIELD(reserved);
  }
  {
    STRUCT(vg_components);
    FIELD(size);
    FIELD(n);
    FIELD(d);
    FIELD(h);
    FIELD(w);
    FIELD(x_stride);
    FIELD(connectivity);
    FIELD(keep);
  }
  {
    STRUCT(vg_distance);
    FIELD(size);
    FIELD(d);
    FIELD(h);
    FIELD(w);
    FIELD(spacing_d);
    FIELD(spacing_h);
    FIELD(spacing_w);
  }
  {
    STRUCT(vg_sgd);
    FIELD(size);
    FIELD(lr);
    FIELD(momentum);
    FIELD(dampening);
    FIELD(weight_decay);
    FIELD(gradient_scale);
    FIELD(nesterov);
    FIELD(first_step);
    FIELD(reserved);
  }
  {
    STRUCT(vg_adamw);
    FIELD(size);
    FIELD(step);
    FIELD(lr);
    FIELD(beta1);
    FIELD(beta2);
    FIELD(eps);
    FIELD(weight_decay);
    FIELD(gradient_scale);
    FIELD(amsgrad);
    FIELD(decoupled);
    FIELD(reserved);
  }
  {
    STRUCT(vg_ranger21);
    FIELD(size);
    FIELD(step);
    FIELD(lr);
    FIELD(beta1);
    FIELD(beta2);
    FIELD(eps);
    FIELD(clip);
    FIELD(clip_eps);
    FIELD(weight_decay);
    FIELD(norm_loss);
    FIELD(softplus);
    FIELD(alpha);
    FIELD(gradient_scale);
    FIELD(normalize);
    FIELD(positive_negative);
    FIELD(shrink_last_only);
    FIELD(merge);
    FIELD(reserved);
  }
  {
    STRUCT(vg_window);
    FIELD(size);
    FIELD(d);
    FIELD(h);
    FIELD(w);
    FIELD(c);
    FIELD(td);
    FIELD(th);
    FIELD(tw);
    FIELD(oz);
    FIELD(oy);
    FIELD(ox);
    FIELD(flip_z);
    FIELD(flip_y);
    FIELD(flip_x);
    FIELD(reserved);
  }
  {
    STRUCT(vg_resample);
    FIELD(size);
    FIELD(d);
    FIELD(h);
    FIELD(w);
    FIELD(od);
    FIELD(oh);
    FIELD(ow);
    FIELD(order);
    FIELD(reserved);
  }
  return out;
}

} // namespace

extern "C" {

__attribute__((visibility("default"))) const char *probe_describe(void) {
  static const std::string text = describe();
  return text.c_str();
}

// Sum of all fields of a struct that Java filled: proves that both sides mean the same bytes.
#define SUM_OF(name, expression)                                                                                       \
  __attribute__((visibility("default"))) double probe_sum_##name(const name *s) { return expression; }

SUM_OF(vg_context_options, number(s->size) + number(s->device_kind) + number(s->device_index) + number(s->threads) +
                               number(s->measure) + number(s->memory_limit_bytes))
SUM_OF(vg_context_info, number(s->size) + number(s->device_kind) + number(s->device_index) + number(s->threads) +
                            number(s->compute_capability) + number(s->memory_total_bytes) +
                            number(s->memory_free_bytes) + number(s->pool_live_bytes) + number(s->pool_live_blocks) +
                            number(s->pool_reserved_bytes) + number(s->pool_peak_bytes) + number(s->arena_bytes) +
                            number(s->system_allocations) + number(s->device_name) + number(s->isa) + number(s->driver))
SUM_OF(vg_map,
       number(s->size) + number(s->n) + number(s->voxels) + number(s->c) + number(s->x_stride) + number(s->y_stride))
SUM_OF(vg_activation, number(s->size) + number(s->n) + number(s->voxels) + number(s->c) + number(s->x_stride) +
                          number(s->y_stride) + number(s->kind) + number(s->slope) + number(s->beta) +
                          number(s->threshold))
SUM_OF(vg_dropout, number(s->size) + number(s->n) + number(s->voxels) + number(s->c) + number(s->x_stride) +
                       number(s->y_stride) + number(s->seed) + number(s->stream) + number(s->p) +
                       number(s->per_channel))
SUM_OF(vg_conv3d, number(s->size) + number(s->n) + number(s->d) + number(s->h) + number(s->w) + number(s->ci) +
                      number(s->co) + number(s->kd) + number(s->kh) + number(s->kw) + number(s->sd) + number(s->sh) +
                      number(s->sw) + number(s->pd) + number(s->ph) + number(s->pw) + number(s->x_stride) +
                      number(s->y_stride) + number(s->precision) + number(s->reserved))
SUM_OF(vg_conv_fusion, number(s->size) + number(s->x_norm) + number(s->x) + number(s->x_stride) + number(s->sums) +
                           number(s->y_norm) + number(s->gamma) + number(s->beta) + number(s->eps) + number(s->slope))
SUM_OF(vg_instance_norm, number(s->size) + number(s->n) + number(s->voxels) + number(s->c) + number(s->x_stride) +
                             number(s->y_stride) + number(s->eps) + number(s->activation) + number(s->slope) +
                             number(s->reserved))
SUM_OF(vg_pool, number(s->size) + number(s->n) + number(s->d) + number(s->h) + number(s->w) + number(s->c) +
                    number(s->kd) + number(s->kh) + number(s->kw) + number(s->x_stride) + number(s->y_stride) +
                    number(s->kind) + number(s->reserved))
SUM_OF(vg_interpolate, number(s->size) + number(s->n) + number(s->d) + number(s->h) + number(s->w) + number(s->c) +
                           number(s->od) + number(s->oh) + number(s->ow) + number(s->x_stride) + number(s->y_stride) +
                           number(s->mode) + number(s->reserved))
SUM_OF(vg_pad, number(s->size) + number(s->n) + number(s->d) + number(s->h) + number(s->w) + number(s->c) +
                   number(s->after_d) + number(s->after_h) + number(s->after_w) + number(s->x_stride) +
                   number(s->y_stride) + number(s->replicate) + number(s->reserved))
SUM_OF(vg_segloss, number(s->size) + number(s->n) + number(s->voxels) + number(s->c) + number(s->x_stride) +
                       number(s->dx_stride) + number(s->target_stride) + number(s->segments) + number(s->sigmoid) +
                       number(s->ignore_label) + number(s->region_labels) + number(s->kinds) + number(s->accumulate) +
                       number(s->reserved))
SUM_OF(vg_topk, number(s->size) + number(s->rows) + number(s->count) + number(s->ties) + number(s->reserved))
SUM_OF(vg_components, number(s->size) + number(s->n) + number(s->d) + number(s->h) + number(s->w) +
                          number(s->x_stride) + number(s->connectivity) + number(s->keep))
SUM_OF(vg_distance, number(s->size) + number(s->d) + number(s->h) + number(s->w) + number(s->spacing_d) +
                        number(s->spacing_h) + number(s->spacing_w))
SUM_OF(vg_sgd, number(s->size) + number(s->lr) + number(s->momentum) + number(s->dampening) + number(s->weight_decay) +
                   number(s->gradient_scale) + number(s->nesterov) + number(s->first_step) + number(s->reserved))
SUM_OF(vg_adamw, number(s->size) + number(s->step) + number(s->lr) + number(s->beta1) + number(s->beta2) +
                     number(s->eps) + number(s->weight_decay) + number(s->gradient_scale) + number(s->amsgrad) +
                     number(s->decoupled) + number(s->reserved))
SUM_OF(vg_ranger21, number(s->size) + number(s->step) + number(s->lr) + number(s->beta1) + number(s->beta2) +
                        number(s->eps) + number(s->clip) + number(s->clip_eps) + number(s->weight_decay) +
                        number(s->norm_loss) + number(s->softplus) + number(s->alpha) + number(s->gradient_scale) +
                        number(s->normalize) + number(s->positive_negative) + number(s->shrink_last_only) +
                        number(s->merge) + number(s->reserved))
SUM_OF(vg_window, number(s->size) + number(s->d) + number(s->h) + number(s->w) + number(s->c) + number(s->td) +
                      number(s->th) + number(s->tw) + number(s->oz) + number(s->oy) + number(s->ox) +
                      number(s->flip_z) + number(s->flip_y) + number(s->flip_x) + number(s->reserved))
SUM_OF(vg_resample, number(s->size) + number(s->d) + number(s->h) + number(s->w) + number(s->od) + number(s->oh) +
                        number(s->ow) + number(s->order) + number(s->reserved))
}

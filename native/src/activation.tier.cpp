// Inner tiles of activation.cpp.
#include "activation_math.h"
#include "activation_tiles.h"

namespace vg::VG_TIER {

// The tail goes through the same vector code, so an element's bits do not depend on its place in a run.
template <class Op> static void forward(const float *x, float *y, int64_t count, Op op) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) store(y + i, op(load(x + i)));
  if (i < count) store_some(y + i, op(load_some(x + i, count - i)), count - i);
}

template <class Op> static void backward(const float *x, const float *dy, float *dx, int64_t count, Op derivative) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) store(dx + i, load(dy + i) * derivative(load(x + i)));
  if (i < count) store_some(dx + i, load_some(dy + i, count - i) * derivative(load_some(x + i, count - i)), count - i);
}

void activation_forward(const ActivationShape &shape, const float *x, float *y, int64_t count) {
  const float slope = shape.slope, beta = shape.beta, threshold = shape.threshold;
  switch (shape.kind) {
  case VG_ACTIVATION_LEAKY_RELU:
    return forward(x, y, count, [=](v8 v) { return leaky(v, slope); });
  case VG_ACTIVATION_MISH:
    return forward(x, y, count, [](v8 v) { return mish(v); });
  case VG_ACTIVATION_SIGMOID:
    return forward(x, y, count, [](v8 v) { return sigmoid(v); });
  case VG_ACTIVATION_SOFTPLUS:
    return forward(x, y, count, [=](v8 v) { return softplus(v, beta, threshold); });
  default:
    return forward(x, y, count, [](v8 v) { return v; });
  }
}

void activation_backward(const ActivationShape &shape, const float *x, const float *dy, float *dx, int64_t count) {
  const float slope = shape.slope, beta = shape.beta, threshold = shape.threshold;
  switch (shape.kind) {
  case VG_ACTIVATION_LEAKY_RELU:
    return backward(x, dy, dx, count, [=](v8 v) { return leaky_derivative(v, slope); });
  case VG_ACTIVATION_MISH:
    return backward(x, dy, dx, count, [](v8 v) { return mish_derivative(v); });
  case VG_ACTIVATION_SIGMOID:
    return backward(x, dy, dx, count, [](v8 v) { return sigmoid_derivative(v); });
  case VG_ACTIVATION_SOFTPLUS:
    return backward(x, dy, dx, count, [=](v8 v) { return softplus_derivative(v, beta, threshold); });
  default:
    return backward(x, dy, dx, count, [](v8) { return broadcast(1.0f); });
  }
}

} // namespace vg::VG_TIER

#include "internal.h"

using namespace vg;

extern "C" int32_t vg_distance_transform(vg_context *context, const vg_distance *, const uint8_t *, double *) {
  return guard(context, __func__, [] { fail(VG_UNSUPPORTED, "not built yet"); });
}

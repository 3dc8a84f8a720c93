#include "internal.h"

using namespace vg;

extern "C" int32_t vg_components_label(vg_context *context, const vg_components *, const uint8_t *, const uint8_t *,
                                       int32_t *, int64_t *) {
  return guard(context, __func__, [] { fail(VG_UNSUPPORTED, "not built yet"); });
}

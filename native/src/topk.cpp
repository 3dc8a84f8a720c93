#include "internal.h"

using namespace vg;

extern "C" int32_t vg_topk_select(vg_context *context, const vg_topk *, const float *, const int64_t *, const float *,
                                  double *, float *) {
  return guard(context, __func__, [] { fail(VG_UNSUPPORTED, "not built yet"); });
}

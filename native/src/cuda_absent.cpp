// Stands in for cuda_device.cu in a build without nvcc.
#include "cuda_device.h"

namespace vg::cuda {

static const char *const absent = "this library was built without CUDA (no nvcc was found)";

int32_t device_count(std::string &reason) {
  reason = absent;
  return 0;
}
void open(vg_context *) { fail(VG_UNAVAILABLE, "%s", absent); }
void close(vg_context *) {}
void synchronize(vg_context *) { fail(VG_UNAVAILABLE, "%s", absent); }
void memory(vg_context *, int64_t &, int64_t &) { fail(VG_UNAVAILABLE, "%s", absent); }
void *allocate(vg_context *, int64_t) { fail(VG_UNAVAILABLE, "%s", absent); }
void release(vg_context *, void *) {}
void copy(vg_context *, void *, const void *, int64_t, bool) { fail(VG_UNAVAILABLE, "%s", absent); }

} // namespace vg::cuda

// The CUDA runtime calls a context needs; cuda_device.cu with nvcc, cuda_absent.cpp without.
#pragma once

#include "internal.h"

namespace vg::cuda {

// 0 with a reason when there is no driver, no device, or no CUDA in this build.
int32_t device_count(std::string &reason);
// Fills name, capability, driver and stream of the context; VG_UNAVAILABLE with the reason when it cannot.
void open(vg_context *context);
void close(vg_context *context);
void synchronize(vg_context *context);
void memory(vg_context *context, int64_t &total_bytes, int64_t &free_bytes);
// nullptr when the device memory is exhausted.
void *allocate(vg_context *context, int64_t bytes);
void release(vg_context *context, void *memory);
void copy(vg_context *context, void *destination, const void *source, int64_t bytes, bool to_device);

} // namespace vg::cuda

// Opens CUDA devices. The runtime is linked statically, so the library loads where there is no driver; then the
// device count fails with error 35 (no or too old driver) or 100 (no device), which means "unavailable".
#include "cuda_device.h"

#include <cuda_runtime.h>

namespace vg::cuda {

static void check(cudaError_t error, const char *call) {
  if (error == cudaSuccess) return;
  const bool absent = error == cudaErrorInsufficientDriver || error == cudaErrorNoDevice;
  fail(absent ? VG_UNAVAILABLE : VG_DEVICE_FAILURE, "%s: %s (CUDA error %d)", call, cudaGetErrorString(error),
       static_cast<int>(error));
}

static std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

int32_t device_count(std::string &reason) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) return count;
  int runtime = 0;
  cudaRuntimeGetVersion(&runtime);
  if (error == cudaErrorInsufficientDriver)
    reason = "no NVIDIA driver, or one too old for CUDA " + version_text(runtime);
  else if (error == cudaErrorNoDevice || error == cudaSuccess)
    reason = "no CUDA device on this machine";
  else
    reason = std::string("cudaGetDeviceCount: ") + cudaGetErrorString(error);
  cudaGetLastError(); // clears the error for the next call
  return 0;
}

void open(vg_context *context) {
  std::string reason;
  const int32_t count = device_count(reason);
  if (count == 0) fail(VG_UNAVAILABLE, "%s", reason.c_str());
  VG_REQUIRE(context->device_index >= 0 && context->device_index < count, "device_index is %d, this machine has %d",
             context->device_index, count);
  check(cudaSetDevice(context->device_index), "cudaSetDevice");
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, context->device_index), "cudaGetDeviceProperties");
  context->device_name = properties.name;
  context->compute_capability = properties.major * 10 + properties.minor;
  context->isa_name = "sm_" + std::to_string(context->compute_capability);
  int driver = 0, runtime = 0;
  check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  context->driver = "driver CUDA " + version_text(driver) + ", runtime " + version_text(runtime);
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  context->stream = stream;
}

void close(vg_context *context) {
  if (context->stream != nullptr) cudaStreamDestroy(static_cast<cudaStream_t>(context->stream));
}

void synchronize(vg_context *context) {
  check(cudaStreamSynchronize(static_cast<cudaStream_t>(context->stream)), "cudaStreamSynchronize");
}

void memory(vg_context *context, int64_t &total_bytes, int64_t &free_bytes) {
  size_t free = 0, total = 0;
  check(cudaSetDevice(context->device_index), "cudaSetDevice");
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  total_bytes = static_cast<int64_t>(total);
  free_bytes = static_cast<int64_t>(free);
}

void *allocate(vg_context *context, int64_t bytes) {
  void *memory = nullptr;
  check(cudaSetDevice(context->device_index), "cudaSetDevice");
  const cudaError_t error = cudaMalloc(&memory, static_cast<size_t>(bytes));
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  check(error, "cudaMalloc");
  return memory;
}

void release(vg_context *context, void *memory) {
  cudaSetDevice(context->device_index);
  cudaFree(memory);
}

void copy(vg_context *context, void *destination, const void *source, int64_t bytes, bool to_device) {
  const auto stream = static_cast<cudaStream_t>(context->stream);
  check(cudaMemcpyAsync(destination, source, static_cast<size_t>(bytes),
                        to_device ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost, stream),
        "cudaMemcpyAsync");
  check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
}

} // namespace vg::cuda

// What every op includes: errors, the dispatch helper, threads, scratch memory.
//
// Shape of an op file: the extern "C" entry point checks the contract inside `dispatch`, then hands over to the CPU
// code below it or to the CUDA code of the .cu file of the same name.
#pragma once

#include "threads.h"
#include "voxgrad.h"

#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>

namespace vg {

// Best instruction set a kernel may use. Only inner tiles (src/*.tier.cpp) are compiled more than once.
enum class Isa : int32_t { portable, neon, avx2, avx512 };

class Pool;

// Thrown inside an entry point, turned into a status and a text by `guard`.
struct Failure {
  int32_t status;
  std::string text;
};

[[noreturn]] void fail(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

} // namespace vg

struct vg_context {
  int32_t device_kind = VG_DEVICE_CPU;
  int32_t device_index = 0;
  int32_t threads = 1;
  bool measure = false; // kernels run without their work, on memory that nobody touches
  vg::Isa isa = vg::Isa::portable;
  vg::Pool *pool = nullptr;
  std::unique_ptr<vg::Threads> workers;
  void *stream = nullptr; // cudaStream_t
  int32_t compute_capability = 0;
  std::string device_name, isa_name, driver;
  std::string error;
};

namespace vg {

// Throws VG_INVALID_ARGUMENT with a printf-style text unless the condition holds.
#define VG_REQUIRE(condition, ...)                                                                                     \
  do {                                                                                                                 \
    if (!(condition)) ::vg::fail(VG_INVALID_ARGUMENT, __VA_ARGS__);                                                    \
  } while (0)

// Runs the body of an entry point: no exception leaves it, the text goes to the context.
template <class Body> int32_t guard(vg_context *context, const char *function, Body &&body) noexcept {
  if (context == nullptr) return VG_INVALID_ARGUMENT;
  int32_t status = VG_OK;
  try {
    context->error.clear();
    try {
      body();
    } catch (const Failure &f) {
      status = f.status;
      context->error = std::string(function) + ": " + f.text;
    } catch (const std::bad_alloc &) {
      status = VG_OUT_OF_MEMORY;
      context->error = std::string(function) + ": out of host memory";
    } catch (const std::exception &e) {
      status = VG_INTERNAL;
      context->error = std::string(function) + ": " + e.what();
    } catch (...) {
      status = VG_INTERNAL;
      context->error = std::string(function) + ": unknown exception";
    }
  } catch (...) { // not even the text could be stored
    return status == VG_OK ? VG_INTERNAL : status;
  }
  return status;
}

// The one dispatch helper. `checks` validates the problem and runs on every device, `cpu` does the work on the CPU.
// Kernels for CUDA do not exist yet: such a context answers VG_UNSUPPORTED.
template <class Checks, class Cpu>
int32_t dispatch(vg_context *context, const char *function, Checks &&checks, Cpu &&cpu) noexcept {
  return guard(context, function, [&] {
    checks();
    if (context->device_kind == VG_DEVICE_CPU)
      cpu();
    else
      fail(VG_UNSUPPORTED, "not implemented on CUDA yet; use a CPU context");
  });
}

// Checks shared by all problems.
template <class Problem> void require_size(const Problem *problem) {
  VG_REQUIRE(problem != nullptr, "problem is NULL");
  VG_REQUIRE(problem->size == static_cast<int64_t>(sizeof(Problem)),
             "problem.size is %lld, this library expects %lld; caller and library were built from different headers",
             static_cast<long long>(problem->size), static_cast<long long>(sizeof(Problem)));
}
void require_positive(const char *name, int64_t value);
// stride must be at least c, and n*voxels*stride must fit in 2^62 bytes.
void require_tensor(const char *name, int64_t n, int64_t voxels, int64_t c, int64_t stride);
void require_pointer(const char *name, const void *pointer);

// Runs body(i) for i = 0..count-1 on the context's threads. The cut of the work into `count` pieces must depend on the
// problem alone, and a piece must not read what another writes; then results do not depend on the number of threads.
// An exception of a body is rethrown here (one of them).
template <class Body> void parallel_for(const vg_context *context, int64_t count, Body &&body) {
  if (context->measure) return;
  struct Job {
    Body &body;
    std::mutex mutex;
    std::exception_ptr failure;
  } job{body, {}, nullptr};
  context->workers->run(
      count,
      [](void *data, int64_t i) {
        Job &j = *static_cast<Job *>(data);
        try {
          j.body(i);
        } catch (...) {
          std::lock_guard lock(j.mutex);
          j.failure = std::current_exception();
        }
      },
      &job);
  if (job.failure) std::rethrow_exception(job.failure);
}

// Cuts `total` items into pieces of about `grain` items: piece i is [begin, end).
struct Pieces {
  int64_t total, grain;
  int64_t count() const { return (total + grain - 1) / grain; }
  int64_t begin(int64_t i) const { return i * grain; }
  int64_t end(int64_t i) const { return i * grain + grain < total ? i * grain + grain : total; }
};
// Voxels per piece such that a piece touches about 32 K elements of c channels: big enough to hide the start of a
// piece, small enough to stay in L2 and to feed many threads.
inline int64_t voxel_grain(int64_t c) { return c >= 32768 ? 1 : (32768 + c - 1) / c; }

// Scratch memory of the context's pool for the length of a block.
class Workspace {
public:
  Workspace(vg_context *context, int64_t bytes);
  ~Workspace();
  Workspace(const Workspace &) = delete;
  Workspace &operator=(const Workspace &) = delete;
  template <class T> T *as() const { return static_cast<T *>(memory_); }

private:
  vg_context *context_;
  void *memory_;
};

} // namespace vg

// Devices, contexts, memory, error text, choice of the CPU tier.
#include "cuda_device.h"
#include "isa_tiles.h"
#include "pool.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sched.h>
#include <unistd.h>

namespace vg {

void fail(int32_t status, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  throw Failure{status, text};
}

void require_positive(const char *name, int64_t value) {
  VG_REQUIRE(value >= 1, "%s is %lld, must be at least 1", name, static_cast<long long>(value));
}

void require_tensor(const char *name, int64_t n, int64_t voxels, int64_t c, int64_t stride) {
  require_positive("n", n);
  require_positive("voxels", voxels);
  require_positive("channels", c);
  VG_REQUIRE(stride >= c, "voxel stride of %s is %lld, must be at least its %lld channels", name,
             static_cast<long long>(stride), static_cast<long long>(c));
  int64_t elements;
  VG_REQUIRE(!__builtin_mul_overflow(n, voxels, &elements) && !__builtin_mul_overflow(elements, stride, &elements) &&
                 elements < (int64_t{1} << 60),
             "%s is too large: %lld x %lld voxels with stride %lld", name, static_cast<long long>(n),
             static_cast<long long>(voxels), static_cast<long long>(stride));
}

void require_pointer(const char *name, const void *pointer) { VG_REQUIRE(pointer != nullptr, "%s is NULL", name); }

// ---- CPU --------------------------------------------------------------------------------------------------------

struct Tier {
  Isa isa;
  const char *key; // in VOXGRAD_MAX_ISA
  void (*facts)(IsaFacts &);
};
// From the floor to the best. Where a tier's instructions belong to the architecture there is no lower one.
static constexpr Tier tiers[] = {
#if defined(__aarch64__)
    {Isa::neon, "neon", neon::isa_facts},
#else
    {Isa::portable, "portable", portable::isa_facts},
#endif
#if defined(__x86_64__)
    {Isa::avx2, "avx2", avx2::isa_facts},
    {Isa::avx512, "avx512", avx512::isa_facts},
#endif
};

// The number of tiers that VOXGRAD_MAX_ISA allows.
static size_t allowed_tiers() {
  const char *cap = std::getenv("VOXGRAD_MAX_ISA");
  if (cap == nullptr || *cap == 0) return std::size(tiers);
  std::string keys;
  for (size_t i = 0; i < std::size(tiers); ++i) {
    if (std::strcmp(cap, tiers[i].key) == 0) return i + 1;
    keys += (i == 0 ? "" : i + 1 == std::size(tiers) ? " or " : ", ") + std::string(tiers[i].key);
  }
  fail(VG_INVALID_ARGUMENT, "VOXGRAD_MAX_ISA is \"%s\"; use %s, or unset it", cap, keys.c_str());
}

static void choose_isa(vg_context *context) {
  for (size_t i = allowed_tiers(); i-- > 0;) {
    IsaFacts facts;
    tiers[i].facts(facts);
    if (!facts.runs) continue;
    context->isa = tiers[i].isa;
    context->isa_name = facts.name;
    return;
  }
}

static int32_t usable_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<int32_t>(online) : 1;
}

static std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0) {
      const size_t colon = line.find(':');
      if (colon != std::string::npos && colon + 2 <= line.size()) return line.substr(colon + 2);
    }
  return "CPU";
}

static void copy_text(char *to, int64_t bytes, const std::string &text) {
  if (to == nullptr || bytes <= 0) return;
  const size_t n = text.size() < static_cast<size_t>(bytes) ? text.size() : static_cast<size_t>(bytes) - 1;
  std::memcpy(to, text.data(), n);
  to[n] = 0;
}

} // namespace vg

extern "C" {

int32_t vg_abi_version(void) { return VG_ABI_VERSION; }

const char *vg_version(void) {
#ifdef VG_WITH_CUDA
  return VG_VERSION_TEXT " cpu+cuda";
#else
  return VG_VERSION_TEXT " cpu";
#endif
}

int32_t vg_device_count(int32_t device_kind, int32_t *count, char *reason, int64_t reason_bytes) {
  if (count == nullptr) return VG_INVALID_ARGUMENT;
  *count = 0;
  vg::copy_text(reason, reason_bytes, "");
  if (device_kind == VG_DEVICE_CPU) {
    *count = 1;
    return VG_OK;
  }
  if (device_kind != VG_DEVICE_CUDA) {
    vg::copy_text(reason, reason_bytes, "unknown device kind");
    return VG_INVALID_ARGUMENT;
  }
  try {
    std::string text;
    *count = vg::cuda::device_count(text);
    vg::copy_text(reason, reason_bytes, text);
    return VG_OK;
  } catch (...) {
    return VG_OUT_OF_MEMORY;
  }
}

int32_t vg_context_create(const vg_context_options *options, vg_context **context, char *error, int64_t error_bytes) {
  vg::copy_text(error, error_bytes, "");
  if (context == nullptr) return VG_INVALID_ARGUMENT;
  *context = nullptr;
  vg_context *made = new (std::nothrow) vg_context;
  if (made == nullptr) {
    vg::copy_text(error, error_bytes, "vg_context_create: out of host memory");
    return VG_OUT_OF_MEMORY;
  }
  const int32_t status = vg::guard(made, "vg_context_create", [&] {
    vg::require_size(options);
    VG_REQUIRE(options->threads >= 0 && options->threads <= 1024, "threads is %d, must be 0 (all) to 1024",
               options->threads);
    VG_REQUIRE(options->memory_limit_bytes >= 0, "memory_limit_bytes is negative");
    VG_REQUIRE(options->measure == 0 || (options->measure == 1 && options->device_kind == VG_DEVICE_CPU),
               "measure is %d on device kind %d, must be 0, or 1 on the CPU", options->measure, options->device_kind);
    made->measure = options->measure != 0;
    made->device_kind = options->device_kind;
    made->device_index = options->device_index;
    made->threads = options->threads > 0 ? options->threads : vg::usable_processors();
    if (options->device_kind == VG_DEVICE_CPU) {
      VG_REQUIRE(options->device_index == 0, "the CPU has device_index 0 only, not %d", options->device_index);
      vg::choose_isa(made);
      made->device_name = vg::processor_name();
    } else if (options->device_kind == VG_DEVICE_CUDA) {
      vg::cuda::open(made);
    } else {
      vg::fail(VG_INVALID_ARGUMENT, "device_kind is %d, not a vg_device_kind", options->device_kind);
    }
    made->pool = new vg::Pool(made, options->memory_limit_bytes);
    made->workers = std::make_unique<vg::Threads>(made->measure ? 1 : made->threads);
  });
  if (status != VG_OK) {
    vg::copy_text(error, error_bytes, made->error);
    vg_context_destroy(made);
    return status;
  }
  *context = made;
  return VG_OK;
}

int32_t vg_context_destroy(vg_context *context) {
  if (context == nullptr) return VG_OK;
  delete context->pool;
  if (context->device_kind == VG_DEVICE_CUDA) vg::cuda::close(context);
  delete context;
  return VG_OK;
}

int32_t vg_context_synchronize(vg_context *context) {
  return vg::guard(context, "vg_context_synchronize", [&] {
    if (context->device_kind == VG_DEVICE_CUDA) vg::cuda::synchronize(context);
  });
}

int32_t vg_context_describe(vg_context *context, vg_context_info *info) {
  return vg::guard(context, "vg_context_describe", [&] {
    vg::require_size(info);
    info->device_kind = context->device_kind;
    info->device_index = context->device_index;
    info->threads = context->threads;
    info->compute_capability = context->compute_capability;
    info->pool_live_bytes = context->pool->live_bytes();
    info->pool_live_blocks = context->pool->live_blocks();
    info->pool_reserved_bytes = context->pool->reserved_bytes();
    info->pool_peak_bytes = context->pool->peak_bytes();
    info->arena_bytes = context->pool->arena_bytes();
    info->system_allocations = context->pool->system_allocations();
    info->device_name = context->device_name.c_str();
    info->isa = context->isa_name.c_str();
    info->driver = context->driver.c_str();
    if (context->device_kind == VG_DEVICE_CUDA) {
      vg::cuda::memory(context, info->memory_total_bytes, info->memory_free_bytes);
    } else {
      const int64_t page = sysconf(_SC_PAGESIZE);
      info->memory_total_bytes = page * sysconf(_SC_PHYS_PAGES);
      info->memory_free_bytes = page * sysconf(_SC_AVPHYS_PAGES);
    }
  });
}

const char *vg_last_error(vg_context *context) {
  return context == nullptr ? "context is NULL" : context->error.c_str();
}

int32_t vg_allocate(vg_context *context, int64_t bytes, void **memory) {
  return vg::guard(context, "vg_allocate", [&] {
    vg::require_pointer("memory", memory);
    *memory = nullptr;
    *memory = context->pool->allocate(bytes);
  });
}

int32_t vg_free(vg_context *context, void *memory) {
  return vg::guard(context, "vg_free", [&] { context->pool->release(memory); });
}

int32_t vg_pool_trim(vg_context *context) {
  return vg::guard(context, "vg_pool_trim", [&] { context->pool->trim(); });
}

int32_t vg_step_begin(vg_context *context, int64_t kind) {
  return vg::guard(context, "vg_step_begin", [&] { context->pool->step_begin(kind); });
}

int32_t vg_step_end(vg_context *context) {
  return vg::guard(context, "vg_step_end", [&] { context->pool->step_end(); });
}

static int32_t copy(vg_context *context, const char *function, void *destination, const void *source, int64_t bytes,
                    bool to_device) {
  return vg::guard(context, function, [&] {
    VG_REQUIRE(bytes >= 0, "bytes is %lld, must not be negative", static_cast<long long>(bytes));
    if (bytes == 0) return;
    vg::require_pointer("destination", destination);
    vg::require_pointer("source", source);
    if (context->device_kind == VG_DEVICE_CUDA)
      vg::cuda::copy(context, destination, source, bytes, to_device);
    else if (!context->measure)
      std::memcpy(destination, source, static_cast<size_t>(bytes));
    else if (!to_device)
      std::memset(destination, 0, static_cast<size_t>(bytes));
  });
}

int32_t vg_copy_from_host(vg_context *context, void *destination, const void *source, int64_t bytes) {
  return copy(context, "vg_copy_from_host", destination, source, bytes, true);
}

int32_t vg_copy_to_host(vg_context *context, void *destination, const void *source, int64_t bytes) {
  return copy(context, "vg_copy_to_host", destination, source, bytes, false);
}

} // extern "C"

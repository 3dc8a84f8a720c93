#include "pool.h"
#include "cuda_device.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace vg {

// Under the address sanitizer blocks that nobody owns are poisoned, as is the rest of a block behind the bytes that
// were asked for; a gap keeps neighbours in the arena apart.
#if defined(__SANITIZE_ADDRESS__)
static constexpr int64_t gap = 256;
static constexpr int64_t mapped = INT64_MAX; // the sanitizer watches the edges of what the C library allocates
static void poison(const void *memory, int64_t bytes) { ASAN_POISON_MEMORY_REGION(memory, bytes); }
static void unpoison(const void *memory, int64_t bytes) { ASAN_UNPOISON_MEMORY_REGION(memory, bytes); }
#else
static constexpr int64_t gap = 0;
// From here on memory is mapped by itself, so that giving it back really does so; the C library's heap may keep it.
static constexpr int64_t mapped = 256 << 10;
static void poison(const void *, int64_t) {}
static void unpoison(const void *, int64_t) {}
#endif

// Below, blocks stay out of the arena and are always kept: together they are a thousandth of a step.
static constexpr int64_t small = 16 << 10;
// From here on huge pages are asked for: fewer faults, fewer misses of the address translation.
static constexpr int64_t huge = 4 << 20;

static constexpr int64_t still_live = std::numeric_limits<int64_t>::max();

// Outside of steps: rounds up to 4 steps per power of two (at most 25 % waste), so that blocks of nearly equal size are
// shared. Within a step nothing is wasted.
static int64_t rounded(int64_t bytes, bool in_step) {
  constexpr int64_t smallest = 256;
  if (bytes <= smallest) return smallest;
  int64_t step = smallest;
  if (!in_step || bytes < small)
    while (step * 8 < bytes) step *= 2;
  return (bytes + step - 1) / step * step;
}

static bool is_mapped(const vg_context *context, int64_t bytes) { return bytes >= (context->measure ? small : mapped); }

static void *system_allocate(vg_context *context, int64_t bytes) {
  if (context->device_kind == VG_DEVICE_CUDA) return cuda::allocate(context, bytes);
  const size_t size = static_cast<size_t>(bytes);
  if (!is_mapped(context, bytes)) {
    void *memory = std::aligned_alloc(256, size);
    if (memory != nullptr && context->measure) std::memset(memory, 0, size);
    return memory;
  }
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | (context->measure ? MAP_NORESERVE : 0);
  void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  if (bytes >= huge && !context->measure) madvise(memory, size, MADV_HUGEPAGE);
  return memory;
}

static void system_free(vg_context *context, void *memory, int64_t bytes) {
  if (context->device_kind == VG_DEVICE_CUDA)
    cuda::release(context, memory);
  else if (is_mapped(context, bytes))
    munmap(memory, static_cast<size_t>(bytes));
  else
    std::free(memory);
}

void *Pool::try_reserve(int64_t bytes) {
  if (limit_ > 0 && reserved_ + bytes > limit_) return nullptr;
  void *memory = system_allocate(context_, bytes);
  if (memory == nullptr) return nullptr;
  reserved_ += bytes;
  ++system_allocations_;
  if (context_->device_kind == VG_DEVICE_CPU) poison(memory, bytes);
  return memory;
}

void *Pool::reserve(int64_t bytes) {
  void *memory = try_reserve(bytes);
  if (memory == nullptr) {
    trim();
    memory = try_reserve(bytes);
  }
  if (memory == nullptr && arena_ && context_->device_kind == VG_DEVICE_CPU) {
    hollow_arena();
    memory = try_reserve(bytes);
  }
  return memory;
}

void Pool::give_back(void *memory, int64_t bytes) {
  if (context_->device_kind == VG_DEVICE_CPU) unpoison(memory, bytes);
  system_free(context_, memory, bytes);
  reserved_ -= bytes;
}

void Pool::fail_for(int64_t bytes) {
  failed_ = true;
  if (limit_ > 0 && reserved_ + bytes > limit_)
    fail(VG_OUT_OF_MEMORY, "%lld bytes more would pass the memory limit of %lld bytes (%lld in use)",
         static_cast<long long>(bytes), static_cast<long long>(limit_), static_cast<long long>(live_bytes_));
  fail(VG_OUT_OF_MEMORY, "the device has no %lld bytes left (%lld in use by this context)",
       static_cast<long long>(bytes), static_cast<long long>(live_bytes_));
}

void *Pool::from_arena(int64_t bytes) {
  if (!arena_) return nullptr;
  const auto plan = plans_.find(kind_);
  if (plan == plans_.end()) return nullptr;
  const int64_t offset = plan->second.place(bytes + gap, cursor_);
  return offset >= 0 && arena_->take(offset, bytes + gap) ? arena_->memory() + offset : nullptr;
}

void *Pool::from_pool(int64_t bytes) {
  if (const auto kept = kept_.find(bytes); kept != kept_.end()) {
    void *memory = kept->second.back();
    kept->second.pop_back();
    if (kept->second.empty()) kept_.erase(kept);
    return memory;
  }
  void *memory = reserve(bytes);
  if (memory == nullptr) fail_for(bytes);
  return memory;
}

void Pool::keep_or_give_back(void *memory, int64_t bytes) {
  if (in_step_ && bytes >= small) {
    give_back(memory, bytes);
  } else {
    kept_[bytes].push_back(memory);
    if (context_->device_kind == VG_DEVICE_CPU) poison(memory, bytes);
  }
}

void *Pool::allocate(int64_t bytes) {
  VG_REQUIRE(bytes >= 0, "bytes is %lld, must not be negative", static_cast<long long>(bytes));
  if (bytes > (int64_t{1} << 60)) fail(VG_OUT_OF_MEMORY, "%lld bytes asked for", static_cast<long long>(bytes));
  const int64_t size = rounded(bytes, in_step_);
  Block block{size, -1, step_, nullptr};
  void *memory = nullptr;
  if (in_step_ && size >= small) {
    block.request = static_cast<int64_t>(record_.size());
    record_.push_back({size + gap, block.request, still_live});
    memory = from_arena(size);
    if (memory != nullptr) block.arena = arena_.get();
  }
  if (memory == nullptr) memory = from_pool(size);
  try {
    live_.emplace(memory, block);
  } catch (...) {
    block.arena != nullptr ? leave_arena(block.arena, memory) : give_back(memory, size);
    throw;
  }
  if (context_->device_kind == VG_DEVICE_CPU) unpoison(memory, bytes);
  live_bytes_ += size;
  peak_ = std::max(peak_, live_bytes_);
  return memory;
}

void Pool::release(void *memory) {
  if (memory == nullptr) return;
  const auto found = live_.find(memory);
  VG_REQUIRE(found != live_.end(), "this pointer is not live in this context (freed twice, or another context's)");
  const Block block = found->second;
  live_.erase(found);
  live_bytes_ -= block.bytes;
  if (in_step_ && block.step == step_ && block.request >= 0) {
    record_[static_cast<size_t>(block.request)].until = static_cast<int64_t>(record_.size());
    if (block.arena == nullptr) ++deviations_;
  }
  if (block.arena == nullptr) {
    keep_or_give_back(memory, block.bytes);
  } else {
    leave_arena(block.arena, memory);
  }
}

void Pool::step_begin(int64_t kind) {
  VG_REQUIRE(!in_step_, "a step is open already; end it first");
  if (plans_.contains(kind))
    make_arena();
  else
    drop_arena(); // a step to be recorded needs its memory in blocks
  in_step_ = true;
  kind_ = kind;
  ++step_;
  cursor_ = 0;
  deviations_ = 0;
  failed_ = false;
  record_.clear();
}

void Pool::step_end() {
  VG_REQUIRE(in_step_, "no step is open");
  in_step_ = false;
  if (deviations_ > 0 && !failed_) plan();
}

// Plans for the step that has just ended. What outlived it has no end yet and gets no place.
void Pool::plan() {
  std::erase_if(record_, [](const Request &request) { return request.until == still_live; });
  plans_[kind_] = StepPlan(std::exchange(record_, {}), arena_ ? arena_->bytes() : 0);
  for (auto kept = kept_.lower_bound(small); kept != kept_.end(); kept = kept_.erase(kept))
    for (void *memory : kept->second) give_back(memory, kept->first);
  make_arena();
}

// A block for the largest plan. Where there is no memory for it, requests are served one by one.
void Pool::make_arena() {
  int64_t needed = 0;
  for (const auto &[kind, plan] : plans_) needed = std::max(needed, plan.bytes());
  // A smaller one is worth the exchange when it saves a quarter.
  if (arena_ && needed <= arena_->bytes() && needed >= arena_->bytes() / 4 * 3) return;
  drop_arena();
  if (needed == 0) return;
  char *memory = static_cast<char *>(reserve(needed));
  if (memory == nullptr) return;
  arena_ = std::make_unique<Arena>(memory, needed);
}

void Pool::drop_arena() {
  if (arena_) retired_.push_back(std::move(arena_));
  drop_empty_arenas();
}

void Pool::drop_empty_arenas() {
  std::erase_if(retired_, [&](const std::unique_ptr<Arena> &arena) {
    if (!arena->empty()) return false;
    if (arena->hollow) reserved_ += arena->bytes(); // none of it is counted any more
    give_back(arena->memory(), arena->bytes());
    return true;
  });
}

// Gives whole pages of a range back; its addresses stay ours.
static void release_pages(void *memory, int64_t bytes) {
  constexpr uintptr_t page = 4096;
  const uintptr_t from = (reinterpret_cast<uintptr_t>(memory) + page - 1) / page * page;
  const uintptr_t until = (reinterpret_cast<uintptr_t>(memory) + static_cast<uintptr_t>(bytes)) / page * page;
  if (from < until) madvise(reinterpret_cast<void *>(from), until - from, MADV_DONTNEED);
}

// Under a limit a step that deviates may need what the arena holds for the record: the unused rest goes back, and
// nothing more is placed there.
void Pool::hollow_arena() {
  arena_->hollow = true;
  arena_->each_free([&](char *memory, int64_t bytes) {
    release_pages(memory, bytes);
    reserved_ -= bytes;
  });
  retired_.push_back(std::move(arena_));
  drop_empty_arenas();
}

void Pool::leave_arena(Arena *arena, void *memory) {
  const int64_t bytes = arena->give_back(memory);
  if (context_->device_kind == VG_DEVICE_CPU) poison(memory, bytes);
  if (arena->hollow) {
    release_pages(memory, bytes);
    reserved_ -= bytes;
  }
  if (arena != arena_.get()) drop_empty_arenas();
}

void Pool::trim() {
  for (auto &[size, blocks] : kept_)
    for (void *memory : blocks) give_back(memory, size);
  kept_.clear();
  if (arena_ && arena_->empty()) drop_arena();
}

Pool::~Pool() {
  in_step_ = false;
  for (auto &[memory, block] : live_)
    if (block.arena == nullptr)
      give_back(memory, block.bytes);
    else
      leave_arena(block.arena, memory);
  trim();
}

Workspace::Workspace(vg_context *context, int64_t bytes) : context_(context), memory_(context->pool->allocate(bytes)) {}
Workspace::~Workspace() { context_->pool->release(memory_); }

} // namespace vg

// Memory of one context: blocks aligned to 256 bytes. Small ones, and those outside of steps, are kept by size for
// reuse. Large ones within a step come from an arena, planned from the record of an earlier step of the same kind;
// what deviates from the record comes from the system and goes back there.
#pragma once

#include "arena.h"
#include "internal.h"

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

namespace vg {

class Pool {
public:
  Pool(vg_context *context, int64_t limit_bytes) : context_(context), limit_(limit_bytes) {}
  ~Pool();
  void *allocate(int64_t bytes);
  void release(void *memory);
  void trim();
  void step_begin(int64_t kind);
  void step_end();

  int64_t live_bytes() const { return live_bytes_; }
  int64_t live_blocks() const { return static_cast<int64_t>(live_.size()); }
  int64_t reserved_bytes() const { return reserved_; }
  int64_t peak_bytes() const { return peak_; }
  int64_t arena_bytes() const { return arena_ ? arena_->bytes() : 0; }
  int64_t system_allocations() const { return system_allocations_; }

private:
  struct Block {
    int64_t bytes;
    int64_t request; // its number in the record of the step that made it, or -1
    int64_t step;    // that step
    Arena *arena;    // nullptr: a block of its own
  };

  // nullptr when the limit or the system does not allow it, even after everything that is not in use went back.
  void *reserve(int64_t bytes);
  void *try_reserve(int64_t bytes);
  void give_back(void *memory, int64_t bytes);
  [[noreturn]] void fail_for(int64_t bytes);
  void *from_arena(int64_t bytes);
  void *from_pool(int64_t bytes);
  void keep_or_give_back(void *memory, int64_t bytes);
  void plan();
  void make_arena();
  void drop_arena();
  void hollow_arena();
  void drop_empty_arenas();
  void leave_arena(Arena *arena, void *memory);

  vg_context *context_;
  int64_t limit_;
  int64_t live_bytes_ = 0, reserved_ = 0, peak_ = 0, system_allocations_ = 0;
  std::unordered_map<void *, Block> live_;
  std::map<int64_t, std::vector<void *>> kept_; // by rounded size

  std::unique_ptr<Arena> arena_;
  std::vector<std::unique_ptr<Arena>> retired_; // replaced while some of it was in use
  std::map<int64_t, StepPlan> plans_;           // by kind of step

  bool in_step_ = false;
  int64_t kind_ = 0, step_ = 0;
  size_t cursor_ = 0;      // in the plan of this kind
  int64_t deviations_ = 0; // requests of this step that ended in it and had no place in the arena
  bool failed_ = false;    // a request of this step was refused: its record says nothing about others
  std::vector<Request> record_;
};

} // namespace vg

// Memory of one context: blocks aligned to 256 bytes, kept by size for reuse so that a training step stops asking
// the system after the first one.
#pragma once

#include "internal.h"

#include <map>
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

  int64_t live_bytes() const { return live_bytes_; }
  int64_t live_blocks() const { return static_cast<int64_t>(live_.size()); }
  int64_t reserved_bytes() const { return reserved_; }
  int64_t peak_bytes() const { return peak_; }

private:
  void *system_allocate(int64_t bytes);
  void system_free(void *memory);

  vg_context *context_;
  int64_t limit_;
  int64_t live_bytes_ = 0, reserved_ = 0, peak_ = 0;
  std::unordered_map<void *, int64_t> live_;
  std::map<int64_t, std::vector<void *>> kept_; // by rounded size
};

} // namespace vg

// Scratch of the work items that run at the same time; which one an item gets does not matter.
#pragma once

#include "internal.h"

#include <algorithm>
#include <mutex>
#include <vector>

namespace vg {

class Slots {
public:
  Slots(vg_context *context, int64_t items, int64_t bytes)
      : bytes_((bytes + 255) / 256 * 256), count_(std::min<int64_t>(context->threads, items)),
        memory_(context, bytes_ * count_) {
    for (int64_t i = 0; i < count_; ++i) free_.push_back(memory_.as<char>() + i * bytes_);
  }
  class Lease {
  public:
    explicit Lease(Slots &slots) : slots_(slots) {
      std::lock_guard<std::mutex> lock(slots_.mutex_);
      memory = slots_.free_.back();
      slots_.free_.pop_back();
    }
    ~Lease() {
      std::lock_guard<std::mutex> lock(slots_.mutex_);
      slots_.free_.push_back(memory); // never allocates: the vector was this long before
    }
    Lease(const Lease &) = delete;
    Lease &operator=(const Lease &) = delete;
    char *memory;

  private:
    Slots &slots_;
  };

private:
  int64_t bytes_, count_;
  Workspace memory_;
  std::vector<char *> free_;
  std::mutex mutex_;
};

} // namespace vg

// One block of memory for all that a step asks for. The requests of a step and their lifetimes are recorded; requests
// that are never live together share addresses in later steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace vg {

// One request of a step. Time is counted in requests: it lives while requests from..until-1 are made.
struct Request {
  int64_t bytes; // rounded as the pool rounds
  int64_t from, until;
  int64_t offset = 0; // its place, once planned
};

// The requests of a step that ended within it, in order, with places. Lifetimes that overlap never share an address.
class StepPlan {
public:
  StepPlan() = default;
  // Greedy by size: the largest request first, each at the lowest offset that is free during its life. Where that takes
  // notably more than what is live at once, other orders follow, each with the request first that stood highest in the
  // last one, and the best is kept. A plan that fits into `room` bytes is good enough.
  StepPlan(std::vector<Request> requests, int64_t room);

  int64_t bytes() const { return bytes_; }
  // Offset for the next request of a step, or -1 when the step deviates from the record. `cursor` counts the requests
  // met so far, from 0. A step may leave requests out: the next few are searched for one of this size.
  int64_t place(int64_t bytes, std::size_t &cursor) const;

private:
  std::vector<Request> requests_;
  int64_t bytes_ = 0;
};

// The block itself: which ranges of it are in use. A step that deviates may keep a range longer than recorded, so each
// use is checked.
class Arena {
public:
  Arena(char *memory, int64_t bytes) : memory_(memory), bytes_(bytes) {}
  char *memory() const { return memory_; }
  int64_t bytes() const { return bytes_; }
  bool empty() const { return used_.empty(); }
  // Whether what is not in use went back to the system, and goes there from now on.
  bool hollow = false;
  // False when some of the range is in use or outside.
  bool take(int64_t offset, int64_t bytes);
  // The bytes of the range that began there.
  int64_t give_back(const void *pointer);
  // Calls body(memory, bytes) for every range that is not in use.
  template <class Body> void each_free(Body &&body) const {
    int64_t offset = 0;
    for (const auto &[from, until] : used_) {
      if (from > offset) body(memory_ + offset, from - offset);
      offset = until;
    }
    if (bytes_ > offset) body(memory_ + offset, bytes_ - offset);
  }

private:
  char *memory_;
  int64_t bytes_;
  std::map<int64_t, int64_t> used_; // from, until
};

} // namespace vg

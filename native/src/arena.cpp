// Places for the requests of a step: dynamic storage allocation by first fit in the order of decreasing size, the
// "greedy by size" of Pisarchyk and Lee (2020). Quadratic in the number of requests of a step, a few hundred, and done
// once per record.
#include "arena.h"

#include <algorithm>
#include <numeric>

namespace vg {

// Requests that a step may leave out before its next one counts as a deviation.
static constexpr size_t look_ahead = 16;

StepPlan::StepPlan(std::vector<Request> requests) : requests_(std::move(requests)) {
  std::vector<size_t> order(requests_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return requests_[a].bytes > requests_[b].bytes; });
  std::vector<const Request *> placed; // by offset
  placed.reserve(order.size());
  for (const size_t i : order) {
    Request &request = requests_[i];
    int64_t offset = 0;
    for (const Request *other : placed) {
      if (other->from >= request.until || request.from >= other->until) continue;
      if (other->offset >= offset + request.bytes) break;
      offset = std::max(offset, other->offset + other->bytes);
    }
    request.offset = offset;
    bytes_ = std::max(bytes_, offset + request.bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), &request,
                                   [](const Request *a, const Request *b) { return a->offset < b->offset; }),
                  &request);
  }
}

int64_t StepPlan::place(int64_t bytes, size_t &cursor) const {
  const size_t end = std::min(requests_.size(), cursor + look_ahead);
  for (size_t i = cursor; i < end; ++i)
    if (requests_[i].bytes == bytes) {
      cursor = i + 1;
      return requests_[i].offset;
    }
  return -1;
}

bool Arena::take(int64_t offset, int64_t bytes) {
  if (offset + bytes > bytes_) return false;
  const auto next = used_.lower_bound(offset);
  if (next != used_.end() && next->first < offset + bytes) return false;
  if (next != used_.begin() && std::prev(next)->second > offset) return false;
  used_.emplace_hint(next, offset, offset + bytes);
  return true;
}

int64_t Arena::give_back(const void *pointer) {
  const auto range = used_.find(static_cast<const char *>(pointer) - memory_);
  const int64_t bytes = range->second - range->first;
  used_.erase(range);
  return bytes;
}

} // namespace vg

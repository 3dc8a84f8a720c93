// Places for the requests of a step: dynamic storage allocation by first fit in the order of decreasing size, the
// "greedy by size" of Pisarchyk and Lee (2020), then in other orders where that leaves holes. An order costs the square
// of the number of requests of a step, a few hundred: tenths of a millisecond.
#include "arena.h"

#include <algorithm>
#include <numeric>

namespace vg {

// Requests that a step may leave out before its next one counts as a deviation.
static constexpr size_t look_ahead = 16;

// Orders that are tried after the first one, while the plan is larger than the bound below by a hundredth. A plain
// U-Net of four stages needs 20.
static constexpr int rounds = 64;

static bool together(const Request &a, const Request &b) { return a.from < b.until && b.from < a.until; }

// The most bytes that live at one time: no plan has less.
static int64_t most_live(const std::vector<Request> &requests) {
  int64_t most = 0;
  for (const Request &now : requests) {
    int64_t live = 0;
    for (const Request &other : requests)
      if (other.from <= now.from && now.from < other.until) live += other.bytes;
    most = std::max(most, live);
  }
  return most;
}

// First fit: each request at the lowest offset that is free during its life. Returns the bytes of the block.
static int64_t place_in_order(std::vector<Request> &requests, const std::vector<size_t> &order) {
  int64_t bytes = 0;
  std::vector<const Request *> placed; // by offset
  placed.reserve(order.size());
  for (const size_t i : order) {
    Request &request = requests[i];
    request.offset = 0;
    for (const Request *other : placed) {
      if (!together(*other, request)) continue;
      if (other->offset >= request.offset + request.bytes) break;
      request.offset = std::max(request.offset, other->offset + other->bytes);
    }
    bytes = std::max(bytes, request.offset + request.bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), &request,
                                   [](const Request *a, const Request *b) { return a->offset < b->offset; }),
                  &request);
  }
  return bytes;
}

StepPlan::StepPlan(std::vector<Request> requests, int64_t room) : requests_(std::move(requests)) {
  std::vector<size_t> order(requests_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return requests_[a].bytes > requests_[b].bytes; });
  bytes_ = place_in_order(requests_, order);
  const int64_t least = most_live(requests_), enough = std::max(room, least + least / 100);
  std::vector<Request> trial = requests_;
  for (int round = 0; round < rounds && bytes_ > enough; ++round) {
    // What ended at the top found its better places taken: the next time it chooses first.
    const auto top = std::max_element(order.begin(), order.end(), [&](size_t a, size_t b) {
      return trial[a].offset + trial[a].bytes < trial[b].offset + trial[b].bytes;
    });
    std::rotate(order.begin(), top, top + 1);
    const int64_t bytes = place_in_order(trial, order);
    if (bytes < bytes_) {
      bytes_ = bytes;
      requests_ = trial;
    }
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

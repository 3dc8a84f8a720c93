#include "threads.h"

#include <algorithm>

namespace vg {

// Polls of a worker before it sleeps, about 20 microseconds: the gap between two ops of a step is often shorter than
// the time to wake a sleeping thread.
static constexpr int polls = 1000;

static thread_local bool inside_piece = false;
static thread_local int32_t index_of_thread = 0;

int32_t thread_index() { return index_of_thread; }

static inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

void Threads::claim_pieces() {
  inside_piece = true;
  for (int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < pieces_;) piece_(data_, i);
  inside_piece = false;
}

void Threads::work(int32_t index) {
  index_of_thread = index;
  uint64_t seen = 0;
  while (true) {
    for (int i = 0; i < polls && job_.load(std::memory_order_acquire) == seen; ++i) relax();
    std::unique_lock lock(mutex_);
    ++sleeping_;
    wake_.wait(lock, [&] { return stop_ || job_.load(std::memory_order_relaxed) != seen; });
    --sleeping_;
    if (stop_) return;
    seen = job_.load(std::memory_order_relaxed);
    if (!open_) continue; // too late: the others have done it
    ++active_;
    lock.unlock();
    claim_pieces();
    lock.lock();
    if (--active_ == 0) done_.notify_one();
  }
}

void Threads::run(int64_t pieces, void (*piece)(void *, int64_t), void *data) {
  if (pieces <= 0) return;
  if (count_ <= 1 || pieces == 1 || inside_piece) {
    for (int64_t i = 0; i < pieces; ++i) piece(data, i);
    return;
  }
  for (auto index = static_cast<int32_t>(workers_.size()) + 1; index < count_; ++index)
    workers_.emplace_back([this, index] { work(index); });
  bool wake;
  {
    std::lock_guard lock(mutex_);
    pieces_ = pieces;
    piece_ = piece;
    data_ = data;
    next_.store(0, std::memory_order_relaxed);
    open_ = true;
    job_.fetch_add(1, std::memory_order_release);
    wake = sleeping_ > 0;
  }
  if (wake) wake_.notify_all();
  claim_pieces();
  std::unique_lock lock(mutex_);
  open_ = false;
  done_.wait(lock, [&] { return active_ == 0; });
}

Threads::~Threads() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (auto &worker : workers_) worker.join();
}

} // namespace vg

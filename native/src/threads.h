// The threads of one context. The calling thread works too, and pieces are claimed one by one, so a worker that the
// system has put aside delays nobody: whoever runs takes the next piece. Workers sleep while there is nothing to do.
//
// Why not OpenMP: docs/adr/0009.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace vg {

// Number of the thread that runs this piece: 0 for the caller, 1 to count-1 for the workers. For scratch memory only.
int32_t thread_index();

class Threads {
public:
  // `count` threads with the caller; the others start with the first job.
  explicit Threads(int32_t count) : count_(count) {}
  ~Threads();
  Threads(const Threads &) = delete;
  Threads &operator=(const Threads &) = delete;

  // Runs piece(data, i) for i = 0..pieces-1 and returns when all are done. A piece must not throw. A call from inside a
  // piece runs its pieces on the calling thread.
  void run(int64_t pieces, void (*piece)(void *, int64_t), void *data);

private:
  void work(int32_t index);
  void claim_pieces();

  const int32_t count_;
  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::atomic<uint64_t> job_{0}; // number of the newest job
  bool open_ = false, stop_ = false;
  int32_t active_ = 0;   // workers inside the open job
  int32_t sleeping_ = 0; // workers waiting for `wake_`
  std::atomic<int64_t> next_{0};
  int64_t pieces_ = 0;
  void (*piece_)(void *, int64_t) = nullptr;
  void *data_ = nullptr;
};

} // namespace vg

#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace sonospike {

/// A fixed set of threads that share out numbered tasks. The caller works too; idle threads sleep.
class ThreadPool {
 public:
  /// `threads` in all, the caller of `run` included; at least 1.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls `task(index, worker)` once for every index in [0, tasks), worker in [0, size()), and returns when
  /// all are done. Tasks are handed out in order. The first exception is thrown again here, after all have
  /// stopped. Not reentrant: one `run` at a time.
  void run(int tasks, const std::function<void(int index, int worker)>& task);

 private:
  void work(int worker);
  void drain(int worker);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  const std::function<void(int, int)>* task_ = nullptr;
  int tasks_ = 0, busy_ = 0;
  uint64_t round_ = 0;
  std::atomic<int> next_{0};
  std::exception_ptr failure_;
  bool stop_ = false;
};

/// Cores that this process may use; at least 1.
int hardware_threads();

}  // namespace sonospike

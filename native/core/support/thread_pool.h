#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
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
  template <typename Task>
  void run(int tasks, const Task& task) {
    run(tasks, &task,
        [](const void* t, int index, int worker) { (*static_cast<const Task*>(t))(index, worker); });
  }

 private:
  using Call = void (*)(const void* task, int index, int worker);

  void run(int tasks, const void* task, Call call);
  void work(int worker);
  void drain(int worker);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  const void* task_ = nullptr;
  Call call_ = nullptr;
  int tasks_ = 0, busy_ = 0;
  uint64_t round_ = 0;
  std::atomic<int> next_{0};
  std::exception_ptr failure_;
  bool stop_ = false;
};

/// Cores that this process may use; at least 1.
int hardware_threads();

}  // namespace sonospike

#pragma once

#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <utility>

namespace sonospike {

/// A mutex that can also be waited for by a callback, without a blocked thread. It is fair: who asked first
/// gets it first.
class AsyncMutex {
 public:
  bool try_lock() {
    std::lock_guard guard(mutex_);
    return !std::exchange(taken_, true);
  }

  /// Waits on the calling thread.
  void lock() {
    const auto mine = std::make_shared<std::promise<void>>();
    auto ready = mine->get_future();
    if (!lock_or_call([mine] { mine->set_value(); })) ready.wait();
  }

  /// True: it is the caller's turn now. False: `go` is called when it is, on the thread of who had it before.
  bool lock_or_call(std::function<void()> go) {
    std::lock_guard guard(mutex_);
    if (!std::exchange(taken_, true)) return true;
    waiting_.push_back(std::move(go));
    return false;
  }

  /// Gives the turn to the one who has waited longest.
  void unlock() {
    std::function<void()> next;
    {
      std::lock_guard guard(mutex_);
      if (waiting_.empty()) {
        taken_ = false;
        return;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    next();
  }

 private:
  std::mutex mutex_;
  bool taken_ = false;
  std::deque<std::function<void()>> waiting_;
};

}  // namespace sonospike

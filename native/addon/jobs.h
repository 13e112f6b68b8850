#pragma once

#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

namespace sonospike {

using AbortFlag = std::shared_ptr<std::atomic<bool>>;

/// Runs work off Node's threads (its own, not libuv's pool) and settles promises on the environment's thread. One
/// of these belongs to each environment (main thread or worker); when the environment goes, running work is told to
/// abort and waited for.
class JobRunner {
 public:
  explicit JobRunner(Napi::Env env);
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  static JobRunner& of(Napi::Env env) { return *env.GetInstanceData<JobRunner>(); }

  struct Work {
    std::function<void()> execute;                     ///< on another thread; must not touch JavaScript
    std::function<Napi::Value(Napi::Env)> finish;      ///< on the environment's thread, after success
    AbortFlag abort;                                   ///< set when the environment goes; may be null
  };
  /// Short work, one after the other in the order of the calls.
  Napi::Promise enqueue(Work work) { return start(std::move(work), true); }
  /// Long work, on a thread of its own.
  Napi::Promise detach(Work work) { return start(std::move(work), false); }

 private:
  struct Job {
    Work work;
    Napi::Promise::Deferred deferred;
    std::exception_ptr failure;
    std::thread thread;
    std::list<std::unique_ptr<Job>>::iterator self;
  };

  Napi::Promise start(Work work, bool queued);
  void execute(Job* job);
  void serve_queue();
  void settle(Napi::Env env, Job* job);
  void shut_down();
  static void on_done(napi_env env, napi_value, void* context, void* data);

  napi_env env_;
  napi_threadsafe_function done_ = nullptr;
  std::list<std::unique_ptr<Job>> jobs_;  // touched on the environment's thread only
  std::thread queue_thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job*> queue_;
  bool stop_ = false;
};

/// The JavaScript error for a C++ exception, with its `code`.
Napi::Error to_js_error(Napi::Env env, std::exception_ptr failure);
/// An error with a `code`, to be thrown.
Napi::Error coded_error(Napi::Env env, const char* code, const std::string& message);

}  // namespace sonospike

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
#include <stdexcept>
#include <string>
#include <thread>

#include "addon/async_mutex.h"

namespace sonospike {

class ObjectList;

using AbortFlag = std::shared_ptr<std::atomic<bool>>;

/// Runs work off Node's threads (its own, not libuv's pool) and settles promises on the environment's thread.
/// One of these belongs to each environment (main thread or worker); when the environment goes, running work
/// is told to abort and waited for.
class JobRunner {
 public:
  explicit JobRunner(Napi::Env env);
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  static JobRunner& of(Napi::Env env) { return *env.GetInstanceData<JobRunner>(); }

  /// The native objects of the environment.
  const std::shared_ptr<ObjectList>& objects() const { return objects_; }

  struct Work {
    std::function<void()> execute;                 ///< on another thread; must not touch JavaScript
    std::function<Napi::Value(Napi::Env)> finish;  ///< on the environment's thread, after success
    AbortFlag abort;                               ///< set when the environment goes; may be null
    /// What queued work has to itself while it executes. Work that waits for its turn does not hold up what
    /// is queued behind it. It must live as long as `execute`; may be null.
    AsyncMutex* turns = nullptr;
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
    bool has_turn = false;
  };

  Napi::Promise start(Work work, bool queued);
  void execute(Job* job);
  void serve_queue();
  bool take_turn(Job* job);
  void resolve(Napi::Env env, Job* job);
  void shut_down();

  static void on_done(napi_env env, napi_value, void* context, void* data);

  napi_env env_;
  void* number_;  // what callbacks of the runtime are given in place of a pointer
  std::shared_ptr<ObjectList> objects_;
  napi_threadsafe_function done_ = nullptr;
  std::list<std::unique_ptr<Job>> jobs_;  // touched on the environment's thread only
  std::thread queue_thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job*> queue_;
  bool stop_ = false;  // no more work is begun
  bool end_ = false;   // nor will any be queued
};

/// A failure with the `code` that JavaScript shall see.
struct CodedFailure : std::runtime_error {
  CodedFailure(const char* code, const char* message) : std::runtime_error(message), code(code) {}
  const char* code;
};

/// Keeps other calls out by a flag for as long as the result lives: captured by a job's `execute`, until its
/// promise is settled. Throws ERR_BUSY where another call has the flag.
std::shared_ptr<void> claim(Napi::Env env, std::shared_ptr<std::atomic<bool>> busy, const char* message);

/// The JavaScript error for a C++ exception, with its `code`.
Napi::Error to_js_error(Napi::Env env, std::exception_ptr failure);
/// An error with a `code`, to be thrown.
Napi::Error coded_error(Napi::Env env, const char* code, const std::string& message);

}  // namespace sonospike

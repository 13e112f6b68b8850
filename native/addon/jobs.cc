#include "addon/jobs.h"

#include <map>
#include <new>

#include "addon/native_object.h"
#include "core/support/denormals.h"
#include "cuda/cuda_backend.h"

namespace sonospike {

namespace {

/// The runners that have not shut down, by number. Runtimes differ in how long they make callbacks: Bun makes
/// them after the cleanup hook, with an environment that looks whole, and Node after the finalizer. A number
/// cannot dangle.
class RunningRunners {
 public:
  void* new_number() { return reinterpret_cast<void*>(next_.fetch_add(1)); }
  void add(void* number, JobRunner* runner) {
    std::lock_guard lock(mutex_);
    runners_.emplace(number, runner);
  }
  void remove(void* number) {
    std::lock_guard lock(mutex_);
    runners_.erase(number);
  }
  /// Null where it has shut down. Called on the thread of the runner's environment, where it also shuts down.
  JobRunner* find(void* number) {
    std::lock_guard lock(mutex_);
    const auto found = runners_.find(number);
    return found == runners_.end() ? nullptr : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<void*, JobRunner*> runners_;
  std::atomic<uintptr_t> next_{1};
};

RunningRunners& running_runners() {
  static auto& instance = *new RunningRunners;  // lives until the process ends, as its threads may
  return instance;
}

}  // namespace

JobRunner::JobRunner(Napi::Env env)
    : env_(env), number_(running_runners().new_number()), objects_(std::make_shared<ObjectList>()) {
  const napi_value name = Napi::String::New(env, "sonospike");
  const napi_status made = napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr,
                                                           nullptr, number_, on_done, &done_);
  if (made != napi_ok) throw Napi::Error::New(env, "no thread-safe function");
  napi_unref_threadsafe_function(env, done_);
  // Hooks run last in, first out: this one comes before that of the thread-safe function, which is still
  // whole then.
  running_runners().add(number_, this);
  napi_add_env_cleanup_hook(
      env,
      [](void* number) {
        if (JobRunner* runner = running_runners().find(number)) runner->shut_down();
      },
      number_);
}

JobRunner::~JobRunner() {
  shut_down();
}

void JobRunner::shut_down() {
  running_runners().remove(number_);
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    for (auto& job : jobs_) {
      if (job->work.abort) job->work.abort->store(true);
    }
  }
  for (auto& job : jobs_) {
    if (job->thread.joinable()) job->thread.join();
  }
  {
    std::lock_guard lock(mutex_);
    end_ = true;
  }
  wake_.notify_all();
  if (queue_thread_.joinable()) queue_thread_.join();
  jobs_.clear();
}

Napi::Promise JobRunner::start(Work work, bool queued) {
  const Napi::Env env(env_);
  const auto deferred = Napi::Promise::Deferred::New(env);
  jobs_.push_front(std::unique_ptr<Job>(new Job{std::move(work), deferred, nullptr, {}, {}}));
  Job* job = jobs_.front().get();
  job->self = jobs_.begin();
  if (jobs_.size() == 1) napi_ref_threadsafe_function(env, done_);
  try {
    if (!queued) {
      job->thread = std::thread([this, job] { execute(job); });
    } else {
      if (!queue_thread_.joinable()) queue_thread_ = std::thread([this] { serve_queue(); });
      std::lock_guard lock(mutex_);
      queue_.push_back(job);
    }
  } catch (...) {
    job->failure = std::current_exception();
    resolve(env, job);
    return deferred.Promise();
  }
  wake_.notify_one();
  return deferred.Promise();
}

void JobRunner::serve_queue() {
  for (;;) {
    Job* job;
    bool stop;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return end_ || !queue_.empty(); });
      if (queue_.empty()) return;
      job = queue_.front();
      queue_.pop_front();
      stop = stop_;
    }
    if (!stop) {
      if (take_turn(job)) execute(job);
    } else if (job->has_turn) {
      // Work on a thread of its own may be waiting behind this job, and is waited for.
      job->work.turns->unlock();
    }
  }
}

/// Whether the job can go on now; otherwise it comes back to the queue once it can.
bool JobRunner::take_turn(Job* job) {
  AsyncMutex* turns = job->work.turns;
  if (!turns || job->has_turn) return true;
  const bool now = turns->lock_or_call([this, job] {
    {
      std::lock_guard lock(mutex_);
      job->has_turn = true;
      queue_.push_back(job);
    }
    wake_.notify_one();
  });
  // Where it has to wait, the job is no longer this thread's.
  if (now) job->has_turn = true;
  return now;
}

void JobRunner::execute(Job* job) {
  try {
    FlushDenormals flush;
    job->work.execute();
  } catch (...) {
    job->failure = std::current_exception();
  }
  if (job->has_turn) job->work.turns->unlock();
  napi_call_threadsafe_function(done_, job, napi_tsfn_blocking);
}

void JobRunner::on_done(napi_env env, napi_value, void* context, void* data) {
  // Without an environment, or a runner, everything is being torn down, and the job is gone.
  JobRunner* runner = running_runners().find(context);
  if (env && runner) runner->resolve(Napi::Env(env), static_cast<Job*>(data));
}

void JobRunner::resolve(Napi::Env env, Job* job) {
  if (job->thread.joinable()) job->thread.join();
  const std::unique_ptr<Job> owned = std::move(*job->self);
  jobs_.erase(job->self);
  if (jobs_.empty()) napi_unref_threadsafe_function(env, done_);
  Napi::HandleScope scope(env);
  try {
    if (job->failure) std::rethrow_exception(job->failure);
    job->deferred.Resolve(job->work.finish(env));
  } catch (...) {
    try {
      job->deferred.Reject(to_js_error(env, std::current_exception()).Value());
    } catch (...) {
      // A worker that is being terminated takes no more calls, and nobody is left to be told.
    }
  }
}

std::shared_ptr<void> claim(Napi::Env env, std::shared_ptr<std::atomic<bool>> busy, const char* message) {
  if (busy->exchange(true)) throw coded_error(env, "ERR_BUSY", message);
  std::atomic<bool>* flag = busy.get();
  return std::shared_ptr<void>(flag, [busy = std::move(busy)](void*) { busy->store(false); });
}

Napi::Error coded_error(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Value().Set("code", Napi::String::New(env, code));
  return error;
}

namespace {

const char* code_of(DeviceError::Kind kind) {
  switch (kind) {
    case DeviceError::Kind::kNoDevice:
      return "ERR_DEVICE_MISSING";
    case DeviceError::Kind::kUnsupported:
      return "ERR_DEVICE_UNSUPPORTED";
    case DeviceError::Kind::kOutOfMemory:
      return "ERR_DEVICE_MEMORY";
    case DeviceError::Kind::kLost:
      break;
  }
  return "ERR_DEVICE_LOST";
}

}  // namespace

Napi::Error to_js_error(Napi::Env env, std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Napi::Error& error) {
    return error;
  } catch (const CodedFailure& failed) {
    return coded_error(env, failed.code, failed.what());
  } catch (const DeviceError& failed) {
    return coded_error(env, code_of(failed.kind()), failed.what());
  } catch (const std::bad_alloc&) {
    return coded_error(env, "ERR_OUT_OF_MEMORY",
                       "Not enough memory. Use a smaller batch, a smaller network or shorter clips.");
  } catch (const std::exception& error) {
    return coded_error(env, "ERR_INTERNAL", error.what());
  } catch (...) {
    return coded_error(env, "ERR_INTERNAL", "Unknown failure in the native core.");
  }
}

}  // namespace sonospike

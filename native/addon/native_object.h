#pragma once

#include <napi.h>

#include <atomic>
#include <memory>
#include <string>
#include <unordered_set>

#include "addon/jobs.h"

namespace sonospike {

/// Native memory of one object, as the garbage collector is told of it. Otherwise thousands of dropped
/// objects would wait for a collection that their few bytes of JavaScript never bring about.
class HeldMemory {
 public:
  static constexpr int64_t kThreadBytes = 1 << 20;  ///< a thread counts as this much

  /// These two may be called on any thread; the engine learns of it by `tell`.
  void set(int64_t bytes) { held_.store(bytes); }
  void add(int64_t bytes) { held_.fetch_add(bytes); }

  /// On the environment's thread.
  void tell(Napi::Env env) {
    const int64_t held = forgotten_ ? 0 : held_.load();
    if (held == told_) return;
    Napi::MemoryManagement::AdjustExternalMemory(env, held - told_);
    told_ = held;
  }
  /// The JavaScript object no longer holds this memory. A job that still works with it will free it.
  void forget(Napi::Env env) {
    forgotten_ = true;
    tell(env);
  }

 private:
  std::atomic<int64_t> held_{0};
  int64_t told_ = 0;
  bool forgotten_ = false;
};

/// The native side of a JavaScript object, as its environment keeps it in a list.
class NativeObject {
 public:
  virtual ~NativeObject() = default;
  /// Whether the object still has its memory.
  virtual bool open() const = 0;
  /// Whether the JavaScript object was collected.
  virtual bool collected() const = 0;
  /// Whether the object works with `core`, the core of another object.
  virtual bool depends_on(const void* core) const = 0;
  /// Gives up the memory. Jobs that were started before hold it until they are done.
  virtual void release(Napi::Env env) = 0;
};

/// The native objects of one environment. Node runs finalizers only between turns of the event loop, so a
/// loop that makes objects without a pause would keep all of them: each new object first releases those that
/// the collector has found dead.
class ObjectList {
 public:
  void add(NativeObject* object) { objects_.insert(object); }
  void remove(NativeObject* object) { objects_.erase(object); }

  void release_abandoned(Napi::Env env);
  void release_dependents(Napi::Env env, const void* core);

 private:
  std::unordered_set<NativeObject*> objects_;
  size_t next_search_ = 0;  // how many objects there must be to search them again
};

/// A class for JavaScript whose state is a `Core`, shared with the jobs that work on it. `close()` and the
/// collector drop it; later calls throw ERR_CLOSED. A core has a `HeldMemory memory`. T::kName is what
/// messages call the object.
template <typename T, typename Core>
class WrappedObject : public Napi::ObjectWrap<T>, public NativeObject {
 public:
  /// What a method is made from. It is given the core because JavaScript that runs during the call (a getter)
  /// may close the object.
  using Method = Napi::Value (*)(const Napi::CallbackInfo&, const std::shared_ptr<Core>&);

  void Finalize(Napi::Env env) override { release(env); }
  bool open() const override { return core_ != nullptr; }
  bool collected() const override { return this->Value().IsEmpty(); }
  bool depends_on(const void* core) const override {
    if (!core_) return false;
    if constexpr (requires { core_->store; }) {
      if (core_->store.get() == core) return true;
    }
    if constexpr (requires { core_->model; }) return core_->model.get() == core;
    return false;
  }
  void release(Napi::Env env) override {
    const std::shared_ptr<Core> last = std::move(core_);
    if (last) last->memory.forget(env);
  }

  /// Throws ERR_CLOSED.
  const std::shared_ptr<Core>& core(Napi::Env env) const {
    if (!core_) throw coded_error(env, "ERR_CLOSED", std::string("The ") + T::kName + " is closed.");
    return core_;
  }

 protected:
  explicit WrappedObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<T>(info), objects_(JobRunner::of(info.Env()).objects()) {
    objects_->release_abandoned(info.Env());
    objects_->add(this);
  }
  ~WrappedObject() override { objects_->remove(this); }

  template <Method Function>
  Napi::Value method(const Napi::CallbackInfo& info) {
    try {
      const std::shared_ptr<Core> held = core(info.Env());
      const Napi::Value result = Function(info, held);
      held->memory.tell(info.Env());
      return result;
    } catch (...) {
      throw to_js_error(info.Env(), std::current_exception());
    }
  }

  /// close(): gives up the memory of this object, and that of the objects that were made from it.
  Napi::Value close(const Napi::CallbackInfo& info) {
    if (core_) objects_->release_dependents(info.Env(), core_.get());
    release(info.Env());
    return info.Env().Undefined();
  }

  std::shared_ptr<Core> core_;

 private:
  std::shared_ptr<ObjectList> objects_;
};

}  // namespace sonospike

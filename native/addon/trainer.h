#pragma once

#include <napi.h>

#include "addon/feature_store.h"
#include "core/training/trainer.h"

namespace sonospike {

struct TrainerCore {
  std::shared_ptr<ModelCore> model;
  std::shared_ptr<StoreCore> store;
  std::unique_ptr<Trainer> trainer;
  AbortFlag abort = std::make_shared<std::atomic<bool>>(false);
  std::atomic<bool> busy{false};
};

/// `new Trainer(model, store, options, clips: Int32Array)`
class NativeTrainer : public GuardedWrap<NativeTrainer> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit NativeTrainer(const Napi::CallbackInfo& info);

 private:
  Napi::Value run_epoch(const Napi::CallbackInfo& info);
  Napi::Value abort(const Napi::CallbackInfo& info);
  Napi::Value progress(const Napi::CallbackInfo& info);
  Napi::Value read_state(const Napi::CallbackInfo& info);
  Napi::Value load_state(const Napi::CallbackInfo& info);

  std::shared_ptr<TrainerCore> core_;
};

}  // namespace sonospike

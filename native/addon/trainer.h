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
  HeldMemory memory;
};

/// `new Trainer(model, store, options, clips: Int32Array)`
class NativeTrainer : public WrappedObject<NativeTrainer, TrainerCore> {
 public:
  static constexpr const char* kName = "trainer";
  static Napi::Function define(Napi::Env env);
  explicit NativeTrainer(const Napi::CallbackInfo& info);
};

}  // namespace sonospike

#pragma once

#include <napi.h>

#include <atomic>
#include <memory>

#include "addon/model.h"
#include "core/training/feature_store.h"

namespace sonospike {

struct StoreCore {
  explicit StoreCore(std::shared_ptr<ModelCore> model) : model(std::move(model)) {}
  std::shared_ptr<ModelCore> model;
  std::shared_ptr<FeatureStore> store;
  std::atomic<bool> busy{false};
  std::atomic<bool> broken{false};  ///< a change of its clips failed halfway
  AbortFlag evaluation;  ///< of the evaluation in progress; touched by the environment's thread only
  HeldMemory memory;
};

/// Keeps other calls from the features until the result goes. Throws ERR_BUSY.
std::shared_ptr<void> claim_store(Napi::Env env, const std::shared_ptr<StoreCore>& core);

/// `new FeatureStore(model, threads)`: features of a set of clips, computed with the model's front end.
class NativeFeatureStore : public WrappedObject<NativeFeatureStore, StoreCore> {
 public:
  static constexpr const char* kName = "feature store";
  static Napi::Function define(Napi::Env env);
  explicit NativeFeatureStore(const Napi::CallbackInfo& info);

  /// Throws where `value` is not a FeatureStore of this environment, or is closed.
  static std::shared_ptr<StoreCore> unwrap(const Napi::Value& value);
};

/// Clip numbers from an Int32Array, all of them in the store. Throws a TypeError.
std::vector<int> to_clips(const Napi::Value& value, const FeatureStore& store);

}  // namespace sonospike

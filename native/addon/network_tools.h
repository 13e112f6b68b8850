#pragma once

#include "addon/model.h"

namespace sonospike {

struct NetworkToolsCore {
  std::shared_ptr<ModelCore> model;
  HeldMemory memory;  ///< stays 0: the model has it all
};

/// `new NetworkTools(model)`: single steps of the model's network on given inputs, for tests and benchmarks.
class NativeNetworkTools : public WrappedObject<NativeNetworkTools, NetworkToolsCore> {
 public:
  static constexpr const char* kName = "model";
  static Napi::Function define(Napi::Env env);
  explicit NativeNetworkTools(const Napi::CallbackInfo& info);
};

}  // namespace sonospike

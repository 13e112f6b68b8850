#include <napi.h>

#include "addon/devices.h"
#include "addon/feature_store.h"
#include "addon/jobs.h"
#include "addon/model.h"
#include "addon/network_tools.h"
#include "addon/stream.h"
#include "addon/tools.h"
#include "addon/trainer.h"

static Napi::Object define_addon(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new sonospike::JobRunner(env));
  exports.Set("Model", sonospike::NativeModel::define(env));
  exports.Set("NetworkTools", sonospike::NativeNetworkTools::define(env));
  exports.Set("FeatureStore", sonospike::NativeFeatureStore::define(env));
  exports.Set("Stream", sonospike::NativeStream::define(env));
  exports.Set("Trainer", sonospike::NativeTrainer::define(env));
  sonospike::define_tools(env, exports);
  sonospike::define_devices(env, exports);
  return exports;
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, define_addon)

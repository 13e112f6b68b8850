#pragma once

#include <napi.h>

#include <memory>
#include <mutex>

#include "addon/jobs.h"
#include "addon/named_arrays.h"
#include "addon/settings.h"
#include "core/network/recognizer.h"
#include "core/stream/sample_pool.h"

namespace sonospike {

/// What a model shares with the jobs that work on it, so that it outlives the JavaScript object where need
/// be.
struct ModelCore {
  ModelOptions options;
  int threads;
  std::shared_ptr<FeatureExtractor> extractor;
  std::shared_ptr<Backend> backend;
  std::unique_ptr<Recognizer> recognizer;
  Turns in_use;                                                       ///< held by whoever computes with it
  std::shared_ptr<SamplePool> pool = std::make_shared<SamplePool>();  ///< of the streams
};

/// `new Model(settings, threads, device?)`: front end, encoder and network with their parameters. `device`:
/// see `make_backend`.
class NativeModel : public GuardedWrap<NativeModel> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit NativeModel(const Napi::CallbackInfo& info);

  const std::shared_ptr<ModelCore>& core() const { return core_; }
  /// Throws where `value` is not a Model of this environment.
  static NativeModel& unwrap(const Napi::Value& value);

 private:
  Napi::Value initialise(const Napi::CallbackInfo& info);
  Napi::Value load_parameters(const Napi::CallbackInfo& info);
  Napi::Value read_parameters(const Napi::CallbackInfo& info);
  Napi::Value snapshot(const Napi::CallbackInfo& info);
  Napi::Value load_scaling(const Napi::CallbackInfo& info);
  Napi::Value read_scaling(const Napi::CallbackInfo& info);
  Napi::Value predict_sync(const Napi::CallbackInfo& info);
  Napi::Value predict(const Napi::CallbackInfo& info);
  Napi::Value observe(const Napi::CallbackInfo& info);
  Napi::Value forward_inputs(const Napi::CallbackInfo& info);
  Napi::Value gradient(const Napi::CallbackInfo& info);
  Napi::Value time_gradient(const Napi::CallbackInfo& info);
  Napi::Value optimizer_step(const Napi::CallbackInfo& info);

  std::unique_lock<Turns> lock(Napi::Env env) const;

  std::shared_ptr<ModelCore> core_;
};

/// Of each layer, spikes per neuron and time step, from their numbers.
std::vector<double> firing_rates(const NetworkOptions& network, const double* spikes, double steps);

/// { scores, probabilities, best, firingRates: of each layer, spikes per neuron and time step; firstFrame,
/// ownFrames: the first of the clip's own frames that was heard, and how many it has }
Napi::Object to_prediction(Napi::Env env, const NetworkOptions& network, const float* scores,
                           const std::vector<double>& firing_rates, const HeardFrames& heard);

}  // namespace sonospike

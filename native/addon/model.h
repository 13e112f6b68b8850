#pragma once

#include <napi.h>

#include <memory>
#include <mutex>

#include "addon/jobs.h"
#include "addon/named_arrays.h"
#include "addon/native_object.h"
#include "addon/settings.h"
#include "core/network/confidence.h"
#include "core/network/recognizer.h"
#include "core/stream/sample_pool.h"

namespace sonospike {

/// What a model shares with the jobs that work on it, and with the objects that are made from it.
struct ModelCore {
  ModelOptions options;
  int threads;
  std::shared_ptr<FeatureExtractor> extractor;
  std::shared_ptr<Backend> backend;
  std::unique_ptr<Recognizer> recognizer;
  AsyncMutex in_use;                                                  ///< held by whoever computes with it
  std::shared_ptr<SamplePool> pool = std::make_shared<SamplePool>();  ///< of the streams
  ConfidenceOptions confidence;  ///< touched by the environment's thread only
  HeldMemory memory;

  /// Counts the memory anew. Needs the turn: computing can make it grow.
  void measure();
};

/// The turn at a model, on the environment's thread. Throws ERR_BUSY.
class ModelTurn {
 public:
  ModelTurn(Napi::Env env, ModelCore& core);
  ~ModelTurn() { core_.measure(); }
  ModelTurn(const ModelTurn&) = delete;
  ModelTurn& operator=(const ModelTurn&) = delete;

 private:
  ModelCore& core_;
  std::unique_lock<AsyncMutex> lock_;
};

/// `new Model(settings, threads, device?)`: front end, encoder and network with their parameters. `device`:
/// see `make_backend`.
class NativeModel : public WrappedObject<NativeModel, ModelCore> {
 public:
  static constexpr const char* kName = "model";
  static Napi::Function define(Napi::Env env);
  explicit NativeModel(const Napi::CallbackInfo& info);

  /// Throws where `value` is not a Model of this environment, or is closed.
  static std::shared_ptr<ModelCore> unwrap(const Napi::Value& value);
};

/// Firing rates: spikes per neuron and time step for each layer, from the numbers of spikes.
std::vector<double> firing_rates(const NetworkOptions& network, const double* spikes, double steps);

/// { scores, probabilities, best, confidence, rejected, firingRates: of each layer, spikes per neuron and
/// time step; firstFrame, heardFrames, ownFrames: the first of the clip's own frames that was heard, how many
/// were heard, and how many the clip has; moreToHear: whether the others hold sound as well }
Napi::Object to_prediction(Napi::Env env, const ModelCore& model, const float* scores,
                           const std::vector<double>& firing_rates, const HeardFrames& heard);

}  // namespace sonospike

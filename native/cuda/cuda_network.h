#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/network/backend.h"
#include "cuda/clip_inputs.h"
#include "cuda/cuda_backend.h"
#include "cuda/kernels/parameters.h"
#include "cuda/readout_pass.h"
#include "cuda/repeated_work.h"

namespace sonospike::cuda {

/// Owns a network's parameters, gradient and moments on a device, and takes batches through it.
class CudaNetwork final : public Backend {
 public:
  /// Where single clips that are not encoded on the device go: a prediction is over on the CPU before the
  /// device would have begun.
  enum class SingleClips { kOnHost, kOnDevice };

  CudaNetwork(const NetworkOptions& options, int device, int host_threads,
              SingleClips single_clips = SingleClips::kOnHost);

  /// Waits for the device: it may still write to the host's memory, and may not be this thread's.
  ~CudaNetwork() override;

  const NetworkOptions& options() const override { return options_; }
  const ParameterTable& table() const override { return table_; }
  int workers() const override { return host_threads_; }
  bool works_elsewhere() const override { return true; }
  void synchronize() override;
  size_t bytes() const override { return device_.allocated() + (host_ ? host_->bytes() : 0); }
  void load_parameters(const float* values) override;
  void read_parameters(float* values) const override;
  void forward(const Batch& batch, float* scores, double* spikes) override;
  NetworkView observe(const Batch& batch, float* scores) override;
  BatchStatistics gradient(const Batch& batch, const LossOptions& loss) override;
  std::function<BatchStatistics()> start_gradient(const Batch& batch, const LossOptions& loss) override;
  void read_gradient(float* values) const override;
  void read_input_gradient(float* values) const override;
  void step(const OptimizerOptions& options, float rate) override;
  void read_moments(float* m, float* v, int64_t* steps) const override;
  void load_moments(const float* m, const float* v, int64_t steps) override;

 private:
  Backend& on_host();
  void set_dropping(bool dropping);
  void pack(bool narrow);
  size_t row_bytes() const;
  int chunk_end(const Batch& batch, int first) const;
  void for_chunks(const Batch& batch, const std::function<void(int first, int count)>& work);
  void free_traces();
  void pass_forward(const LossOptions& loss, float weight, const int* labels);
  NarrowArgs narrow_arguments() const;
  /// By which the clips in hand drop; null: nothing is dropped.
  const ClipKey* keys() const { return dropping_ ? inputs_.dropout_keys() : nullptr; }
  Sent input_of(size_t layer) const { return layer > 0 ? layers_[layer - 1].sent() : inputs_.input(); }
  void keep_input_gradient(const Batch& batch);
  size_t rows_before(int clip) const;
  /// What the host wants to know of some clips, when it is there.
  struct Figures {
    PinnedBuffer values;  // [kFigures + layers, clips]
    int clips = 0;
    int64_t steps = 0;
  };
  std::shared_ptr<Figures> fetch_figures(const Batch& batch, int first, int count);
  void add_up(const Figures& figures, BatchStatistics& statistics) const;
  void pass_backward(const Batch& batch, int first, float spike_cost, bool add);
  void narrow_pass_backward(const float* g, const float* every, float spike_cost);

  NetworkOptions options_;
  ParameterTable table_;
  int host_threads_;
  SingleClips single_clips_;
  mutable Device device_;
  size_t budget_;  // bytes that the clips in hand may take
  std::vector<LayerPass> layers_;
  bool narrow_;  // all layers go at once
  ReadoutPass readout_;
  ClipInputs inputs_;
  Scratch scratch_;
  DeviceArray<float> parameters_, gradient_, m_, v_;
  DeviceArray<uint8_t> flags_;
  std::vector<KeptRange> ranges_;  // that the flags number
  DeviceArray<double> norm_;
  DeviceArray<float> scores_, grad_score_, g_, gx_;
  DeviceArray<float> input_gradient_;  // [rows of all clips, inputs] of the batch before
  int longest_ = 0;                    // its steps
  std::vector<int> steps_of_;          // [clips]: those of each
  DeviceArray<double> figures_;        // [kFigures + layers, clips]
  int64_t steps_ = 0;
  bool packed_ = false;    // as evaluation needs the weights
  bool dropping_ = false;  // the layers drop
  RepeatedWork gradients_;
  std::vector<std::shared_ptr<Figures>> fetched_;  // in use as long as somebody may ask for them
  std::unique_ptr<Backend> host_;
  bool host_is_current_ = false;
  std::vector<std::vector<float>> views_;  // of what was observed: u and s of each layer, the readout's o
};

}  // namespace sonospike::cuda

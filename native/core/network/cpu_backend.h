#pragma once

#include "core/network/backend.h"
#include "core/network/network_pass.h"
#include "core/support/thread_pool.h"

namespace sonospike {

/// The clips of a batch are cut into shards, a number that depends on the batch alone. A shard is one task
/// for the threads, works through its clips a micro-batch at a time, and sums its gradient by itself; shards
/// are then added in order. So the bits do not depend on the number of threads.
class CpuBackend final : public Backend {
 public:
  CpuBackend(const NetworkOptions& options, int threads);

  const NetworkOptions& options() const override { return options_; }
  const ParameterTable& table() const override { return table_; }
  int workers() const override { return pool_.size(); }
  size_t bytes() const override;
  void load_parameters(const float* values) override;
  void read_parameters(float* values) const override;
  void forward(const Batch& batch, float* scores, double* spikes) override;
  NetworkView observe(const Batch& batch, float* scores) override;
  BatchStatistics gradient(const Batch& batch, const LossOptions& loss) override;
  void read_gradient(float* values) const override;
  void read_input_gradient(float* values) const override;
  void step(const OptimizerOptions& options, float rate) override;
  void read_moments(float* m, float* v, int64_t* steps) const override;
  void load_moments(const float* m, const float* v, int64_t steps) override;

 private:
  /// Part of a batch that is worked through together.
  struct MicroBatch {
    int first, count;
  };

  int gradient_shards(int clips) const;
  template <typename Work>
  void for_micro_batches(const Batch& batch, int shards, int shard, int worker, Work work);
  void add_loss(const Batch& batch, const LossOptions& loss, MicroBatch micro, const NetworkPass& pass,
                Buffer<float>& grad_score, BatchStatistics& statistics) const;
  void sum_gradients(int shards);
  void pack();
  void set_dropping(bool dropping);
  double gradient_norm() const;
  void constrain();

  NetworkOptions options_;
  ParameterTable table_;
  ThreadPool pool_;
  std::vector<LifLayer> layers_;
  Readout readout_;
  std::vector<NetworkPass> passes_;        // [worker]
  std::vector<Buffer<float>> grad_score_;  // [worker]
  Buffer<float> parameters_, gradient_, m_, v_;
  Buffer<float> input_gradient_;  // [steps, clips, inputs] of the batch before, where it asked for it
  int64_t steps_ = 0;
  bool dropping_ = false;  // the weights make up for dropout
  size_t packed_size_ = 0;
  std::vector<Buffer<float>> shard_gradients_;
};

}  // namespace sonospike

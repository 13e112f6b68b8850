#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/network/backend.h"

namespace sonospike::test {

/// Passes everything on, and tells of each batch and each optimizer step.
class WatchedBackend final : public Backend {
 public:
  explicit WatchedBackend(std::shared_ptr<Backend> inner) : inner_(std::move(inner)) {}

  std::function<void(const Batch&)> on_gradient = [](const Batch&) {};
  std::function<void(const Batch&)> on_forward = [](const Batch&) {};
  std::function<void(float rate)> on_step = [](float) {};
  std::optional<bool> elsewhere;  ///< what `works_elsewhere` says; otherwise what is true

  const NetworkOptions& options() const override { return inner_->options(); }
  const ParameterTable& table() const override { return inner_->table(); }
  int workers() const override { return inner_->workers(); }
  bool works_elsewhere() const override { return elsewhere.value_or(inner_->works_elsewhere()); }
  void synchronize() override { inner_->synchronize(); }
  size_t bytes() const override { return inner_->bytes(); }
  void load_parameters(const float* values) override { inner_->load_parameters(values); }
  void read_parameters(float* values) const override { inner_->read_parameters(values); }
  void forward(const Batch& batch, float* scores, double* spikes) override {
    on_forward(batch);
    inner_->forward(batch, scores, spikes);
  }
  NetworkView observe(const Batch& batch, float* scores) override { return inner_->observe(batch, scores); }
  BatchStatistics gradient(const Batch& batch, const LossOptions& loss) override {
    on_gradient(batch);
    return inner_->gradient(batch, loss);
  }
  void read_gradient(float* values) const override { inner_->read_gradient(values); }
  void read_input_gradient(float* values) const override { inner_->read_input_gradient(values); }
  void step(const OptimizerOptions& options, float rate) override {
    inner_->step(options, rate);
    on_step(rate);
  }
  void read_moments(float* m, float* v, int64_t* steps) const override { inner_->read_moments(m, v, steps); }
  void load_moments(const float* m, const float* v, int64_t steps) override {
    inner_->load_moments(m, v, steps);
  }

 private:
  std::shared_ptr<Backend> inner_;
};

}  // namespace sonospike::test

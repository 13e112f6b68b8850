#include "cuda/readout_pass.h"

#include "cuda/kernels/parameters.h"
#include "cuda/kernels/product.h"

namespace sonospike::cuda {
namespace {

ConnectionShape shape_of(const NetworkOptions& options) {
  if (options.readout.kind == ReadoutKind::kSpikeCount) return {};
  return connection_shape(options, options.layers.size());
}

}  // namespace

ReadoutPass::ReadoutPass(Device& device, const NetworkOptions& options, const ParameterTable& table)
    : device_(device),
      table_(table),
      options_(options.readout),
      classes_(options.classes),
      weights_(device, shape_of(options)),
      current_(device),
      o_(device),
      p_(device),
      work_(device) {}

size_t ReadoutPass::row_bytes() const {
  return counts_spikes() ? 0 : 4 * classes_ * sizeof(float);
}

void ReadoutPass::set_parameters(const float* parameters, float input_scale) {
  parameters_ = parameters;
  weights_.set_scale(input_scale);
}

void ReadoutPass::pack() {
  if (!counts_spikes()) weights_.pack(parameters_ + table_.at("readout.weight").offset);
}

IntegratorArgs ReadoutPass::arguments() const {
  return {classes_,
          options_.kind == ReadoutKind::kLeakyIntegrator,
          parameters_ + table_.at("readout.decay").offset,
          current_.data(),
          o_.data(),
          p_.data()};
}

void ReadoutPass::forward(const Clips& clips, const Sent& last, float* scores) {
  const size_t size = static_cast<size_t>(clips.rows) * classes_;
  current_.reserve(size);
  o_.reserve(size);
  if (options_.kind == ReadoutKind::kLeakyIntegrator) p_.reserve(size);
  forward_product(device_, weights_.shape(), clips, last, weights_.forward(),
                  parameters_ + table_.at("readout.bias").offset, current_.data());
  integrate(device_, arguments(), clips, scores);
}

void ReadoutPass::backward(const Clips& clips, const Sent& last, const float* grad_score, bool add,
                           Scratch& scratch, float* gs, float* gradient) {
  work_.reserve(static_cast<size_t>(clips.rows) * classes_);
  const size_t size = static_cast<size_t>(clips.count) * classes_;
  float* const own = scratch.sums.take(2 * size);
  integrate_backward(device_, arguments(), clips, grad_score, work_.data(), own);
  scratch.sums.add({own, clips.count, classes_, gradient + table_.at("readout.bias").offset});
  scratch.sums.add({own + size, clips.count, classes_, gradient + table_.at("readout.decay").offset});
  weights_.gradient(clips, last, current_.data(), add, scratch,
                    gradient + table_.at("readout.weight").offset);
  input_gradient_product(device_, weights_.shape(), clips, current_.data(), weights_.backward(), gs);
}

void ReadoutPass::download(std::vector<float>& potential) const {
  potential.resize(o_.size());
  o_.download(potential.data());
}

void ReadoutPass::free() {
  current_.free();
  o_.free();
  p_.free();
  work_.free();
}

}  // namespace sonospike::cuda

// The way back through a network.
#include <algorithm>
#include <cassert>
#include <numeric>

#include "cuda/cuda_network.h"

namespace sonospike::cuda {
namespace {

bool drops(const NetworkOptions& options) {
  return std::any_of(options.layers.begin(), options.layers.end(),
                     [](const LayerOptions& layer) { return layer.dropout > 0.0f; });
}

}  // namespace

/// Adds up what the host wants to know of the clips in hand, in their order.
void CudaNetwork::gather_figures(int count, BatchStatistics& statistics) {
  std::vector<double> figures(figures_.size());
  figures_.download(figures.data());
  const double* of = figures.data();
  for (int i = 0; i < count; ++i) {
    statistics.loss += of[static_cast<size_t>(kLossFigure) * count + i];
    statistics.correct += of[static_cast<size_t>(kCorrectFigure) * count + i] > 0.0;
    for (size_t k = 0; k < layers_.size(); ++k) statistics.spikes[k] += of[(kFigures + k) * count + i];
  }
}

/// Room for the gradient to the inputs of all clips.
void CudaNetwork::keep_input_gradient(const Batch& batch) {
  if (!batch.of_input) return input_gradient_.free();
  longest_ = batch.steps;
  steps_of_.resize(batch.clips);
  for (int i = 0; i < batch.clips; ++i) steps_of_[i] = batch.steps_of_clip(i);
  input_gradient_.reserve(rows_before(batch.clips) * options_.inputs);
}

/// Of the clips of the batch whose gradient to the inputs is kept.
size_t CudaNetwork::rows_before(int clip) const {
  return std::accumulate(steps_of_.begin(), steps_of_.begin() + clip, size_t{0});
}

BatchStatistics CudaNetwork::gradient(const Batch& batch, const LossOptions& loss) {
  assert(batch.clips > 0);
  device_.use();
  pack(batch.keys && drops(options_));
  BatchStatistics statistics;
  for_chunks(batch, [&](int first, int count) {
    if (first == 0) statistics = {0.0, 0, std::vector<double>(layers_.size()), 0};
    if (first == 0) keep_input_gradient(batch);
    pass_forward(batch, first, count);
    grad_score_.reserve(scores_.size());
    losses(device_, options_.readout.kind, loss, scores_.data(), options_.classes, inputs_.labels(), count,
           1.0f / static_cast<float>(batch.clips), grad_score_.data(), figures_.data());
    pass_backward(batch, first, loss.spike_cost / static_cast<float>(batch.clips), first > 0);
    gather_figures(count, statistics);
    for (int i = 0; i < count; ++i) statistics.steps += batch.steps_of_clip(first + i);
  });
  return statistics;
}

void CudaNetwork::pass_backward(const Batch& batch, int first, float spike_cost, bool add) {
  const Clips& clips = inputs_.clips();
  const EncodingKey* keys = dropping_ ? inputs_.dropout_keys() : nullptr;
  size_t widest = options_.inputs;
  for (const LayerPass& layer : layers_) widest = std::max<size_t>(widest, layer.neurons());
  g_.reserve(clips.rows * widest);
  gx_.reserve(clips.rows * widest);
  float *g = g_.data(), *gx = gx_.data();
  const float* every = readout_.counts_spikes() ? grad_score_.data() : nullptr;
  if (!every) {
    readout_.backward(clips, layers_.back().sent(), grad_score_.data(), add, scratch_, g, gradient_.data());
  }
  if (narrow_ && !batch.of_input) return narrow_pass_backward(every ? nullptr : g, every, spike_cost, add);
  for (size_t k = layers_.size(); k-- > 0;) {
    layers_[k].backward(clips, input_of(k), keys, every, spike_cost, add, scratch_, g, gradient_.data());
    every = nullptr;
    if (k > 0) {
      layers_[k].pass_down(clips, g, gx);
      std::swap(g, gx);
    } else if (batch.of_input) {
      layers_[k].pass_down(clips, g, input_gradient_.data() + rows_before(first) * options_.inputs);
    }
  }
}

void CudaNetwork::narrow_pass_backward(const float* g, const float* every, float spike_cost, bool add) {
  const int count = inputs_.clips().count;
  size_t size = 0;
  for (const LayerPass& layer : layers_) size += layer.narrow_gradients(count);
  scratch_.neurons.reserve(size);
  NarrowArgs args = narrow_arguments(spike_cost, scratch_.neurons.data());
  args.g = g;
  args.every = every;
  narrow_backward(device_, args);
  const float* gradients = scratch_.neurons.data();
  for (const LayerPass& layer : layers_) {
    layer.sum_narrow(count, add, gradients, gradient_.data());
    gradients += layer.narrow_gradients(count);
  }
}

}  // namespace sonospike::cuda

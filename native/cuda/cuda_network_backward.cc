// The way back through a network.
#include <algorithm>
#include <cassert>

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
  std::vector<double> figures((kFigures + layers_.size()) * count);
  device_.download(figures.data(), figures_.data(), figures.size() * sizeof(double));
  const double* of = figures.data();
  for (int i = 0; i < count; ++i) {
    statistics.loss += of[static_cast<size_t>(kLossFigure) * count + i];
    statistics.correct += of[static_cast<size_t>(kCorrectFigure) * count + i] > 0.0;
    for (size_t k = 0; k < layers_.size(); ++k) statistics.spikes[k] += of[(kFigures + k) * count + i];
  }
}

BatchStatistics CudaNetwork::gradient(const Batch& batch, const LossOptions& loss) {
  assert(batch.clips > 0);
  device_.use();
  set_dropping(batch.keys && drops(options_));
  BatchStatistics statistics;
  for_chunks(batch, [&](int first, int count) {
    if (first == 0) statistics = {0.0, 0, std::vector<double>(layers_.size()), 0};
    inputs_.load(batch, first, count);
    labels_.upload(batch.labels + first, count);
    const float weight = 1.0f / static_cast<float>(batch.clips);
    const auto work = [&] {
      if (first == 0) pack(narrow_ && !batch.input_gradient);
      pass_forward(loss, weight, labels_.data());
      pass_backward(batch, first, loss.spike_cost / static_cast<float>(batch.clips), first > 0);
    };
    if (count == batch.clips && !batch.input_gradient) {
      gradients_.run({inputs_.clips(), inputs_.encoding(), inputs_.input(), keys(), labels_.data(), loss},
                     work);
    } else {
      work();
    }
    packed_ = true;
    gather_figures(count, statistics);
    for (int i = 0; i < count; ++i) statistics.steps += batch.steps_of_clip(first + i);
  });
  return statistics;
}

void CudaNetwork::pass_backward(const Batch& batch, int first, float spike_cost, bool add) {
  const Clips& clips = inputs_.clips();
  const bool narrow = narrow_ && !batch.input_gradient;
  size_t widest = options_.inputs, sums = readout_.sums_size(clips.count);
  for (const LayerPass& layer : layers_) {
    widest = std::max<size_t>(widest, layer.neurons());
    sums += layer.sums_size(clips.count, narrow);
  }
  scratch_.sums.begin(sums);
  const float* every = readout_.counts_spikes() ? grad_score_.data() : nullptr;
  if (!narrow || !every) g_.reserve(clips.rows * widest);
  if (!narrow) gx_.reserve(clips.rows * widest);
  float *g = g_.data(), *gx = gx_.data();
  if (!every) {
    readout_.backward(clips, layers_.back().sent(), grad_score_.data(), add, scratch_, g, gradient_.data());
  }
  if (narrow) {
    narrow_pass_backward(every ? nullptr : g, every, spike_cost);
    return scratch_.sums.end(add);
  }
  for (size_t k = layers_.size(); k-- > 0;) {
    layers_[k].backward(clips, input_of(k), keys(), every, spike_cost, add, scratch_, g, gradient_.data());
    every = nullptr;
    if (k == 0 && !batch.input_gradient) break;
    layers_[k].pass_down(clips, g, gx);
    std::swap(g, gx);
  }
  scratch_.sums.end(add);
  if (batch.input_gradient) copy_input_gradient(batch, first, g);
}

void CudaNetwork::narrow_pass_backward(const float* g, const float* every, float spike_cost) {
  NarrowArgs args = narrow_arguments();
  args.g = g;
  args.every = every;
  for (size_t k = 0; k < layers_.size(); ++k) {
    args.layer[k] =
        layers_[k].narrow_layer(keys(), spike_cost, args.clips.count, scratch_.sums, gradient_.data());
  }
  narrow_backward(device_, args);
}

/// From [rows, inputs] to [steps, clips, inputs].
void CudaNetwork::copy_input_gradient(const Batch& batch, int first, const float* gx) {
  const size_t n = options_.inputs;
  std::vector<float> rows(inputs_.clips().rows * n);
  device_.download(rows.data(), gx, rows.size() * sizeof(float));
  const float* from = rows.data();
  for (int i = first; i < first + inputs_.clips().count; ++i) {
    for (int t = 0; t < batch.steps_of_clip(i); ++t, from += n) {
      std::copy_n(from, n, batch.input_gradient + (static_cast<size_t>(t) * batch.clips + i) * n);
    }
  }
}

}  // namespace sonospike::cuda

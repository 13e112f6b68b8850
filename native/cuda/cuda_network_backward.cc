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

std::shared_ptr<CudaNetwork::Figures> CudaNetwork::fetch_figures(const Batch& batch, int first, int count) {
  auto unused = std::find_if(fetched_.begin(), fetched_.end(),
                             [](const auto& figures) { return figures.use_count() == 1; });
  if (unused == fetched_.end()) unused = fetched_.insert(unused, std::make_shared<Figures>());
  Figures& figures = **unused;
  const size_t bytes = (kFigures + layers_.size()) * count * sizeof(double);
  figures.values.wait();  // for what nobody asked for
  if (figures.values.size() < bytes) figures.values.make(bytes);
  device_.fetch(figures.values, figures_.data(), bytes);
  figures.clips = count;
  figures.steps = 0;
  for (int i = 0; i < count; ++i) figures.steps += batch.steps_of_clip(first + i);
  return *unused;
}

/// In the order of the clips.
void CudaNetwork::add_up(const Figures& figures, BatchStatistics& statistics) const {
  const double* of = reinterpret_cast<const double*>(figures.values.data());
  const size_t count = figures.clips;
  for (size_t i = 0; i < count; ++i) {
    statistics.loss += of[kLossFigure * count + i];
    statistics.correct += of[kCorrectFigure * count + i] > 0.0;
    for (size_t k = 0; k < layers_.size(); ++k) statistics.spikes[k] += of[(kFigures + k) * count + i];
  }
  statistics.steps += figures.steps;
}

/// Room for the gradient to the inputs of all clips.
void CudaNetwork::keep_input_gradient(const Batch& batch) {
  if (!batch.of_input) return input_gradient_.free();
  longest_ = batch.steps;
  steps_of_.resize(batch.clips);
  for (int i = 0; i < batch.clips; ++i) steps_of_[i] = batch.steps_of_clip(i);
  input_gradient_.reserve(rows_before(batch.clips) * options_.inputs);
}

/// Rows before a clip in the kept gradient of the batch's inputs.
size_t CudaNetwork::rows_before(int clip) const {
  return std::accumulate(steps_of_.begin(), steps_of_.begin() + clip, size_t{0});
}

BatchStatistics CudaNetwork::gradient(const Batch& batch, const LossOptions& loss) {
  return start_gradient(batch, loss)();
}

std::function<BatchStatistics()> CudaNetwork::start_gradient(const Batch& batch, const LossOptions& loss) {
  assert(batch.clips > 0);
  device_.use();
  set_dropping(batch.keys && drops(options_));
  std::vector<std::shared_ptr<Figures>> figures;  // of each part
  for_chunks(batch, [&](int first, int count) {
    if (first == 0) figures.clear();
    if (first == 0) keep_input_gradient(batch);
    inputs_.load(batch, first, count);
    const float weight = 1.0f / static_cast<float>(batch.clips);
    const auto work = [&] {
      if (first == 0) pack(narrow_ && !batch.of_input);
      pass_forward(loss, weight, inputs_.labels());
      pass_backward(batch, first, loss.spike_cost / static_cast<float>(batch.clips), first > 0);
    };
    if (count == batch.clips) {
      gradients_.run({inputs_.clips(), inputs_.encoding(), inputs_.input(), keys(), inputs_.labels(), loss,
                      batch.of_input},
                     work);
    } else {
      work();
    }
    packed_ = true;
    figures.push_back(fetch_figures(batch, first, count));
  });
  return [this, figures] {
    device_.use();
    BatchStatistics statistics{0.0, 0, std::vector<double>(layers_.size()), 0};
    for (const std::shared_ptr<Figures>& part : figures) {
      part->values.wait();
      add_up(*part, statistics);
    }
    return statistics;
  };
}

void CudaNetwork::pass_backward(const Batch& batch, int first, float spike_cost, bool add) {
  const Clips& clips = inputs_.clips();
  const bool narrow = narrow_ && !batch.of_input;
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
    if (k > 0) {
      layers_[k].input_gradient(clips, g, gx);
      std::swap(g, gx);
    } else if (batch.of_input) {
      layers_[k].input_gradient(clips, g, input_gradient_.data() + rows_before(first) * options_.inputs);
    }
  }
  scratch_.sums.end(add);
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

}  // namespace sonospike::cuda

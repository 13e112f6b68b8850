#include "core/network/cpu_backend.h"

#include <algorithm>
#include <cmath>

#include "core/support/denormals.h"

namespace sonospike {
namespace {

constexpr int kMostSlots = 16;
constexpr size_t kSlotGradientBytes = size_t{64}
                                      << 20;  // all slots of a wide network together; four slots may be more
constexpr size_t kGroupBytes = size_t{1} << 20;  // traces of a group: the second-level cache
constexpr int kMostClipsInGroup = 8;
constexpr float kLeastThreshold = 0.01f;

/// Spikes of one clip: rows of `width` floats, `step` floats apart.
double spike_sum(const float* values, int rows, size_t step, int width) {
  // Counts up to 2^24 are exact in a lane; rows are padded, so there is no tail.
  float lanes[kLanePad] = {};
  for (int t = 0; t < rows; ++t, values += step) {
    for (int i = 0; i < width; i += kLanePad) {
      for (int j = 0; j < kLanePad; ++j) lanes[j] += values[i + j];
    }
  }
  double sum = 0.0;
  for (float lane : lanes) sum += lane;
  return sum;
}

int last_stride(const std::vector<LifLayer>& layers) {
  return layers.back().stride();
}

std::vector<LifLayer> make_layers(const NetworkOptions& options, int input_stride) {
  std::vector<LifLayer> layers;
  int inputs = options.inputs;
  for (const auto& layer : options.layers) {
    layers.emplace_back(layer, inputs, input_stride);
    inputs = layer.neurons;
    input_stride = layers.back().stride();
  }
  return layers;
}

}  // namespace

CpuBackend::CpuBackend(const NetworkOptions& options, int threads)
    : options_(options),
      table_(options),
      pool_(threads),
      input_stride_(pad_lanes(options.inputs)),
      layers_(make_layers(options, input_stride_)),
      readout_(options.readout, options.layers.back().neurons, last_stride(layers_), options.classes),
      workspaces_(pool_.size()),
      parameters_(table_.size()),
      gradient_(table_.size()),
      m_(table_.size()),
      v_(table_.size()) {
  for (const auto& layer : layers_) packed_size_ += layer.gradient_size();
  packed_size_ += readout_.gradient_size();
  for (auto& w : workspaces_) w.layers.resize(layers_.size());
}

void CpuBackend::load_parameters(const float* values) {
  parameters_.copy_from(values, table_.size());
  pack();
}

void CpuBackend::read_parameters(float* values) const {
  std::copy_n(parameters_.data(), table_.size(), values);
}

void CpuBackend::read_gradient(float* values) const {
  std::copy_n(gradient_.data(), table_.size(), values);
}

void CpuBackend::read_moments(float* m, float* v, int64_t* steps) const {
  std::copy_n(m_.data(), table_.size(), m);
  std::copy_n(v_.data(), table_.size(), v);
  *steps = steps_;
}

void CpuBackend::load_moments(const float* m, const float* v, int64_t steps) {
  m_.copy_from(m, table_.size());
  v_.copy_from(v, table_.size());
  steps_ = steps;
}

void CpuBackend::pack() {
  for (size_t k = 0; k < layers_.size(); ++k) {
    layers_[k].load(table_, "layers." + std::to_string(k) + ".", parameters_.data());
  }
  readout_.load(table_, parameters_.data());
}

int CpuBackend::slot_count(int clips) const {
  const size_t affordable = std::max<size_t>(4, kSlotGradientBytes / (packed_size_ * sizeof(float)));
  return static_cast<int>(std::min<size_t>({static_cast<size_t>(clips), size_t{kMostSlots}, affordable}));
}

int CpuBackend::group_size(int steps) const {
  size_t bytes = 0;
  for (const auto& layer : layers_) bytes += size_t{2} * sizeof(float) * steps * layer.stride();
  return static_cast<int>(std::clamp<size_t>(kGroupBytes / bytes, 1, kMostClipsInGroup));
}

void CpuBackend::for_slots(const Batch& batch, const std::function<void(int, Group, Workspace&)>& work) {
  const int slots = slot_count(batch.clips), most = group_size(batch.steps);
  pool_.run(slots, [&](int slot, int worker) {
    const int first = static_cast<int>(static_cast<int64_t>(batch.clips) * slot / slots);
    const int end = static_cast<int>(static_cast<int64_t>(batch.clips) * (slot + 1) / slots);
    for (int at = first; at < end; at += most) {
      const Group group{at, std::min(most, end - at)};
      forward_group(batch, group, worker, workspaces_[worker]);
      work(slot, group, workspaces_[worker]);
    }
  });
}

/// Lanes of x beyond the inputs stay zero, as they were when its memory was made: rows always have the same
/// stride, and `batch.input` writes the inputs alone.
void CpuBackend::forward_group(const Batch& batch, Group group, int worker, Workspace& w) {
  const size_t row = static_cast<size_t>(group.count) * input_stride_;
  w.x.reserve(row * batch.steps);
  for (int i = 0; i < group.count; ++i) {
    batch.input(group.first + i, w.x.data() + static_cast<size_t>(i) * input_stride_, row, worker);
  }
  w.x_events.clear(options_.inputs, input_stride_);
  w.x_events.append(w.x.data(), batch.steps * group.count);
  for (size_t k = 0; k < layers_.size(); ++k) {
    layers_[k].forward(input_of(k, w), batch.steps, group.count, w.layers[k], w.state);
  }
  readout_.forward(input_of(layers_.size(), w), batch.steps, group.count, w.readout);
}

/// What a layer reads; the readout counts as the one after the last.
LayerInput CpuBackend::input_of(size_t layer, Workspace& w) const {
  SpikeTrain& events = layer > 0 ? w.layers[layer - 1].events : w.x_events;
  const float* x = layer > 0 ? w.layers[layer - 1].s.data() : w.x.data();
  return {x, events.rows() > 0 && events.sparse() ? &events : nullptr};
}

void CpuBackend::score_group(const Batch& batch, const LossOptions& loss, Group group, Workspace& w,
                             float* scores, double* clip_spikes, BatchStatistics& statistics) const {
  const int classes = options_.classes, stride = readout_.stride();
  w.grad_score.resize(static_cast<size_t>(group.count) * stride);
  for (int i = 0; i < group.count; ++i) {
    const float* score = w.readout.score.data() + static_cast<size_t>(i) * stride;
    if (scores) std::copy_n(score, classes, scores + static_cast<size_t>(group.first + i) * classes);
    if (!batch.labels) continue;
    const int label = batch.labels[group.first + i];
    statistics.loss += clip_loss(options_.readout.kind, loss, score, classes, label, 1.0f / batch.clips,
                                 w.grad_score.data() + static_cast<size_t>(i) * stride);
    statistics.correct += best_class(score, classes) == label;
  }
  statistics.spikes.resize(layers_.size());
  for (size_t k = 0; k < layers_.size(); ++k) {
    const size_t width = layers_[k].stride();
    for (int i = 0; i < group.count; ++i) {
      const double sum = spike_sum(w.layers[k].s.data() + width * i, batch.steps, width * group.count,
                                   static_cast<int>(width));
      statistics.spikes[k] += sum;
      if (clip_spikes) clip_spikes[(group.first + i) * layers_.size() + k] = sum;
    }
  }
}

void CpuBackend::backward_group(const Batch& batch, Group group, Workspace& w, float* packed) {
  const size_t rows = static_cast<size_t>(batch.steps) * group.count;
  std::vector<float*> slices(layers_.size() + 1);
  for (size_t k = 0; k < layers_.size(); ++k) {
    slices[k] = packed;
    packed += layers_[k].gradient_size();
  }
  w.g.reserve(rows * last_stride(layers_));
  readout_.backward(input_of(layers_.size(), w), batch.steps, group.count, w.readout, w.grad_score.data(),
                    w.g.data(), packed);
  for (size_t k = layers_.size(); k-- > 0;) {
    const bool pass_on = k > 0 || batch.input_gradient;
    if (pass_on) w.gx.reserve(rows * (k > 0 ? layers_[k - 1].stride() : input_stride_));
    layers_[k].backward(input_of(k, w), batch.steps, group.count, w.layers[k], w.g.data(),
                        pass_on ? w.gx.data() : nullptr, w.state, slices[k]);
    std::swap(w.g, w.gx);
  }
  if (batch.input_gradient) copy_input_gradient(batch, group, w.g.data());
}

void CpuBackend::copy_input_gradient(const Batch& batch, Group group, const float* gx) const {
  const size_t inputs = options_.inputs;
  for (int t = 0; t < batch.steps; ++t) {
    for (int i = 0; i < group.count; ++i, gx += input_stride_) {
      const size_t row = static_cast<size_t>(t) * batch.clips + group.first + i;
      std::copy_n(gx, inputs, batch.input_gradient + row * inputs);
    }
  }
}

namespace {

BatchStatistics sum_in_order(const std::vector<BatchStatistics>& parts) {
  BatchStatistics total;
  for (const auto& part : parts) {
    total.loss += part.loss;
    total.correct += part.correct;
    total.spikes.resize(std::max(total.spikes.size(), part.spikes.size()));
    for (size_t k = 0; k < part.spikes.size(); ++k) total.spikes[k] += part.spikes[k];
  }
  return total;
}

}  // namespace

BatchStatistics CpuBackend::forward(const Batch& batch, const LossOptions& loss, float* scores,
                                    double* clip_spikes) {
  std::vector<BatchStatistics> parts(slot_count(batch.clips));
  for_slots(batch, [&](int slot, Group group, Workspace& w) {
    score_group(batch, loss, group, w, scores, clip_spikes, parts[slot]);
  });
  return sum_in_order(parts);
}

std::vector<ActivityView> CpuBackend::observe(const Batch& batch, float* scores) {
  FlushDenormals flush;
  BatchStatistics statistics;
  Workspace& w = workspaces_[0];
  forward_group(batch, {0, 1}, 0, w);
  score_group(batch, {}, {0, 1}, w, scores, nullptr, statistics);
  std::vector<ActivityView> views;
  for (size_t k = 0; k < layers_.size(); ++k) {
    views.push_back({w.layers[k].u.data(), w.layers[k].s.data(), static_cast<size_t>(layers_[k].stride()),
                     layers_[k].neurons(), statistics.spikes[k]});
  }
  return views;
}

BatchStatistics CpuBackend::gradient(const Batch& batch, const LossOptions& loss) {
  const int slots = slot_count(batch.clips);
  std::vector<BatchStatistics> parts(slots);
  if (slot_gradients_.size() < static_cast<size_t>(slots)) slot_gradients_.resize(slots);
  for (int slot = 0; slot < slots; ++slot) slot_gradients_[slot].resize(packed_size_);
  for_slots(batch, [&](int slot, Group group, Workspace& w) {
    score_group(batch, loss, group, w, nullptr, nullptr, parts[slot]);
    backward_group(batch, group, w, slot_gradients_[slot].data());
  });

  constexpr size_t kChunk = size_t{1} << 16;
  pool_.run(static_cast<int>((packed_size_ + kChunk - 1) / kChunk), [&](int chunk, int) {
    const size_t first = chunk * kChunk, count = std::min(kChunk, packed_size_ - first);
    for (int slot = 1; slot < slots; ++slot) {
      kernels().add(slot_gradients_[0].data() + first, slot_gradients_[slot].data() + first, count);
    }
  });
  gradient_.zero();
  const float* packed = slot_gradients_[0].data();
  for (size_t k = 0; k < layers_.size(); ++k) {
    layers_[k].unpack_gradient(packed, table_, "layers." + std::to_string(k) + ".", gradient_.data());
    packed += layers_[k].gradient_size();
  }
  readout_.unpack_gradient(packed, table_, gradient_.data());
  return sum_in_order(parts);
}

double CpuBackend::gradient_norm() const {
  double sum = 0.0;
  for (const auto& info : table_.all()) {
    if (!info.trained) continue;
    for (size_t i = 0; i < info.size; ++i) {
      const double g = gradient_[info.offset + i];
      sum += g * g;
    }
  }
  return std::sqrt(sum);
}

void CpuBackend::step(const OptimizerOptions& options, float rate) {
  FlushDenormals flush;
  ++steps_;
  float scale = 1.0f;
  if (options.clip_norm > 0.0f) {
    const double norm = gradient_norm();
    if (norm > options.clip_norm) scale = static_cast<float>(options.clip_norm / (norm + 1e-6));
  }
  for (const auto& info : table_.all()) {
    if (!info.trained) continue;
    const float decay = info.role == ParameterRole::kWeight ? options.weight_decay : 0.0f;
    kernels().adam({info.size, parameters_.data() + info.offset, m_.data() + info.offset,
                    v_.data() + info.offset, gradient_.data() + info.offset, scale, rate, options.beta1,
                    options.beta2, options.epsilon,
                    static_cast<float>(1.0 - std::pow(static_cast<double>(options.beta1), steps_)),
                    static_cast<float>(1.0 - std::pow(static_cast<double>(options.beta2), steps_)),
                    options.decoupled_decay ? decay : 0.0f, options.decoupled_decay ? 0.0f : decay});
  }
  constrain();
  pack();
}

void CpuBackend::constrain() {
  for (const auto& info : table_.all()) {
    if (!info.constrained || !info.trained) continue;
    const bool decay = info.role == ParameterRole::kDecay;
    for (size_t i = 0; i < info.size; ++i) {
      float& x = parameters_[info.offset + i];
      x = decay ? std::clamp(x, 0.0f, 1.0f) : std::max(x, kLeastThreshold);
    }
  }
}

std::unique_ptr<Backend> make_cpu_backend(const NetworkOptions& options, int threads) {
  return std::make_unique<CpuBackend>(options, threads);
}

}  // namespace sonospike

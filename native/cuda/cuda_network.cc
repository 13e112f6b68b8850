#include "cuda/cuda_network.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>

#include "core/support/denormals.h"

namespace sonospike::cuda {
namespace {

constexpr size_t kMostRows = size_t{1} << 30;  // rows times bands are counted in 31 bits

std::vector<LayerPass> make_passes(Device& device, const NetworkOptions& options,
                                   const ParameterTable& table) {
  std::vector<LayerPass> layers;
  for (size_t k = 0; k < options.layers.size(); ++k) layers.emplace_back(device, options, table, k);
  return layers;
}

/// The number of the range that a parameter is kept in, which is added where there is none like it.
size_t range_of(const ParameterInfo& info, std::vector<KeptRange>& ranges) {
  const auto same = [&](const KeptRange& range) {
    return range.least == info.least && range.most == info.most;
  };
  const auto found = std::find_if(ranges.begin(), ranges.end(), same);
  const size_t number = static_cast<size_t>(found - ranges.begin());
  if (found == ranges.end()) ranges.push_back({info.least, info.most});
  assert(ranges.size() <= size_t{kMostRanges});
  return number;
}

uint8_t flags_of(const ParameterInfo& info, std::vector<KeptRange>& ranges) {
  if (!info.trained) return 0;
  const int decays = info.role == ParameterRole::kWeight ? kDecays : 0;
  return static_cast<uint8_t>(kTrained | decays | range_of(info, ranges) << kRangeShift);
}

}  // namespace

CudaNetwork::CudaNetwork(const NetworkOptions& options, int device, int host_threads,
                         SingleClips single_clips)
    : options_(options),
      table_(options),
      host_threads_(host_threads),
      single_clips_(single_clips),
      device_(device),
      budget_(device_.memory() / 2),
      layers_(make_passes(device_, options_, table_)),
      narrow_(layers_.size() <= kMostNarrowLayers &&
              std::all_of(layers_.begin(), layers_.end(), [](const LayerPass& k) { return k.narrow(); })),
      readout_(device_, options_, table_),
      inputs_(device_, options.inputs, host_threads),
      scratch_(device_),
      parameters_(device_),
      gradient_(device_),
      m_(device_),
      v_(device_),
      flags_(device_),
      norm_(device_),
      scores_(device_),
      grad_score_(device_),
      g_(device_),
      gx_(device_),
      input_gradient_(device_),
      figures_(device_),
      gradients_(device_) {
  for (auto* array : {&parameters_, &gradient_, &m_, &v_}) {
    array->reserve(table_.size());
    array->zero();
  }
  std::vector<uint8_t> flags(table_.size());
  for (const ParameterInfo& info : table_.all())
    std::fill_n(&flags[info.offset], info.size, flags_of(info, ranges_));
  flags_.upload(flags.data(), flags.size());
  norm_.reserve(kNormParts);
}

CudaNetwork::~CudaNetwork() {
  try {
    device_.use();
    device_.synchronize();
  } catch (const DeviceError&) {  // of a device that is lost nothing comes any more
  }
}

void CudaNetwork::load_parameters(const float* values) {
  device_.use();
  parameters_.upload(values, table_.size());
  packed_ = host_is_current_ = false;
}

void CudaNetwork::read_parameters(float* values) const {
  device_.use();
  parameters_.download(values);
}

void CudaNetwork::read_gradient(float* values) const {
  device_.use();
  gradient_.download(values);
}

/// From [rows, inputs] to [steps, clips, inputs].
void CudaNetwork::read_input_gradient(float* values) const {
  device_.use();
  std::vector<float> rows(input_gradient_.size());
  input_gradient_.download(rows.data());
  const size_t n = options_.inputs, clips = steps_of_.size();
  std::fill_n(values, longest_ * clips * n, 0.0f);
  const float* from = rows.data();
  for (size_t i = 0; i < clips; ++i) {
    for (int t = 0; t < steps_of_[i]; ++t, from += n) std::copy_n(from, n, values + (t * clips + i) * n);
  }
}

void CudaNetwork::synchronize() {
  device_.use();
  device_.synchronize();
}

void CudaNetwork::read_moments(float* m, float* v, int64_t* steps) const {
  device_.use();
  m_.download(m);
  v_.download(v);
  *steps = steps_;
}

void CudaNetwork::load_moments(const float* m, const float* v, int64_t steps) {
  device_.use();
  m_.upload(m, table_.size());
  v_.upload(v, table_.size());
  steps_ = steps;
}

/// A CPU backend with the parameters of the device.
Backend& CudaNetwork::on_host() {
  if (!host_) host_ = make_cpu_backend(options_, host_threads_);
  if (!host_is_current_) {
    std::vector<float> values(table_.size());
    read_parameters(values.data());
    host_->load_parameters(values.data());
    host_is_current_ = true;
  }
  return *host_;
}

/// The weights that read a layer with dropout make up for it.
void CudaNetwork::set_dropping(bool dropping) {
  if (dropping != dropping_) packed_ = false;
  dropping_ = dropping;
  float scale = 1.0f;
  for (size_t k = 0; k < layers_.size(); ++k) {
    layers_[k].set_parameters(parameters_.data(), scale);
    scale = dropping ? 1.0f / (1.0f - options_.layers[k].dropout) : 1.0f;
  }
  readout_.set_parameters(parameters_.data(), scale);
}

/// Brings the parameters into the kernels' layout. narrow: the layers go all at once, forward and backward,
/// and read the weights as they are.
void CudaNetwork::pack(bool narrow) {
  if (!narrow) {
    for (LayerPass& layer : layers_) layer.pack();
  }
  readout_.pack();
}

/// Memory of the device for one step of a clip.
size_t CudaNetwork::row_bytes() const {
  size_t bytes = inputs_.row_bytes() + readout_.row_bytes();
  int widest = options_.inputs;
  for (const LayerPass& layer : layers_) {
    bytes += layer.row_bytes();
    widest = std::max(widest, layer.neurons());
  }
  return bytes + 2 * widest * sizeof(float);
}

/// The end of the clips from `first` on that the device takes at a time: at least one.
int CudaNetwork::chunk_end(const Batch& batch, int first) const {
  size_t clip_bytes = readout_.sums_size(1) * sizeof(float);
  int bands = 1;
  for (size_t k = 0; k < layers_.size(); ++k) {
    clip_bytes += layers_[k].clip_bytes() + layers_[k].sums_size(1, narrow_) * sizeof(float);
    const ConnectionShape shape = connection_shape(options_, k);
    bands = std::max({bands, shape.bands, shape.inputs / shape.in_channels});
  }
  size_t bytes = 0, rows = 0;
  for (int end = first; end < batch.clips; ++end) {
    const size_t steps = batch.steps_of_clip(end);
    bytes += steps * row_bytes() + clip_bytes;
    rows += steps * bands;
    if (end > first && (bytes > budget_ || rows > kMostRows)) return end;
  }
  return batch.clips;
}

/// Calls work(first, count) for all clips of a batch, as many at a time as the device has memory for. Where
/// there is less than was thought, as others use it too, all of it starts again with fewer at a time.
void CudaNetwork::for_chunks(const Batch& batch, const std::function<void(int, int)>& work) {
  for (;;) {
    int most = 0;
    try {
      for (int first = 0, end; first < batch.clips; first = end) {
        end = chunk_end(batch, first);
        most = std::max(most, end - first);
        work(first, end - first);
      }
      return;
    } catch (const DeviceError& error) {
      if (error.kind() != DeviceError::Kind::kOutOfMemory) throw;
      free_traces();
      if (most <= 1) {
        const size_t needed = row_bytes() * batch.steps;
        throw DeviceError(DeviceError::Kind::kOutOfMemory,
                          "A clip of " + std::to_string(batch.steps) + " steps needs about " +
                              std::to_string((needed >> 20) + 1) + " MiB of the device's memory, of which " +
                              std::to_string(device_.free_memory() >> 20) + " MiB are free.");
      }
      budget_ = std::min(budget_, most * row_bytes() * batch.steps) / 2;
    }
  }
}

void CudaNetwork::free_traces() {
  inputs_.free();
  readout_.free();
  for (LayerPass& layer : layers_) layer.free();
  for (auto* array : {&g_, &gx_, &scratch_.parts, &scratch_.state}) array->free();
  scratch_.sums.free();
}

/// Computes the scores and figures of the loaded clips, to scores_ and figures_. weight: of the loss in its
/// gradient; labels: null: without the loss.
void CudaNetwork::pass_forward(const LossOptions& loss, float weight, const int* labels) {
  inputs_.encode();
  const Clips& clips = inputs_.clips();
  const int count = clips.count;
  figures_.reserve((kFigures + layers_.size()) * count);
  scores_.reserve(static_cast<size_t>(count) * options_.classes);
  if (narrow_) {
    for (LayerPass& layer : layers_) layer.reserve(clips, scratch_);
    NarrowArgs args = narrow_arguments();
    for (size_t k = 0; k < layers_.size(); ++k) args.layer[k] = layers_[k].narrow_layer(keys());
    narrow_forward(device_, args);
  } else {
    for (size_t k = 0; k < layers_.size(); ++k) layers_[k].forward(clips, input_of(k), keys(), scratch_);
  }
  if (!readout_.counts_spikes()) readout_.forward(clips, layers_.back().sent(), scores_.data());
  if (labels) grad_score_.reserve(scores_.size());
  std::vector<NeuronCounts> counts;
  for (const LayerPass& layer : layers_) counts.push_back(layer.count());
  report(device_,
         {options_.readout.kind, loss, options_.classes, count, scores_.data(), labels, weight,
          grad_score_.data(), figures_.data()},
         counts);
}

/// Without the layers.
NarrowArgs CudaNetwork::narrow_arguments() const {
  NarrowArgs args{};
  args.layers = static_cast<int>(layers_.size());
  args.clips = inputs_.clips();
  args.input = inputs_.input();
  return args;
}

void CudaNetwork::forward(const Batch& batch, float* scores, double* spikes) {
  if (batch.clips == 1 && !batch.encoded && single_clips_ == SingleClips::kOnHost) {
    return on_host().forward(batch, scores, spikes);
  }
  device_.use();
  set_dropping(false);
  if (!packed_) pack(narrow_);
  packed_ = true;
  const size_t layers = layers_.size();
  for_chunks(batch, [&](int first, int count) {
    inputs_.load(batch, first, count);
    pass_forward({}, 0.0f, nullptr);
    scores_.download(scores + static_cast<size_t>(first) * options_.classes);
    std::vector<double> found(layers * count);
    device_.download(found.data(), figures_.data() + kFigures * count, found.size() * sizeof(double));
    for (int i = 0; i < count; ++i) {
      for (size_t k = 0; k < layers; ++k) spikes[(first + i) * layers + k] = found[k * count + i];
    }
  });
}

NetworkView CudaNetwork::observe(const Batch& batch, float* scores) {
  if (single_clips_ == SingleClips::kOnHost) return on_host().observe(batch, scores);
  std::vector<double> spikes(layers_.size());
  forward(batch, scores, spikes.data());
  NetworkView view;
  views_.resize(2 * layers_.size() + 1);
  for (size_t k = 0; k < layers_.size(); ++k) {
    std::vector<float>&u = views_[2 * k], &s = views_[2 * k + 1];
    layers_[k].download(inputs_.clips().rows, u, s);
    const int n = layers_[k].neurons();
    view.layers.push_back({u.data(), s.data(), static_cast<size_t>(n), n, spikes[k]});
  }
  if (readout_.counts_spikes()) return view;
  readout_.download(views_.back());
  view.potential = views_.back().data();
  view.potential_stride = static_cast<size_t>(options_.classes);
  return view;
}

void CudaNetwork::step(const OptimizerOptions& options, float rate) {
  device_.use();
  ++steps_;
  const bool clips = options.clip_norm > 0.0f;
  if (clips) squared_norm(device_, flags_.data(), gradient_.data(), table_.size(), norm_.data());
  const auto correction = [this](float beta) {
    return static_cast<float>(1.0 - std::pow(static_cast<double>(beta), steps_));
  };
  AdamStep adam{table_.size(),
                flags_.data(),
                parameters_.data(),
                m_.data(),
                v_.data(),
                gradient_.data(),
                clips ? norm_.data() : nullptr,
                options.clip_norm,
                rate,
                options.beta1,
                options.beta2,
                options.epsilon,
                correction(options.beta1),
                correction(options.beta2),
                options.decoupled_decay ? options.weight_decay : 0.0f,
                options.decoupled_decay ? 0.0f : options.weight_decay,
                {}};
  std::copy(ranges_.begin(), ranges_.end(), adam.ranges);
  adam_step(device_, adam);
  packed_ = host_is_current_ = false;
}

}  // namespace sonospike::cuda

namespace sonospike {

std::unique_ptr<Backend> make_cuda_backend(const NetworkOptions& options, int device, int host_threads) {
  return std::make_unique<cuda::CudaNetwork>(options, device, host_threads);
}

}  // namespace sonospike

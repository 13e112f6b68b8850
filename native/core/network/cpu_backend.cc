#include "core/network/cpu_backend.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

#include "core/support/denormals.h"

namespace sonospike {
namespace {

constexpr int kMostShards = 16;
// Gradients of all shards of a batch together; a wide network has one shard, whatever its size. They are
// written, read and added up for every batch.
constexpr size_t kShardGradientBytes = size_t{16} << 20;

}  // namespace

CpuBackend::CpuBackend(const NetworkOptions& options, int threads)
    : options_(options),
      table_(options),
      pool_(threads),
      layers_(make_layers(options)),
      readout_(options.readout, options.layers.back().neurons, layers_.back().stride(), options.classes),
      passes_(pool_.size(), NetworkPass(layers_, readout_, options.inputs, {})),
      grad_score_(pool_.size()),
      parameters_(table_.size()),
      gradient_(table_.size()),
      m_(table_.size()),
      v_(table_.size()) {
  for (const auto& layer : layers_) packed_size_ += layer.gradient_size();
  packed_size_ += readout_.gradient_size();
}

size_t CpuBackend::bytes() const {
  return bytes_of(readout_, parameters_, gradient_, m_, v_, input_gradient_) + bytes_of_all(layers_) +
         bytes_of_all(passes_) + bytes_of_all(grad_score_) + bytes_of_all(shard_gradients_);
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

void CpuBackend::read_input_gradient(float* values) const {
  std::copy_n(input_gradient_.data(), input_gradient_.size(), values);
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

/// Brings the parameters into the kernels' layout; the weights that read a layer with dropout make up for it.
void CpuBackend::pack() {
  float scale = 1.0f;
  for (size_t k = 0; k < layers_.size(); ++k) {
    layers_[k].load(table_, "layers." + std::to_string(k) + ".", parameters_.data(), scale);
    scale = dropping_ ? 1.0f / (1.0f - options_.layers[k].dropout) : 1.0f;
  }
  readout_.load(table_, parameters_.data(), scale);
}

void CpuBackend::set_dropping(bool dropping) {
  if (dropping == dropping_) return;
  dropping_ = dropping;
  pack();
}

/// Shards of a training step; predictions have no gradient to sum.
int CpuBackend::gradient_shards(int clips) const {
  const size_t affordable = kShardGradientBytes / (packed_size_ * sizeof(float));
  const size_t most = std::bit_floor(std::max<size_t>(1, affordable));
  return static_cast<int>(std::min<size_t>({static_cast<size_t>(clips), size_t{kMostShards}, most}));
}

/// Calls work(pass, micro) for all micro-batches of one of `shards` shards.
template <typename Work>
void CpuBackend::for_micro_batches(const Batch& batch, int shards, int shard, int worker, Work work) {
  const int most = batch.steps_of ? 1 : passes_[worker].micro_batch_size(batch.steps);
  const int first = static_cast<int>(static_cast<int64_t>(batch.clips) * shard / shards);
  const int end = static_cast<int>(static_cast<int64_t>(batch.clips) * (shard + 1) / shards);
  for (int at = first; at < end; at += most) {
    const MicroBatch micro{at, std::min(most, end - at)};
    work(passes_[worker], micro);
  }
}

void CpuBackend::forward(const Batch& batch, float* scores, double* spikes) {
  set_dropping(false);
  const int shards = std::min(batch.clips, kMostShards);
  pool_.run(shards, [&](int shard, int worker) {
    for_micro_batches(batch, shards, shard, worker, [&](NetworkPass& pass, MicroBatch micro) {
      pass.forward(batch, micro.first, micro.count, worker, NetworkPass::Keep::kScores);
      for (int i = 0; i < micro.count; ++i) {
        const size_t clip = micro.first + i;
        std::copy_n(pass.scores(i), options_.classes, scores + clip * options_.classes);
        for (size_t k = 0; k < layers_.size(); ++k) spikes[clip * layers_.size() + k] = pass.spikes(k, i);
      }
    });
  });
}

NetworkView CpuBackend::observe(const Batch& batch, float* scores) {
  FlushDenormals flush;
  set_dropping(false);
  NetworkPass& pass = passes_[0];
  pass.forward(batch, 0, 1, 0, NetworkPass::Keep::kEverything);
  std::copy_n(pass.scores(0), options_.classes, scores);
  return pass.view();
}

/// Loss, right answers and spikes of a micro-batch, and the gradient of the loss to its scores.
void CpuBackend::add_loss(const Batch& batch, const LossOptions& loss, MicroBatch micro,
                          const NetworkPass& pass, Buffer<float>& grad_score,
                          BatchStatistics& statistics) const {
  grad_score.resize(static_cast<size_t>(micro.count) * readout_.stride());
  statistics.spikes.resize(layers_.size());
  statistics.steps += int64_t{micro.count} * batch.steps_of_clip(micro.first);
  for (int i = 0; i < micro.count; ++i) {
    const int label = batch.labels[micro.first + i];
    statistics.loss +=
        clip_loss(options_.readout.kind, loss, pass.scores(i), options_.classes, label, 1.0f / batch.clips,
                  grad_score.data() + static_cast<size_t>(i) * readout_.stride());
    statistics.correct += best_class(pass.scores(i), options_.classes) == label;
    for (size_t k = 0; k < layers_.size(); ++k) statistics.spikes[k] += pass.spikes(k, i);
  }
}

namespace {

BatchStatistics sum_in_order(const std::vector<BatchStatistics>& parts) {
  BatchStatistics total;
  for (const auto& part : parts) {
    total.loss += part.loss;
    total.correct += part.correct;
    total.steps += part.steps;
    total.spikes.resize(std::max(total.spikes.size(), part.spikes.size()));
    for (size_t k = 0; k < part.spikes.size(); ++k) total.spikes[k] += part.spikes[k];
  }
  return total;
}

}  // namespace

BatchStatistics CpuBackend::gradient(const Batch& batch, const LossOptions& loss) {
  assert(batch.clips > 0);
  set_dropping(batch.keys && std::any_of(options_.layers.begin(), options_.layers.end(),
                                         [](const LayerOptions& layer) { return layer.dropout > 0.0f; }));
  const int shards = gradient_shards(batch.clips);
  std::vector<BatchStatistics> parts(shards);
  if (batch.of_input) {
    input_gradient_.reserve(static_cast<size_t>(batch.steps) * batch.clips * options_.inputs);
    if (batch.steps_of) input_gradient_.zero();  // beyond the ends of clips
  }
  if (shard_gradients_.size() < static_cast<size_t>(shards)) shard_gradients_.resize(shards);
  const auto run = [&](int shard, int worker) {
    shard_gradients_[shard].resize(packed_size_);
    for_micro_batches(batch, shards, shard, worker, [&](NetworkPass& pass, MicroBatch micro) {
      pass.forward(batch, micro.first, micro.count, worker, NetworkPass::Keep::kTrace);
      add_loss(batch, loss, micro, pass, grad_score_[worker], parts[shard]);
      pass.backward(grad_score_[worker].data(), loss.spike_cost / batch.clips, shard_gradients_[shard].data(),
                    batch.of_input ? input_gradient_.data() : nullptr);
    });
  };
  if (2 * shards > pool_.size()) {
    pool_.run(shards, run);
  } else {
    // Too few for all threads: these work together on one shard after the other.
    FlushDenormals flush;
    const NetworkPass::Sharing sharing(passes_[0], pool_);
    for (int shard = 0; shard < shards; ++shard) run(shard, 0);
  }
  sum_gradients(shards);
  return sum_in_order(parts);
}

/// Adds up the gradients of the shards, in order, and brings them into the order of `table()`.
void CpuBackend::sum_gradients(int shards) {
  constexpr size_t kChunk = size_t{1} << 16;
  pool_.run(static_cast<int>((packed_size_ + kChunk - 1) / kChunk), [&](int chunk, int) {
    const size_t first = chunk * kChunk, count = std::min(kChunk, packed_size_ - first);
    for (int shard = 1; shard < shards; ++shard) {
      kernels().add(shard_gradients_[0].data() + first, shard_gradients_[shard].data() + first, count);
    }
  });
  float* packed = shard_gradients_[0].data();
  for (size_t k = 0; k < layers_.size(); ++k) {
    layers_[k].unpack_gradient(packed, table_, "layers." + std::to_string(k) + ".", gradient_.data());
    packed += layers_[k].gradient_size();
  }
  readout_.unpack_gradient(packed, table_, gradient_.data());
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
    for (size_t i = 0; i < info.size; ++i) {
      float& x = parameters_[info.offset + i];
      x = std::clamp(x, info.least, info.most);
    }
  }
}

std::unique_ptr<Backend> make_cpu_backend(const NetworkOptions& options, int threads) {
  return std::make_unique<CpuBackend>(options, threads);
}

}  // namespace sonospike

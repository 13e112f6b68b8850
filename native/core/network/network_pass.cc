#include "core/network/network_pass.h"

#include <algorithm>
#include <cstring>

namespace sonospike {
namespace {

constexpr int kMostClipsInMicroBatch = 8;
// Rows of a chunk. Many make the products of wide layers efficient; few let narrow layers start early.
constexpr int kFewestRows = 48, kMostRows = 192;
// Layers whose weights are larger than the caches read them once a chunk.
constexpr int kVeryWide = 1024, kRowsOfVeryWide = 512;

}  // namespace

NetworkPass::NetworkPass(const std::vector<LifLayer>& layers, const Readout& readout, int inputs,
                         const Limits& limits)
    : layers_(layers),
      readout_(readout),
      inputs_(inputs),
      input_stride_(pad_lanes(inputs)),
      limits_(limits),
      traces_(layers.size()) {
  for (const auto& layer : layers) history_ = std::max(history_, layer.history());
}

/// Memory of the trace of one step of a clip.
size_t NetworkPass::step_bytes() const {
  size_t bytes = input_stride_ * sizeof(float);
  for (const auto& layer : layers_) {
    const bool spikes = !sends_values(layer.neuron().spike);
    bytes +=
        layer.stride() * (spikes ? sizeof(float) : 2 * sizeof(float)) + (spikes ? layer.stride() / 8 : 0);
    if (layer.adaptive()) bytes += layer.stride() * sizeof(float);
  }
  return bytes + readout_.step_floats() * sizeof(float);
}

size_t NetworkPass::bytes() const {
  size_t saved = 0;
  for (const auto& state : saved_) saved += state.capacity();
  return saved + bytes_of(input_, readout_trace_, scratch_, g_, gx_) + bytes_of_all(traces_) +
         bytes_of_all(views_);
}

int NetworkPass::micro_batch_size(int steps) const {
  return static_cast<int>(
      std::clamp<size_t>(limits_.micro_batch / (step_bytes() * steps), 1, kMostClipsInMicroBatch));
}

int NetworkPass::chunk_steps() const {
  int widest = 0;
  for (const auto& layer : layers_) widest = std::max(widest, layer.stride());
  const int rows =
      widest < kVeryWide ? std::clamp(widest + widest / 2, kFewestRows, kMostRows) : kRowsOfVeryWide;
  return std::max(1, rows / count_);
}

void NetworkPass::begin(Keep keep) {
  const int steps = steps_;
  // What a chunk looks back to lies within the chunk before it.
  chunk_steps_ = std::min(std::max(chunk_steps(), history_), steps);
  ring_ = keep == Keep::kScores;
  const size_t step = count_ * (ring_ ? input_stride_ * sizeof(float) : step_bytes());
  const size_t most = std::max<size_t>(1, (ring_ ? limits_.input : limits_.segment) / step / chunk_steps_);
  const size_t needed = (static_cast<size_t>(steps) + chunk_steps_ - 1) / chunk_steps_;
  segment_steps_ =
      keep == Keep::kEverything ? steps : static_cast<int>(std::min(most, needed)) * chunk_steps_;
  segments_ = (steps + segment_steps_ - 1) / segment_steps_;

  // The first rows are those of the steps before.
  const size_t segment_rows = static_cast<size_t>(history_ + segment_steps_) * count_;
  const size_t rows = ring_ ? static_cast<size_t>(history_ + 2 * chunk_steps_) * count_ : segment_rows;
  input_.reserve(batch_->spikes ? Activity::Kind::kSpikes : Activity::Kind::kEither, inputs_, input_stride_,
                 segment_rows);
  const size_t front = static_cast<size_t>(history_) * count_;
  for (size_t k = 0; k < layers_.size(); ++k) layers_[k].begin(traces_[k], rows, front, count_);
  readout_.begin(readout_trace_, rows, front, count_);
}

int NetworkPass::steps_of(int segment) const {
  return std::min(segment_steps_, steps_ - segment * segment_steps_);
}

int NetworkPass::chunks_of(int segment) const {
  return (steps_of(segment) + chunk_steps_ - 1) / chunk_steps_;
}

TimeChunk NetworkPass::chunk_at(int segment, int chunk, bool ring) const {
  const int first = chunk * chunk_steps_, steps = std::min(chunk_steps_, steps_of(segment) - first);
  const size_t step = history_ + (ring ? chunk % 2 * chunk_steps_ : first);
  return {step * count_, steps, count_, segment == 0 && chunk == 0};
}

void NetworkPass::forward(const Batch& batch, int first, int count, int worker, Keep keep) {
  batch_ = &batch;
  first_ = first;
  count_ = count;
  steps_ = batch.steps_of_clip(first);
  worker_ = worker;
  begin(keep);
  for (size_t k = 0; k < layers_.size(); ++k) {
    traces_[k].dropout.any = false;
    if (keep == Keep::kTrace && batch.keys) {
      layers_[k].draw_dropout(batch.keys + first, count, static_cast<int>(k), traces_[k]);
    }
  }
  const bool again = keep == Keep::kTrace && segments_ > 1;
  if (again) saved_.resize(segments_);
  for (int segment = 0; segment < segments_; ++segment) {
    if (again) save(segment);
    run(segment);
  }
  readout_.finish(traces_.back(), readout_trace_);
}

void NetworkPass::run(int segment) {
  segment_ = segment;
  fill_input(segment);
  const int chunks = chunks_of(segment), layers = static_cast<int>(layers_.size());
  for (int stage = 0; stage < chunks + layers; ++stage) run_stage(stage);
  // Not before, as the layers above read what stands in front.
  if (segment + 1 < segments_) {
    for (int k = 0; k <= layers; ++k) carry_over(k, chunks - 1);
  }
}

/// The steps of a segment, and those before it that the first layer looks back to.
void NetworkPass::fill_input(int segment) {
  const int start = segment * segment_steps_, before = std::min(start, layers_[0].history());
  const int first = start - before, steps = before + steps_of(segment);
  const size_t front = static_cast<size_t>(history_ - before) * count_;
  input_.zero_rows(0, front);
  for (int i = 0; i < count_; ++i) {
    const size_t row = front + i;
    if (batch_->spikes) {
      batch_->spikes(first_ + i, first, steps, input_.bits(row), count_ * input_.words(), worker_);
    } else {
      batch_->input(first_ + i, first, steps, input_.values(row), count_ * input_.stride(), worker_);
    }
  }
  if (!input_.spikes_only()) input_.take(0, static_cast<size_t>(history_) * count_);
}

/// TimeChunk `stage` of the first layer, the one before of the second, and so on; the readout comes last.
void NetworkPass::run_stage(int stage) {
  const int chunks = chunks_of(segment_), last = static_cast<int>(layers_.size());
  const int least = std::max(0, stage - chunks + 1),
            most = std::min(stage, last);  // layers that have a chunk
  if (least == 0 && !input_.spikes_only()) {
    const TimeChunk chunk = chunk_at(segment_, stage, false);
    input_.take(chunk.row, chunk.rows());
  }
  // From the top: a recurrent layer writes where those that the layer above looks back to may have been.
  for (int k = most; k >= least; --k) {
    const TimeChunk chunk = chunk_at(segment_, stage - k, ring_);
    if (k == last) {
      readout_.forward(traces_.back(), chunk, steps_, readout_trace_, scratch_);
      continue;
    }
    const size_t input_row = k > 0 ? chunk.row : chunk_at(segment_, stage, false).row;
    layers_[k].input_currents(input_of(k), input_row, chunk, traces_[k], scratch_);
    if (layers_[k].recurrent()) layers_[k].step(chunk, traces_[k], scratch_);
  }
  scan(stage, least, std::min(most, last - 1));
  for (int k = least; k <= most; ++k) {
    const int chunk = stage - k;
    if (k < last && traces_[k].dropout.any) drop(traces_[k], chunk_at(segment_, chunk, ring_));
    if (ring_ && chunk % 2 == 1 && chunk + 1 < chunks) carry_over(k, chunk);
    flush_sums(k, chunk);
  }
}

void NetworkPass::drop(LayerTrace& trace, const TimeChunk& chunk) {
  trace.spikes.mask_rows(chunk.row, chunk.rows(), count_, trace.dropout.bits.data(),
                         trace.dropout.kept.data());
}

/// The layers that are not recurrent; alike ones beside each other go together.
void NetworkPass::scan(int stage, int least, int most) {
  int steps = 0;
  const NeuronModel* model = nullptr;
  scans_.clear();
  const auto flush = [&] {
    if (!scans_.empty()) kernels().lif_forward(*model, steps, scans_.data(), static_cast<int>(scans_.size()));
    scans_.clear();
  };
  for (int k = least; k <= most; ++k) {
    if (layers_[k].recurrent()) continue;
    const TimeChunk chunk = chunk_at(segment_, stage - k, ring_);
    if (!scans_.empty() && (chunk.steps != steps || !(layers_[k].neuron() == *model))) flush();
    model = &layers_[k].neuron();
    steps = chunk.steps;
    scans_.push_back(layers_[k].scan(chunk, traces_[k]));
  }
  flush();
}

/// Puts the last steps of a chunk in front of the rows that come next where they do not follow it.
void NetworkPass::carry_over(size_t layer, int chunk) {
  const TimeChunk from = chunk_at(segment_, chunk, ring_);
  const size_t end = from.row + from.rows(), steps = static_cast<size_t>(history_) * count_;
  const auto move_last = [&](Buffer<float>& rows, size_t stride) {
    std::copy_n(rows.data() + (end - count_) * stride, count_ * stride,
                rows.data() + (steps - count_) * stride);
  };
  if (layer < layers_.size()) {
    traces_[layer].spikes.copy_rows(end - steps, 0, steps);
    move_last(traces_[layer].u, layers_[layer].stride());
    if (layers_[layer].adaptive()) move_last(traces_[layer].w, layers_[layer].stride());
  } else if (!readout_.counts_spikes()) {
    move_last(readout_trace_.o, readout_.stride());
  }
}

/// Sums over very many steps would lose their last terms in float32. Clips that are as long are alone in
/// their group, so that where a clip's sums are cut does not depend on others.
void NetworkPass::flush_sums(size_t layer, int chunk) {
  const int often = std::max(1, kSettledSteps / chunk_steps_);
  if ((segment_ * (segment_steps_ / chunk_steps_) + chunk) % often != often - 1) return;
  if (layer == layers_.size()) return readout_.flush_sums(readout_trace_);
  LayerTrace& trace = traces_[layer];
  for (size_t i = 0; i < trace.count.size(); ++i) trace.total[i] += trace.count[i];
  trace.count.zero();
}

/// Everything that the steps to come depend on.
template <typename Visit>
void NetworkPass::visit_state(Visit visit) {
  for (size_t k = 0; k < layers_.size(); ++k) {
    const size_t state = static_cast<size_t>(count_) * layers_[k].stride();
    visit(traces_[k].v.data(), state);
    visit(traces_[k].u.data() + (history_ - 1) * state, state);
    if (layers_[k].adaptive()) visit(traces_[k].w.data() + (history_ - 1) * state, state);
    traces_[k].spikes.visit_rows(static_cast<size_t>(history_) * count_, visit);
  }
  if (readout_.counts_spikes()) return;
  const size_t state = static_cast<size_t>(count_) * readout_.stride();
  visit(readout_trace_.o.data() + (history_ - 1) * state, state);
}

void NetworkPass::save(int segment) {
  std::vector<char>& saved = saved_[segment];
  saved.clear();
  visit_state([&](auto* values, size_t count) {
    const char* bytes = reinterpret_cast<const char*>(values);
    saved.insert(saved.end(), bytes, bytes + count * sizeof *values);
  });
}

void NetworkPass::restore(int segment) {
  const char* from = saved_[segment].data();
  visit_state([&](auto* values, size_t count) {
    std::memcpy(values, from, count * sizeof *values);
    from += count * sizeof *values;
  });
}

const float* NetworkPass::scores(int clip) const {
  return readout_trace_.score.data() + static_cast<size_t>(clip) * readout_.stride();
}

double NetworkPass::spikes(int layer, int clip) const {
  const int stride = layers_[layer].stride();
  const size_t first = static_cast<size_t>(clip) * stride;
  double sum = 0.0;
  for (size_t i = first; i < first + stride; ++i) sum += traces_[layer].total[i] + traces_[layer].count[i];
  return sum;
}

NetworkView NetworkPass::view() {
  NetworkView seen;
  for (size_t k = 0; k < layers_.size(); ++k) seen.layers.push_back(view_layer(k));
  if (!readout_.counts_spikes()) {
    seen.potential_stride = readout_.stride();
    seen.potential = readout_trace_.o.data() + history_ * seen.potential_stride;
  }
  return seen;
}

ActivityView NetworkPass::view_layer(int layer) {
  const size_t stride = layers_[layer].stride(), steps = steps_;
  views_.resize(layers_.size());
  views_[layer].reserve(steps * stride);
  traces_[layer].spikes.expand(history_, steps, views_[layer].data());
  return {traces_[layer].u.data() + history_ * stride, views_[layer].data(), stride, layers_[layer].neurons(),
          spikes(layer, 0)};
}

}  // namespace sonospike

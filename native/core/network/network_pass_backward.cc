// The way back through a network, a chunk of time after the other, from the last.
#include <algorithm>

#include "core/network/network_pass.h"

namespace sonospike {

void NetworkPass::backward(const float* grad_score, float spike_cost, float* packed, float* input_gradient) {
  for (size_t k = 0; k < layers_.size(); ++k) layers_[k].begin_backward(traces_[k], count_);
  readout_.begin_backward(readout_trace_, count_);
  for (int segment = segments_ - 1; segment >= 0; --segment) {
    if (segment != segment_) {
      restore(segment);
      run(segment);
      // The end of the segment now stands in front of its rows.
      restore(segment);
    }
    for (int chunk = chunks_of(segment) - 1; chunk >= 0; --chunk)
      backward_chunk(chunk, grad_score, spike_cost, packed, input_gradient);
  }
}

void NetworkPass::backward_chunk(int index, const float* grad_score, float spike_cost, float* packed,
                                 float* input_gradient) {
  const TimeChunk chunk = chunk_at(segment_, index, false);
  size_t widest = input_stride_, offset = 0;
  for (const auto& layer : layers_) {
    widest = std::max<size_t>(widest, layer.stride());
    offset += layer.gradient_size();
  }
  const size_t rows = static_cast<size_t>(history_) * count_ + chunk.rows();
  g_.reserve(rows * widest);
  gx_.reserve(rows * widest);
  float* g = g_.data();
  readout_.backward(traces_.back(), chunk, steps_, readout_trace_, grad_score, g, packed + offset, scratch_);
  if (layers_.back().recurrent()) layers_.back().find_near(chunk, traces_.back());
  for (size_t k = layers_.size(); k-- > 0;) {
    const LifLayer& layer = layers_[k];
    offset -= layer.gradient_size();
    add_to_spikes(k, chunk, spike_cost, g);
    layer.backward(input_of(k), chunk, traces_[k], g, packed + offset, scratch_);
    if (k == 0 && !input_gradient) return;
    NearThreshold* below = k > 0 ? &traces_[k - 1].near : nullptr;
    if (below && (layer.uses_near() || layers_[k - 1].recurrent())) {
      layers_[k - 1].find_near(chunk, traces_[k - 1]);
    }
    g = layer.input_gradient(chunk, traces_[k], below, g, gx_.data(), scratch_);
    std::swap(g_, gx_);
  }
  copy_input_gradient(chunk, segment_ * segment_steps_ + index * chunk_steps_, g, input_gradient);
}

/// From dL/ds as what is sent on has it to that of the spikes themselves: dropout and their cost.
void NetworkPass::add_to_spikes(size_t layer, const TimeChunk& chunk, float cost, float* g) const {
  const LifLayer& of = layers_[layer];
  const size_t size = static_cast<size_t>(chunk.rows()) * of.stride(),
               row = static_cast<size_t>(count_) * of.stride();
  const Dropout& dropout = traces_[layer].dropout;
  for (size_t at = 0; dropout.any && at < size; at += row) {
    for (size_t i = 0; i < row; ++i) g[at + i] *= dropout.kept[i];
  }
  if (cost == 0.0f || of.neuron().spike == SpikeKind::kRelu) return;
  const float each = cost / (static_cast<float>(of.neurons()) * static_cast<float>(steps_));
  for (size_t i = 0; i < size; ++i) g[i] += each;
}

void NetworkPass::copy_input_gradient(const TimeChunk& chunk, int first_step, const float* from,
                                      float* all) const {
  for (int t = first_step; t < first_step + chunk.steps; ++t) {
    float* to = all + (static_cast<size_t>(t) * batch_->clips + first_) * inputs_;
    for (int i = 0; i < count_; ++i, from += input_stride_, to += inputs_) std::copy_n(from, inputs_, to);
  }
}

}  // namespace sonospike

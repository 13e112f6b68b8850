#include "core/network/readout.h"

#include <algorithm>

#include "core/network/packing.h"

namespace sonospike {

Readout::Readout(const ReadoutOptions& options, int inputs, int input_stride, int classes)
    : options_(options),
      inputs_(inputs),
      input_stride_(input_stride),
      classes_(classes),
      stride_(pad_lanes(classes)) {
  if (counts_spikes()) return;
  weight_t_.resize(static_cast<size_t>(inputs) * stride_);
  weight_.resize(static_cast<size_t>(classes) * input_stride);
  bias_.resize(stride_);
  decay_.resize(stride_);
}

void Readout::load(const ParameterTable& table, const float* values, float input_scale) {
  if (counts_spikes()) return;
  const MatrixPacking packing{classes_, inputs_, stride_, input_stride_};
  const float* weight = values + table.at("readout.weight").offset;
  packing.transposed(weight, weight_t_.data());
  packing.padded(weight, weight_.data());
  input_scale_ = input_scale;
  for (size_t i = 0; input_scale != 1.0f && i < weight_t_.size(); ++i) weight_t_[i] *= input_scale;
  for (size_t i = 0; input_scale != 1.0f && i < weight_.size(); ++i) weight_[i] *= input_scale;
  std::copy_n(values + table.at("readout.bias").offset, classes_, bias_.data());
  std::copy_n(values + table.at("readout.decay").offset, classes_, decay_.data());
}

size_t Readout::gradient_size() const {
  return counts_spikes() ? 0 : (static_cast<size_t>(inputs_) + 2) * stride_;
}

void Readout::unpack_gradient(const float* packed, const ParameterTable& table, float* gradient) const {
  if (counts_spikes()) return;
  const ParameterInfo& weight = table.at("readout.weight");
  MatrixPacking{classes_, inputs_, stride_, input_stride_}.put_transposed(packed, gradient + weight.offset);
  for (size_t i = 0; input_scale_ != 1.0f && i < weight.size; ++i)
    gradient[weight.offset + i] *= input_scale_;
  const float* bias = packed + static_cast<size_t>(inputs_) * stride_;
  for (int i = 0; i < classes_; ++i) {
    gradient[table.at("readout.bias").offset + i] = bias[i];
    gradient[table.at("readout.decay").offset + i] = bias[stride_ + i];
  }
}

void Readout::begin(ReadoutTrace& trace, size_t rows, size_t front, int clips) const {
  const size_t state = static_cast<size_t>(clips) * stride_;
  trace.score.resize(state);
  trace.total.resize(state);
  if (counts_spikes()) return;
  trace.current.reserve(rows * stride_);
  trace.o.reserve(rows * stride_);
  std::fill_n(trace.o.data(), front * stride_, 0.0f);  // before the first step
  if (takes_softmax()) trace.p.reserve(rows * stride_);
}

LeakyReadoutArgs Readout::arguments(const TimeChunk& chunk, int steps, ReadoutTrace& trace) const {
  LeakyReadoutArgs q{};
  const size_t at = chunk.row * stride_;
  q.steps = chunk.steps;
  q.clips = chunk.clips;
  q.stride = stride_;
  q.classes = classes_;
  q.share = 1.0f / static_cast<float>(steps);
  q.decay = decay_.data();
  q.current = trace.current.data() + at;
  q.o = trace.o.data() + at;
  q.p = takes_softmax() ? trace.p.data() + at : nullptr;
  q.score = trace.score.data();
  return q;
}

void Readout::forward(const LayerTrace& last, const TimeChunk& chunk, int steps, ReadoutTrace& trace,
                      EventScratch& scratch) const {
  if (counts_spikes()) return;
  last.spikes.multiply(chunk.row, chunk.rows(), weight_t_.data(), stride_, bias_.data(),
                       trace.current.data() + chunk.row * stride_, scratch);
  kernels().leaky_readout_forward(arguments(chunk, steps, trace));
}

void Readout::flush_sums(ReadoutTrace& trace) const {
  for (size_t i = 0; i < trace.score.size(); ++i) trace.total[i] += trace.score[i];
  trace.score.zero();
}

void Readout::finish(const LayerTrace& last, ReadoutTrace& trace) const {
  for (size_t i = 0; i < trace.score.size(); ++i) {
    trace.score[i] =
        static_cast<float>(counts_spikes() ? last.total[i] + last.count[i] : trace.total[i] + trace.score[i]);
  }
}

void Readout::begin_backward(ReadoutTrace& trace, int clips) const {
  trace.grad_o.resize(static_cast<size_t>(clips) * stride_);
}

void Readout::backward(const LayerTrace& last, const TimeChunk& chunk, int steps, ReadoutTrace& trace,
                       const float* grad_score, float* gs, float* packed, EventScratch& scratch) const {
  const size_t row = static_cast<size_t>(chunk.clips) * stride_;
  if (counts_spikes()) {
    for (int t = 0; t < chunk.steps; ++t) std::copy_n(grad_score, row, gs + row * t);
    return;
  }
  float* bias = packed + static_cast<size_t>(inputs_) * stride_;
  LeakyReadoutArgs q = arguments(chunk, steps, trace);
  q.grad_score = grad_score;
  q.grad_o = trace.grad_o.data();
  q.grad_bias = bias;
  q.grad_decay = bias + stride_;
  kernels().leaky_readout_backward(q);
  last.spikes.multiply_transposed(chunk.row, chunk.rows(), q.current, stride_, packed, scratch);
  multiply(GemmArgs{chunk.rows(), input_stride_, classes_, q.current, stride_, 1, weight_.data(),
                    input_stride_, gs, input_stride_, nullptr, false},
           scratch.pool);
}

}  // namespace sonospike

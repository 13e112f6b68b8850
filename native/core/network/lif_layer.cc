#include "core/network/lif_layer.h"

#include <algorithm>

#include "core/network/packing.h"

namespace sonospike {
namespace {

// Beyond any potential, so that a padding neuron never spikes; its products with zero stay finite.
constexpr float kNeverReached = 1e30f;

void copy_padded(const float* values, int count, float fill, Buffer<float>& out) {
  std::fill_n(out.data(), out.size(), fill);
  std::copy_n(values, count, out.data());
}

void add_to(const float* packed, const ParameterInfo& info, float* gradient) {
  for (size_t i = 0; i < info.size; ++i) gradient[info.offset + i] += packed[i];
}

}  // namespace

LifLayer::LifLayer(const LayerOptions& options, int inputs, int input_stride)
    : options_(options),
      inputs_(inputs),
      input_stride_(input_stride),
      stride_(pad_lanes(options.neurons)),
      weight_t_(static_cast<size_t>(inputs) * stride_),
      weight_(static_cast<size_t>(options.neurons) * input_stride),
      recurrent_t_(options.recurrent ? static_cast<size_t>(options.neurons) * stride_ : 0),
      recurrent_(recurrent_t_.size()),
      bias_(stride_),
      decay_(stride_),
      threshold_(stride_) {}

void LifLayer::load(const ParameterTable& table, const std::string& prefix, const float* values) {
  const int n = options_.neurons;
  const MatrixPacking packing{n, inputs_, stride_, input_stride_};
  const float* weight = values + table.at(prefix + "weight").offset;
  packing.transposed(weight, weight_t_.data());
  packing.padded(weight, weight_.data());
  if (options_.recurrent) {
    const MatrixPacking square{n, n, stride_, stride_};
    const float* recurrent = values + table.at(prefix + "recurrent").offset;
    square.transposed(recurrent, recurrent_t_.data());
    square.padded(recurrent, recurrent_.data());
  }
  copy_padded(values + table.at(prefix + "bias").offset, n, 0.0f, bias_);
  copy_padded(values + table.at(prefix + "decay").offset, n, 0.0f, decay_);
  copy_padded(values + table.at(prefix + "threshold").offset, n, kNeverReached, threshold_);
}

size_t LifLayer::gradient_size() const {
  return (static_cast<size_t>(inputs_) + (options_.recurrent ? options_.neurons : 0) + 3) * stride_;
}

template <typename T>
LifLayer::PackedGradient<T> LifLayer::slices(T* packed) const {
  T* recurrent = packed + static_cast<size_t>(inputs_) * stride_;
  T* bias = recurrent + (options_.recurrent ? static_cast<size_t>(options_.neurons) * stride_ : 0);
  return {packed, recurrent, bias, bias + stride_, bias + 2 * stride_};
}

void LifLayer::unpack_gradient(const float* packed, const ParameterTable& table, const std::string& prefix,
                               float* gradient) const {
  const PackedGradient<const float> from = slices(packed);
  const int n = options_.neurons;
  MatrixPacking{n, inputs_, stride_, input_stride_}.add_transposed(
      from.weight, gradient + table.at(prefix + "weight").offset);
  if (options_.recurrent) {
    MatrixPacking{n, n, stride_, stride_}.add_transposed(from.recurrent,
                                                         gradient + table.at(prefix + "recurrent").offset);
  }
  add_to(from.bias, table.at(prefix + "bias"), gradient);
  add_to(from.decay, table.at(prefix + "decay"), gradient);
  add_to(from.threshold, table.at(prefix + "threshold"), gradient);
}

void LifLayer::forward(LayerInput input, int steps, int clips, LayerTrace& trace,
                       Buffer<float>& state) const {
  const Kernels& k = kernels();
  const size_t row = static_cast<size_t>(clips) * stride_;
  const int rows = steps * clips;
  const bool hard = options_.neuron.spike != SpikeKind::kSoft;
  trace.u.reserve(row * steps);
  trace.s.reserve(row * steps);
  trace.events.clear(options_.neurons, stride_);
  state.resize(row);
  if (input.events) {
    input.events->multiply(0, rows, weight_t_.data(), stride_, bias_.data(), trace.u.data());
  } else {
    k.gemm({rows, stride_, inputs_, input.x, input_stride_, 1, weight_t_.data(), stride_, trace.u.data(),
            stride_, bias_.data(), false});
  }
  LifForwardArgs lif{options_.neuron,   steps,          clips,          stride_,     decay_.data(),
                     threshold_.data(), trace.u.data(), trace.s.data(), state.data()};
  if (!options_.recurrent) {
    k.lif_forward(lif);
    if (hard) trace.events.append(trace.s.data(), rows);
    return;
  }
  lif.steps = 1;
  for (int t = 0; t < steps; ++t, lif.u += row, lif.s += row) {
    if (t > 0) feed_back(trace, t, clips, lif.u);
    k.lif_forward(lif);
    if (hard) trace.events.append(lif.s, clips);
  }
}

/// u of step t += R times the spikes of the step before.
void LifLayer::feed_back(const LayerTrace& trace, int t, int clips, float* u) const {
  const int before = (t - 1) * clips;
  if (trace.events.rows() > 0 && trace.events.sparse()) {
    return trace.events.multiply(before, clips, recurrent_t_.data(), stride_, nullptr, u);
  }
  kernels().gemm({clips, stride_, options_.neurons, trace.s.data() + static_cast<size_t>(before) * stride_,
                  stride_, 1, recurrent_t_.data(), stride_, u, stride_, nullptr, true});
}

void LifLayer::backward(LayerInput input, int steps, int clips, LayerTrace& trace, float* g, float* gx,
                        Buffer<float>& state, float* packed) const {
  const Kernels& k = kernels();
  const int n = options_.neurons, rows = steps * clips;
  const PackedGradient<float> grad = slices(packed);
  state.resize(static_cast<size_t>(clips) * stride_);
  LifBackwardArgs lif{options_.neuron,   0,
                      steps - 1,         clips,
                      stride_,           decay_.data(),
                      threshold_.data(), trace.u.data(),
                      trace.s.data(),    g,
                      state.data(),      grad.bias,
                      grad.decay,        grad.threshold};
  if (options_.recurrent) {
    backward_recurrent(lif, trace, grad.recurrent);
  } else {
    k.lif_backward(lif);
  }
  if (input.events) {
    input.events->multiply_transposed(rows, g, stride_, grad.weight);
  } else {
    k.gemm(
        {inputs_, stride_, rows, input.x, 1, input_stride_, g, stride_, grad.weight, stride_, nullptr, true});
  }
  if (gx) {
    k.gemm({rows, input_stride_, n, g, stride_, 1, weight_.data(), input_stride_, gx, input_stride_, nullptr,
            false});
  }
}

/// The scan back in time with the gradient through R, then the gradient of R itself.
void LifLayer::backward_recurrent(LifBackwardArgs lif, LayerTrace& trace, float* grad) const {
  const Kernels& k = kernels();
  const int n = options_.neurons, clips = lif.clips, last = lif.last;
  const size_t row = static_cast<size_t>(clips) * stride_;
  for (int t = last; t >= 0; --t) {
    float* now = lif.g + row * t;
    if (t < last) {
      k.gemm({clips, stride_, n, now + row, stride_, 1, recurrent_.data(), stride_, now, stride_, nullptr,
              true});
    }
    lif.first = lif.last = t;
    k.lif_backward(lif);
  }
  const int rows = last * clips;
  if (trace.events.rows() > 0 && trace.events.sparse()) {
    trace.events.multiply_transposed(rows, lif.g + row, stride_, grad);
  } else {
    k.gemm(
        {n, stride_, rows, trace.s.data(), 1, stride_, lif.g + row, stride_, grad, stride_, nullptr, true});
  }
}

}  // namespace sonospike

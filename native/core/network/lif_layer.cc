#include "core/network/lif_layer.h"

#include <algorithm>

#include "core/network/packing.h"
#include "core/support/philox.h"

namespace sonospike {
namespace {

// Beyond any potential, so that a padding neuron never spikes; its products with zero stay finite.
constexpr float kNeverReached = 1e30f;

// A scalar product of its own takes up to twice the time of its share in the product of matrices.
constexpr double kMostNear = 0.3;

}  // namespace

LifLayer::LifLayer(const LayerOptions& options, const ConnectionSize& size, bool spiking_input)
    : options_(options),
      input_stride_(size.input_stride),
      stride_(size.stride),
      connection_(make_connection(options.connection, size, spiking_input)),
      recurrent_t_(options.recurrent ? static_cast<size_t>(options.neurons) * stride_ : 0),
      recurrent_(recurrent_t_.size()),
      bias_(stride_),
      decay_(stride_),
      threshold_(stride_),
      rho_(options.neuron.adaptive ? stride_ : 0),
      coupling_(rho_.size()),
      jump_(rho_.size()) {}

/// To every neuron, and to the padding what it needs.
void LifLayer::copy_parameter(const float* values, float padding, Buffer<float>& out) const {
  std::fill_n(out.data(), out.size(), padding);
  for (int first = 0; first < options_.neurons; first += shared()) {
    std::copy_n(values, shared(), out.data() + first);
  }
}

/// The reverse, for gradients: those of neurons that share a parameter are added up.
void LifLayer::put(const float* packed, const ParameterInfo& info, float* gradient) const {
  std::copy_n(packed, shared(), gradient + info.offset);
  for (int first = shared(); first < options_.neurons; first += shared()) {
    for (int i = 0; i < shared(); ++i) gradient[info.offset + i] += packed[first + i];
  }
}

void LifLayer::load(const ParameterTable& table, const std::string& prefix, const float* values,
                    float input_scale) {
  const ParameterInfo& weight = table.at(prefix + "weight");
  input_scale_ = input_scale;
  if (input_scale == 1.0f) {
    connection_->load(values + weight.offset);
  } else {
    std::vector<float> scaled(values + weight.offset, values + weight.offset + weight.size);
    for (float& w : scaled) w *= input_scale;
    connection_->load(scaled.data());
  }
  if (options_.recurrent) {
    const MatrixPacking square{options_.neurons, options_.neurons, stride_, stride_};
    const float* recurrent = values + table.at(prefix + "recurrent").offset;
    square.transposed(recurrent, recurrent_t_.data());
    square.padded(recurrent, recurrent_.data());
  }
  copy_parameter(values + table.at(prefix + "bias").offset, 0.0f, bias_);
  copy_parameter(values + table.at(prefix + "decay").offset, 0.0f, decay_);
  copy_parameter(values + table.at(prefix + "threshold").offset, kNeverReached, threshold_);
  if (!adaptive()) return;
  copy_parameter(values + table.at(prefix + "adaptation_decay").offset, 0.0f, rho_);
  copy_parameter(values + table.at(prefix + "adaptation_coupling").offset, 0.0f, coupling_);
  copy_parameter(values + table.at(prefix + "adaptation_jump").offset, 0.0f, jump_);
}

size_t LifLayer::gradient_size() const {
  return connection_->gradient_size() + recurrent_t_.size() +
         (adaptive() ? 6 : 3) * static_cast<size_t>(stride_);
}

LifLayer::PackedGradient LifLayer::slices(float* packed) const {
  float* recurrent = packed + connection_->gradient_size();
  float* bias = recurrent + recurrent_t_.size();
  float* rho = adaptive() ? bias + 3 * stride_ : nullptr;
  float* coupling = adaptive() ? rho + stride_ : nullptr;
  float* jump = adaptive() ? coupling + stride_ : nullptr;
  return {packed, recurrent, bias, bias + stride_, bias + 2 * stride_, rho, coupling, jump};
}

void LifLayer::unpack_gradient(float* packed, const ParameterTable& table, const std::string& prefix,
                               float* gradient) const {
  const PackedGradient from = slices(packed);
  const int n = options_.neurons;
  const ParameterInfo& weight = table.at(prefix + "weight");
  connection_->unpack_gradient(from.weight, gradient + weight.offset);
  for (size_t i = 0; input_scale_ != 1.0f && i < weight.size; ++i)
    gradient[weight.offset + i] *= input_scale_;
  if (options_.recurrent) {
    MatrixPacking{n, n, stride_, stride_}.put_transposed(from.recurrent,
                                                         gradient + table.at(prefix + "recurrent").offset);
  }
  put(from.bias, table.at(prefix + "bias"), gradient);
  put(from.decay, table.at(prefix + "decay"), gradient);
  put(from.threshold, table.at(prefix + "threshold"), gradient);
  if (!adaptive()) return;
  put(from.rho, table.at(prefix + "adaptation_decay"), gradient);
  put(from.coupling, table.at(prefix + "adaptation_coupling"), gradient);
  put(from.jump, table.at(prefix + "adaptation_jump"), gradient);
}

void LifLayer::begin(LayerTrace& trace, size_t rows, size_t front, int clips) const {
  const size_t state = static_cast<size_t>(clips) * stride_;
  trace.u.reserve(rows * stride_);
  trace.spikes.reserve(sends_values() ? Activity::Kind::kValues : Activity::Kind::kSpikes, options_.neurons,
                       stride_, rows);
  trace.spikes.zero_rows(0, front);
  trace.v.resize(state);
  if (adaptive()) {
    trace.w.reserve(rows * stride_);
    std::fill_n(trace.w.data(), front * stride_, 0.0f);  // before the first step
  }
  trace.count.resize(state);
  trace.total.resize(state);
}

void LifLayer::input_currents(const Activity& input, size_t input_row, const TimeChunk& chunk,
                              LayerTrace& trace, EventScratch& scratch) const {
  connection_->forward(input, input_row, chunk, bias_.data(), trace.u.data() + chunk.row * stride_, scratch);
}

void LifLayer::draw_dropout(const ClipKey* keys, int clips, int layer, LayerTrace& trace) const {
  Dropout& dropout = trace.dropout;
  dropout.any = options_.dropout > 0.0f;
  if (!dropout.any) return;
  dropout.kept.resize(static_cast<size_t>(clips) * stride_);
  dropout.bits.resize(dropout.kept.size() / kLanePad);
  for (int clip = 0; clip < clips; ++clip) {
    float* kept = dropout.kept.data() + static_cast<size_t>(clip) * stride_;
    for (int i = 0; i < options_.neurons; ++i) {
      const int own = i % shared();
      const auto block =
          philox(keys[clip].seed, static_cast<uint32_t>(layer << 16 | own / 4),
                 static_cast<uint32_t>(RandomStream::kDropout), keys[clip].clip, keys[clip].epoch);
      kept[i] = philox_uniform(block.word[own % 4]) < options_.dropout ? 0.0f : 1.0f;
    }
  }
  kernels().spike_bits(dropout.kept.data(), dropout.kept.size(), dropout.bits.data());
}

LifForwardArgs LifLayer::scan(const TimeChunk& chunk, LayerTrace& trace) const {
  return {chunk.clips,
          stride_,
          decay_.data(),
          threshold_.data(),
          trace.u.data() + chunk.row * stride_,
          sends_values() ? trace.spikes.values(chunk.row) : nullptr,
          sends_values() ? nullptr : trace.spikes.bits(chunk.row),
          trace.v.data(),
          trace.count.data(),
          adaptation(),
          adaptive() ? trace.w.data() + chunk.row * stride_ : nullptr};
}

void LifLayer::step(const TimeChunk& chunk, LayerTrace& trace, EventScratch& scratch) const {
  TimeChunk now = chunk;
  now.steps = 1;
  for (int t = 0; t < chunk.steps; ++t, now.row += chunk.clips) {
    if (t > 0 || !chunk.starts) {
      trace.spikes.multiply(now.before(), chunk.clips, recurrent_t_.data(), stride_, nullptr,
                            trace.u.data() + now.row * stride_, scratch);
    }
    const LifForwardArgs lif = scan(now, trace);
    kernels().lif_forward(options_.neuron, 1, &lif, 1);
  }
}

void LifLayer::begin_backward(LayerTrace& trace, int clips) const {
  trace.gv.resize(static_cast<size_t>(clips) * stride_);
  if (adaptive()) trace.gw.resize(trace.gv.size());
  if (options_.recurrent) trace.g_after.resize(trace.gv.size());
  trace.pending.resize(static_cast<size_t>(history()) * clips * input_stride_);
}

void LifLayer::backward(const Activity& input, const TimeChunk& chunk, LayerTrace& trace, float* g,
                        float* packed, EventScratch& scratch) const {
  const PackedGradient grad = slices(packed);
  const LifBackwardArgs lif{options_.neuron,
                            chunk.steps,
                            chunk.clips,
                            stride_,
                            chunk.starts,
                            decay_.data(),
                            threshold_.data(),
                            trace.u.data() + chunk.row * stride_,
                            sends_values() ? trace.spikes.values(chunk.row) : nullptr,
                            g,
                            trace.gv.data(),
                            grad.bias,
                            grad.decay,
                            grad.threshold,
                            adaptation(),
                            adaptive() ? trace.w.data() + chunk.row * stride_ : nullptr,
                            trace.gw.data(),
                            grad.rho,
                            grad.coupling,
                            grad.jump};
  if (options_.recurrent) {
    backward_recurrent(lif, chunk, trace, grad.recurrent, scratch);
  } else {
    kernels().lif_backward(lif);
  }
  connection_->weight_gradient(input, chunk, g, grad.weight, scratch);
}

void LifLayer::find_near(const TimeChunk& chunk, LayerTrace& trace) const {
  const SpikeKind spike = options_.neuron.spike;
  NearThreshold& near = trace.near;
  near.few = false;
  if (spike != SpikeKind::kTriangle && spike != SpikeKind::kBoxcar) return;
  const size_t rows = chunk.rows(), words = rows * stride_ / kLanePad;
  near.bits.reserve(words);
  kernels().near_threshold({spike, options_.neuron.slope, rows, stride_, trace.u.data() + chunk.row * stride_,
                            threshold_.data(), near.bits.data()});
  const size_t count = kernels().count_spikes(near.bits.data(), words);
  near.few = count <= kMostNear * rows * options_.neurons;
  if (!near.few) return;
  near.start.reserve(rows + 1);
  near.index.reserve(count + kLanePad);
  kernels().list_spikes(near.bits.data(), chunk.rows(), stride_ / kLanePad, near.start.data(),
                        near.index.data());
}

float* LifLayer::input_gradient(const TimeChunk& chunk, LayerTrace& trace, const NearThreshold* below,
                                const float* g, float* gx, EventScratch& scratch) const {
  const size_t front = trace.pending.size(), size = static_cast<size_t>(chunk.rows()) * input_stride_;
  if (connection_->adds_to_input()) {
    std::fill_n(gx, size, 0.0f);
    std::copy_n(trace.pending.data(), front, gx + size);
  }
  connection_->input_gradient(chunk, below, g, gx, scratch);
  trace.pending.copy_from(gx, front);
  return gx + front;
}

/// The scan back in time with the gradient through R, then the gradient of R itself.
void LifLayer::backward_recurrent(LifBackwardArgs lif, const TimeChunk& chunk, LayerTrace& trace, float* grad,
                                  EventScratch& scratch) const {
  const size_t row = static_cast<size_t>(chunk.clips) * stride_;
  float* const g = lif.g;
  const float* const u = lif.u;
  const float* const s = lif.s;
  const float* const w = lif.w;
  const float* after = trace.g_after.data();
  lif.steps = 1;
  for (int t = chunk.steps - 1; t >= 0; --t) {
    lif.g = g + row * t;
    lif.u = u + row * t;
    lif.s = s ? s + row * t : nullptr;
    lif.w = w ? w + row * t : nullptr;
    lif.starts = chunk.starts && t == 0;
    if (trace.near.few) {
      const uint32_t* start = trace.near.start.data() + static_cast<size_t>(t) * chunk.clips;
      multiply(SampledProductArgs{chunk.clips, stride_, start, start + 1, trace.near.index.data(), after,
                                  stride_, recurrent_t_.data(), stride_, lif.g, stride_},
               scratch.pool);
    } else {
      multiply(GemmArgs{chunk.clips, stride_, options_.neurons, after, stride_, 1, recurrent_.data(), stride_,
                        lif.g, stride_, nullptr, true},
               scratch.pool);
    }
    kernels().lif_backward(lif);
    after = lif.g;
  }
  trace.g_after.copy_from(g, row);
  // R takes the spikes of the step before: those of the chunk's first step lie in front of it.
  const int skipped = chunk.starts ? chunk.clips : 0;
  trace.spikes.multiply_transposed(chunk.before() + skipped, chunk.rows() - skipped,
                                   g + static_cast<size_t>(skipped) * stride_, stride_, grad, scratch);
}

std::vector<LifLayer> make_layers(const NetworkOptions& options) {
  std::vector<LifLayer> layers;
  const std::vector<Bands> bands = bands_below(options);
  int inputs = options.inputs;
  bool spiking_input = true;  // for all that is known before the first batch
  for (const auto& layer : options.layers) {
    const ConnectionSize size{inputs, pad_lanes(inputs), layer.neurons, pad_lanes(layer.neurons),
                              bands[layers.size()]};
    layers.emplace_back(layer, size, spiking_input);
    inputs = layer.neurons;
    spiking_input = !sends_values(layer.neuron.spike);
  }
  return layers;
}

}  // namespace sonospike

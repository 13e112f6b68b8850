#include "cuda/layer_pass.h"

#include <algorithm>

#include "cuda/kernels/parameters.h"
#include "cuda/kernels/product.h"

namespace sonospike::cuda {
namespace {

ConnectionShape dense(int inputs, int neurons, int taps = 1, int dilation = 1) {
  return {inputs, inputs, 1, neurons, 1, 1, 0, taps, dilation};
}

/// The connection of a recurrent layer with itself; it has no neurons where the layer is not recurrent.
ConnectionShape recurrent_shape(const LayerOptions& layer) {
  ConnectionShape shape = dense(layer.neurons, layer.recurrent ? layer.neurons : 0);
  shape.delay = 1;
  return shape;
}

}  // namespace

ConnectionShape connection_shape(const NetworkOptions& options, size_t layer) {
  const int inputs = layer > 0 ? options.layers[layer - 1].neurons : options.inputs;
  if (layer == options.layers.size()) return dense(inputs, options.classes);
  const LayerOptions& of = options.layers[layer];
  const ConnectionOptions& c = of.connection;
  if (!c.convolves()) return dense(inputs, of.neurons, c.taps, c.dilation);
  const Bands in = bands_below(options)[layer];
  const int bands = output_bands(c, in.count), left = padding_before(c, in.count);
  return {inputs, in.channels, bands, c.channels, c.kernel, c.stride, left, c.taps, c.dilation};
}

PackedWeights::PackedWeights(Device& device, const ConnectionShape& shape)
    : device_(device), shape_(shape), forward_(device), backward_(device) {
  if (shape.weights() == 0) return;
  forward_.reserve(shape.weights());
  backward_.reserve(shape.weights());
}

void PackedWeights::pack(const float* weights) {
  pack_weights(device_, shape_, weights, scale_, forward_.data(), backward_.data());
}

void PackedWeights::gradient(const Clips& clips, const Sent& input, const float* g, bool add,
                             Scratch& scratch, float* gradient) const {
  const int parts = gradient_parts(shape_, clips.rows);
  scratch.parts.reserve(parts * shape_.weights());
  weight_gradient(device_, shape_, clips, input, g, parts, scratch.parts.data());
  unpack_gradient(device_, shape_, scratch.parts.data(), parts, scale_, add, gradient);
}

LayerPass::LayerPass(Device& device, const NetworkOptions& options, const ParameterTable& table, size_t layer)
    : device_(device),
      table_(table),
      options_(options.layers[layer]),
      number_(static_cast<int>(layer)),
      prefix_("layers." + std::to_string(layer) + "."),
      weights_(device, connection_shape(options, layer)),
      recurrent_(device, recurrent_shape(options_)),
      u_(device),
      s_(device),
      w_(device),
      bits_(device),
      count_(device) {}

size_t LayerPass::row_bytes() const {
  const bool values = sends_values(options_.neuron.spike);
  return neurons() * sizeof(float) * (1 + values + options_.neuron.adaptive) +
         (values ? 0 : words_of(neurons()) * sizeof(uint32_t));
}

size_t LayerPass::clip_bytes() const {
  return neurons() * (sizeof(double) + (options_.recurrent ? 2 * sizeof(float) : 0));
}

void LayerPass::set_parameters(const float* parameters, float input_scale) {
  parameters_ = parameters;
  weights_.set_scale(input_scale);
}

void LayerPass::pack() {
  weights_.pack(parameters_ + offset("weight"));
  if (options_.recurrent) recurrent_.pack(parameters_ + offset("recurrent"));
}

LayerArgs LayerPass::arguments(const ClipKey* keys) const {
  const bool adaptive = options_.neuron.adaptive;
  const auto parameter = [&](const char* name) { return parameters_ + offset(name); };
  return {options_.neuron,
          neurons(),
          weights_.shape().channels,
          parameter("decay"),
          parameter("threshold"),
          adaptive ? parameter("adaptation_decay") : nullptr,
          adaptive ? parameter("adaptation_coupling") : nullptr,
          adaptive ? parameter("adaptation_jump") : nullptr,
          {keys ? options_.dropout : 0.0f, number_, keys}};
}

TraceArgs LayerPass::trace() const {
  const bool values = sends_values(options_.neuron.spike);
  return {u_.data(), values ? s_.data() : nullptr, values ? nullptr : bits_.data(), w_.data(), count_.data()};
}

Sent LayerPass::sent() const {
  const TraceArgs all = trace();
  return {neurons(), words_of(neurons()), all.s, all.bits};
}

void LayerPass::reserve(const Clips& clips, Scratch& scratch) {
  const size_t rows = clips.rows, size = rows * neurons(), states = size_t(clips.count) * neurons();
  u_.reserve(size);
  if (sends_values(options_.neuron.spike)) {
    s_.reserve(size);
  } else {
    bits_.reserve(rows * words_of(neurons()));
  }
  if (options_.neuron.adaptive) w_.reserve(size);
  count_.reserve(states);
  if (options_.recurrent) scratch.state.reserve(2 * states);
}

void LayerPass::forward(const Clips& clips, const Sent& input, const ClipKey* keys, Scratch& scratch) {
  reserve(clips, scratch);
  forward_product(device_, weights_.shape(), clips, input, weights_.forward(), parameters_ + offset("bias"),
                  u_.data());
  if (!options_.recurrent) return scan_forward(device_, arguments(keys), clips, trace());
  recurrent_forward(device_, arguments(keys), clips, trace(), recurrent_.forward(), scratch.state.data());
}

void LayerPass::backward(const Clips& clips, const Sent& input, const ClipKey* keys, const float* every,
                         float spike_cost, bool add, Scratch& scratch, float* g, float* gradient) {
  const BackwardArgs back{g, every, spike_cost, take_neurons(clips.count, scratch.sums, gradient)};
  if (options_.recurrent) {
    recurrent_backward(device_, arguments(keys), clips, trace(), back, recurrent_.backward(),
                       scratch.state.data());
    recurrent_.gradient(clips, sent(), g, add, scratch, gradient + offset("recurrent"));
  } else {
    scan_backward(device_, arguments(keys), clips, trace(), back);
  }
  weights_.gradient(clips, input, g, add, scratch, gradient + offset("weight"));
}

/// Room for the gradients of the neurons, to be summed over the clips and the bands that share parameters.
float* LayerPass::take_neurons(int clips, NeuronSums& sums, float* gradient) const {
  static constexpr const char* kNames[kNeuronGradients] = {
      "bias", "decay", "threshold", "adaptation_decay", "adaptation_coupling", "adaptation_jump"};
  const ConnectionShape& shape = weights_.shape();
  const size_t size = static_cast<size_t>(clips) * neurons();
  float* const room = sums.take(kNeuronGradients * size);
  const int arrays = options_.neuron.adaptive ? kNeuronGradients : kPlainNeuronGradients;
  for (int k = 0; k < arrays; ++k)
    sums.add({room + k * size, clips * shape.bands, shape.channels, gradient + offset(kNames[k])});
  return room;
}

size_t LayerPass::sums_size(int clips, bool narrow) const {
  return static_cast<size_t>(clips) *
         (kNeuronGradients * neurons() + (narrow ? weights_.shape().weights() : 0));
}

bool LayerPass::narrow() const {
  const ConnectionShape& shape = weights_.shape();
  const bool dense = !options_.connection.convolves() && shape.taps == 1 && !options_.recurrent;
  return dense && shape.inputs <= kNarrow && shape.channels <= kNarrow;
}

NarrowLayer LayerPass::narrow_layer(const ClipKey* keys) const {
  NarrowLayer layer{};
  layer.layer = arguments(keys);
  layer.trace = trace();
  layer.inputs = weights_.shape().inputs;
  layer.weight = parameters_ + offset("weight");
  layer.scale = weights_.scale();
  layer.bias = parameters_ + offset("bias");
  return layer;
}

NarrowLayer LayerPass::narrow_layer(const ClipKey* keys, float spike_cost, int clips, NeuronSums& sums,
                                    float* gradient) const {
  const size_t weights = weights_.shape().weights();
  NarrowLayer layer = narrow_layer(keys);
  layer.spike_cost = spike_cost;
  layer.gradients = take_neurons(clips, sums, gradient);
  layer.weight_gradient = sums.take(clips * weights);
  sums.add({layer.weight_gradient, clips, static_cast<int>(weights), gradient + offset("weight"),
            weights_.scale()});
  return layer;
}

void LayerPass::input_gradient(const Clips& clips, const float* g, float* gx) const {
  input_gradient_product(device_, weights_.shape(), clips, g, weights_.backward(), gx);
}

void LayerPass::download(int rows, std::vector<float>& u, std::vector<float>& s) const {
  const int n = neurons(), words = words_of(n);
  u.resize(u_.size());
  u_.download(u.data());
  s.resize(u.size());
  if (sends_values(options_.neuron.spike)) return s_.download(s.data());
  std::vector<uint32_t> bits(bits_.size());
  bits_.download(bits.data());
  for (int row = 0; row < rows; ++row) {
    const Sent of{n, words, nullptr, bits.data()};
    for (int i = 0; i < n; ++i) s[static_cast<size_t>(row) * n + i] = of.at(row, i);
  }
}

void LayerPass::free() {
  u_.free();
  s_.free();
  w_.free();
  bits_.free();
  count_.free();
}

}  // namespace sonospike::cuda

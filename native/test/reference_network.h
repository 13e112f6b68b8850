#pragma once
// The network in double precision, one clip, one neuron and one step at a time: the formulas of
// docs/architecture.md and nothing else. Slow on purpose; the fast code is held against it.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/encoding/encoder.h"
#include "core/network/loss.h"
#include "core/network/options.h"
#include "core/network/parameters.h"
#include "core/support/philox.h"
#include "test/reference_neuron.h"

namespace sonospike::test {

using Doubles = std::vector<double>;

/// What one layer did in one clip, each [steps, neurons].
struct ReferenceTrace {
  Doubles u, s, v;
  Doubles w;  ///< of adaptive neurons: after the step
};

struct ReferencePass {
  Doubles x;  ///< [steps, inputs]
  std::vector<ReferenceTrace> layers;
  std::vector<Doubles> kept;  ///< [layers][neurons]: what each one's output is taken times; empty: 1
  std::vector<Doubles> sent;  ///< [layers][steps, neurons]
  Doubles current, o, p;      ///< [steps, classes]: input, potential and softmax of the leaky integrator
  Doubles score;              ///< [classes]
};

class ReferenceNetwork {
 public:
  ReferenceNetwork(const NetworkOptions& options, Doubles parameters)
      : options_(options), table_(options), parameters_(std::move(parameters)) {}

  const ParameterTable& table() const { return table_; }
  Doubles& parameters() { return parameters_; }

  /// `reset_by`: take the spikes that reset the potentials from that pass. It makes the gradient of a
  /// detached reset the true gradient of a function, which can be checked.
  ///
  /// `key`: of the random numbers by which neurons are dropped; null: none is.
  ReferencePass forward(Doubles x, const ReferencePass* reset_by = nullptr,
                        const ClipKey* key = nullptr) const {
    ReferencePass pass;
    pass.x = std::move(x);
    for (size_t k = 0; k < options_.layers.size(); ++k) {
      pass.layers.push_back(layer_forward(
          k, input_of(pass, k),
          reset_by && options_.layers[k].neuron.detach_reset ? &reset_by->layers[k].s : nullptr));
      pass.kept.push_back(draw_kept(k, key));
      pass.sent.push_back(pass.layers[k].s);
      for (size_t i = 0; i < pass.sent[k].size(); ++i)
        pass.sent[k][i] *= pass.kept[k][i % pass.kept[k].size()];
    }
    readout_forward(pass);
    return pass;
  }

  /// Cross-entropy of one clip with smoothed labels, and dloss/dscore.
  double loss(const ReferencePass& pass, const LossOptions& loss, int label, Doubles* grad_score) const {
    const int classes = options_.classes;
    const bool probabilities = takes_softmax();
    const Doubles p = probabilities ? pass.score : softmax(pass.score.data());
    if (grad_score) grad_score->assign(classes, 0.0);
    double sum = 0.0;
    for (int c = 0; c < classes; ++c) {
      const double smoothing = loss.label_smoothing;
      const double target = (c == label ? 1.0 - smoothing : 0.0) + smoothing / classes;
      sum -= target * std::log(p[c]);
      if (grad_score) (*grad_score)[c] = probabilities ? -target / p[c] : p[c] - target;
    }
    return sum;
  }

  /// What the spikes of one clip add to the loss.
  double spike_cost(const ReferencePass& pass, const LossOptions& loss) const {
    double sum = 0.0;
    for (size_t k = 0; k < pass.layers.size(); ++k) {
      const Doubles& s = pass.layers[k].s;
      if (costs(k)) sum += std::accumulate(s.begin(), s.end(), 0.0) / static_cast<double>(s.size());
    }
    return loss.spike_cost * sum;
  }

  /// Adds `weight` times the gradient of the loss, spikes included, of one clip to `gradient`, which is laid
  /// out as the parameters.
  void backward(const ReferencePass& pass, const LossOptions& options, int label, double weight,
                Doubles& gradient) const {
    Doubles grad_score;
    loss(pass, options, label, &grad_score);
    for (double& g : grad_score) g *= weight;
    Doubles gs = readout_backward(pass, grad_score, gradient);
    for (size_t k = options_.layers.size(); k-- > 0;) {
      const double cost = costs(k) ? weight * options.spike_cost / static_cast<double>(gs.size()) : 0.0;
      for (size_t i = 0; i < gs.size(); ++i) gs[i] = gs[i] * pass.kept[k][i % pass.kept[k].size()] + cost;
      gs = layer_backward(k, pass, gs, gradient);
    }
  }

 private:
  int inputs_of(size_t k) const { return k > 0 ? options_.layers[k - 1].neurons : options_.inputs; }
  static const Doubles& input_of(const ReferencePass& pass, size_t k) {
    return k > 0 ? pass.sent[k - 1] : pass.x;
  }
  bool takes_softmax() const { return options_.readout.kind == ReadoutKind::kLeakyIntegrator; }
  bool relu(size_t k) const { return options_.layers[k].neuron.spike == SpikeKind::kRelu; }
  bool costs(size_t k) const { return !relu(k); }
  Doubles draw_kept(size_t k, const ClipKey* key) const {
    const double p = options_.layers[k].dropout;
    Doubles kept(options_.layers[k].neurons, 1.0);
    for (size_t i = 0; key && p > 0.0 && i < kept.size(); ++i) {
      const uint32_t place = static_cast<uint32_t>(k) * 65536 + i % own(k) / 4;
      const auto stream = static_cast<uint32_t>(RandomStream::kDropout);
      const uint32_t word = philox(key->seed, place, stream, key->clip, key->epoch).word[i % own(k) % 4];
      kept[i] = philox_uniform(word) < p ? 0.0 : 1.0 / (1.0 - p);
    }
    return kept;
  }
  size_t offset(size_t k, const char* name) const {
    return table_.at("layers." + std::to_string(k) + "." + name).offset;
  }
  const double* layer_parameter(size_t k, const char* name) const { return &parameters_[offset(k, name)]; }
  const double* readout_parameter(const char* name) const {
    return &parameters_[table_.at(std::string("readout.") + name).offset];
  }

  static double dot(const double* a, const double* b, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
  }

  Doubles softmax(const double* values) const {
    const double top = *std::max_element(values, values + options_.classes);
    Doubles p(options_.classes);
    double sum = 0.0;
    for (int c = 0; c < options_.classes; ++c) sum += p[c] = std::exp(values[c] - top);
    for (double& x : p) x /= sum;
    return p;
  }

  /// Calls visit(neuron, input, weight, delay) for everything that a neuron of a layer reads: the input and
  /// how many steps ago, and which of the weights.
  template <typename Visit>
  void each_weight(size_t k, Visit visit) const {
    const LayerOptions& layer = options_.layers[k];
    const ConnectionOptions& c = layer.connection;
    const int inputs = inputs_of(k), taps = c.taps;
    if (!c.convolves()) {
      for (int i = 0; i < layer.neurons * inputs * taps; ++i) {
        visit(i / taps / inputs, i / taps % inputs, i, (taps - 1 - i % taps) * c.dilation);
      }
      return;
    }
    const Bands in = bands_below(options_)[k];
    const int bands = layer.neurons / c.channels;
    const int left = std::max(0, (bands - 1) * c.stride + c.kernel - in.count) / 2;
    for (int i = 0; i < layer.neurons * in.channels * c.kernel * taps; ++i) {
      const int tap = i % taps, place = i / taps % c.kernel, channel = i / taps / c.kernel % in.channels;
      const int neuron = i / taps / c.kernel / in.channels;
      const int from = neuron / c.channels * c.stride - left + place;
      if (from < 0 || from >= in.count) continue;
      const int weight = ((neuron % c.channels * in.channels + channel) * c.kernel + place) * taps + tap;
      visit(neuron, from * in.channels + channel, weight, (taps - 1 - tap) * c.dilation);
    }
  }
  /// Neurons of a layer that have parameters of their own.
  int own(size_t k) const {
    const ConnectionOptions& c = options_.layers[k].connection;
    return c.convolves() ? c.channels : options_.layers[k].neurons;
  }

  ReferenceTrace layer_forward(size_t k, const Doubles& x, const Doubles* reset_spikes) const {
    const LayerOptions& layer = options_.layers[k];
    const int n = layer.neurons, inputs = inputs_of(k), steps = static_cast<int>(x.size()) / inputs;
    const double *w = layer_parameter(k, "weight"), *b = layer_parameter(k, "bias");
    const double* r = layer.recurrent ? layer_parameter(k, "recurrent") : nullptr;
    const double *decay = layer_parameter(k, "decay"), *threshold = layer_parameter(k, "threshold");
    ReferenceTrace trace{Doubles(steps * n), Doubles(steps * n), Doubles(steps * n), Doubles(steps * n)};
    each_weight(k, [&](int i, int j, int weight, int delay) {
      for (int t = delay; t < steps; ++t) trace.u[t * n + i] += w[weight] * x[(t - delay) * inputs + j];
    });
    for (int t = 0; t < steps; ++t) {
      const int now = t * n, before = now - n;
      for (int i = 0; i < n; ++i) {
        const int p = i % own(k);
        double u = trace.u[now + i] + b[p];
        if (relu(k)) {
          trace.u[now + i] = u;
          trace.s[now + i] = spike(layer.neuron, u);
          continue;
        }
        if (t > 0) u += decay[p] * trace.v[before + i];
        if (t > 0 && r) u += dot(r + i * n, &trace.s[before], n);
        if (t > 0) u -= trace.w[before + i];
        const double s = spike(layer.neuron, u - threshold[p]);
        const double reset = reset_spikes ? (*reset_spikes)[now + i] : s;
        trace.u[now + i] = u;
        trace.s[now + i] = s;
        trace.v[now + i] =
            layer.neuron.reset == ResetKind::kZero ? u * (1.0 - reset) : u - reset * threshold[p];
        if (!layer.neuron.adaptive) continue;
        const double rho = layer_parameter(k, "adaptation_decay")[p];
        const double target =
            layer_parameter(k, "adaptation_coupling")[p] * u + layer_parameter(k, "adaptation_jump")[p] * s;
        trace.w[now + i] = (t > 0 ? rho * trace.w[before + i] : 0.0) + (1.0 - rho) * target;
      }
    }
    return trace;
  }

  /// gs = dL/ds of the layer → dL/dx.
  Doubles layer_backward(size_t k, const ReferencePass& pass, const Doubles& gs, Doubles& gradient) const {
    const LayerOptions& layer = options_.layers[k];
    const ReferenceTrace& trace = pass.layers[k];
    const Doubles& x = input_of(pass, k);
    const int n = layer.neurons, inputs = inputs_of(k), steps = static_cast<int>(x.size()) / inputs;
    const double *w = layer_parameter(k, "weight"), *decay = layer_parameter(k, "decay");
    const double *r = layer.recurrent ? layer_parameter(k, "recurrent") : nullptr,
                 *threshold = layer_parameter(k, "threshold");
    double *grad_w = &gradient[offset(k, "weight")], *grad_b = &gradient[offset(k, "bias")];
    double* grad_r = r ? &gradient[offset(k, "recurrent")] : nullptr;
    double *grad_decay = &gradient[offset(k, "decay")], *grad_threshold = &gradient[offset(k, "threshold")];
    Doubles gx(x.size()), gu(gs.size()), gw(n);
    for (int t = steps; t-- > 0;) {
      const int now = t * n, before = now - n, after = now + n;
      const bool last = t + 1 == steps;
      for (int i = 0; i < n; ++i) {
        const int p = i % own(k);
        double from_spike = gs[now + i];
        for (int j = 0; r && !last && j < n; ++j) from_spike += r[j * n + i] * gu[after + j];
        if (relu(k)) {
          gu[now + i] = from_spike * spike_slope(layer.neuron, trace.u[now + i]);
          grad_b[p] += gu[now + i];
          continue;
        }
        double through_w = 0.0;  // to u
        if (layer.neuron.adaptive) {
          if (!last) gw[i] = layer_parameter(k, "adaptation_decay")[p] * gw[i] - gu[after + i];
          through_w = adaptation_backward(k, p, trace, t, now + i, gw[i], from_spike, gradient);
        }
        gu[now + i] = neuron_backward(layer.neuron, threshold[p], trace.u[now + i], trace.s[now + i],
                                      from_spike, last ? 0.0 : decay[p] * gu[after + i], grad_threshold[p]) +
                      through_w;
        grad_b[p] += gu[now + i];
        if (t > 0) grad_decay[p] += gu[now + i] * trace.v[before + i];
        for (int j = 0; r && t > 0 && j < n; ++j) grad_r[i * n + j] += gu[now + i] * trace.s[before + j];
      }
    }
    each_weight(k, [&](int i, int j, int weight, int delay) {
      for (int t = delay; t < steps; ++t) {
        grad_w[weight] += gu[t * n + i] * x[(t - delay) * inputs + j];
        gx[(t - delay) * inputs + j] += gu[t * n + i] * w[weight];
      }
    });
    return gx;
  }

  /// From dL/dw of neuron and step `now` to what its u has of it; adds to its dL/ds and to the gradients.
  double adaptation_backward(size_t k, int p, const ReferenceTrace& trace, int t, int now, double gw,
                             double& gs, Doubles& gradient) const {
    const double rho = layer_parameter(k, "adaptation_decay")[p],
                 coupling = layer_parameter(k, "adaptation_coupling")[p],
                 jump = layer_parameter(k, "adaptation_jump")[p];
    const double before = t > 0 ? trace.w[now - options_.layers[k].neurons] : 0.0;
    gradient[offset(k, "adaptation_decay") + p] +=
        gw * (before - (coupling * trace.u[now] + jump * trace.s[now]));
    gradient[offset(k, "adaptation_coupling") + p] += gw * (1.0 - rho) * trace.u[now];
    gradient[offset(k, "adaptation_jump") + p] += gw * (1.0 - rho) * trace.s[now];
    gs += gw * (1.0 - rho) * jump;
    return gw * (1.0 - rho) * coupling;
  }

  void readout_forward(ReferencePass& pass) const {
    const int n = options_.layers.back().neurons, classes = options_.classes;
    const Doubles& s = pass.sent.back();
    const int steps = static_cast<int>(s.size()) / n;
    pass.score.assign(classes, 0.0);
    for (int t = 0; t < steps; ++t) {
      if (options_.readout.kind == ReadoutKind::kSpikeCount) {
        for (int c = 0; c < classes; ++c) pass.score[c] += s[t * n + c];
        continue;
      }
      for (int c = 0; c < classes; ++c) {
        const double decay = readout_parameter("decay")[c];
        const double current =
            dot(readout_parameter("weight") + c * n, &s[t * n], n) + readout_parameter("bias")[c];
        pass.current.push_back(current);
        pass.o.push_back((t > 0 ? decay * pass.o[(t - 1) * classes + c] : 0.0) + (1.0 - decay) * current);
      }
      const Doubles p = softmax(&pass.o[t * classes]);
      pass.p.insert(pass.p.end(), p.begin(), p.end());
      const double* mean_of = takes_softmax() ? p.data() : &pass.o[t * classes];
      for (int c = 0; c < classes; ++c) pass.score[c] += mean_of[c] / steps;
    }
  }

  /// dL/dscore → dL/ds of the last layer.
  Doubles readout_backward(const ReferencePass& pass, const Doubles& grad_score, Doubles& gradient) const {
    const int n = options_.layers.back().neurons, classes = options_.classes;
    const Doubles& s = pass.sent.back();
    const int steps = static_cast<int>(s.size()) / n;
    Doubles gs(s.size()), go_next(classes);
    if (options_.readout.kind == ReadoutKind::kSpikeCount) {
      for (size_t i = 0; i < gs.size(); ++i) gs[i] = grad_score[i % classes];
      return gs;
    }
    const double *w = readout_parameter("weight"), *decay = readout_parameter("decay");
    double* grad_w = &gradient[table_.at("readout.weight").offset];
    double* grad_b = &gradient[table_.at("readout.bias").offset];
    double* grad_decay = &gradient[table_.at("readout.decay").offset];
    for (int t = steps; t-- > 0;) {
      const double* p = &pass.p[t * classes];
      const double mean = dot(grad_score.data(), p, classes);
      for (int c = 0; c < classes; ++c) {
        const double before = t > 0 ? pass.o[(t - 1) * classes + c] : 0.0;
        const double slope = takes_softmax() ? p[c] * (grad_score[c] - mean) : grad_score[c];
        const double go = slope / steps + decay[c] * go_next[c];
        const double gi = go * (1.0 - decay[c]);
        go_next[c] = go;
        grad_decay[c] += go * (before - pass.current[t * classes + c]);
        grad_b[c] += gi;
        for (int j = 0; j < n; ++j) {
          grad_w[c * n + j] += gi * s[t * n + j];
          gs[t * n + j] += gi * w[c * n + j];
        }
      }
    }
    return gs;
  }

  NetworkOptions options_;
  ParameterTable table_;
  Doubles parameters_;
};

}  // namespace sonospike::test

// The optimizer step of the backend against Adam and AdamW in double precision.
#include <doctest/doctest.h>

#include <cmath>

#include "test/backends.h"
#include "test/network_cases.h"

namespace sonospike {
namespace {

using test::NetworkCase;

/// Adam (Kingma and Ba 2015), with weight decay as torch.optim.Adam or AdamW apply it.
class ReferenceAdam {
 public:
  ReferenceAdam(const ParameterTable& table, const OptimizerOptions& options)
      : table_(table), options_(options), m_(table.size()), v_(table.size()) {}

  void step(std::vector<double>& w, const std::vector<float>& gradient, double rate) {
    const OptimizerOptions& o = options_;
    const double scale = clipping(gradient);
    ++steps_;
    for (const ParameterInfo& info : table_.all()) {
      if (!info.trained) continue;
      const double decay = info.role == ParameterRole::kWeight ? o.weight_decay : 0.0;
      for (size_t i = info.offset; i < info.offset + info.size; ++i) {
        double g = gradient[i] * scale;
        if (o.decoupled_decay) {
          w[i] *= 1.0 - rate * decay;
        } else {
          g += decay * w[i];
        }
        m_[i] = o.beta1 * m_[i] + (1.0 - o.beta1) * g;
        v_[i] = o.beta2 * v_[i] + (1.0 - o.beta2) * g * g;
        const double m = m_[i] / (1.0 - std::pow(o.beta1, steps_)),
                     v = v_[i] / (1.0 - std::pow(o.beta2, steps_));
        w[i] -= rate * m / (std::sqrt(v) + o.epsilon);
        if (info.constrained && info.role == ParameterRole::kDecay) w[i] = std::clamp(w[i], 0.0, 1.0);
        if (info.constrained && info.role == ParameterRole::kAdaptationDecay)
          w[i] = std::clamp(w[i], 0.0, 0.999);
        if (info.constrained && info.role == ParameterRole::kThreshold) w[i] = std::max(w[i], 0.01);
      }
    }
  }

 private:
  /// As torch.nn.utils.clip_grad_norm_, over all that is trained.
  double clipping(const std::vector<float>& gradient) const {
    double sum = 0.0;
    for (const ParameterInfo& info : table_.all()) {
      if (!info.trained) continue;
      for (size_t i = info.offset; i < info.offset + info.size; ++i) sum += double{gradient[i]} * gradient[i];
    }
    const double norm = std::sqrt(sum), most = options_.clip_norm;
    return most > 0.0 && norm > most ? most / (norm + 1e-6) : 1.0;
  }

  const ParameterTable& table_;
  OptimizerOptions options_;
  std::vector<double> m_, v_;
  int steps_ = 0;
};

/// Takes six steps with the backend's own gradients and holds the parameters against the reference after
/// each.
template <class Make>
void check_steps(const Make& make, const NetworkCase& c, const OptimizerOptions& options) {
  const auto backend = make(c.options, 1);
  backend->load_parameters(c.parameters.data());
  ReferenceAdam reference(backend->table(), options);
  std::vector<double> expected(c.parameters.begin(), c.parameters.end());
  std::vector<float> gradient(expected.size()), ours(expected.size());
  for (int step = 0; step < 6; ++step) {
    const float rate = 0.02f / static_cast<float>(1 + step);
    backend->gradient(c.batch(), c.loss);
    backend->read_gradient(gradient.data());
    backend->step(options, rate);
    backend->read_parameters(ours.data());
    reference.step(expected, gradient, rate);
    double worst = 0.0;
    for (size_t i = 0; i < ours.size(); ++i) {
      worst = std::max(worst, std::abs(ours[i] - expected[i]) / (1.0 + std::abs(expected[i])));
    }
    CHECK(worst <= 3e-6);
  }
  for (const ParameterInfo& info : backend->table().all()) {
    CAPTURE(info.name);
    bool moved = false;
    for (size_t i = info.offset; i < info.offset + info.size; ++i)
      moved = moved || ours[i] != c.parameters[i];
    if (!info.trained) CHECK_FALSE(moved);
  }
}

NetworkCase some_case(uint32_t seed) {
  test::CaseMaker maker(seed);
  NetworkCase c = maker.make(test::Spikes::kSoft, {3, 20, 20, 20, 10, seed % 2 == 0});
  for (LayerOptions& layer : c.options.layers) {
    layer.learn_decay = maker.flip();
    layer.learn_threshold = maker.flip();
    layer.constrain = maker.flip();
  }
  c.options.readout.learn_decay = maker.flip();
  // At the edges of what constraints allow; what is not trained stays where it is, even beyond them.
  const ParameterTable table(c.options);
  for (const ParameterInfo& info : table.all()) {
    if (!info.trained && info.role == ParameterRole::kThreshold) {
      c.parameters[info.offset] = 0.005f;
      continue;
    }
    if (info.role == ParameterRole::kDecay && maker.flip()) c.parameters[info.offset] = 0.999f;
    if (info.role == ParameterRole::kAdaptationDecay && maker.flip())
      c.parameters[info.offset] = maker.flip() ? 0.998f : 0.001f;
    if (info.role == ParameterRole::kThreshold && maker.flip()) c.parameters[info.offset] = 0.02f;
  }
  return c;
}

TEST_CASE("optimizer: Adam and AdamW, clipped or not, equal double precision") {
  test::at_every_backend([&](const auto& make) {
    for (uint32_t seed = 0; seed < 12; ++seed) {
      CAPTURE(seed);
      OptimizerOptions options;
      options.decoupled_decay = seed % 2;
      options.weight_decay = seed % 3 == 0 ? 0.0f : 0.05f;
      options.clip_norm = seed % 4 < 2 ? 0.0f : 0.1f;
      if (seed >= 8) options = {options.decoupled_decay, 0.8f, 0.99f, 1e-5f, 0.1f, 1e-3f};
      check_steps(make, some_case(seed), options);
    }
  });
}

TEST_CASE("optimizer: rho stays within [0, 0.999] where it is constrained") {
  test::at_every_backend([&](const auto& make) {
    for (bool constrain : {true, false}) {
      NetworkCase c;
      c.options.inputs = c.options.classes = 3;
      c.options.layers.resize(1);
      c.options.layers[0].neurons = 3;
      c.options.layers[0].neuron = {SpikeKind::kSoft, 5.0f, ResetKind::kZero, false, true};
      c.options.layers[0].constrain = constrain;
      const ParameterTable table(c.options);
      c.parameters.resize(table.size());
      table.initialise(1, c.parameters.data());
      const ParameterInfo& rho = table.at("layers.0.adaptation_decay");
      c.parameters[rho.offset] = 0.9995f;
      c.parameters[rho.offset + 1] = -0.5f;
      c.steps = 5;
      test::CaseMaker(1).add_clips(c, 2);
      const auto backend = make(c.options, 1);
      backend->load_parameters(c.parameters.data());
      backend->gradient(c.batch(), c.loss);
      backend->step({}, 1e-5f);
      backend->read_parameters(c.parameters.data());
      CHECK((c.parameters[rho.offset] == 0.999f) == constrain);
      CHECK((c.parameters[rho.offset + 1] == 0.0f) == constrain);
      CHECK(c.parameters[rho.offset + 2] == doctest::Approx(0.9).epsilon(1e-4));
    }
  });
}

TEST_CASE("optimizer: a gradient of zero moves nothing but what decays") {
  test::at_every_backend([&](const auto& make) {
    NetworkCase c = some_case(3);
    c.options.layers.resize(1);
    c.options.readout.kind = ReadoutKind::kLeakyIntegrator;
    c.options.layers[0].neuron = {SpikeKind::kBoxcar, 100.0f, ResetKind::kZero,
                                  false};  // nothing near the threshold
    const ParameterTable table(c.options);
    c.parameters.assign(table.size(), 0.0f);
    const ParameterInfo &threshold = table.at("layers.0.threshold"), &weight = table.at("layers.0.weight");
    std::fill_n(&c.parameters[threshold.offset], threshold.size, 10.0f);
    std::fill_n(&c.parameters[weight.offset], weight.size, 0.5f);
    const auto backend = make(c.options, 1);
    backend->load_parameters(c.parameters.data());
    OptimizerOptions options;
    options.decoupled_decay = true;
    options.weight_decay = 0.5f;
    options.clip_norm = 1.0f;
    backend->gradient(c.batch(), c.loss);
    backend->step(options, 0.1f);
    std::vector<float> after(table.size());
    backend->read_parameters(after.data());
    CHECK(after[threshold.offset] == 10.0f);
    CHECK(after[weight.offset] == doctest::Approx(0.5 * (1 - 0.1 * 0.5)));
  });
}

}  // namespace
}  // namespace sonospike

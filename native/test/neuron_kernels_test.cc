// The kernels of neurons against plain loops in double precision, at every instruction set.
// Networks made of them are held against the reference in network_test.cc.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "test/buffers.h"
#include "test/instruction_sets.h"
#include "test/reference_network.h"

namespace sonospike {
namespace {

using test::doubles;
using test::error;
using test::random_values;

constexpr int kStride = 32;

std::vector<NeuronModel> all_models() {
  std::vector<NeuronModel> models;
  for (int kind = 0; kind <= 5; ++kind) {
    for (ResetKind reset : {ResetKind::kZero, ResetKind::kSubtract}) {
      for (bool detach : {false, true}) {
        for (bool adaptive : {false, true})
          models.push_back({static_cast<SpikeKind>(kind), 2.5f, reset, detach, adaptive});
      }
    }
  }
  return models;
}

/// Steps of a few clips of one layer.
struct Layer {
  Layer(const NeuronModel& neuron, int step_count, int clip_count, std::mt19937& random)
      : model(neuron),
        steps(step_count),
        clips(clip_count),
        row(static_cast<size_t>(clips) * kStride),
        decay(random_values(kStride, 0.1f, 0.99f, random)),
        threshold(random_values(kStride, 0.3f, 1.2f, random)),
        rho(random_values(kStride, 0.1f, 0.99f, random)),
        coupling(random_values(kStride, -0.1f, 0.5f, random)),
        jump(random_values(kStride, -0.2f, 1.0f, random)),
        w(random_values(row * (steps + 1), -0.5f, 0.5f, random)),
        current(random_values(row * steps, -1.0f, 1.5f, random)),
        u(current),
        s(row * steps),
        bits(s.size() / kLanePad),
        v(random_values(row, -0.5f, 0.5f, random)),
        start(v),
        count(random_values(row, 0.0f, 5.0f, random)),
        counted(count) {}

  bool soft() const { return model.spike == SpikeKind::kSoft; }
  LifForwardArgs arguments() {
    return {clips,
            kStride,
            decay.data(),
            threshold.data(),
            u.data(),
            soft() ? s.data() : nullptr,
            soft() ? nullptr : bits.data(),
            v.data(),
            count.data(),
            {rho.data(), coupling.data(), jump.data()},
            model.adaptive ? w.data() + row : nullptr};
  }
  void forward(const Kernels& kernels) {
    const LifForwardArgs q = arguments();
    kernels.lif_forward(model, steps, &q, 1);
    if (!soft()) kernels.expand_spikes(bits.data(), bits.size(), s.data());
  }

  /// After the reset of the step that element `i` belongs to.
  double v_at(size_t i) const {
    const double reset = s[i] * (model.reset == ResetKind::kZero ? u[i] : threshold[i % kStride]);
    return u[i] - reset;
  }
  /// What adaptation takes from u in the step that element `i` belongs to.
  double w_before(size_t i) const { return model.adaptive ? w[i] : 0.0; }
  /// What w goes towards in that step.
  double w_target(size_t i) const {
    return double{coupling[i % kStride]} * u[i] + double{jump[i % kStride]} * s[i];
  }
  double distance(size_t i) const { return double{u[i]} - threshold[i % kStride]; }

  NeuronModel model;
  int steps, clips;
  size_t row;
  Buffer<float> decay, threshold, rho, coupling, jump;
  Buffer<float> w;  // [steps + 1, clips, kStride]: begins with the one before the first step
  Buffer<float> current, u, s;
  Buffer<uint16_t> bits;
  Buffer<float> v, start, count, counted;  // counted: before the first step
};

TEST_CASE("kernels: neurons forward, one step after the other") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(1);
    for (const NeuronModel& model : all_models()) {
      Layer layer(model, 20, 3, random);
      layer.forward(kernels);
      // Each value from the kernel's own values of the step before, so that errors do not add up.
      test::Doubles u(layer.u.size()), s(u.size()), v(layer.row), w = doubles(layer.w),
                                                                  count = doubles(layer.counted);
      for (size_t i = 0; i < u.size(); ++i) {
        const double before = i < layer.row ? layer.start[i] : layer.v_at(i - layer.row);
        u[i] = layer.decay[i % kStride] * before + layer.current[i] - layer.w_before(i);
        const double rho = layer.rho[i % kStride];
        if (model.adaptive) w[i + layer.row] = rho * layer.w[i] + (1.0 - rho) * layer.w_target(i);
        s[i] = test::spike(model, layer.distance(i));
        count[i % layer.row] += layer.s[i];
      }
      for (size_t i = 0; i < layer.row; ++i) v[i] = layer.v_at(u.size() - layer.row + i);
      CHECK(error(layer.u, u) <= 3e-7);
      CHECK(error(layer.s, s) <= (model.spike == SpikeKind::kSoft ? 1e-6 : 0.0));
      CHECK(error(layer.v, v) <= 3e-7);
      CHECK(error(layer.w, w) <= 3e-7);
      CHECK(error(layer.count, count) <= 1e-6);
    }
  });
}

TEST_CASE("kernels: layers side by side have the bits of each by itself") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    for (const NeuronModel& model : all_models()) {
      std::mt19937 random(7);
      std::vector<Layer> together;
      for (int clips : {1, 3, 2}) together.emplace_back(model, 9, clips, random);
      std::vector<Layer> alone = together;
      std::vector<LifForwardArgs> q;
      for (Layer& layer : together) q.push_back(layer.arguments());
      kernels.lif_forward(model, 9, q.data(), static_cast<int>(q.size()));
      for (size_t k = 0; k < alone.size(); ++k) {
        if (!alone[k].soft())
          kernels.expand_spikes(together[k].bits.data(), together[k].bits.size(), together[k].s.data());
        alone[k].forward(kernels);
        for (auto member : {&Layer::u, &Layer::s, &Layer::v, &Layer::w, &Layer::count}) {
          const Buffer<float>&x = together[k].*member, &y = alone[k].*member;
          CHECK(std::equal(x.data(), x.data() + x.size(), y.data()));
        }
      }
    }
  });
}

TEST_CASE("kernels: the sigmoid is right to a few units in the last place") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    constexpr int kPoints = 16 * 2000;
    for (float slope : {1.0f, 4.0f}) {
      // decay and threshold 0: s = sigmoid(slope * input) without any other rounding
      Buffer<float> zero(kPoints), u(kPoints), s(kPoints), v(kPoints), count(kPoints);
      for (int i = 0; i < kPoints; ++i) u[i] = (-87.0f + 175.0f * i / kPoints) / slope;
      const NeuronModel model{SpikeKind::kSoft, slope, ResetKind::kZero, false};
      const LifForwardArgs q{1,        kPoints, zero.data(), zero.data(), u.data(),
                             s.data(), nullptr, v.data(),    count.data()};
      kernels.lif_forward(model, 1, &q, 1);
      double worst = 0.0;
      for (int i = 0; i < kPoints; ++i) {
        const double expected = test::sigmoid(double{slope} * u[i]);
        worst = std::max(worst, std::abs(s[i] - expected) / expected);
      }
      CHECK(worst <= 4 * 0x1p-23);
    }
  });
}

TEST_CASE("kernels: far from the threshold the soft spike is 0 or 1, never NaN") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    const float inputs[] = {-3e38f, -1e10f, -200.0f, -88.5f, 88.5f, 200.0f, 1e10f, 3e38f};
    Buffer<float> zero(16), u(16), s(16), v(16), count(16);
    std::copy_n(inputs, 8, u.data());
    NeuronModel model{SpikeKind::kSoft, 1.0f, ResetKind::kZero, false};
    const LifForwardArgs q{1,        16,      zero.data(), zero.data(), u.data(),
                           s.data(), nullptr, v.data(),    count.data()};
    kernels.lif_forward(model, 1, &q, 1);
    for (int i = 0; i < 4; ++i) CHECK(std::abs(s[i]) < 1e-37f);
    for (int i = 4; i < 8; ++i) CHECK(s[i] == 1.0f);
  });
}

TEST_CASE("kernels: a hard neuron spikes above the threshold only") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    Buffer<float> decay(16), threshold(16), u(16), s(16), v(16), count(16);
    Buffer<uint16_t> bits(1);
    std::fill_n(threshold.data(), 16, 0.7f);
    u[0] = 0.7f;
    u[1] = std::nextafter(0.7f, 1.0f);
    u[2] = std::nextafter(0.7f, 0.0f);
    const NeuronModel model{SpikeKind::kAtan, 1.0f, ResetKind::kZero, false};
    const LifForwardArgs q{1,       16,          decay.data(), threshold.data(), u.data(),
                           nullptr, bits.data(), v.data(),     count.data()};
    kernels.lif_forward(model, 1, &q, 1);
    kernels.expand_spikes(bits.data(), 1, s.data());
    CHECK(s[0] == 0.0f);
    CHECK(s[1] == 1.0f);
    CHECK(s[2] == 0.0f);
    CHECK(v[0] == 0.7f);
    CHECK(v[1] == 0.0f);
  });
}

/// The gradients of one layer: what the kernel is given, and what it makes of it.
struct LayerGradient {
  LayerGradient(const Layer& layer, std::mt19937& random)
      : g(random_values(layer.u.size(), -1.0f, 1.0f, random)),
        gv(random_values(layer.row, -1.0f, 1.0f, random)),
        bias(random_values(kStride, -1.0f, 1.0f, random)),
        decay(random_values(kStride, -1.0f, 1.0f, random)),
        threshold(random_values(kStride, -1.0f, 1.0f, random)),
        gw(random_values(layer.row, -1.0f, 1.0f, random)),
        rho(random_values(kStride, -1.0f, 1.0f, random)),
        coupling(random_values(kStride, -1.0f, 1.0f, random)),
        jump(random_values(kStride, -1.0f, 1.0f, random)) {}

  Buffer<float> g, gv, bias, decay, threshold, gw, rho, coupling, jump;
};

void check_backward(const Kernels& kernels, const Layer& layer, int first, int last, std::mt19937& random) {
  LayerGradient ours(layer, random);
  test::Doubles g = doubles(ours.g), gv = doubles(ours.gv), bias = doubles(ours.bias),
                decay = doubles(ours.decay), threshold = doubles(ours.threshold), gw = doubles(ours.gw),
                rho = doubles(ours.rho), coupling = doubles(ours.coupling), jump = doubles(ours.jump);
  const bool zero = layer.model.reset == ResetKind::kZero;
  for (int t = last; t >= first; --t) {
    for (size_t j = 0; j < layer.row; ++j) {
      const size_t i = t * layer.row + j, n = j % kStride;
      const double u = layer.u[i], s = layer.s[i], through_reset = zero ? u : double{layer.threshold[n]};
      const double through_w = layer.model.adaptive ? gw[j] * (1.0 - layer.rho[n]) : 0.0;
      const double gs =
          g[i] + through_w * layer.jump[n] - (layer.model.detach_reset ? 0.0 : gv[j] * through_reset);
      const double gd = gs * test::spike_slope(layer.model, layer.distance(i));
      const double gu = gv[j] * (zero ? 1.0 - s : 1.0) + gd + through_w * layer.coupling[n];
      if (layer.model.adaptive) {
        rho[n] += gw[j] * (layer.w_before(i) - layer.w_target(i));
        coupling[n] += through_w * u;
        jump[n] += through_w * s;
        gw[j] = layer.rho[n] * gw[j] - gu;
      }
      threshold[n] -= gd + (zero ? 0.0 : gv[j] * s);
      bias[n] += gu;
      if (t > 0) decay[n] += gu * layer.v_at(i - layer.row);
      gv[j] = gu * layer.decay[n];
      g[i] = gu;
    }
  }
  LifBackwardArgs q{};
  q.model = layer.model;
  q.steps = last - first + 1;
  q.starts = first == 0;
  q.clips = layer.clips;
  q.stride = kStride;
  q.decay = layer.decay.data();
  q.threshold = layer.threshold.data();
  q.u = layer.u.data() + first * layer.row;
  q.s = layer.soft() ? layer.s.data() + first * layer.row : nullptr;
  q.g = ours.g.data() + first * layer.row;
  q.gv = ours.gv.data();
  q.grad_bias = ours.bias.data();
  q.grad_decay = ours.decay.data();
  q.grad_threshold = ours.threshold.data();
  q.adaptation = {layer.rho.data(), layer.coupling.data(), layer.jump.data()};
  q.w = layer.w.data() + (first + 1) * layer.row;
  q.gw = ours.gw.data();
  q.grad_rho = ours.rho.data();
  q.grad_coupling = ours.coupling.data();
  q.grad_jump = ours.jump.data();
  kernels.lif_backward(q);
  CHECK(error(ours.g, g) <= 1e-5);
  CHECK(error(ours.gv, gv) <= 1e-5);
  CHECK(error(ours.bias, bias) <= 1e-5);
  CHECK(error(ours.decay, decay) <= 1e-5);
  CHECK(error(ours.threshold, threshold) <= 1e-5);
  CHECK(error(ours.gw, gw) <= 1e-5);
  CHECK(error(ours.rho, rho) <= 1e-5);
  CHECK(error(ours.coupling, coupling) <= 1e-5);
  CHECK(error(ours.jump, jump) <= 1e-5);
}

TEST_CASE("kernels: neurons backward, whole runs and single steps") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(2);
    for (const NeuronModel& model : all_models()) {
      CAPTURE(static_cast<int>(model.spike));
      CAPTURE(static_cast<int>(model.reset));
      CAPTURE(model.detach_reset);
      Layer layer(model, 40, 3, random);
      layer.forward(kernels);
      check_backward(kernels, layer, 0, 39, random);
      check_backward(kernels, layer, 0, 0, random);
      check_backward(kernels, layer, 7, 7, random);
      check_backward(kernels, layer, 3, 9, random);
    }
  });
}

}  // namespace
}  // namespace sonospike

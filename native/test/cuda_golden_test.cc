// The CUDA backend against values from PyTorch, where the folder with the test data is at hand; at the
// tolerances that test/golden.test.ts has for the CPU.
#include <doctest/doctest.h>

#include <cmath>

#include "test/backends.h"
#include "test/safetensors.h"

namespace sonospike {
namespace {

using test::Tensors;

/// A batch that reads `input` [steps, clips, channels].
Batch batch_of(const test::Tensor& input, const std::vector<int>& labels) {
  Batch batch;
  batch.steps = static_cast<int>(input.shape[0]);
  batch.clips = static_cast<int>(input.shape[1]);
  batch.labels = labels.data();
  const auto channels = static_cast<size_t>(input.shape[2]);
  batch.input = [&input, channels](int clip, int first, int steps, float* x, size_t stride, int) {
    for (int t = 0; t < steps; ++t) {
      const size_t from = (static_cast<size_t>(first + t) * input.shape[1] + clip) * channels;
      for (size_t i = 0; i < channels; ++i) x[t * stride + i] = static_cast<float>(input.values[from + i]);
    }
  };
  return batch;
}

std::vector<int> labels_of(const Tensors& tensors) {
  const std::vector<double>& values = tensors.at("labels").values;
  return {values.begin(), values.end()};
}

/// Our name of a parameter and theirs.
using Names = std::vector<std::pair<std::string, std::string>>;

void load(Backend& backend, const Names& names, const Tensors& tensors) {
  std::vector<float> values(backend.table().size());
  for (const auto& [ours, theirs] : names) {
    const std::vector<float> from = tensors.at("param." + theirs).floats();
    std::copy(from.begin(), from.end(), values.begin() + backend.table().at(ours).offset);
  }
  backend.load_parameters(values.data());
}

/// Cosine at least 0.9999, norm within 0.1%.
void check_gradient(const Backend& backend, const Names& names, const Tensors& tensors) {
  std::vector<float> gradient(backend.table().size());
  backend.read_gradient(gradient.data());
  for (const auto& [ours, theirs] : names) {
    CAPTURE(theirs);
    const std::vector<double>& expected = tensors.at("grad." + theirs).values;
    const float* const g = &gradient[backend.table().at(ours).offset];
    double product = 0.0, own = 0.0, other = 0.0;
    for (size_t i = 0; i < expected.size(); ++i) {
      product += g[i] * expected[i];
      own += double{g[i]} * g[i];
      other += expected[i] * expected[i];
    }
    CHECK(product >= 0.9999 * std::sqrt(own * other));
    CHECK(std::sqrt(own / other) == doctest::Approx(1.0).epsilon(1e-3));
  }
}

TEST_CASE("cuda: logits, loss, gradients and three Adam steps of the original network are PyTorch's") {
  const auto f32 = test::read_golden("original_network_f32.safetensors"),
             f64 = test::read_golden("original_network_f64.safetensors");
  NetworkOptions options{20, 10, std::vector<LayerOptions>(4), {}};
  Names names;
  for (int k = 0; k < 4; ++k) {
    LayerOptions& layer = options.layers[k];
    layer.neurons = k < 3 ? 32 : 10;
    layer.neuron = {SpikeKind::kSoft, 5.0f, ResetKind::kZero, false};
    const std::string ours = "layers." + std::to_string(k) + ".",
                      theirs = std::string("l") + std::to_string(k + 1) + ".";
    for (const char* name : {"decay", "threshold"}) names.push_back({ours + name, theirs + name});
    for (const char* name : {"weight", "bias"}) names.push_back({ours + name, theirs + "fc." + name});
  }
  const auto backend = test::make_gpu_backend(options, 1);
  load(*backend, names, f32);
  const std::vector<int> labels = labels_of(f32);
  const Batch batch = batch_of(f32.at("spikes"), labels);
  const std::vector<double>& logits = f32.at("logits").values;
  std::vector<float> scores(logits.size());
  std::vector<double> spikes(labels.size() * options.layers.size());
  backend->forward(batch, scores.data(), spikes.data());
  for (size_t i = 0; i < logits.size(); ++i) CHECK(scores[i] == doctest::Approx(logits[i]).epsilon(1e-3));
  for (int step = 0; step < 3; ++step) {
    const BatchStatistics seen = backend->gradient(batch, {});
    if (step == 0) {
      CHECK(seen.loss / batch.clips == doctest::Approx(f64.at("loss").values[0]).epsilon(1e-4));
      check_gradient(*backend, names, f64);
    }
    backend->step({}, 1e-3f);
  }
  std::vector<float> after(backend->table().size());
  backend->read_parameters(after.data());
  for (const auto& [ours, theirs] : names) {
    CAPTURE(theirs);
    double worst = 0.0;
    for (const Tensors& reference : {f32, f64}) {
      const std::vector<double>& expected = reference.at("after3." + theirs).values;
      for (size_t i = 0; i < expected.size(); ++i)
        worst = std::max(worst, std::abs(after[backend->table().at(ours).offset + i] - expected[i]));
    }
    CHECK(worst < 1e-5);
  }
}

struct Surrogate {
  const char* name;
  SpikeKind kind;
  float slope;
};
constexpr Surrogate kSurrogates[] = {{"atan", SpikeKind::kAtan, 2.0f},
                                     {"boxcar", SpikeKind::kBoxcar, 1.0f},
                                     {"fast_sigmoid", SpikeKind::kFastSigmoid, 5.0f},
                                     {"sigmoid", SpikeKind::kSigmoid, 5.0f},
                                     {"triangle", SpikeKind::kTriangle, 1.0f}};

/// Positions at which the hidden layers of all clips do not spike as `tensors` say.
int differences(Backend& backend, const Batch& all, const Tensors& tensors) {
  int count = 0;
  std::vector<float> scores(backend.options().classes);
  for (int clip = 0; clip < all.clips; ++clip) {
    Batch one = all;
    one.clips = 1;
    one.input = [&](int, int first, int steps, float* x, size_t stride, int worker) {
      all.input(clip, first, steps, x, stride, worker);
    };
    const auto views = backend.observe(one, scores.data()).layers;
    for (size_t k = 0; k < views.size(); ++k) {
      const std::vector<double>& expected = tensors.at("spikes" + std::to_string(k)).values;
      for (int t = 0; t < all.steps; ++t) {
        for (int i = 0; i < views[k].neurons; ++i) {
          count += views[k].s[t * views[k].stride + i] !=
                   expected[(static_cast<size_t>(t) * all.clips + clip) * views[k].neurons + i];
        }
      }
    }
  }
  return count;
}

TEST_CASE("cuda: spikes, loss and gradients of hard networks are PyTorch's") {
  for (const Surrogate& surrogate : kSurrogates) {
    for (const std::string reset : {"zero", "subtract_recurrent", "subtract_detached"}) {
      const std::string file = std::string("spiking_") + surrogate.name + "_" + reset + ".safetensors";
      CAPTURE(file);
      const auto reference = test::read_golden(file);
      LayerOptions layer;
      layer.neurons = 16;
      layer.recurrent = reset.ends_with("recurrent");
      layer.neuron = {surrogate.kind, surrogate.slope,
                      reset == "zero" ? ResetKind::kZero : ResetKind::kSubtract, reset.ends_with("detached")};
      const NetworkOptions options{12, 10, {layer, layer}, {ReadoutKind::kLeakyIntegrator}};
      Names names{{"readout.weight", "w_out"}, {"readout.bias", "b_out"}, {"readout.decay", "decay_out"}};
      for (const std::string k : {"0", "1"}) {
        const std::string prefix = "layers." + k + ".";
        for (const std::string name : {"decay", "threshold"}) names.push_back({prefix + name, name + k});
        names.push_back({prefix + "weight", "w" + k});
        names.push_back({prefix + "bias", "b" + k});
        if (layer.recurrent) names.push_back({prefix + "recurrent", "r" + k});
      }
      const auto backend = test::make_gpu_backend(options, 1);
      load(*backend, names, reference);
      const std::vector<int> labels = labels_of(reference);
      const Batch batch = batch_of(reference.at("input"), labels);
      CHECK(differences(*backend, batch, reference) == 0);
      const BatchStatistics seen = backend->gradient(batch, {});
      CHECK(seen.loss / batch.clips == doctest::Approx(reference.at("loss").values[0]).epsilon(1e-4));
      check_gradient(*backend, names, reference);
    }
  }
}

}  // namespace
}  // namespace sonospike

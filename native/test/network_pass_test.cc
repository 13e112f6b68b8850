// A clip cut into segments that are computed again against the same clip as a whole, bit for bit.
#include "core/network/network_pass.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "test/instruction_sets.h"
#include "test/network_cases.h"

namespace sonospike {
namespace {

using Keep = NetworkPass::Keep;
using test::NetworkCase;

constexpr NetworkPass::Limits kShortSegments{size_t{1} << 20, 1, 1};  // one time chunk each

/// A network with its weights, taken through by a pass of its own.
class Taken {
 public:
  Taken(const NetworkCase& c, const NetworkPass::Limits& limits)
      : case_(c),
        layers_(make_layers(c.options)),
        readout_(c.options.readout, c.options.layers.back().neurons, layers_.back().stride(),
                 c.options.classes),
        pass_(layers_, readout_, c.options.inputs, limits) {
    const ParameterTable table(c.options);
    for (size_t k = 0; k < layers_.size(); ++k)
      layers_[k].load(table, "layers." + std::to_string(k) + ".", c.parameters.data(), 1.0f);
    readout_.load(table, c.parameters.data(), 1.0f);
  }

  /// Scores and numbers of spikes of `count` clips.
  std::vector<double> forward(int first, int count, Keep keep, bool learning = false) {
    batch_ = case_.batch();
    if (!learning) batch_.keys = nullptr;
    pass_.forward(batch_, first, count, 0, keep);
    std::vector<double> seen;
    for (int clip = 0; clip < count; ++clip) {
      seen.insert(seen.end(), pass_.scores(clip), pass_.scores(clip) + case_.options.classes);
      for (size_t k = 0; k < layers_.size(); ++k) seen.push_back(pass_.spikes(static_cast<int>(k), clip));
    }
    return seen;
  }

  /// Gradients of parameters and input of these clips.
  std::vector<float> backward(int first, int count) {
    size_t size = readout_.gradient_size();
    for (const auto& layer : layers_) size += layer.gradient_size();
    forward(first, count, Keep::kTrace, true);
    Buffer<float> grad_score(static_cast<size_t>(count) * readout_.stride());
    for (int clip = 0; clip < count; ++clip) {
      clip_loss(case_.options.readout.kind, case_.loss, pass_.scores(clip), case_.options.classes,
                case_.labels[first + clip], 1.0f, grad_score.data() + clip * readout_.stride());
    }
    std::vector<float> packed(size), of_input(case_.clips.size() * case_.steps * case_.options.inputs);
    pass_.backward(grad_score.data(), case_.loss.spike_cost, packed.data(), of_input.data());
    packed.insert(packed.end(), of_input.begin(), of_input.end());
    return packed;
  }

 private:
  const NetworkCase& case_;
  std::vector<LifLayer> layers_;
  Readout readout_;
  NetworkPass pass_;
  Batch batch_;
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST_CASE("network pass: segments computed again give the bits of the whole") {
  test::at_every_instruction_set([](const Kernels&) {
    for (uint32_t seed = 500; seed < 620; ++seed) {
      CAPTURE(seed);
      test::CaseMaker maker(seed);
      NetworkCase c =
          maker.make(seed % 2 ? test::Spikes::kHard : test::Spikes::kSoft, {3, 40, 30, 1, 1, seed >= 560});
      c.steps = maker.between(1, 300);
      c.clips.clear();
      c.labels.clear();
      maker.add_clips(c, 5);
      Taken whole(c, {}), cut(c, kShortSegments);
      for (int count : {1, 5, 2}) {
        CAPTURE(count);
        const int first = 5 - count;
        const auto expected = whole.forward(first, count, Keep::kTrace);
        CHECK(whole.forward(first, count, Keep::kScores) == expected);
        CHECK(cut.forward(first, count, Keep::kScores) == expected);
        CHECK(cut.forward(first, count, Keep::kTrace) == expected);
        CHECK(cut.forward(first, count, Keep::kEverything) == expected);
        cut.forward(first, count, Keep::kScores);  // leaves its last step behind
        CHECK(same_bits(cut.backward(first, count), whole.backward(first, count)));
      }
    }
  });
}

TEST_CASE("network pass: a clip of a batch of all lengths gives the bits of itself alone, in segments too") {
  test::at_every_instruction_set([](const Kernels&) {
    for (uint32_t seed = 620; seed < 680; ++seed) {
      CAPTURE(seed);
      test::CaseMaker maker(seed);
      const auto spikes = seed % 2 ? test::Spikes::kHard : test::Spikes::kSoft;
      NetworkCase c = maker.make(spikes, {3, 40, 30, 250, 1, seed >= 640});
      maker.add_clips(c, 3);
      maker.vary_lengths(c);
      const size_t clips = c.clips.size(), inputs = c.options.inputs;
      Taken whole(c, {}), cut(c, kShortSegments);
      for (size_t clip = 0; clip < clips; ++clip) {
        CAPTURE(clip);
        const NetworkCase one = c.alone(clip);
        const int at = static_cast<int>(clip);
        Taken alone(one, {});
        const auto expected = alone.forward(0, 1, Keep::kTrace);
        for (Keep keep : {Keep::kScores, Keep::kTrace, Keep::kEverything}) {
          CHECK(whole.forward(at, 1, keep) == expected);
          CHECK(cut.forward(at, 1, keep) == expected);
        }
        std::vector<float> gradient = alone.backward(0, 1);
        const size_t parameters = gradient.size() - one.steps * inputs;
        gradient.resize(parameters + clips * c.steps * inputs, 0.0f);
        for (int t = one.steps - 1; t >= 0; --t) {
          const auto from = gradient.begin() + parameters + t * inputs;
          const std::vector<float> row(from, from + inputs);
          std::fill_n(from, inputs, 0.0f);
          std::copy(row.begin(), row.end(), gradient.begin() + parameters + (t * clips + clip) * inputs);
        }
        CHECK(same_bits(whole.backward(at, 1), gradient));
        CHECK(same_bits(cut.backward(at, 1), gradient));
      }
    }
  });
}

TEST_CASE("network pass: scores and counts of very long clips do not drift") {
  for (const ReadoutKind readout :
       {ReadoutKind::kSpikeCount, ReadoutKind::kLeakyIntegrator, ReadoutKind::kMeanPotential}) {
    NetworkCase c;
    c.options.inputs = 1;
    c.options.classes = 3;
    c.options.layers.resize(1);
    c.options.layers[0].neurons = 3;
    c.options.layers[0].neuron = {SpikeKind::kSoft, 5.0f, ResetKind::kZero, false};
    c.options.readout.kind = readout;
    c.options.readout.decay = 0.1f;  // soon forgets its start, which is a larger share of a shorter clip
    c.parameters.resize(ParameterTable(c.options).size());
    ParameterTable(c.options).initialise(1, c.parameters.data());
    c.labels = {0};
    std::vector<double> share[2];
    for (int steps : {20'000, 500'000}) {
      c.steps = steps;
      c.clips = {std::vector<float>(steps, 0.7f)};
      Taken taken(c, {});
      std::vector<double> seen = taken.forward(0, 1, Keep::kScores);
      if (readout == ReadoutKind::kSpikeCount) {
        for (double& x : seen) x /= steps;
      } else {
        if (readout == ReadoutKind::kLeakyIntegrator)
          CHECK(seen[0] + seen[1] + seen[2] == doctest::Approx(1.0).epsilon(1e-4));
        seen.pop_back();
      }
      share[steps > 20'000] = seen;
    }
    for (size_t i = 0; i < share[0].size(); ++i)
      CHECK(share[1][i] == doctest::Approx(share[0][i]).epsilon(1e-4));
  }
}

}  // namespace
}  // namespace sonospike

// Batches of clips of all lengths against the same clips one by one.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <memory>

#include "test/backends.h"
#include "test/network_cases.h"

namespace sonospike {
namespace {

using test::NetworkCase;

template <class Make>
std::unique_ptr<Backend> make_backend(const Make& make, const NetworkCase& c, int threads) {
  auto backend = make(c.options, threads);
  backend->load_parameters(c.parameters.data());
  return backend;
}

/// What a backend says of all clips of a case, and how it would change for them.
struct Outcome {
  std::vector<float> scores;    // [clips, classes]
  std::vector<double> spikes;   // [clips, layers]
  std::vector<float> gradient;  // of the mean loss
  BatchStatistics statistics;

  bool operator==(const Outcome& other) const {
    const auto same = [](const auto& a, const auto& b) {
      return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(a[0])) == 0;
    };
    return same(scores, other.scores) && same(spikes, other.spikes) && same(gradient, other.gradient) &&
           statistics.loss == other.statistics.loss && statistics.correct == other.statistics.correct &&
           statistics.spikes == other.statistics.spikes && statistics.steps == other.statistics.steps;
  }
};

template <class Make>
Outcome outcome_of(const Make& make, const NetworkCase& c, int threads) {
  const auto backend = make_backend(make, c, threads);
  Outcome made;
  made.scores.resize(c.clips.size() * c.options.classes);
  made.spikes.resize(c.clips.size() * c.options.layers.size());
  made.gradient.resize(c.parameters.size());
  backend->forward(c.batch(), made.scores.data(), made.spikes.data());
  made.statistics = backend->gradient(c.batch(), c.loss);
  backend->read_gradient(made.gradient.data());
  return made;
}

NetworkCase mixed_case(uint32_t seed, test::CaseLimits limits = {}) {
  limits.connections = seed % 3 != 0;
  test::CaseMaker maker(seed);
  NetworkCase c = maker.make(seed % 2 ? test::Spikes::kHard : test::Spikes::kSoft, limits);
  maker.vary_lengths(c);
  return c;
}

/// Scores and spikes bit for bit; sums over the clips within rounding.
template <class Make>
void check_against_single(const Make& make, const NetworkCase& c, const Outcome& together) {
  const size_t clips = c.clips.size(), classes = c.options.classes, layers = c.options.layers.size();
  std::vector<double> gradient(c.parameters.size()), size(c.parameters.size()), spikes(layers);
  double loss = 0.0;
  int correct = 0;
  int64_t steps = 0;
  bool same_scores = true, same_spikes = true;
  for (size_t i = 0; i < clips; ++i) {
    const Outcome one = outcome_of(make, c.alone(i), 1);
    same_scores =
        same_scores && std::equal(one.scores.begin(), one.scores.end(), &together.scores[i * classes]);
    same_spikes =
        same_spikes && std::equal(one.spikes.begin(), one.spikes.end(), &together.spikes[i * layers]);
    for (size_t k = 0; k < gradient.size(); ++k) {
      gradient[k] += one.gradient[k] / static_cast<double>(clips);
      size[k] += std::abs(one.gradient[k]) / static_cast<double>(clips);
    }
    for (size_t k = 0; k < layers; ++k) spikes[k] += one.statistics.spikes[k];
    loss += one.statistics.loss;
    correct += one.statistics.correct;
    steps += c.lengths[i];
    CHECK(one.statistics.steps == c.lengths[i]);
  }
  CHECK(same_scores);
  CHECK(same_spikes);
  CHECK(together.statistics.loss == doctest::Approx(loss).epsilon(1e-6));
  CHECK(together.statistics.correct == correct);
  CHECK(together.statistics.steps == steps);
  for (size_t k = 0; k < layers; ++k)
    CHECK(together.statistics.spikes[k] == doctest::Approx(spikes[k]).epsilon(1e-6));
  const double greatest = *std::max_element(size.begin(), size.end());
  double worst = 0.0;
  for (size_t k = 0; k < gradient.size(); ++k) {
    const double error = std::abs(together.gradient[k] - gradient[k]) / (size[k] + 1e-3 * greatest + 1e-30);
    worst = error <= worst ? worst : error;  // NaN wins
  }
  CHECK(worst < 2e-4);
}

TEST_CASE("mixed lengths: a batch gives what its clips give one by one, on any number of threads") {
  test::at_every_backend([](const auto& make) {
    for (uint32_t seed = 700; seed < 730; ++seed) {
      CAPTURE(seed);
      const NetworkCase c = mixed_case(seed);
      const Outcome one = outcome_of(make, c, 1);
      check_against_single(make, c, one);
      for (int threads : {2, 3, 4}) CHECK(outcome_of(make, c, threads) == one);
    }
  });
}

TEST_CASE("mixed lengths: threads that share the products of a wide layer give the same") {
  test::at_every_backend([](const auto& make) {
    for (uint32_t seed = 730; seed < 734; ++seed) {
      CAPTURE(seed);
      NetworkCase c = mixed_case(seed, {2, 400, 300, 100, 2});
      const Outcome one = outcome_of(make, c, 1);
      check_against_single(make, c, one);
      for (int threads : {2, 5}) CHECK(outcome_of(make, c, threads) == one);
    }
  });
}

TEST_CASE("mixed lengths: lengths that are all the same give the bits of scores without them") {
  test::at_every_backend([](const auto& make) {
    for (uint32_t seed = 740; seed < 746; ++seed) {
      CAPTURE(seed);
      NetworkCase c = mixed_case(seed);
      c.lengths.clear();
      const Outcome plain = outcome_of(make, c, 2);
      c.lengths.assign(c.clips.size(), c.steps);
      const Outcome told = outcome_of(make, c, 2);
      CHECK(told.scores == plain.scores);
      CHECK(told.spikes == plain.spikes);
      CHECK(told.statistics.steps == plain.statistics.steps);
      check_against_single(make, c, told);
    }
  });
}

TEST_CASE("mixed lengths: what a clip shows is what it shows alone, whatever was looked at before") {
  test::at_every_backend([](const auto& make) {
    for (uint32_t seed = 750; seed < 760; ++seed) {
      CAPTURE(seed);
      const NetworkCase c = mixed_case(seed);
      const auto backend = make_backend(make, c, 1);
      std::vector<float> scores(c.options.classes), alone(c.options.classes);
      for (size_t i = 0; i < c.clips.size(); ++i) {
        const auto fresh = make_backend(make, c, 1);
        const NetworkCase one = c.alone(i);
        const auto expected = fresh->observe(one.batch(), alone.data());
        const auto seen = backend->observe(c.batch(static_cast<int>(i), 1), scores.data());
        CHECK(scores == alone);
        for (size_t k = 0; k < seen.layers.size(); ++k) {
          const ActivityView &layer = seen.layers[k], &alike = expected.layers[k];
          const size_t values = one.steps * layer.stride;
          CHECK(layer.spikes == alike.spikes);
          CHECK(std::equal(layer.s, layer.s + values, alike.s));
          CHECK(std::equal(layer.u, layer.u + values, alike.u));
        }
        REQUIRE((seen.potential == nullptr) == (expected.potential == nullptr));
        for (int t = 0; seen.potential && t < one.steps; ++t) {
          const size_t row = t * seen.potential_stride;
          CHECK(std::equal(seen.potential + row, seen.potential + row + c.options.classes,
                           expected.potential + row));
        }
      }
    }
  });
}

}  // namespace
}  // namespace sonospike

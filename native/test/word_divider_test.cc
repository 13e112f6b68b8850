#include "core/stream/word_divider.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/network/loss.h"
#include "test/allocations.h"
#include "test/signals.h"
#include "test/training_cases.h"

namespace sonospike {
namespace {

constexpr int kRate = 8000;

NetworkOptions tone_network() {
  NetworkOptions options;
  options.inputs = test::kToneFeatures;
  options.classes = test::kPitches;
  options.layers.resize(1);
  options.readout.kind = ReadoutKind::kLeakyIntegrator;
  return options;
}

Recognizer tone_recognizer() {
  std::shared_ptr<Backend> backend = make_cpu_backend(tone_network(), 1);
  std::vector<float> parameters(backend->table().size());
  backend->table().initialise(3, parameters.data());
  backend->load_parameters(parameters.data());
  return {std::make_shared<FeatureExtractor>(test::tone_front_end(), ScalingOptions{},
                                             ClipFrames{test::kToneFrames}),
          {EncodingKind::kRate, 5, 0.0f},
          backend};
}

/// Two seconds of noise from sample 100 of the stream, with three dips.
struct Spoken {
  std::vector<float> samples;
  std::vector<Dip> dips = {{4000, 4900}, {7000, 7300}, {11000, 11500}};

  Spoken() {
    std::mt19937 random(8);
    samples = test::noise(16000, random);
  }
  Segment segment(bool open) const { return {100, 900, 15000, open, samples, dips}; }
};

struct Told {
  int64_t start, end;
  double sure, alone;  ///< the confidence that is told, and that of `predict`
};

/// The confidence of `predict` in its answer.
double sure_of(const ConfidenceOptions& confidence, const Answer& answer) {
  std::vector<float> probabilities(test::kPitches);
  class_probabilities(tone_network().readout.kind, answer.scores, test::kPitches, probabilities.data());
  return sonospike::confidence(confidence, probabilities.data(), test::kPitches,
                               best_class(answer.scores, test::kPitches));
}

std::vector<Told> divide(const Segment& segment, const ConfidenceOptions& confidence, int& goes_on) {
  Recognizer recognizer = tone_recognizer(), other = tone_recognizer();
  WordDivider divider(tone_network(), confidence, kRate, kRate, 7);
  std::vector<Told> told;
  goes_on = divider.divide(recognizer, segment, [&](const Sound& sound) {
    told.push_back({sound.start, sound.end, sound.sure, sure_of(confidence, sound.answer)});
    const auto* first = segment.samples.data() + (sound.start - segment.start);
    CHECK(sound.samples.data() == first);
    CHECK(static_cast<int64_t>(sound.samples.size()) == sound.end - sound.start);
    const Answer answer = other.predict(first, sound.samples.size(), kRate, 7);
    CHECK(std::equal(answer.scores, answer.scores + test::kPitches, sound.answer.scores));
  });
  return told;
}

TEST_CASE(
    "word divider: words lie one after the other within the segment, with the answers to their samples") {
  const Spoken spoken;
  ConfidenceOptions strict{true, 0, 1, 0, 0, 0.7};
  for (const ConfidenceOptions& confidence : {ConfidenceOptions{}, strict}) {
    int goes_on;
    const std::vector<Told> told = divide(spoken.segment(false), confidence, goes_on);
    REQUIRE(told.size() >= 2);  // a second is the longest word
    int64_t last = 100;
    for (const Told& each : told) {
      CHECK(each.start >= last);
      CHECK(each.end - each.start <= kRate);
      if (!confidence.calibrated) CHECK(each.sure == each.alone);
      last = each.end;
    }
    CHECK(last <= 16100);
  }
}

TEST_CASE("word divider: the confidence allows for the number of cuts that it is the best of") {
  const Spoken spoken;
  // So that every cut is sure enough to be heard once.
  const ConfidenceOptions sure{true, 6, 0.1, 0, 0, 0.7};
  int goes_on;
  Segment segment = spoken.segment(false);
  // Cuts of half a second from start to dip, dip to dip and dip to end, and of two such pieces: those of up
  // to a second share time with one another as counted here.
  const int64_t nodes[][2] = {{900, 900}, {4000, 4900}, {7000, 7300}, {11000, 11500}, {15000, 15000}};
  const int64_t margin = 640;
  const auto possible = [&](int i, int j) {
    const int64_t first = i == 0 ? 100 : (nodes[i][0] + nodes[i][1]) / 2;
    const int64_t last = j == 4 ? 16100 : (nodes[j][0] + nodes[j][1]) / 2;
    const int64_t start = std::max(first, nodes[i][1] - margin), end = std::min(last, nodes[j][0] + margin);
    return end - start >= 960 && end - start <= kRate;
  };
  const std::vector<Told> told = divide(segment, sure, goes_on);
  REQUIRE(told.size() >= 2);
  int most = 0;
  for (const Told& each : told) {
    REQUIRE(each.alone >= 0.98);
    int from = 0, to = 4;
    while (from < 3 && std::abs(nodes[from][1] - margin - each.start) > margin) ++from;
    while (to > 1 && std::abs(nodes[to][0] + margin - each.end) > margin) --to;
    int tried = 0;
    for (int i = 0; i < 5; ++i) {
      for (int j = i + 1; j < 5; ++j) tried += j > from && i < to && possible(i, j);
    }
    most = std::max(most, tried);
    CHECK(each.sure == doctest::Approx(each.alone / (each.alone + (1 - each.alone) * tried)).epsilon(1e-12));
  }
  CHECK(most > 1);
  // With nothing to choose from it is the confidence of predict.
  segment = {100, 900, 6000, false, {spoken.samples.data(), 7000}, {}};
  const std::vector<Told> single = divide(segment, sure, goes_on);
  REQUIRE(single.size() == 1);
  CHECK(single[0].sure == doctest::Approx(single[0].alone).epsilon(1e-12));
}

TEST_CASE("word divider: an open segment goes on from a dip, and what comes after it is not told") {
  const Spoken spoken;
  int goes_on;
  const std::vector<Told> told = divide(spoken.segment(true), {}, goes_on);
  REQUIRE(goes_on >= 0);
  REQUIRE(goes_on < 3);
  for (const Told& each : told) CHECK(each.end <= spoken.dips[goes_on].middle());
}

TEST_CASE("word divider: what is too long or too short for a word is not told") {
  std::mt19937 random(8);
  const std::vector<float> samples = test::noise(16000, random);
  int goes_on;
  CHECK(divide({0, 200, 15800, false, samples, {}}, {}, goes_on).empty());
  CHECK(divide({0, 200, 400, false, {samples.data(), 500}, {}}, {}, goes_on).empty());
}

TEST_CASE("word divider: nothing is allocated once a word as long has been heard") {
  const Spoken spoken;
  Recognizer recognizer = tone_recognizer();
  WordDivider divider(tone_network(), {true, 0, 1, 0, 0, 0.7}, kRate, kRate, 7);
  int told = 0;
  const WordDivider::Report report = [&told](const Sound&) { ++told; };
  recognizer.predict(spoken.samples.data(), spoken.samples.size(), kRate, 7);
  divider.divide(recognizer, spoken.segment(false), report);
  const int64_t before = test::allocations();
  divider.divide(recognizer, spoken.segment(false), report);
  divider.divide(recognizer, spoken.segment(true), report);
  const int64_t during = test::allocations() - before;
  CHECK(told > 2);
  CHECK(during == 0);
}

TEST_CASE("confidence: the regression that the model file holds, or the probability itself") {
  const float probabilities[] = {0.1f, 0.7f, 0.2f};
  CHECK(confidence({}, probabilities, 3, 1) == doctest::Approx(0.7f));
  const double log_odds = std::log(0.7 / 0.3), margin = std::log(0.7 / 0.2);
  const double entropy = -(0.1 * std::log(0.1) + 0.7 * std::log(0.7) + 0.2 * std::log(0.2)) / std::log(3.0);
  const double z = 0.5 + 0.3 * log_odds + 0.2 * margin - 0.4 * entropy;
  CHECK(confidence({true, 0.5, 0.3, 0.2, -0.4, 0.5}, probabilities, 3, 1) ==
        doctest::Approx(1 / (1 + std::exp(-z))).epsilon(1e-6));
}

}  // namespace
}  // namespace sonospike

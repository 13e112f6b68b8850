#include "core/network/recognizer.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "test/allocations.h"
#include "test/training_cases.h"

namespace sonospike {
namespace {

constexpr EncodingOptions kEncoding{EncodingKind::kRate, 5, 0.0f};

Recognizer tone_recognizer(const EncodingOptions& encoding = kEncoding) {
  NetworkOptions options;
  options.inputs = test::kToneFeatures;
  options.classes = test::kPitches;
  options.layers.resize(1);
  options.readout.kind = ReadoutKind::kLeakyIntegrator;
  std::shared_ptr<Backend> backend = make_cpu_backend(options, 1);
  std::vector<float> parameters(backend->table().size());
  backend->table().initialise(3, parameters.data());
  backend->load_parameters(parameters.data());
  return {std::make_shared<FeatureExtractor>(test::tone_front_end(), ScalingOptions{},
                                             ClipFrames{test::kToneFrames}),
          encoding, backend};
}

TEST_CASE("recognizer: nothing is allocated once a clip as long has been seen") {
  const test::Tones tones = test::random_tones(4, 5);
  const EncodingOptions direct{EncodingKind::kDirect, 3, 0.0f};
  for (const EncodingOptions& encoding : {kEncoding, direct}) {
    Recognizer recognizer = tone_recognizer(encoding);
    const auto& longest = *std::max_element(tones.samples.begin(), tones.samples.end(),
                                            [](const auto& a, const auto& b) { return a.size() < b.size(); });
    for (int rate : {8000, 12000}) recognizer.predict(longest.data(), longest.size(), rate, 1);
    const int64_t before = test::allocations();
    for (const auto& samples : tones.samples) {
      for (int rate : {8000, 12000}) recognizer.predict(samples.data(), samples.size(), rate, 1);
    }
    const int64_t during = test::allocations() - before;  // CHECK allocates itself
    CHECK(during == 0);
  }
}

TEST_CASE("recognizer: shows what it predicts from, the input as the encoder makes it of the features") {
  const test::Tones tones = test::random_tones(2, 5);
  Recognizer recognizer = tone_recognizer();
  const Encoder encoder(kEncoding);
  for (const auto& samples : tones.samples) {
    const Answer answer = recognizer.predict(samples.data(), samples.size(), 8000, 7);
    const std::vector<float> scores(answer.scores, answer.scores + test::kPitches);
    const double spikes = answer.spikes[0];
    const Observation seen = recognizer.observe(samples.data(), samples.size(), 8000, 7);
    CHECK(std::equal(scores.begin(), scores.end(), seen.scores));
    CHECK(seen.network.layers[0].spikes == spikes);
    CHECK(answer.heard.first == seen.heard.first);
    CHECK(answer.heard.own == seen.heard.own);
    CHECK(seen.heard.own > 0);
    std::vector<float> expected(static_cast<size_t>(recognizer.steps()) * recognizer.channels());
    EncoderScratch scratch;
    encoder.encode(seen.features, test::kToneFeatures, 0, recognizer.steps(), {7, 0, 0}, expected.data(),
                   recognizer.channels(), scratch);
    REQUIRE(seen.input != nullptr);
    CHECK(std::equal(expected.begin(), expected.end(), seen.input));
    CHECK(std::count(expected.begin(), expected.end(), 1.0f) > 0);
  }
}

}  // namespace
}  // namespace sonospike

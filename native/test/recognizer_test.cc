#include "core/network/recognizer.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "test/training_cases.h"

namespace sonospike {
namespace {

constexpr EncodingOptions kEncoding{EncodingKind::kRate, 5, 0.0f};

Recognizer tone_recognizer() {
  NetworkOptions options;
  options.inputs = test::kToneFeatures;
  options.classes = test::kPitches;
  options.layers.resize(1);
  options.readout.kind = ReadoutKind::kLeakyIntegrator;
  std::shared_ptr<Backend> backend = make_cpu_backend(options, 1);
  std::vector<float> parameters(backend->table().size());
  backend->table().initialise(3, parameters.data());
  backend->load_parameters(parameters.data());
  return {std::make_shared<FeatureExtractor>(test::tone_front_end(), ScalingOptions{}, test::kToneFrames),
          kEncoding, backend};
}

TEST_CASE("recognizer: shows the input where asked for, which is what the encoder makes of the features") {
  const test::Tones tones = test::random_tones(2, 5);
  Recognizer recognizer = tone_recognizer();
  const Encoder encoder(kEncoding);
  for (const auto& samples : tones.samples) {
    const Observation blind = recognizer.observe(samples.data(), samples.size(), 8000, 7, false);
    CHECK(blind.input == nullptr);
    const Observation seen = recognizer.observe(samples.data(), samples.size(), 8000, 7, true);
    CHECK(seen.scores == blind.scores);
    std::vector<float> expected(static_cast<size_t>(recognizer.steps()) * recognizer.channels());
    Buffer<uint32_t> scratch;
    encoder.encode(seen.features, test::kToneFrames, test::kToneFeatures, {7, 0, 0}, expected.data(),
                   recognizer.channels(), scratch);
    REQUIRE(seen.input != nullptr);
    CHECK(std::equal(expected.begin(), expected.end(), seen.input));
    CHECK(std::count(expected.begin(), expected.end(), 1.0f) > 0);
  }
}

}  // namespace
}  // namespace sonospike

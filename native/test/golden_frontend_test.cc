// The front end against values from torchaudio, where the folder with the test data is at hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/frontend/front_end.h"
#include "core/frontend/resampler.h"
#include "core/frontend/scaling.h"
#include "test/safetensors.h"

namespace sonospike {
namespace {

/// Scaling of a clip with its own statistics.
FeatureScaling clip_scaling(const float* values, size_t frames, int features, ScalingKind kind, bool pooled) {
  ScalingStatistics statistics(features);
  statistics.add(values, frames);
  return statistics.scaling(kind, pooled);
}

double largest_difference(const std::vector<float>& ours, const test::Tensor& theirs) {
  REQUIRE(ours.size() == theirs.values.size());
  double largest = 0;
  for (size_t i = 0; i < ours.size(); ++i) largest = std::max(largest, std::abs(ours[i] - theirs.values[i]));
  return largest;
}

/// The names of the tensors that end with `suffix`, without it.
std::vector<std::string> cases(const test::Tensors& tensors, const std::string& suffix) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    if (name.ends_with(suffix)) names.push_back(name.substr(0, name.size() - suffix.size()));
  }
  REQUIRE(!names.empty());
  return names;
}

TEST_CASE("golden: resampling to 16 kHz equals torchaudio's") {
  const auto golden = test::read_golden("resample.safetensors");
  for (const std::string& name : cases(golden, ".in")) {
    CAPTURE(name);
    const std::vector<float> in = golden.at(name + ".in").floats();
    const Resampler resampler(std::stoi(name.substr(std::string("from").size())), 16000);
    std::vector<float> out(resampler.output_length(in.size()));
    resampler.process(in.data(), in.size(), out.data());
    CHECK(largest_difference(out, golden.at(name + ".out")) < 1e-5);
  }
}

TEST_CASE("golden: MFCC and scaled features equal torchaudio's") {
  const auto golden = test::read_golden("frontend.safetensors");
  const FrontEnd front_end{FrontEndOptions{}};
  const int features = front_end.feature_count();
  for (const std::string& name : cases(golden, ".samples")) {
    CAPTURE(name);
    const std::vector<float> samples = golden.at(name + ".samples").floats();
    const size_t frames = front_end.frame_count(samples.size());
    std::vector<float> mfcc(frames * features);
    front_end.compute(samples.data(), samples.size(), mfcc.data());
    CHECK(largest_difference(mfcc, golden.at(name + ".mfcc")) < 2e-3);

    const FeatureScaling scaling = clip_scaling(mfcc.data(), frames, features, ScalingKind::kMinMax, false);
    std::vector<float> scaled(frames * features);
    apply_scaling(scaling, mfcc.data(), frames, frames, scaled.data());
    CHECK(largest_difference(scaled, golden.at(name + ".scaled")) < 5e-4);

    std::vector<float> frames80(size_t{80} * features);
    apply_scaling(scaling, mfcc.data(), frames, 80, frames80.data());
    CHECK(largest_difference(frames80, golden.at(name + ".frames80")) < 5e-4);
  }
}

}  // namespace
}  // namespace sonospike

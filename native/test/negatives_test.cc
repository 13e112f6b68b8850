#include "core/augmentation/negatives.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "test/training_cases.h"

namespace sonospike {
namespace {

struct Words {
  test::Tones tones = test::random_tones(9, 1);
  std::vector<LabelledClip> clips;

  Words() {
    for (size_t i = 0; i < tones.samples.size(); ++i) clips.push_back({tones.samples[i], tones.labels[i]});
  }
};

float peak(const std::vector<float>& samples) {
  float most = 0.0f;
  for (float x : samples) most = std::max(most, std::abs(x));
  return most;
}

TEST_CASE("negatives: all kinds come, the clips are finite, within full scale and of the lengths asked for") {
  const Words words;
  const NegativeMaker maker(8000, 0.5, words.clips);
  NoiseWorkspace workspace;
  std::vector<float> out;
  std::array<int, kNegativeKinds> kinds{};
  for (uint32_t i = 0; i < 1400; ++i) {
    const NegativeKind kind = maker.make({1, i, 1}, out, workspace);
    ++kinds[static_cast<int>(kind)];
    REQUIRE_FALSE(out.empty());
    CHECK(std::all_of(out.begin(), out.end(), [](float x) { return std::abs(x) <= 1.0f; }));
    if (kind < NegativeKind::kReversed) CHECK((out.size() >= 800 && out.size() <= 4001));
    if (kind == NegativeKind::kSilence) CHECK(peak(out) <= 0.00101f);
    if (kind == NegativeKind::kNoise || kind == NegativeKind::kTones || kind == NegativeKind::kClicks)
      CHECK((peak(out) > 0.003f && peak(out) < 0.71f));
  }
  for (NegativeKind kind : {NegativeKind::kSilence, NegativeKind::kNoise, NegativeKind::kTones,
                            NegativeKind::kClicks, NegativeKind::kPiece}) {
    CHECK(std::abs(kinds[static_cast<int>(kind)] - 200) < 50);
  }
  // A third of the pairs are of one word.
  CHECK(std::abs(kinds[static_cast<int>(NegativeKind::kJoined)] - 133) < 45);
  CHECK(std::abs(kinds[static_cast<int>(NegativeKind::kReversed)] - 267) < 60);
}

TEST_CASE("negatives: the key gives the clip") {
  const Words words;
  const NegativeMaker maker(8000, 0.5, words.clips);
  NoiseWorkspace workspace, other;
  std::vector<float> once, again;
  for (uint32_t i = 0; i < 50; ++i) {
    const NegativeKind kind = maker.make({1, i, 1}, once, workspace);
    maker.make(kind, {1, i, 1}, again, other);
    CHECK(once == again);
    maker.make(kind, {1, i, 2}, again, other);
    CHECK((once != again || kind >= NegativeKind::kReversed || peak(once) == 0.0f));
  }
}

TEST_CASE("negatives: pieces of words are what they are called") {
  const Words words;
  const NegativeMaker maker(8000, 0.5, words.clips);
  NoiseWorkspace workspace;
  std::vector<float> out;
  const auto is_any = [&](auto test) {
    return std::any_of(words.tones.samples.begin(), words.tones.samples.end(), test);
  };
  for (uint32_t i = 0; i < 30; ++i) {
    maker.make(NegativeKind::kReversed, {2, i, 0}, out, workspace);
    CHECK(is_any(
        [&](const auto& word) { return std::equal(out.rbegin(), out.rend(), word.begin(), word.end()); }));
    maker.make(NegativeKind::kPiece, {2, i, 0}, out, workspace);
    CHECK(is_any([&](const auto& word) {
      if (out.size() != static_cast<size_t>(std::llround(0.4 * word.size()))) return false;
      return std::equal(out.begin(), out.end(), word.begin()) ||
             std::equal(out.rbegin(), out.rend(), word.rbegin());
    }));
    maker.make(NegativeKind::kJoined, {2, i, 0}, out, workspace);
    CHECK(is_any([&](const auto& word) { return std::equal(out.begin(), out.begin() + 100, word.begin()); }));
    CHECK(is_any(
        [&](const auto& word) { return std::equal(out.rbegin(), out.rbegin() + 100, word.rbegin()); }));
  }
}

TEST_CASE("negatives: joined are words of different labels, faded into each other") {
  const std::vector<float> ones(1000, 1.0f), twos(600, 0.5f);
  const NegativeMaker maker(8000, 0.5, {{ones, 0}, {twos, 1}});
  NoiseWorkspace workspace;
  std::vector<float> out;
  int joined = 0;
  for (uint32_t i = 0; i < 400; ++i) {
    if (maker.make({3, i, 0}, out, workspace) != NegativeKind::kJoined) continue;
    ++joined;
    CHECK(out.size() == 500 + 300 - 80);
    CHECK(out.front() + out.back() == 1.5f);
    for (size_t k = 1; k < out.size(); ++k) CHECK(std::abs(out[k] - out[k - 1]) < 0.01f);
  }
  CHECK(joined > 10);
}

}  // namespace
}  // namespace sonospike

// Every encoding against a plain rendering of its definition, and what one relies on beyond it.
#include "core/encoding/encoder.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/support/philox.h"
#include "test/instruction_sets.h"

namespace sonospike {
namespace {

constexpr float kUntouched = -7.0f;

struct Input {
  int frames, features;
  std::vector<float> values;  // [frames, features]
};

Input random_input(int frames, int features, std::mt19937& random, float low = -0.2f, float high = 1.2f) {
  Input input{frames, features, std::vector<float>(frames * features)};
  std::uniform_real_distribution<float> uniform(low, high);
  for (float& x : input.values) x = uniform(random);
  return input;
}

/// [steps, channels], written with a wider stride whose rest must stay as it was.
std::vector<float> encode(const EncodingOptions& options, const Input& input, const ClipKey& key = {}) {
  const Encoder encoder(options);
  const int steps = encoder.steps(input.frames), channels = encoder.channels(input.features),
            stride = channels + 5;
  std::vector<float> wide(steps * stride, kUntouched), out;
  EncoderScratch scratch;
  encoder.encode(input.values.data(), input.features, 0, steps, key, wide.data(), stride, scratch);
  bool rest_untouched = true;
  for (int t = 0; t < steps; ++t) {
    for (int i = 0; i < stride; ++i) {
      if (i < channels) out.push_back(wide[t * stride + i]);
      if (i >= channels) rest_untouched = rest_untouched && wide[t * stride + i] == kUntouched;
    }
  }
  CHECK(rest_untouched);
  return out;
}

/// The same as bits, with a wider stride.
void check_bits(const Encoder& encoder, const Input& input, int first, int count, const ClipKey& key,
                std::vector<float>::const_iterator expected) {
  const int channels = encoder.channels(input.features), words = pad_lanes(channels) / kLanePad + 1;
  std::vector<uint16_t> bits(static_cast<size_t>(count) * words, 0xabcd);
  EncoderScratch scratch;
  encoder.encode_spikes(input.values.data(), input.features, first, count, key, bits.data(), words, scratch);
  bool same = true;
  for (int t = 0; t < count; ++t) {
    for (int i = 0; i < (words - 1) * kLanePad; ++i) {
      const bool spike = bits[t * words + i / kLanePad] >> i % kLanePad & 1;
      same = same && spike == (i < channels && *(expected + t * channels + i) == 1.0f);
    }
    same = same && bits[t * words + words - 1] == 0xabcd;
  }
  CHECK(same);
}

TEST_CASE("encoding: any part of the steps by itself is that part of the whole") {
  std::mt19937 random(11);
  const ClipKey key{5, 6, 7};
  for (int features : {6, 20, 33}) {
    const Input input = random_input(9, features, random);
    for (EncodingKind kind :
         {EncodingKind::kRate, EncodingKind::kLatency, EncodingKind::kDelta, EncodingKind::kDirect}) {
      for (int repeats : {1, 4, 300}) {  // 300 steps of 2 blocks are more than are drawn at a time
        const EncodingOptions options{kind, repeats, 0.1f};
        const Encoder encoder(options);
        const std::vector<float> whole = encode(options, input, key);
        const int steps = encoder.steps(input.frames), channels = encoder.channels(input.features);
        for (int first : {0, 1, repeats, steps / 2 + 1, steps - 1}) {
          for (int count : {1, repeats + 1, steps - first}) {
            if (first + count > steps) continue;
            std::vector<float> part(static_cast<size_t>(count) * channels);
            EncoderScratch scratch;
            encoder.encode(input.values.data(), input.features, first, count, key, part.data(), channels,
                           scratch);
            const auto expected = whole.begin() + static_cast<size_t>(first) * channels;
            CHECK(std::equal(part.begin(), part.end(), expected));
            if (encoder.spikes()) check_bits(encoder, input, first, count, key, expected);
          }
        }
      }
    }
  }
}

TEST_CASE("rate encoding: each draw is its own word of Philox") {
  test::at_every_instruction_set([](const Kernels&) {
    std::mt19937 random(1);
    for (int features : {1, 3, 4, 20, 33}) {
      for (int repeats : {1, 7, 10}) {
        const Input input = random_input(6, features, random);
        const ClipKey key{uint64_t{random()} << 32 | random(), static_cast<uint32_t>(random()), 5};
        const auto spikes = encode({EncodingKind::kRate, repeats, 0.0f}, input, key);
        std::vector<float> expected;
        const int blocks = (features + 3) / 4;  // of each step
        for (int step = 0; step < 6 * repeats; ++step) {
          for (int i = 0; i < features; ++i) {
            const auto block = philox(key.seed, step * blocks + i / 4, 1, key.clip, key.epoch);
            const double draw = (block.word[i % 4] >> 8) / 16777216.0;
            expected.push_back(draw < input.values[step / repeats * features + i] ? 1.0f : 0.0f);
          }
        }
        CHECK(spikes == expected);
      }
    }
  });
}

TEST_CASE("rate encoding: 0 never spikes, 1 always does, the rest as often as it says") {
  constexpr int kFrames = 400, kRepeats = 50, kLevels = 11;
  Input input{kFrames, kLevels, {}};
  for (int frame = 0; frame < kFrames; ++frame) {
    for (int level = 0; level < kLevels; ++level)
      input.values.push_back(static_cast<float>(level) / (kLevels - 1));
  }
  const auto spikes = encode({EncodingKind::kRate, kRepeats, 0.0f}, input, {42, 1, 1});
  for (int level = 0; level < kLevels; ++level) {
    CAPTURE(level);
    const double n = kFrames * kRepeats, p = static_cast<double>(level) / (kLevels - 1);
    double count = 0.0;
    for (size_t i = level; i < spikes.size(); i += kLevels) count += spikes[i];
    CHECK(std::abs(count - n * p) <= 4.5 * std::sqrt(n * p * (1.0 - p)));
  }
}

TEST_CASE("rate encoding: seed, clip and epoch each give other spikes, the same key the same") {
  std::mt19937 random(2);
  const Input input = random_input(20, 13, random, 0.3f, 0.7f);
  const EncodingOptions options{EncodingKind::kRate, 10, 0.0f};
  const auto spikes = encode(options, input, {1, 2, 3});
  CHECK(encode(options, input, {1, 2, 3}) == spikes);
  for (const ClipKey& other : {ClipKey{9, 2, 3}, {1, 9, 3}, {1, 2, 9}, {1 + (uint64_t{1} << 32), 2, 3}}) {
    const auto others = encode(options, input, other);
    int equal = 0;
    for (size_t i = 0; i < spikes.size(); ++i) equal += spikes[i] == others[i];
    // Independent draws agree with a probability of p² + (1 - p)², here 0.5 to 0.58.
    CHECK(equal > 0.45 * spikes.size());
    CHECK(equal < 0.65 * spikes.size());
  }
  // The start of a longer clip is that of the shorter one: frames have places of their own.
  Input shorter{5, 13, {input.values.begin(), input.values.begin() + 5 * 13}};
  const auto start = encode(options, shorter, {1, 2, 3});
  CHECK(std::equal(start.begin(), start.end(), spikes.begin()));
}

TEST_CASE("latency encoding: greater values spike earlier, those at or below the threshold never") {
  std::mt19937 random(3);
  for (int repeats : {1, 2, 10}) {
    Input input = random_input(30, 4, random);
    input.values[0] = 0.25f;
    input.values[1] = 1.0f;
    const auto spikes = encode({EncodingKind::kLatency, repeats, 0.25f}, input);
    for (int frame = 0; frame < input.frames; ++frame) {
      for (int i = 0; i < 4; ++i) {
        const double x = std::min(std::max(input.values[frame * 4 + i], 0.0f), 1.0f);
        const int expected = x > 0.25 ? static_cast<int>(std::lround((1.0 - x) * (repeats - 1))) : -1;
        for (int step = 0; step < repeats; ++step) {
          CHECK(spikes[(frame * repeats + step) * 4 + i] == (step == expected ? 1.0f : 0.0f));
        }
      }
    }
  }
}

TEST_CASE("delta encoding: up less down spikes follow the values within a threshold") {
  std::mt19937 random(4);
  const float threshold = 0.125f;  // its multiples are exact
  for (int round = 0; round < 10; ++round) {
    const Input input = random_input(25, 6, random, -1.0f, 1.0f);
    const int repeats = 17;  // enough for the longest way, from -1 to 1
    const auto spikes = encode({EncodingKind::kDelta, repeats, threshold}, input);
    for (int i = 0; i < 6; ++i) {
      double followed = 0.0;
      for (int frame = 0; frame < input.frames; ++frame) {
        for (int step = 0; step < repeats; ++step) {
          const float *at = &spikes[(frame * repeats + step) * 12 + 2 * i], up = at[0], down = at[1];
          CHECK((up == 0.0f || down == 0.0f));
          followed += threshold * (up - down);
        }
        CHECK(std::abs(followed - input.values[frame * 6 + i]) < threshold);
      }
    }
  }
}

TEST_CASE("delta encoding: one spike a step, as long as the value is a threshold away") {
  // Upwards by 0.5 twice and stop; downwards by 0.5 three times, the last one in the next frame.
  const Input input{3, 1, {1.25f, -0.25f, -0.25f}};
  const auto spikes = encode({EncodingKind::kDelta, 2, 0.5f}, input);
  const std::vector<float> expected = {1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0};
  CHECK(spikes == expected);
}

TEST_CASE("direct encoding: every step of a frame is its values") {
  std::mt19937 random(5);
  const Input input = random_input(7, 5, random, -10.0f, 10.0f);
  const auto current = encode({EncodingKind::kDirect, 3, 0.0f}, input);
  for (int step = 0; step < 21; ++step) {
    for (int i = 0; i < 5; ++i) CHECK(current[step * 5 + i] == input.values[step / 3 * 5 + i]);
  }
}

}  // namespace
}  // namespace sonospike

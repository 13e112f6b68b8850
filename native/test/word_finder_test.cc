#include "core/stream/word_finder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>

#include "test/allocations.h"
#include "test/signals.h"

namespace sonospike {
namespace {

struct Found {
  int64_t start, onset, offset;
  std::vector<float> samples;

  bool operator==(const Found&) const = default;
};

Pcm pcm_of(const std::vector<float>& samples) {
  return {PcmKind::kFloat32, reinterpret_cast<const uint8_t*>(samples.data()), samples.size()};
}

std::shared_ptr<SamplePool> new_pool() {
  return std::make_shared<SamplePool>();
}

/// All segments of a stream that comes in chunks of the lengths that `chunk` gives; an open one is gone on
/// from at its last dip.
template <typename Chunk>
std::vector<Found> find(WordFinder& finder, const std::vector<float>& samples, Chunk chunk) {
  std::vector<Found> found;
  const auto look = [&] {
    const Segment segment = finder.segment();
    found.push_back(
        {segment.start, segment.onset, segment.offset, {segment.samples.begin(), segment.samples.end()}});
    finder.release(static_cast<int>(segment.dips.size()) - 1);
  };
  for (size_t at = 0; at < samples.size();) {
    const size_t end = std::min(samples.size(), at + chunk());
    while (at < end) {
      Pcm rest = pcm_of(samples).from(at);
      rest.count = end - at;
      at += finder.take(rest);
      if (finder.ready()) look();
    }
  }
  finder.finish();
  if (finder.ready()) look();
  return found;
}

std::vector<Found> find(const std::vector<float>& samples, int rate) {
  WordFinder finder({rate, 0.25, 1.25}, new_pool());
  return find(finder, samples, [&] { return samples.size(); });
}

/// Noise with sounds of half a second in it, at these seconds.
std::vector<float> with_sounds(int rate, double seconds, const std::vector<double>& starts, float noise) {
  std::mt19937 random(3);
  std::vector<float> samples = test::noise(static_cast<size_t>(seconds * rate), random);
  for (float& sample : samples) sample *= noise;
  for (double start : starts) {
    for (int i = 0; i < rate / 2; ++i) {
      const double t = static_cast<double>(i) / rate;
      const double voice =
          std::sin(2 * std::numbers::pi * 150 * t) + std::sin(2 * std::numbers::pi * 600 * t);
      samples[static_cast<size_t>(start * rate) + i] += static_cast<float>(0.1 * voice * std::sin(6.28 * t));
    }
  }
  return samples;
}

TEST_CASE("word finder: finds sounds where they are, at any rate, in silence and in noise") {
  const std::vector<double> starts = {0.7, 2.0, 2.9};
  for (int rate : {8000, 11025, 16000, 44100, 48000}) {
    for (float noise : {0.0f, 0.05f}) {
      CAPTURE(rate);
      CAPTURE(noise);
      const std::vector<float> samples = with_sounds(rate, 4, starts, noise);
      const std::vector<Found> found = find(samples, rate);
      REQUIRE(found.size() == starts.size());
      for (size_t i = 0; i < starts.size(); ++i) {
        const double onset = static_cast<double>(found[i].onset) / rate;
        const double offset = static_cast<double>(found[i].offset) / rate;
        CHECK(std::abs(onset - starts[i]) < 0.06);
        CHECK(std::abs(offset - starts[i] - 0.5) < 0.06);
        CHECK(std::equal(found[i].samples.begin(), found[i].samples.end(), samples.begin() + found[i].start));
        CHECK(found[i].start <= found[i].onset);
      }
    }
  }
}

TEST_CASE("word finder: the same segments however the stream is cut") {
  const int rate = 8000;
  const std::vector<float> samples = with_sounds(rate, 8, {0.1, 0.75, 2, 2.55, 3.1, 3.65, 4.2, 6}, 0.03f);
  const std::vector<Found> whole = find(samples, rate);
  REQUIRE(whole.size() >= 4);
  std::mt19937 random(5);
  const std::vector<float> begins = with_sounds(rate, 3, {0, 0.9, 2}, 0.003f);
  const std::vector<Found> first = find(begins, rate);
  for (size_t most : {1, 7, 80, 1000, 9000}) {
    WordFinder finder({rate, 0.25, 1.25}, new_pool());
    CHECK(find(finder, samples, [&] { return 1 + random() % most; }) == whole);
    finder.reset();
    CHECK(find(finder, begins, [&] { return 1 + random() % most; }) == first);
  }
}

TEST_CASE("word finder: a stream may begin within a sound, and end with it") {
  for (int rate : {8000, 16000, 48000}) {
    for (float noise : {0.0f, 0.001f, 0.003f}) {
      CAPTURE(rate);
      CAPTURE(noise);
      std::vector<float> samples = with_sounds(rate, 3, {0.05, 1.5}, noise);
      samples.erase(samples.begin(), samples.begin() + rate / 5);
      const std::vector<Found> found = find(samples, rate);
      REQUIRE(found.size() == 2);
      CHECK(found[0].start == 0);
      CHECK(found[0].onset <= rate / 20);
      CHECK(std::abs(found[0].offset - static_cast<int64_t>(0.35 * rate)) < rate / 12);
      CHECK(std::equal(found[0].samples.begin(), found[0].samples.end(), samples.begin()));
      CHECK(std::abs(found[1].onset - static_cast<int64_t>(1.3 * rate)) < rate / 12);
      // Nothing else than the sound, without any silence.
      const std::vector<float> alone(samples.begin(), samples.begin() + rate / 3);
      REQUIRE(find(alone, rate).size() == 1);
      CHECK(find(alone, rate)[0].start == 0);
    }
  }
}

TEST_CASE("word finder: neither silence, offset, hum nor steady noise is a sound") {
  const int rate = 8000;
  std::vector<float> samples(static_cast<size_t>(10 * rate));
  CHECK(find(samples, rate).empty());
  std::fill(samples.begin(), samples.end(), 0.5f);
  // The offset begins with a step, which is a click.
  CHECK(find(samples, rate).empty());
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i] =
        static_cast<float>(0.3 * std::sin(2 * std::numbers::pi * 50 * static_cast<double>(i) / rate));
  CHECK(find(samples, rate).size() <= 1);
  std::mt19937 random(9);
  CHECK(find(test::noise(samples.size(), random), rate).size() <= 1);
}

TEST_CASE("word finder: noise that begins and stays becomes the background") {
  const int rate = 8000;
  std::vector<float> samples = with_sounds(rate, 20, {15}, 0.0f);
  std::mt19937 random(4);
  const std::vector<float> loud = test::noise(samples.size(), random);
  for (size_t i = static_cast<size_t>(3 * rate); i < samples.size(); ++i) samples[i] += 0.1f * loud[i];
  WordFinder finder({rate, 0.25, 1.25}, new_pool());
  std::vector<float> head(samples.begin(), samples.begin() + 8 * rate);
  find(finder, head, [] { return 160; });
  CHECK_FALSE(finder.speaking());
  const std::vector<Found> found = find(samples, rate);
  const auto last = found.back();
  CHECK(std::abs(static_cast<double>(last.onset) / rate - 15) < 0.1);
  for (const Found& each : found) CHECK(each.samples.size() < static_cast<size_t>(4 * rate));
}

TEST_CASE("word finder: nothing is allocated once the pool has a buffer") {
  const int rate = 8000;
  const std::vector<float> samples = with_sounds(rate, 4, {0.5, 1.8, 2.35}, 0.03f);
  const auto pool = new_pool();
  WordFinder finder({rate, 0.25, 1.25}, pool);
  int segments = 0;
  const auto run = [&] {
    for (size_t at = 0; at < samples.size();) {
      Pcm chunk = pcm_of(samples).from(at);
      chunk.count = std::min<size_t>(chunk.count, 160);
      at += finder.take(chunk);
      if (!finder.ready()) continue;
      ++segments;
      finder.release(static_cast<int>(finder.segment().dips.size()) - 1);
    }
  };
  run();
  const int before_segments = segments;
  const int64_t before = test::allocations();
  for (int i = 0; i < 10; ++i) run();
  const int64_t during = test::allocations() - before;
  CHECK(segments > before_segments);
  CHECK(during == 0);
}

TEST_CASE("word finder: starts anew after a reset, in the middle of a sound too") {
  const int rate = 8000;
  const std::vector<float> samples = with_sounds(rate, 3, {0.4, 1.7}, 0.02f);
  WordFinder finder({rate, 0.25, 1.25}, new_pool());
  std::vector<float> part(samples.begin(), samples.begin() + 6 * rate / 10);
  CHECK(finder.take(pcm_of(part)) == part.size());
  CHECK(finder.speaking());
  finder.reset();
  CHECK(finder.position() == 0);
  CHECK(find(finder, samples, [] { return 100; }) == find(samples, rate));
}

TEST_CASE("pcm: integers are floats in [-1, 1), and what cannot be used is found") {
  const std::vector<int16_t> values = {0, 1, -1, 32767, -32768, 1234};
  std::vector<uint8_t> odd(1 + values.size() * 2);  // in an odd place of memory
  for (size_t i = 0; i < values.size(); ++i) {
    odd[1 + 2 * i] = static_cast<uint8_t>(values[i] & 255);
    odd[2 + 2 * i] = static_cast<uint8_t>(static_cast<uint16_t>(values[i]) >> 8);
  }
  const Pcm words{PcmKind::kInt16, reinterpret_cast<const uint8_t*>(values.data()), values.size()};
  const Pcm bytes{PcmKind::kInt16LittleEndian, odd.data() + 1, values.size()};
  std::vector<float> from_words(values.size()), from_bytes(values.size());
  words.read(values.size(), from_words.data());
  bytes.read(values.size(), from_bytes.data());
  for (size_t i = 0; i < values.size(); ++i) {
    CHECK(from_words[i] == static_cast<float>(values[i]) / 32768.0f);
    CHECK(from_bytes[i] == from_words[i]);
  }
  CHECK(words.first_unusable() == values.size());
  std::vector<float> floats = {0, 1, -1e12f, 1e13f};
  CHECK(pcm_of(floats).first_unusable() == 3);
  floats[1] = std::nanf("");
  CHECK(pcm_of(floats).first_unusable() == 1);
  floats[0] = -INFINITY;
  CHECK(pcm_of(floats).first_unusable() == 0);
}

TEST_CASE("band levels: a tone is in its band, an offset in none") {
  const double edges[] = {120, 285, 675, 1601, 3800};  // of 8 kHz
  for (int band = 0; band < kStreamBands; ++band) {
    BandLevels levels(8000);
    const double frequency = std::sqrt(edges[band] * edges[band + 1]);
    BandArray last{};
    for (size_t i = 0; i < 8000;) {
      float block[80];
      for (size_t k = 0; k < 80; ++k, ++i)
        block[k] = static_cast<float>(
            0.3 + 0.1 * std::sin(2 * std::numbers::pi * frequency * static_cast<double>(i) / 8000));
      REQUIRE(levels.take(block, 80) == 80);
      last = levels.finish();
    }
    CHECK(last[band] == doctest::Approx(10 * std::log10(0.005)).epsilon(0.05));
    CHECK(std::max_element(last.begin(), last.end()) - last.begin() == band);
    CHECK(levels.overall() == doctest::Approx(10 * std::log10(0.005)).epsilon(0.02));
  }
}

}  // namespace
}  // namespace sonospike

// The resampler against plain double precision code, at every instruction set.
#include "core/frontend/resampler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "test/frontend_reference.h"
#include "test/instruction_sets.h"
#include "test/signals.h"

namespace sonospike {
namespace {

std::vector<float> resample(const std::vector<float>& in, int from, int to) {
  const Resampler resampler(from, to);
  std::vector<float> out(resampler.output_length(in.size()));
  resampler.process(in.data(), in.size(), out.data());
  return out;
}

void check_resampling(int from, int to, size_t n, std::mt19937& random) {
  CAPTURE(from);
  CAPTURE(to);
  CAPTURE(n);
  const std::vector<float> in = test::noise(n, random);
  test::check_near(resample(in, from, to), test::reference_resample(in, from, to), 1e-6);
}

TEST_CASE("resampler: equals the windowed sinc sum") {
  test::at_every_instruction_set([](const Kernels&) {
    std::mt19937 random(1);
    // The period of 44101 is too long for the lanes.
    const std::vector<std::array<int, 2>> rates = {
        {48000, 16000}, {44100, 16000}, {8000, 16000},  {22050, 16000}, {16000, 44100}, {11025, 8000},
        {16000, 8000},  {48000, 8000},  {24000, 16000}, {44101, 16000}, {7, 5},         {5, 1},
        {1, 3},         {2, 3},         {1, 1024},      {1023, 1024},   {1025, 1024},   {300, 1}};
    for (const auto& [from, to] : rates) {
      for (size_t n : {0, 1, 2, 3, 17, 100, 999}) check_resampling(from, to, n, random);
    }
  });
}

TEST_CASE("resampler: any number of periods, stretches and turns") {
  test::at_every_instruction_set([](const Kernels&) {
    std::mt19937 random(4);
    for (size_t n = 1; n <= 400; n += 1 + random() % 3) check_resampling(3, 1, n, random);
    for (size_t n : {5000, 16384, 16385, 49152, 49155}) check_resampling(3, 1, n, random);
    for (size_t n : {4000, 20000}) {
      check_resampling(1, 2, n, random);
      check_resampling(441, 320, n, random);
    }
    for (int round = 0; round < 40; ++round) {
      const int from = 1 + static_cast<int>(random() % 50), to = 1 + static_cast<int>(random() % 50);
      if (from != to) check_resampling(from, to, random() % 3000, random);
    }
  });
}

TEST_CASE("resampler: the bits of a sample do not depend on the length of the clip") {
  test::at_every_instruction_set([](const Kernels&) {
    std::mt19937 random(6);
    for (const auto& [from, to] : std::vector<std::array<int, 2>>{{3, 1}, {441, 160}, {1, 2}}) {
      const std::vector<float> in = test::noise(30000, random);
      const std::vector<float> whole = resample(in, from, to);
      for (size_t n : {200, 1000, 3333, 16000}) {
        const std::vector<float> part = resample({in.begin(), in.begin() + n}, from, to);
        CHECK(std::equal(part.begin(), part.end() - 40, whole.begin()));
      }
    }
  });
}

TEST_CASE("resampler: rates whose filters do not fit in a table") {
  std::mt19937 random(2);
  for (const auto& [from, to, n] : std::vector<std::array<int, 3>>{{44101, 96000, 300},
                                                                   {768000, 767999, 200},
                                                                   {768000, 1, 3000},
                                                                   {1, 768000, 1},
                                                                   {767999, 16000, 2000}}) {
    check_resampling(from, to, n, random);
  }
}

TEST_CASE("resampler: a workspace used before changes nothing") {
  ResamplerWorkspace workspace;
  test::at_every_instruction_set([&](const Kernels&) {
    std::mt19937 random(5);
    for (const auto& [from, to, n] :
         std::vector<std::array<int, 3>>{{3, 1, 9000}, {441, 160, 3000}, {2, 1, 50}, {3, 1, 40}}) {
      const Resampler resampler(from, to);
      const std::vector<float> in = test::noise(n, random);
      std::vector<float> out(resampler.output_length(n));
      resampler.process(in.data(), n, out.data(), workspace);
      CHECK(out == resample(in, from, to));
    }
  });
}

TEST_CASE("resampler: equal rates copy, an empty clip stays empty") {
  std::mt19937 random(3);
  const std::vector<float> in = test::noise(100, random);
  CHECK(resample(in, 16000, 16000) == in);
  CHECK(resample({}, 48000, 16000).empty());
  CHECK(Resampler(44100, 16000).output_length(600 * 44100) == 600 * 16000);
}

}  // namespace
}  // namespace sonospike

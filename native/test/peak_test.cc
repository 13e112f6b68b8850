// The multiply-adds that the bench takes the processor's peak from do what they count.
#include <doctest/doctest.h>

#include <cmath>

#include "core/support/buffer.h"
#include "test/instruction_sets.h"

namespace sonospike {
namespace {

TEST_CASE("multiply_add computes every chain and counts its operations") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    Buffer<float> sink(kPeakSink);
    const int64_t rounds = 100;
    const double operations = kernels.multiply_add(rounds, sink.data());
    const auto values = static_cast<size_t>(operations / (2.0 * rounds));
    REQUIRE(values <= kPeakSink);
    const double shrunk = std::pow(0.999, static_cast<double>(rounds));
    const double first = sink[0], last = sink[values - 1];
    CHECK(std::abs(first - (1.0 - shrunk)) <= 1e-5);  // from 0 towards 1
    CHECK(last > first);
    for (size_t i = 0; i < values; ++i) CHECK(sink[i] >= first);
    for (size_t i = values; i < kPeakSink; ++i) CHECK(sink[i] == 0.0f);
  });
}

}  // namespace
}  // namespace sonospike

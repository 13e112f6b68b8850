// The CUDA backend against the plain reference and against the CPU backend, on random networks: on an
// emulated GPU, or on one that there is where CMake was told SONOSPIKE_CUDA.
#include <doctest/doctest.h>

#include "test/backends.h"
#include "test/network_checks.h"

namespace sonospike {
namespace {

using test::Expected;
using test::NetworkCase;

std::unique_ptr<Backend> on_gpu(const NetworkCase& c, int threads = 1) {
  auto backend = test::make_gpu_backend(c.options, threads);
  backend->load_parameters(c.parameters.data());
  return backend;
}

TEST_CASE("cuda: soft networks equal the reference") {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const NetworkCase c = test::CaseMaker(1000 + seed).make(test::Spikes::kSoft, {3, 40, 40, 40, 20});
    const Expected expected = test::expect(c);
    const auto backend = on_gpu(c);
    test::check_forward(*backend, c, expected, 1e-4);
    CHECK(test::check_gradient(*backend, c, expected));
  }
}

TEST_CASE("cuda: hard networks equal the reference wherever their spikes do, which is nearly always") {
  int networks = 0, compared = 0;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const NetworkCase c = test::CaseMaker(2000 + seed).make(test::Spikes::kHard, {3, 40, 40, 40, 12});
    const Expected expected = test::expect(c);
    ++networks;
    const auto backend = on_gpu(c);
    if (!test::same_spikes(*backend, c, expected)) continue;
    test::check_forward(*backend, c, expected, 1e-4);
    if (expected.boxcar_edges > 0) continue;
    compared += test::check_gradient(*backend, c, expected);
  }
  MESSAGE("compared ", compared, " of ", networks);
  CHECK(compared >= networks * 9 / 10);
}

TEST_CASE("cuda: every connection, neuron and readout, and dropout, equal the reference") {
  int networks = 0, compared = 0;
  for (uint32_t seed = 0; seed < 120; ++seed) {
    CAPTURE(seed);
    const NetworkCase c =
        test::CaseMaker(5000 + seed)
            .make(seed % 2 ? test::Spikes::kHard : test::Spikes::kSoft, {3, 40, 30, 40, 6, true});
    const Expected expected = test::expect(c);
    ++networks;
    const auto backend = on_gpu(c);
    if (seed % 2 && !test::same_spikes(*backend, c, expected)) continue;
    test::check_forward(*backend, c, expected, 1e-4);
    if (expected.boxcar_edges > 0) continue;
    compared += test::check_gradient(*backend, c, expected);
  }
  MESSAGE("compared ", compared, " of ", networks);
  CHECK(compared >= networks * 9 / 10);
}

}  // namespace
}  // namespace sonospike

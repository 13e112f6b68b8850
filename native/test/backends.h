#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>

#include "cuda/cuda_network.h"
#include "test/instruction_sets.h"
#include "test/network_cases.h"

namespace sonospike::test {

/// A backend on the GPU that does all of its work there, single clips too.
inline std::unique_ptr<cuda::CudaNetwork> make_gpu_backend(const NetworkOptions& options, int threads) {
  return std::make_unique<cuda::CudaNetwork>(options, 0, threads, cuda::CudaNetwork::SingleClips::kOnDevice);
}

/// GPUs are used without their tensor cores as long as it lives.
class WithoutTensorCores {
 public:
  WithoutTensorCores() { setenv("SONOSPIKE_TENSOR_CORES", "0", 1); }
  ~WithoutTensorCores() { unsetenv("SONOSPIKE_TENSOR_CORES"); }
  WithoutTensorCores(const WithoutTensorCores&) = delete;
  WithoutTensorCores& operator=(const WithoutTensorCores&) = delete;
};

/// Whether the address sanitizer watches the emulated GPU, whose threads' stacks cost it twenty times the
/// work: the longest tests are then left out.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kWatchedGpu = true;
#else
inline constexpr bool kWatchedGpu = false;
#endif

/// Of how many random networks the GPU's part of a test is: `all`, but an eighth where it is watched.
constexpr uint32_t gpu_networks(uint32_t all) {
  return kWatchedGpu ? std::max(2u, all / 8) : all;
}

/// A case whose layers the GPU takes all at once (kernels/narrow.h), of every neuron, readout and dropout; of
/// four, two have the neurons that its kernels are compiled for.
inline NetworkCase narrow_case(uint32_t seed, Spikes spikes) {
  CaseMaker maker(seed);
  NetworkCase c = maker.make(spikes, {7, 32, 32, 30, 6, true});
  for (LayerOptions& layer : c.options.layers) {
    if (layer.connection.convolves()) layer.neurons = maker.between(1, 32);
    layer.connection = {};
    layer.recurrent = false;
    layer.weight_gain = 4.0f;
    layer.threshold = 0.5f;
    layer.threshold_spread = 0.3f;
    layer.decay_spread = 0.1f;
    if (seed % 4 < 2) {
      layer.neuron.spike = spikes == Spikes::kHard ? SpikeKind::kFastSigmoid : SpikeKind::kSoft;
      layer.neuron.reset = ResetKind::kZero;
      layer.neuron.adaptive = false;
      if (spikes == Spikes::kSoft) layer.dropout = 0.0f;
    }
  }
  if (c.options.readout.kind == ReadoutKind::kSpikeCount) c.options.layers.back().neurons = c.options.classes;
  const ParameterTable table(c.options);
  c.parameters.resize(table.size());
  table.initialise(seed, c.parameters.data());
  return c;
}

/// Calls `test(make)`, make(options, threads) being how a backend is made: the CPU's at every instruction
/// set, and the GPU's, but for the address sanitizer (see kWatchedGpu).
template <class Test>
void at_every_backend(const Test& test) {
  at_every_instruction_set([&](const Kernels&) {
    test([](const NetworkOptions& options, int threads) { return make_cpu_backend(options, threads); });
  });
  if (kWatchedGpu) return;
  INFO("on the GPU");
  test([](const NetworkOptions& options, int threads) -> std::unique_ptr<Backend> {
    return make_gpu_backend(options, threads);
  });
}

}  // namespace sonospike::test

#pragma once

#include <memory>

#include "cuda/cuda_network.h"
#include "test/instruction_sets.h"

namespace sonospike::test {

/// A backend on the GPU that does all of its work there, single clips too.
inline std::unique_ptr<cuda::CudaNetwork> make_gpu_backend(const NetworkOptions& options, int threads) {
  return std::make_unique<cuda::CudaNetwork>(options, 0, threads, cuda::CudaNetwork::SingleClips::kOnDevice);
}

/// Calls `test(make)`, make(options, threads) being how a backend is made: the CPU's at every instruction
/// set, and the GPU's.
template <class Test>
void at_every_backend(const Test& test) {
  at_every_instruction_set([&](const Kernels&) {
    test([](const NetworkOptions& options, int threads) { return make_cpu_backend(options, threads); });
  });
  INFO("on the GPU");
  test([](const NetworkOptions& options, int threads) -> std::unique_ptr<Backend> {
    return make_gpu_backend(options, threads);
  });
}

}  // namespace sonospike::test

#include <doctest/doctest.h>

#include "cuda/kernels/peak.h"

namespace sonospike {
namespace {

TEST_CASE("cuda: what a device can do at most is measured") {
  const bool tensor_cores = cuda::Device(0).has_tensor_cores();
  const CudaPeak peak = measure_cuda_peak(0, {2, 3000, 100'000, 3});
  // From far below what the emulated device does to far above any device that there is.
  for (const double operations : {peak.operations, tensor_cores ? peak.tensor : peak.operations}) {
    CHECK(operations > 1e4);
    CHECK(operations < 1e17);
  }
  CHECK(peak.bytes > 1e4);
  CHECK(peak.bytes < 1e15);
  if (!tensor_cores) CHECK(peak.tensor == 0.0);
}

#ifndef SONOSPIKE_CUDA
TEST_CASE("cuda: a rate does not depend on how much work it is measured with") {
  // On a GPU that there is, so little work takes as long as its launch.
  const CudaPeak little = measure_cuda_peak(0, {2, 3000, 100'000, 5});
  const CudaPeak much = measure_cuda_peak(0, {2, 12'000, 400'000, 5});
  CHECK(much.operations / little.operations > 0.3);
  CHECK(much.operations / little.operations < 3.0);
  CHECK(much.bytes / little.bytes > 0.3);
  CHECK(much.bytes / little.bytes < 3.0);
}
#endif

}  // namespace
}  // namespace sonospike

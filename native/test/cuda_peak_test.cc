#include <doctest/doctest.h>

#include "cuda/kernels/peak.h"

namespace sonospike {
namespace {

TEST_CASE("cuda: what a device can do at most is measured") {
  const CudaPeak peak = measure_cuda_peak(0, {2, 3, 1000, 2});
  CHECK(peak.operations > 0.0);
  CHECK(peak.bytes > 0.0);
  CHECK((peak.tensor > 0.0) == cuda::Device(0).has_tensor_cores());
}

}  // namespace
}  // namespace sonospike

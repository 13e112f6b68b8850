#include "cuda/kernels/peak.h"

#include <algorithm>
#include <chrono>

#include "cuda/device/bfloat16.h"
#include "cuda/device/launch.h"
#include "cuda/kernels/shapes.h"

namespace sonospike {
namespace cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kSums = 16;  // of a thread, side by side: more than a multiply-add takes cycles

struct MultiplyAdds {
  static constexpr bool kSyncs = false;
  float* out;  // [blocks, threads]
  int rounds;
  float factor, term;
  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    float sums[kSums];
    for (int i = 0; i < kSums; ++i) sums[i] = static_cast<float>(block.thread() + i);
    for (int round = 0; round < rounds; ++round) {
      for (int i = 0; i < kSums; ++i) sums[i] = fmaf(sums[i], factor, term);
    }
    float sum = 0.0f;
    for (int i = 0; i < kSums; ++i) sum += sums[i];
    out[number_of(block)] = sum;
  }
};

struct TensorOperations {
  static constexpr bool kSyncs = true;
  static constexpr int kTiles = 8;  // of a warp, side by side
  static constexpr double kOperations = 2.0 * 16 * 8 * 16;
  float* out;  // [blocks, threads]
  int rounds;
  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    float sums[kTiles][4] = {};
    const uint32_t one = kOneBelow + kOneAbove, a[4] = {one, one, one, one}, b[2] = {one, one};
    for (int round = 0; round < rounds; ++round) {
#pragma unroll
      for (int i = 0; i < kTiles; ++i) block.multiply_add(sums[i], a, b);
    }
    float sum = 0.0f;
    for (int i = 0; i < kTiles; ++i) sum += sums[i][0];
    out[number_of(block)] = sum;
  }
};

struct AddArray {
  static constexpr bool kSyncs = false;
  float* to;
  const float* from;
  size_t count;
  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t i = number_of(block);
    if (i < count) to[i] += from[i];
  }
};

/// The least seconds of some tries, after one to warm up.
template <typename Work>
double least_seconds(Device& device, int tries, Work work) {
  double least = 0.0;
  for (int i = 0; i <= tries; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    device.synchronize();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (i > 0) least = i == 1 ? seconds : std::min(least, seconds);
  }
  return least;
}

}  // namespace
}  // namespace cuda

CudaPeak measure_cuda_peak(int number, const PeakWork& work) {
  cuda::Device device(number);
  device.use();
  CudaPeak peak;
  {
    cuda::DeviceArray<float> out(device);
    out.reserve(size_t{work.blocks} * cuda::kThreads);
    const cuda::MultiplyAdds kernel{out.data(), work.rounds, 0.999f, 0.001f};
    const double seconds = cuda::least_seconds(
        device, work.tries, [&] { cuda::launch(device, {work.blocks}, cuda::kThreads, 0, kernel); });
    peak.operations = 2.0 * cuda::kSums * work.rounds * static_cast<double>(out.size()) / seconds;
    if (device.has_tensor_cores()) {
      using Kernel = cuda::TensorOperations;
      const int rounds = std::max(1, work.rounds / 10);  // a warp's takes as long as several multiply-adds
      const double warps = static_cast<double>(out.size()) / cuda::kWarp;
      const double took = cuda::least_seconds(device, work.tries, [&] {
        cuda::launch(device, {work.blocks}, cuda::kThreads, 0, Kernel{out.data(), rounds});
      });
      peak.tensor = Kernel::kOperations * Kernel::kTiles * rounds * warps / took;
    }
  }
  cuda::DeviceArray<float> to(device), from(device);
  to.reserve(work.floats);
  from.reserve(work.floats);
  to.zero();
  from.zero();
  const cuda::AddArray kernel{to.data(), from.data(), work.floats};
  const double seconds =
      cuda::least_seconds(device, work.tries, [&] { cuda::launch_each(device, work.floats, kernel); });
  peak.bytes = 3.0 * sizeof(float) * static_cast<double>(work.floats) / seconds;  // two read, one written
  return peak;
}

}  // namespace sonospike

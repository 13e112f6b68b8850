#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "cuda/device/device.h"
#include "cuda/device/portable.h"

/// How kernels are written and started. A kernel is a struct of its arguments with
///
///   static constexpr bool kSyncs;  ///< whether its threads wait for each other
///   SONOSPIKE_DEVICE void operator()(const Block& block) const;
///
/// compiled by nvcc for the GPU, and by any C++ compiler for the tests alone, where `Block` emulates a block
/// of threads one by one.

namespace sonospike::cuda {

struct Grid {
  unsigned x = 1, y = 1, z = 1;
};

/// Blocks of `size` that cover `count`.
inline unsigned blocks_of(size_t count, size_t size) {
  return static_cast<unsigned>((count + size - 1) / size);
}

}  // namespace sonospike::cuda

#if defined(__CUDACC__)

#include <cuda_runtime.h>

namespace sonospike::cuda {

/// Throws what `error` stands for as a DeviceError.
void check(cudaError_t error, const char* what);

/// Whether kernels for the architecture being compiled for, 100 times its major and 10 times its minor
/// number, use tensor cores. Those of data centres are several times as fast as six products in place of one
/// take; others are not.
constexpr bool worth_tensor_cores(int architecture) {
  return architecture == 800 || (architecture >= 900 && architecture < 1100);
}
#if defined(__CUDA_ARCH__) && (__CUDA_ARCH__ == 800 || (__CUDA_ARCH__ >= 900 && __CUDA_ARCH__ < 1100))
#define SONOSPIKE_TENSOR_CORES 1
#else
#define SONOSPIKE_TENSOR_CORES 0
#endif

/// The most threads of a block, which decide how many registers each can have.
template <typename Kernel>
constexpr int most_threads() {
  if constexpr (requires { Kernel::kThreads; }) return Kernel::kThreads;
  return 256;
}

/// The number of blocks for which a multiprocessor must have registers.
template <typename Kernel>
constexpr int least_blocks() {
  if constexpr (requires { Kernel::kLeastBlocks; }) return Kernel::kLeastBlocks;
  return 1;
}

/// The block of threads that a kernel's thread is one of.
struct Block {
  __device__ int thread() const { return threadIdx.x; }
  __device__ int threads() const { return blockDim.x; }
  __device__ unsigned x() const { return blockIdx.x; }
  __device__ unsigned y() const { return blockIdx.y; }
  __device__ unsigned z() const { return blockIdx.z; }
  /// Waits for all threads of the block; what they wrote before can be read after.
  __device__ void sync() const { __syncthreads(); }
  /// Bit i: the predicate of thread i of this warp, all of whose threads must call.
  __device__ uint32_t ballot(bool predicate) const { return __ballot_sync(0xffffffffu, predicate); }
  /// sum[16, 8] += a[16, 16] b[16, 8] on the tensor cores, of bfloat16 in pairs of neighbouring k. All
  /// threads of a warp call it with their share: of row lane / 4 (a: and 8 more, in turn) the pairs lane % 4
  /// and that plus 4; of column lane / 4 of b the same pairs; of the rows of a two neighbouring sums, from 2
  /// (lane % 4) on.
  __device__ void multiply_add(float (&sum)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) const {
#if SONOSPIKE_TENSOR_CORES
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    __trap();
#endif
  }
  /// The block's memory, of the size it was launched with.
  template <typename T>
  __device__ T* shared() const {
    extern __shared__ __align__(16) unsigned char memory[];
    return reinterpret_cast<T*>(memory);
  }
};

template <typename Kernel>
__global__ void __launch_bounds__(most_threads<Kernel>(), least_blocks<Kernel>())
    run_kernel(const __grid_constant__ Kernel kernel) {
  kernel(Block{});
}

/// Starts `kernel` on blocks of `threads` threads with `shared` bytes of memory each; does not wait.
template <typename Kernel>
void launch(const Device& device, Grid grid, int threads, size_t shared, const Kernel& kernel) {
  static_cast<void>(Kernel::kSyncs);  // the emulation's
  constexpr size_t kWithoutAsking = 48 << 10;
  if (shared > kWithoutAsking) {
    check(cudaFuncSetAttribute(run_kernel<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shared)),
          "asking for shared memory");
  }
  run_kernel<<<dim3(grid.x, grid.y, grid.z), threads, shared, static_cast<cudaStream_t>(device.stream())>>>(
      kernel);
  check(cudaGetLastError(), "starting a kernel");
}

}  // namespace sonospike::cuda

#else
#include "cuda/emulation/launch.h"
#endif

namespace sonospike::cuda {

/// Runs `kernel` with a thread for each of `count`, its number in the x of the blocks.
template <typename Kernel>
void launch_each(const Device& device, size_t count, const Kernel& kernel) {
  constexpr int kThreads = 256;
  if (count > 0) launch(device, {blocks_of(count, kThreads)}, kThreads, 0, kernel);
}

/// The number of a thread among all.
SONOSPIKE_DEVICE size_t number_of(const Block& block) {
  return static_cast<size_t>(block.x()) * block.threads() + block.thread();
}

}  // namespace sonospike::cuda

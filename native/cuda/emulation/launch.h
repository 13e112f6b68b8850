#pragma once
// A GPU's blocks of threads on the CPU, for cuda/device/launch.h: one block after the other, and the threads
// of a block in turns that end where they wait for each other.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/support/denormals.h"

namespace sonospike::cuda {

class Block {
 public:
  Block(int thread, int threads, Grid place, void* shared)
      : thread_(thread), threads_(threads), place_(place), shared_(shared) {}

  int thread() const { return thread_; }
  int threads() const { return threads_; }
  unsigned x() const { return place_.x; }
  unsigned y() const { return place_.y; }
  unsigned z() const { return place_.z; }
  void sync() const;
  uint32_t ballot(bool predicate) const;
  void multiply_add(float (&sum)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) const;
  template <typename T>
  T* shared() const {
    return static_cast<T*>(shared_);
  }

 private:
  int thread_, threads_;
  Grid place_;
  void* shared_;
};

namespace emulation {

/// Blocks, and threads between two waits, run in an order that `seed` draws; 0: in order. For all launches
/// to come.
void shuffle(uint32_t seed);

/// Calls `body` for every thread of every block. Shared memory starts as bytes of ones, which make NaN.
void run(Grid grid, int threads, size_t shared, bool syncs, const std::function<void(const Block&)>& body);

/// What a device has from now on; allocations beyond it fail.
void set_memory(size_t bytes);
/// Allocated and not released.
size_t memory_in_use();
/// Copies from the host so far, of all devices.
size_t copies();
/// The device fails at the next call, as one that is lost, and works again after `restore`.
void lose();
void restore();
/// Throws if it is lost, or if a graph is being recorded: launches alone can be.
void check_alive();

/// Where launches of this thread go in place of being made; null: they are made.
extern thread_local std::vector<std::function<void()>>* recorder;
/// Graphs cannot be recorded any longer, or again.
void refuse_graphs(bool refuse);
/// So far.
int graphs_launched();

}  // namespace emulation

template <typename Kernel>
void launch(const Device&, Grid grid, int threads, size_t shared, const Kernel& kernel) {
  const auto work = [=] {
    emulation::check_alive();
    const FlushDenormals flush;  // as the GPU's code does
    emulation::run(grid, threads, shared, Kernel::kSyncs, [&kernel](const Block& block) { kernel(block); });
  };
  if (emulation::recorder) {
    emulation::recorder->push_back(work);
  } else {
    work();
  }
}

}  // namespace sonospike::cuda

#pragma once
// Threads of one block that take turns on one thread of the CPU.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace sonospike::cuda::emulation {

class Fibers {
 public:
  Fibers();
  ~Fibers();
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;

  /// Calls body(thread) for `count` threads, which may wait for each other. `order`: who has the first turn
  /// between two waits.
  void run(int count, const std::vector<int>& order, const std::function<void(int)>& body);

  // Of the thread whose turn it is.
  void wait_for_block();
  /// What all threads of the warp brought, once they are all here; until the next time.
  using Words = std::array<uint32_t, 6>;
  const Words* wait_for_warp(const Words& brought);

  /// Those of this thread of the CPU.
  static Fibers& current();

 private:
  enum class State { kReady, kAtBlock, kAtWarp, kDone };
  struct Fiber;

  static void enter();
  void resume(Fiber& fiber);
  void leave(State state);
  void release_warps(int count);

  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Words> brought_;  // [threads]: when their warp met
  Fiber* running_ = nullptr;
  const std::function<void(int)>* body_ = nullptr;
  void* home_ = nullptr;  // the stack pointer of whoever called `run`
  const void* home_stack_ = nullptr;
  size_t home_size_ = 0;
};

}  // namespace sonospike::cuda::emulation

#include "cuda/emulation/fibers.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace sonospike::cuda::emulation {
namespace {

constexpr size_t kStack = size_t{128} << 10;
constexpr int kWarpSize = 32;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "emulated GPU: %s\n", what);
  std::abort();
}

}  // namespace

#if defined(__x86_64__)
// A hundred times as fast as swapcontext, which asks the system for the signals on the way: saves what a
// call must keep, swaps the stacks.
extern "C" void sonospike_swap_stacks(void** from, void* to);
asm(R"(
.text
.globl sonospike_swap_stacks
.type sonospike_swap_stacks, @function
sonospike_swap_stacks:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size sonospike_swap_stacks, .-sonospike_swap_stacks
)");
#endif

struct Fibers::Fiber {
  int thread = 0;
  State state = State::kDone;
  Words brought{};
  std::unique_ptr<char[]> stack{new char[kStack]};
  void* fake_stack = nullptr;  // of the address sanitizer
#if defined(__x86_64__)
  void* at = nullptr;  // the stack pointer
  void prepare(void (*entry)()) {
    uintptr_t top = (reinterpret_cast<uintptr_t>(stack.get()) + kStack) & ~uintptr_t{15};
    void** slot = reinterpret_cast<void**>(top);
    *--slot = nullptr;  // as if `entry` had been called
    *--slot = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; ++i) *--slot = nullptr;
    at = slot;
  }
#else
  ucontext_t context, home;
  void prepare(void (*entry)()) {
    getcontext(&context);
    context.uc_stack.ss_sp = stack.get();
    context.uc_stack.ss_size = kStack;
    context.uc_link = nullptr;
    makecontext(&context, entry, 0);
  }
#endif
};

Fibers::Fibers() = default;
Fibers::~Fibers() = default;

Fibers& Fibers::current() {
  static thread_local Fibers fibers;
  return fibers;
}

void Fibers::enter() {
  Fibers& all = current();
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &all.home_stack_, &all.home_size_);
#endif
  (*all.body_)(all.running_->thread);
  all.leave(State::kDone);
  fail("a thread went on after its end");
}

void Fibers::resume(Fiber& fiber) {
  running_ = &fiber;
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, fiber.stack.get(), kStack);
#endif
#if defined(__x86_64__)
  sonospike_swap_stacks(&home_, fiber.at);
#else
  swapcontext(&fiber.home, &fiber.context);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
  running_ = nullptr;
}

void Fibers::leave(State state) {
  if (!running_) fail("a kernel waits that says it does not (kSyncs)");
  Fiber& fiber = *running_;
  fiber.state = state;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(state == State::kDone ? nullptr : &fiber.fake_stack, home_stack_,
                                 home_size_);
#endif
#if defined(__x86_64__)
  sonospike_swap_stacks(&fiber.at, home_);
#else
  swapcontext(&fiber.context, &fiber.home);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fiber.fake_stack, &home_stack_, &home_size_);
#endif
}

void Fibers::wait_for_block() {
  leave(State::kAtBlock);
}

const Fibers::Words* Fibers::wait_for_warp(const Words& brought) {
  if (!running_) fail("a kernel waits that says it does not (kSyncs)");
  Fiber& fiber = *running_;
  fiber.brought = brought;
  leave(State::kAtWarp);
  return &brought_[fiber.thread / kWarpSize * kWarpSize];
}

/// Warps all of whose threads wait for each other go on.
void Fibers::release_warps(int count) {
  for (int first = 0; first + kWarpSize <= count; first += kWarpSize) {
    const auto waits = [](const auto& fiber) { return fiber->state == State::kAtWarp; };
    if (!std::all_of(&fibers_[first], &fibers_[first] + kWarpSize, waits)) continue;
    for (int i = first; i < first + kWarpSize; ++i) {
      brought_[i] = fibers_[i]->brought;
      fibers_[i]->state = State::kReady;
    }
  }
}

void Fibers::run(int count, const std::vector<int>& order, const std::function<void(int)>& body) {
  while (fibers_.size() < static_cast<size_t>(count)) fibers_.push_back(std::make_unique<Fiber>());
  brought_.resize(fibers_.size());
  body_ = &body;
  for (int i = 0; i < count; ++i) {
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(fibers_[i]->stack.get(),
                                kStack);  // threads end without leaving their functions
#endif
    fibers_[i]->thread = i;
    fibers_[i]->state = State::kReady;
    fibers_[i]->prepare(&Fibers::enter);
  }
  for (;;) {
    bool ran = false;
    for (const int i : order) {
      if (fibers_[i]->state != State::kReady) continue;
      resume(*fibers_[i]);
      ran = true;
    }
    release_warps(count);
    if (ran) continue;
    int at_block = 0, done = 0;
    bool ready = false;
    for (int i = 0; i < count; ++i) {
      at_block += fibers_[i]->state == State::kAtBlock;
      done += fibers_[i]->state == State::kDone;
      ready |= fibers_[i]->state == State::kReady;
    }
    if (ready) continue;
    if (done == count) return;
    if (at_block + done != count) fail("some threads of a warp wait for others that never come");
    for (int i = 0; i < count; ++i) {
      if (fibers_[i]->state == State::kAtBlock) fibers_[i]->state = State::kReady;
    }
  }
}

}  // namespace sonospike::cuda::emulation

// Counts calls of operator new in all its forms.
#include "test/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace sonospike::test {
namespace {

thread_local int64_t count = 0;
thread_local bool served = false;
std::atomic<bool> few_are_served = false;

}  // namespace

int64_t allocations() {
  return count;
}

void* counted(void* memory) {
  ++count;
  if (memory && few_are_served && !served) {
    std::free(memory);
    memory = nullptr;
  }
  if (!memory) throw std::bad_alloc();
  return memory;
}

MemoryHereOnly::MemoryHereOnly() {
  served = few_are_served = true;
}

MemoryHereOnly::~MemoryHereOnly() {
  served = few_are_served = false;
}

}  // namespace sonospike::test

void* operator new(std::size_t size) {
  return sonospike::test::counted(std::malloc(size ? size : 1));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto unit = static_cast<std::size_t>(alignment);
  return sonospike::test::counted(std::aligned_alloc(unit, (size + unit - 1) / unit * unit));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

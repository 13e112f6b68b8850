#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "core/kernels/kernels.h"
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace sonospike {

extern const Kernels kKernelsBaseline;
#if defined(__x86_64__)
extern const Kernels kKernelsAvx2;
extern const Kernels kKernelsAvx512;
#endif

namespace {

#if defined(__x86_64__)
constexpr bool has_all(uint64_t value, uint64_t bits) {
  return (value & bits) == bits;
}

/// The vector extensions that both the processor and the operating system support. `__builtin_cpu_supports`
/// is not used: the runtime library that zig links answers false to everything. Bits: Intel SDM, volume 2,
/// CPUID, and volume 1, section 13.3 (XCR0).
struct VectorExtensions {
  bool avx2_fma = false;
  bool avx512 = false;  ///< F, DQ, BW and VL

  VectorExtensions() {
    constexpr uint32_t kFma = 1u << 12, kOsxsave = 1u << 27;
    constexpr uint32_t kAvx2 = 1u << 5, kAvx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
    constexpr uint64_t kYmmState = 0x06, kZmmState = 0xe6;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has_all(c, kFma | kOsxsave)) return;
    uint32_t low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    const uint64_t saved_by_os = uint64_t{high} << 32 | low;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
    avx2_fma = has_all(saved_by_os, kYmmState) && has_all(b, kAvx2);
    avx512 = avx2_fma && has_all(saved_by_os, kZmmState) && has_all(b, kAvx512);
  }
};
#endif

struct Available {
  const Kernels* list[4] = {&kKernelsBaseline, nullptr, nullptr, nullptr};
  int count = 1;

  Available() {
#if defined(__x86_64__)
    const VectorExtensions cpu;
    if (cpu.avx2_fma) list[count++] = &kKernelsAvx2;
    if (cpu.avx512) list[count++] = &kKernelsAvx512;
#endif
  }
};

const Available& available() {
  static const Available instance;
  return instance;
}

const Kernels* find(const char* name) {
  for (int i = 0; i < available().count; ++i) {
    if (std::strcmp(available().list[i]->name, name) == 0) return available().list[i];
  }
  return nullptr;
}

std::atomic<const Kernels*>& selected() {
  static std::atomic<const Kernels*> instance = [] {
    const char* wanted = std::getenv("SONOSPIKE_ISA");
    const Kernels* found = wanted ? find(wanted) : nullptr;
    return found ? found : available().list[available().count - 1];
  }();
  return instance;
}

}  // namespace

const Kernels& kernels() {
  return *selected().load(std::memory_order_relaxed);
}

const Kernels* const* available_kernels() {
  return available().list;
}

bool select_kernels(const char* name) {
  const Kernels* found = find(name);
  if (found) selected().store(found);
  return found != nullptr;
}

}  // namespace sonospike

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "core/kernels/kernels.h"

namespace sonospike {

extern const Kernels kKernelsBaseline;
#if defined(__x86_64__)
extern const Kernels kKernelsAvx2;
extern const Kernels kKernelsAvx512;
#endif

namespace {

struct Available {
  const Kernels* list[4] = {&kKernelsBaseline, nullptr, nullptr, nullptr};
  int count = 1;

  Available() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))) return;
    list[count++] = &kKernelsAvx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
      list[count++] = &kKernelsAvx512;
    }
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

#pragma once

#include <doctest/doctest.h>

#include <string>

#include "core/kernels/kernels.h"

namespace sonospike::test {

/// Calls `test(kernels)` for every instruction set that this machine runs, with `kernels()` switched to it.
template <class Test>
void at_every_instruction_set(const Test& test) {
  const std::string before = kernels().name;
  for (const Kernels* const* at = available_kernels(); *at; ++at) {
    REQUIRE(select_kernels((*at)->name));
    INFO("instruction set: ", std::string((*at)->name));
    test(**at);
  }
  select_kernels(before.c_str());
}

}  // namespace sonospike::test

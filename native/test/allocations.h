#pragma once

#include <cstdint>

namespace sonospike::test {

/// How often memory has been asked for so far, by this thread.
int64_t allocations();

/// As long as one lives, other threads than the one that made it are refused memory.
class MemoryHereOnly {
 public:
  MemoryHereOnly();
  ~MemoryHereOnly();
};

}  // namespace sonospike::test

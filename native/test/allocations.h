#pragma once

#include <cstdint>

namespace sonospike::test {

/// How often memory has been asked for so far, by this thread.
int64_t allocations();

}  // namespace sonospike::test

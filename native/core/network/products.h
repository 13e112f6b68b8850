#pragma once

#include "core/kernels/kernels.h"
#include "core/support/thread_pool.h"

namespace sonospike {

// The kernels' products, shared out over the threads of a pool where there is one and the product is large
// enough. Every element of a result is computed by one thread in the same way: the bits do not depend on the
// threads.

void multiply(const GemmArgs& product, ThreadPool* pool);
void multiply(const GatherArgs& product, ThreadPool* pool);
void multiply(const SampledProductArgs& product, ThreadPool* pool);

}  // namespace sonospike

#pragma once

#include "cuda/kernels/shapes.h"

namespace sonospike::cuda {

/// Fills step_of and clip_of [rows] for clips whose first rows are known.
void index_rows(const Device& device, const int* first_row, int clips, int* step_of, int* clip_of);

}  // namespace sonospike::cuda

#include "cuda/kernels/index.h"

#include "cuda/device/launch.h"

namespace sonospike::cuda {
namespace {

/// A block for every clip.
struct IndexRows {
  static constexpr bool kSyncs = false;
  const int* first_row;
  int *step_of, *clip_of;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const int clip = static_cast<int>(block.x()), first = first_row[clip], end = first_row[clip + 1];
    for (int row = first + block.thread(); row < end; row += block.threads()) {
      step_of[row] = row - first;
      clip_of[row] = clip;
    }
  }
};

}  // namespace

void index_rows(const Device& device, const int* first_row, int clips, int* step_of, int* clip_of) {
  constexpr int kThreads = 128;
  launch(device, {static_cast<unsigned>(clips)}, kThreads, 0, IndexRows{first_row, step_of, clip_of});
}

}  // namespace sonospike::cuda

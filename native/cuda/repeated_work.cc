#include "cuda/repeated_work.h"

#include <algorithm>

namespace sonospike::cuda {
namespace {

constexpr size_t kMostKnown = 4;  // whole batches of a training, and the last of an epoch

}  // namespace

void RepeatedWork::run(const WorkKey& key, const std::function<void()>& work) {
  // Pointers of graphs may lead to what is no longer theirs.
  known_.remove_if([&](const Known& known) { return known.releases != device_.releases(); });
  auto known =
      std::find_if(known_.begin(), known_.end(), [&](const Known& known) { return known.key == key; });
  if (known == known_.end()) {
    work();
    known_.emplace_front(device_, key);
    known_.front().releases = device_.releases();
    if (known_.size() > kMostKnown) known_.pop_back();
    return;
  }
  known_.splice(known_.begin(), known_, known);
  if (known->state == Known::kDone)
    known->state = known->graph.record(work) ? Known::kRecorded : Known::kRefused;
  if (known->state == Known::kRefused) return work();
  known->graph.launch();
}

}  // namespace sonospike::cuda

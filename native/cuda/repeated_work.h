#pragma once

#include <functional>
#include <list>
#include <optional>

#include "core/network/loss.h"
#include "cuda/device/graph.h"
#include "cuda/kernels/encode.h"

namespace sonospike::cuda {

/// All that the launches of a gradient depend on, but for what is in the device's memory when they are made.
struct WorkKey {
  Clips clips;
  std::optional<EncodeArgs> encoding;  ///< where the device makes the input
  Sent input;
  const ClipKey* dropout_keys;  ///< null: nothing is dropped
  const int* labels;
  LossOptions loss;
  bool of_input;  ///< whether it makes the gradient to the input

  bool operator==(const WorkKey&) const = default;
};

/// Work that comes again and again: what has come before is given to the device as a graph, in one go.
class RepeatedWork {
 public:
  explicit RepeatedWork(Device& device) : device_(device) {}

  /// Does `work`, which is the same whenever the key is, and allocates nothing once it has been done.
  void run(const WorkKey& key, const std::function<void()>& work);

 private:
  /// Work that has been done with the memory where it is.
  struct Known {
    Known(Device& device, const WorkKey& key) : key(key), graph(device) {}
    WorkKey key;
    size_t releases = 0;  // of the device, by then
    enum { kDone, kRecorded, kRefused } state = kDone;
    Graph graph;
  };

  Device& device_;
  std::list<Known> known_;  // the last that came first
};

}  // namespace sonospike::cuda

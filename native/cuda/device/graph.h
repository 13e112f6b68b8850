#pragma once

#include <functional>
#include <memory>

#include "cuda/device/device.h"

namespace sonospike::cuda {

/// Work that is recorded once and then given to the device at once, however many launches it is.
class Graph {
 public:
  explicit Graph(Device& device);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// Records the launches that `work` makes, none of which is done. It may not allocate, release, copy or
  /// wait. False: it could not be recorded, and nothing has happened.
  bool record(const std::function<void()>& work);
  /// Does what was recorded. Throws DeviceError.
  void launch() const;

 private:
  struct Recorded;
  Device& device_;
  std::unique_ptr<Recorded> recorded_;
};

}  // namespace sonospike::cuda

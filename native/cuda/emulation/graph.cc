// cuda/device/graph.h: launches are kept, to be made again.
#include "cuda/device/graph.h"

#include <stdexcept>
#include <vector>

#include "cuda/cuda_backend.h"
#include "cuda/device/launch.h"

namespace sonospike::cuda {
namespace {

bool refuses = false;
int launched = 0;

}  // namespace

struct Graph::Recorded {
  std::vector<std::function<void()>> launches;
};

Graph::Graph(Device& device) : device_(device) {}
Graph::~Graph() = default;

bool Graph::record(const std::function<void()>& work) {
  emulation::check_alive();
  const size_t releases = device_.releases();
  auto recorded = std::make_unique<Recorded>();
  emulation::recorder = &recorded->launches;
  try {
    work();
  } catch (...) {
    emulation::recorder = nullptr;
    throw;  // a GPU would do without the graph; here it is an error of the work
  }
  emulation::recorder = nullptr;
  if (device_.releases() != releases)
    throw std::logic_error("Memory was released while a graph was recorded.");
  if (refuses) return false;
  recorded_ = std::move(recorded);
  return true;
}

void Graph::launch() const {
  emulation::check_alive();
  ++launched;
  for (const auto& launch : recorded_->launches) launch();
}

namespace emulation {

thread_local std::vector<std::function<void()>>* recorder = nullptr;

void refuse_graphs(bool refuse) {
  refuses = refuse;
}

int graphs_launched() {
  return launched;
}

}  // namespace emulation

}  // namespace sonospike::cuda

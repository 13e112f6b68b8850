#include "cuda/device/graph.h"

#include <cuda_runtime.h>

#include <exception>

#include "cuda/device/launch.h"

namespace sonospike::cuda {
namespace {

cudaStream_t stream_of(const Device& device) {
  return static_cast<cudaStream_t>(device.stream());
}

}  // namespace

struct Graph::Recorded {
  cudaGraphExec_t work = nullptr;
};

Graph::Graph(Device& device) : device_(device) {}

Graph::~Graph() {
  if (!recorded_) return;
  try {
    device_.use();
  } catch (const std::exception&) {
    return;  // nothing of a device that is lost can be given back
  }
  cudaGraphExecDestroy(recorded_->work);
  cudaGetLastError();
}

bool Graph::record(const std::function<void()>& work) {
  // What other threads do is no concern of this recording, nor is it of theirs.
  const cudaStream_t stream = stream_of(device_);
  bool complete = cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess;
  cudaGraph_t graph = nullptr;
  if (complete) {
    try {
      work();
    } catch (...) {
      complete = false;  // whoever does the work meets the error again, if it is one
    }
    complete = cudaStreamEndCapture(stream, &graph) == cudaSuccess && complete;
  }
  auto recorded = std::make_unique<Recorded>();
  complete = complete && cudaGraphInstantiate(&recorded->work, graph, 0) == cudaSuccess;
  if (graph) cudaGraphDestroy(graph);
  cudaGetLastError();
  if (complete) recorded_ = std::move(recorded);
  return complete;
}

void Graph::launch() const {
  check(cudaGraphLaunch(recorded_->work, stream_of(device_)), "starting a graph");
}

}  // namespace sonospike::cuda

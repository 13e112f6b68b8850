#pragma once

#include <vector>

#include "core/network/backend.h"
#include "core/network/lif_layer.h"
#include "core/network/readout.h"

namespace sonospike {

/// Takes micro-batches through a network, forward and back. Of one thread.
///
/// Time is cut into chunks that stay in the first- and second-level cache while all layers work on them. A
/// layer is one chunk behind the layer below, so that several layers are scanned side by side, each of which
/// waits for its own last step. What backward needs is kept for as many chunks as fit (a segment); of the
/// segments before, only the state that they start from, and they are computed again when backward gets there
/// (gradient checkpointing). So memory does not grow with the length of a clip but for that.
class NetworkPass {
 public:
  /// What stays when `forward` is done.
  enum class Keep {
    kScores,      ///< scores and numbers of spikes
    kTrace,       ///< what backward needs
    kEverything,  ///< all steps, however many
  };

  /// Bytes at a time.
  struct Limits {
    size_t micro_batch = size_t{1} << 20;  ///< trace of the clips of a micro-batch: the second-level cache
    size_t segment = size_t{32} << 20;     ///< trace of a segment
    size_t input = size_t{4} << 20;        ///< input of a segment where no trace is kept
  };

  NetworkPass(const std::vector<LifLayer>& layers, const Readout& readout, int inputs, const Limits& limits);

  /// For as long as it lives, large products are shared out over a pool, which runs nothing else meanwhile.
  class Sharing {
   public:
    Sharing(NetworkPass& pass, ThreadPool& pool) : pass_(pass) { pass.scratch_.pool = &pool; }
    ~Sharing() { pass_.scratch_.pool = nullptr; }
    Sharing(const Sharing&) = delete;
    Sharing& operator=(const Sharing&) = delete;

   private:
    NetworkPass& pass_;
  };

  size_t bytes() const;
  /// Clips that are best taken together, where they have `steps` steps.
  int micro_batch_size(int steps) const;

  /// `count` clips of a batch from `first` on, which are all as long. `worker`: for Batch::input.
  void forward(const Batch& batch, int first, int count, int worker, Keep keep);
  /// [stride of the readout]
  const float* scores(int clip) const;
  /// Sum of the spikes of all neurons and steps.
  double spikes(int layer, int clip) const;
  /// After kEverything with one clip.
  NetworkView view();

  /// After kTrace, for the same clips. grad_score: dL/dscore, [count, stride of the readout]. spike_cost:
  /// what the mean spike of a layer adds to L. Gradients of the parameters are added to `packed`: layer by
  /// layer, then the readout.
  void backward(const float* grad_score, float spike_cost, float* packed, float* input_gradient = nullptr);

 private:
  ActivityView view_layer(int layer);
  size_t step_bytes() const;
  int chunk_steps() const;
  void begin(Keep keep);
  void run(int segment);
  int steps_of(int segment) const;
  int chunks_of(int segment) const;
  TimeChunk chunk_at(int segment, int chunk, bool ring) const;
  void run_stage(int stage);
  void scan(int stage, int least, int most);
  void carry_over(size_t layer, int chunk);
  void flush_sums(size_t layer, int chunk);
  template <typename Visit>
  void visit_state(Visit visit);
  void save(int segment);
  void restore(int segment);
  const Activity& input_of(size_t layer) const { return layer > 0 ? traces_[layer - 1].spikes : input_; }
  void fill_input(int segment);
  void drop(LayerTrace& trace, const TimeChunk& chunk);
  void add_to_spikes(size_t layer, const TimeChunk& chunk, float cost, float* g) const;
  void backward_chunk(int chunk, const float* grad_score, float spike_cost, float* packed,
                      float* input_gradient);
  void copy_input_gradient(const TimeChunk& chunk, int first_step, const float* from, float* all) const;

  const std::vector<LifLayer>& layers_;
  const Readout& readout_;
  int inputs_, input_stride_;
  int history_ = 1;  // steps before a chunk whose rows stand in front of it
  Limits limits_;

  // The clips in hand.
  const Batch* batch_ = nullptr;
  int first_ = 0, count_ = 0, steps_ = 0, worker_ = 0;
  int chunk_steps_ = 0, segment_steps_ = 0, segments_ = 0;
  int segment_ = 0;    // in hand
  bool ring_ = false;  // the layers' rows of a chunk are used again by the next but one

  Activity input_;
  std::vector<LayerTrace> traces_;
  ReadoutTrace readout_trace_;
  EventScratch scratch_;
  std::vector<LifForwardArgs> scans_;
  Buffer<float> g_, gx_;                  // backward: dL/ds of the layer in hand and of the one below
  std::vector<Buffer<float>> views_;      // [layer]: spikes as floats
  std::vector<std::vector<char>> saved_;  // [segment]: the state that it starts from
};

}  // namespace sonospike

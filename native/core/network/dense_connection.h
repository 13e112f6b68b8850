#pragma once

#include "core/network/connection.h"
#include "core/network/packing.h"

namespace sonospike {

/// Every neuron reads the present step of every input.
class DenseConnection final : public Connection {
 public:
  DenseConnection(const ConnectionSize& size, bool spiking_input);

  void load(const float* weight) override;
  size_t bytes() const override { return bytes_of(weight_t_, weight_, table_); }
  size_t gradient_size() const override { return weight_t_.size() + table_.size(); }
  void unpack_gradient(float* packed, float* weight) const override;
  void forward(const Activity& input, size_t row, const TimeChunk& chunk, const float* bias, float* u,
               EventScratch& scratch) const override;
  void weight_gradient(const Activity& input, const TimeChunk& chunk, const float* g, float* packed,
                       EventScratch& scratch) const override;
  bool uses_near() const override { return true; }
  void input_gradient(const TimeChunk& chunk, const NearThreshold* below, const float* g, float* gx,
                      EventScratch& scratch) const override;

 private:
  MatrixPacking packing() const { return {size_.neurons, size_.inputs, size_.stride, size_.input_stride}; }
  /// Whether products with spikes go by table, whatever their number.
  bool by_table(const Activity& input) const { return table_.size() > 0 && input.spikes_only(); }
  int groups() const { return (size_.inputs + 3) / 4; }
  template <typename Visit>
  void each_in_table(Visit visit) const;
  void fill_table();

  ConnectionSize size_;
  Buffer<float> weight_t_;  // [inputs, stride]: forward
  Buffer<float> weight_;    // [neurons, input_stride]: backward to the input
  // [groups of four inputs, 16, stride]: the sums that each four inputs can give; empty where that is large
  Buffer<float> table_;
};

}  // namespace sonospike

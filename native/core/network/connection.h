#pragma once

#include <memory>
#include <string>

#include "core/network/activity.h"
#include "core/network/options.h"
#include "core/network/parameters.h"
#include "core/support/buffer.h"

namespace sonospike {

/// A few time steps of a micro-batch, which are worked on together: rows of the arrays that hold them, a
/// row being a step of a clip. The rows of the steps before lie in front of them.
struct TimeChunk {
  size_t row;
  int steps, clips;
  bool starts;  ///< there is no step before

  int rows() const { return steps * clips; }
  size_t before() const { return row - clips; }
};

/// The neurons whose surrogate derivative is not zero, row by row. Only for them is dL/ds needed.
struct NearThreshold {
  bool few = false;  ///< so few that it pays to leave out the others; otherwise there are no lists
  Buffer<uint16_t> bits;
  Buffer<uint32_t> start, index;

  size_t bytes() const { return bytes_of(bits, start, index); }
};

/// The weights with which a layer reads what is below it, in the kernels' layout, and the products with them.
/// Where it looks back in time, the rows of the steps before a chunk stand in front of the chunk's in every
/// array of inputs; they are zero where a clip has not begun.
class Connection {
 public:
  virtual ~Connection() = default;

  /// Takes the weights from the layout of the files.
  virtual void load(const float* weight) = 0;
  /// Memory of the weights in that layout.
  virtual size_t bytes() const = 0;
  /// Floats of one gradient in the kernels' layout.
  virtual size_t gradient_size() const = 0;
  /// Copies such a gradient, which is used up, to the layout of the files.
  virtual void unpack_gradient(float* packed, float* weight) const = 0;

  /// u[rows, stride of the layer] = bias + W x for a chunk whose input stands at `row`.
  virtual void forward(const Activity& input, size_t row, const TimeChunk& chunk, const float* bias, float* u,
                       EventScratch& scratch) const = 0;
  /// Adds to the gradient of the weights, from g = dL/du [rows, stride of the layer].
  virtual void weight_gradient(const Activity& input, const TimeChunk& chunk, const float* g, float* packed,
                               EventScratch& scratch) const = 0;
  /// Whether `input_gradient` leaves out what `below` does.
  virtual bool uses_near() const { return false; }
  /// From g = dL/du to gx = dL/dx. gx: rows of the steps that the connection looks back, then those of the
  /// chunk. Where it looks back, or sums over bands, gx is added to, otherwise written. `below`: lists what
  /// of gx is of use; null: all is.
  virtual void input_gradient(const TimeChunk& chunk, const NearThreshold* below, const float* g, float* gx,
                              EventScratch& scratch) const = 0;
  virtual bool adds_to_input() const { return false; }
};

/// Sizes of what a connection joins. Strides: floats from one row to the next.
struct ConnectionSize {
  int inputs, input_stride;
  int neurons, stride;
  Bands bands;  ///< of the input
};

/// `spiking_input`: whether spikes may come as bits.
std::unique_ptr<Connection> make_connection(const ConnectionOptions& options, const ConnectionSize& size,
                                            bool spiking_input);

}  // namespace sonospike

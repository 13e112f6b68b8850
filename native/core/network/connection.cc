#include "core/network/connection.h"

#include "core/network/band_connection.h"
#include "core/network/dense_connection.h"

namespace sonospike {

std::unique_ptr<Connection> make_connection(const ConnectionOptions& options, const ConnectionSize& size,
                                            bool spiking_input) {
  if (options.convolves() || options.taps > 1) return std::make_unique<BandConnection>(options, size);
  return std::make_unique<DenseConnection>(size, spiking_input);
}

}  // namespace sonospike

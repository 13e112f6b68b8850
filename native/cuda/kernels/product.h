#pragma once

#include "cuda/kernels/shapes.h"

/// Products of matrices with what a layer reads. Every element of a result is a sum in an order that depends
/// on the connection alone.

namespace sonospike::cuda {

/// out[rows, neurons] = bias + W x. weight [taps, depth, channels]; bias [channels], or null.
void forward_product(const Device& device, const ConnectionShape& shape, const Clips& clips,
                     const Sent& input, const float* weight, const float* bias, float* out);

/// From g = dL/du [rows, neurons] to dL/dx [rows, inputs]. weight [phase, taps, places, channels,
/// in_channels]: see ConnectionShape.
void input_gradient_product(const Device& device, const ConnectionShape& shape, const Clips& clips,
                            const float* g, const float* weight, float* gx);

/// Into how many parts the sum over the rows is cut that makes the gradient of the weights.
int gradient_parts(const ConnectionShape& shape, int rows);

/// dL/dW in parts to be added up, [parts, taps, depth, channels].
void weight_gradient(const Device& device, const ConnectionShape& shape, const Clips& clips,
                     const Sent& input, const float* g, int parts, float* out);

}  // namespace sonospike::cuda

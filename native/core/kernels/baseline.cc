#define SONOSPIKE_KERNELS_SYMBOL kKernelsBaseline
#define SONOSPIKE_KERNELS_NAME "baseline"
#include "core/kernels/all.inc"

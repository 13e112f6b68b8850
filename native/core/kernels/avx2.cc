#define SONOSPIKE_KERNELS_SYMBOL kKernelsAvx2
#define SONOSPIKE_KERNELS_NAME "avx2"
#include "core/kernels/all.inc"

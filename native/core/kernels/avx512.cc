#define SONOSPIKE_KERNELS_SYMBOL kKernelsAvx512
#define SONOSPIKE_KERNELS_NAME "avx512"
#include "core/kernels/all.inc"

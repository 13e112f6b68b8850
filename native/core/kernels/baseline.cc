#define SONOSPIKE_KERNELS_SYMBOL kKernelsBaseline
#if defined(__aarch64__)
#define SONOSPIKE_KERNELS_NAME "neon"
#else
#define SONOSPIKE_KERNELS_NAME "baseline"
#endif
#include "core/kernels/all.inc"

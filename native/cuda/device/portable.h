#pragma once

// Functions of the device, and of the device and the host. Plain C++ where it is not nvcc that compiles: then
// the device is the host.
#if defined(__CUDACC__)
#define SONOSPIKE_DEVICE __device__ __forceinline__
#define SONOSPIKE_BOTH __host__ __device__ __forceinline__
#else
#define SONOSPIKE_DEVICE inline
#define SONOSPIKE_BOTH inline
#endif

#pragma once

#include "cuda/device/device.h"

namespace sonospike {

/// The most that a device has been seen to do.
struct CudaPeak {
  double operations = 0.0;  ///< floating-point operations per second, of float32 multiply-adds in registers
  double tensor = 0.0;      ///< the same of bfloat16 on tensor cores; 0 where products are not made on them
  double bytes = 0.0;       ///< per second, of adding a large array to another
};

/// How long it is looked at.
struct PeakWork {
  unsigned blocks = 4096;
  int rounds = 20'000;               ///< multiply-adds of each of a thread's sums
  size_t floats = size_t{64} << 20;  ///< of each array: more than caches hold
  int tries = 5;
};

/// Measures a device by its number. Throws DeviceError.
CudaPeak measure_cuda_peak(int device, const PeakWork& work = {});

}  // namespace sonospike

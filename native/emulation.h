// The device's half of device.cuh on the CPU: kernels compile with the host compiler alone and run as fibers. Tests
// only.
//   g++ -std=c++17 -DSIDEFADE_EMULATION -I native -I kernels/include -fno-strict-aliasing -x c++ FILE.cu
#pragma once
#include <float.h>
#include <limits.h>

#include "emulation_arithmetic.h"
#include "emulation_intrinsics.h"
#include "emulation_kernels.h"
#include "emulation_types.h"

#define EMULATION_HIDDEN __attribute__((visibility("hidden")))

extern EMULATION_HIDDEN uint3 threadIdx, blockIdx;
extern EMULATION_HIDDEN dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace emulation {

// One per SHARED line: where the array lies in the block that runs. Only a cache, so that functions of one name in two
// sources (which the linker makes one) do no harm.
struct SharedArray {
  uint64_t block = 0;
  void* address = nullptr;
};
extern EMULATION_HIDDEN uint64_t running_block;  // never the same number twice
void declare_shared(SharedArray& array, const char* name, size_t bytes, Site site);
unsigned char* dynamic_shared();

inline void* shared_array(SharedArray& array, const char* name, size_t bytes, Site site) {
  if (array.block != running_block) declare_shared(array, name, bytes, site);
  return array.address;
}

}  // namespace emulation

// always inline: functions of one name in two sources are then two functions, as under nvcc
#define DEVICE inline __attribute__((always_inline))
#define __device__
#define __host__
#define __global__
#define __constant__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)

#define BOUNDS(threads, warps) threads
#define KERNEL(name, threads, parameters)                                                     \
  static void name parameters;                                                                \
  static const emulation::Registration name##_registration{#name, __FILE__, threads, name};   \
  static void name parameters
#define SHARED(type, name, n)                                                                 \
  static emulation::SharedArray name##_shared;                                                \
  type(&name)[n] = *(type(*)[n])emulation::shared_array(name##_shared, #name, sizeof(type) * (n), {__FILE__, __LINE__})
#define DYNAMIC_SHARED(name) unsigned char* const name = emulation::dynamic_shared()

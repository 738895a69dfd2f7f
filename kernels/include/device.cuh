// What every kernel is written with, and the only place with PTX. Under nvcc these names are the hardware's; in the
// emulation (native/, tests only) emulation.h gives the same names a meaning on the CPU.
//
// Rules that make both work: shared memory only through SHARED and DYNAMIC_SHARED, kernels only through KERNEL, half types
// only through to_float and from_float, no division by variables in loops (multiply by a reciprocal), 64-bit indices wherever
// a product of sizes is formed, no atomics on floats.
#pragma once
#include <stdint.h>

#ifdef SIDEFADE_EMULATION
#include "emulation.h"
#else
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#define DEVICE __device__ __forceinline__
// KERNEL(name, most threads of a block, (parameters)) { body }
#define KERNEL(name, threads, parameters) extern "C" __global__ __launch_bounds__(threads) void name parameters
// in the place of the threads: also how many warps must find room on a multiprocessor (16 leave a thread 128 registers, 12
// 168, 32 64). Left to itself ptxas now and then spills a few registers for more warps
#define BOUNDS(threads, warps) threads, 32 * warps / threads
// an array of n elements in the block's shared memory, n a constant; aligned to 16 bytes
#define SHARED(type, name, n) __shared__ __align__(16) type name[n]
// the block's dynamic shared memory, aligned to 128 bytes
#define DYNAMIC_SHARED(name) extern __shared__ __align__(128) unsigned char name[]

using f16 = __half;
using bf16 = __nv_bfloat16;

// 2^x and log2(x), 2^-22 relative
DEVICE float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
DEVICE float log2_fast(float x) {
  float y;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
// 1 / x, correctly rounded, no slow path
DEVICE float reciprocal(float x) { return __frcp_rn(x); }

// ---- asynchronous copies of 16 bytes from global to shared memory; zeros where !wanted (the source is then not read).
// They land when the thread waits for their group; other threads see them after a barrier behind that wait.
DEVICE void copy_async16(void* shared, const void* global, bool wanted) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"((uint32_t)__cvta_generic_to_shared(shared)), "l"(global), "r"(wanted ? 16 : 0) : "memory");
#else
  *(uint4*)shared = wanted ? *(const uint4*)global : make_uint4(0, 0, 0, 0);
#endif
}
DEVICE void copy_commit() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
// waits until at most KEEP of this thread's groups are under way
template <int KEEP> DEVICE void copy_wait() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(KEEP) : "memory");
#endif
}

// ---- tensor cores. Fragments as the PTX manual lays them out for m16n8k16; lane = 4 * group + place:
// a[0..3]: rows (group, group + 8, group, group + 8), columns 2 place + {0, 1}, the last two + 8
// b0, b1: rows 2 place + {0, 1} (+ 8), column group;  c: rows group (0, 1) and group + 8 (2, 3), columns 2 place + {0, 1}
// ldmatrix: lane l gives the address of row l % 8 of matrix l / 8 (16 bytes, aligned); register i of lane l holds the
// elements 2 (l % 4) + {0, 1} of row l / 4 of matrix i; transposed: of column l / 4.
DEVICE void load_matrix4(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"((uint32_t)__cvta_generic_to_shared(row)) : "memory");
}
DEVICE void load_matrix4_transposed(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"((uint32_t)__cvta_generic_to_shared(row)) : "memory");
}
// c += a b, accumulated in F32
template <class T> DEVICE void multiply_accumulate(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1);
template <> DEVICE void multiply_accumulate<f16>(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
#if __CUDA_ARCH__ >= 800
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(b0));
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[2]), "r"(a[3]), "r"(b1));
#endif
}
template <> DEVICE void multiply_accumulate<bf16>(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
#if __CUDA_ARCH__ >= 800
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
  __trap();  // sm_75 has no tensor core for bfloat16; the host refuses the type there
#endif
}
#endif

// ---- conversions; statistics, sums and parameters are F32
template <class T> DEVICE float to_float(T x);
template <> DEVICE float to_float(float x) { return x; }
template <> DEVICE float to_float(f16 x) { return __half2float(x); }
template <> DEVICE float to_float(bf16 x) { return __bfloat162float(x); }
template <class T> DEVICE T from_float(float x);
template <> DEVICE float from_float(float x) { return x; }
template <> DEVICE f16 from_float(float x) { return __float2half_rn(x); }
template <> DEVICE bf16 from_float(float x) { return __float2bfloat16_rn(x); }

// ---- 16 bytes of T at an address that is a multiple of 16
template <class T> struct Pack {
  static constexpr int N = 16 / sizeof(T);
  union {
    uint4 bits;
    T v[N];
  };
  DEVICE Pack() {}
};
template <class T> DEVICE Pack<T> load16(const T* p) {
  Pack<T> r;
  r.bits = *(const uint4*)p;
  return r;
}
template <class T> DEVICE Pack<T> load16_once(const T* p) {  // evict first: it is not read again
  Pack<T> r;
  r.bits = __ldcs((const uint4*)p);
  return r;
}
template <class T> DEVICE void store16(T* p, const Pack<T>& r) { *(uint4*)p = r.bits; }
template <class T> DEVICE void store16_once(T* p, const Pack<T>& r) { __stcs((uint4*)p, r.bits); }
DEVICE bool aligned16(const void* p) { return ((uintptr_t)p & 15) == 0; }

// ---- sums in a fixed order. Every lane, and every thread of the block, takes part and gets the result.
DEVICE int lane_index() { return threadIdx.x & 31; }
DEVICE int warp_index() { return threadIdx.x >> 5; }
DEVICE float warp_sum(float v) {
#pragma unroll
  for (int o = 16; o; o >>= 1) v += __shfl_xor_sync(0xffffffffu, v, o);
  return v;
}
DEVICE float warp_max(float v) {
#pragma unroll
  for (int o = 16; o; o >>= 1) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, o));
  return v;
}
// THREADS (a multiple of 32) threads in one dimension
template <int THREADS> DEVICE float block_sum(float v) {
  SHARED(float, partial, THREADS / 32);
  v = warp_sum(v);
  if (lane_index() == 0) partial[warp_index()] = v;
  __syncthreads();
  v = warp_sum(lane_index() < THREADS / 32 ? partial[lane_index()] : 0.f);
  __syncthreads();  // the array is used again by the next call
  return v;
}
template <int THREADS> DEVICE float block_max(float v) {
  SHARED(float, partial, THREADS / 32);
  v = warp_max(v);
  if (lane_index() == 0) partial[warp_index()] = v;
  __syncthreads();
  v = warp_max(partial[lane_index() < THREADS / 32 ? lane_index() : 0]);
  __syncthreads();
  return v;
}

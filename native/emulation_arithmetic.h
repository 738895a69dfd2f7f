// Arithmetic, bit, cache-hint and atomic functions of CUDA.
#pragma once
#include "emulation_types.h"

inline float rsqrtf(float x) { return 1.f / sqrtf(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __frcp_rn(float x) { return 1.f / x; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __frsqrt_rn(float x) { return (float)(1. / sqrt((double)x)); }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fsub_rn(float x, float y) { return x - y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
inline float __saturatef(float x) { return fminf(fmaxf(x, 0.f), 1.f); }
inline int __float2int_rn(float x) { return (int)rintf(x); }
inline int __float2int_rz(float x) { return (int)x; }
inline int __float2int_rd(float x) { return (int)floorf(x); }
inline float __int2float_rn(int x) { return (float)x; }
inline float __uint2float_rn(unsigned x) { return (float)x; }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline unsigned __umulhi(unsigned x, unsigned y) { return (unsigned)((unsigned long long)x * y >> 32); }
inline int __mulhi(int x, int y) { return (int)((long long)x * y >> 32); }
inline unsigned long long __umul64hi(unsigned long long x, unsigned long long y) {
  return (unsigned long long)((unsigned __int128)x * y >> 64);
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned by) {
  return (unsigned)((((unsigned long long)high << 32 | low) << (by & 31)) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned by) {
  return (unsigned)(((unsigned long long)high << 32 | low) >> (by & 31));
}

#define EMULATION_MIN_MAX(type)                                 \
  inline type min(type x, type y) { return x < y ? x : y; }     \
  inline type max(type x, type y) { return x > y ? x : y; }
EMULATION_MIN_MAX(int)
EMULATION_MIN_MAX(unsigned)
EMULATION_MIN_MAX(long)
EMULATION_MIN_MAX(unsigned long)
EMULATION_MIN_MAX(long long)
EMULATION_MIN_MAX(unsigned long long)
inline float min(float x, float y) { return fminf(x, y); }
inline float max(float x, float y) { return fmaxf(x, y); }

template <class T> inline T __ldg(const T* p) { return *p; }
template <class T> inline T __ldca(const T* p) { return *p; }
template <class T> inline T __ldcg(const T* p) { return *p; }
template <class T> inline T __ldcs(const T* p) { return *p; }
template <class T> inline void __stcg(T* p, T v) { *p = v; }
template <class T> inline void __stcs(T* p, T v) { *p = v; }

// atomics on integers: relaxed, as on the device. There are none on floats: sums must not depend on timing.
namespace emulation {
template <class T, class F>
inline T atomic_update(T* p, F next) {
  static_assert(static_cast<T>(0.5) == static_cast<T>(0), "atomics on integers only");
  T old = __atomic_load_n(p, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(p, &old, next(old), false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}
template <class T> struct Same { using type = T; };
template <class T> using same = typename Same<T>::type;  // the pointer alone decides the type
}  // namespace emulation
template <class T> inline T atomicAdd(T* p, emulation::same<T> v) {
  return emulation::atomic_update(p, [=](T old) { return (T)(old + v); });
}
template <class T> inline T atomicSub(T* p, emulation::same<T> v) {
  return emulation::atomic_update(p, [=](T old) { return (T)(old - v); });
}
template <class T> inline T atomicMax(T* p, emulation::same<T> v) {
  return emulation::atomic_update(p, [=](T old) { return old > v ? old : v; });
}
template <class T> inline T atomicMin(T* p, emulation::same<T> v) {
  return emulation::atomic_update(p, [=](T old) { return old < v ? old : v; });
}
template <class T> inline T atomicOr(T* p, emulation::same<T> v) {
  return emulation::atomic_update(p, [=](T old) { return (T)(old | v); });
}
template <class T> inline T atomicAnd(T* p, emulation::same<T> v) {
  return emulation::atomic_update(p, [=](T old) { return (T)(old & v); });
}
template <class T> inline T atomicExch(T* p, emulation::same<T> v) {
  return emulation::atomic_update(p, [=](T) { return v; });
}
template <class T> inline T atomicCAS(T* p, emulation::same<T> expected, emulation::same<T> v) {
  return emulation::atomic_update(p, [=](T old) { return old == expected ? v : old; });
}

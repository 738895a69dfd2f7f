// Barriers, warp collectives, asynchronous copies, tensor cores and arithmetic as the kernels call them.
// What must not be seen by a sanitizer is in runtime*.cpp; what touches the kernel's memory is here, in instrumented
// code.
#pragma once
#include "emulation_types.h"

namespace emulation {

struct Site {
  const char* file;
  int line;
};

// ends the launch with this message (formatted as by printf); the block's threads are abandoned where they are
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));
void barrier(Site site);
int barrier_reduce(int kind, bool predicate, Site site);  // kind: 0 or, 1 and, 2 count
void warp_barrier(unsigned mask, Site site);
void fence();
uint64_t shuffle(const char* what, unsigned mask, uint64_t bits, int source, Site site);
unsigned ballot(const char* what, unsigned mask, bool predicate, Site site);
void matrix_rows(const char* what, const void* row, const unsigned char* (&rows)[8][4], Site site);
void multiply_accumulate_halves(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, bool brain, Site site);
int lane();

struct Copy {
  void* shared;
  const void* global;  // null: zeros
  int group;
};
void copy_begin(void* shared, const void* global, bool wanted, Site site);
void copy_commit();
// the oldest copy that `keep` groups under way do not cover, removed from the queue; false where there is none
bool copy_due(int keep, Copy& copy);

}  // namespace emulation

// where the kernel called it: the last parameter of everything that waits
#define EMULATION_SITE emulation::Site site = {__builtin_FILE(), __builtin_LINE()}

inline void __syncthreads(EMULATION_SITE) {
  emulation::barrier(site);
}
inline int __syncthreads_or(int p, EMULATION_SITE) {
  return emulation::barrier_reduce(0, p != 0, site);
}
inline int __syncthreads_and(int p, EMULATION_SITE) {
  return emulation::barrier_reduce(1, p != 0, site);
}
inline int __syncthreads_count(int p, EMULATION_SITE) {
  return emulation::barrier_reduce(2, p != 0, site);
}
inline void __syncwarp(unsigned mask = ~0u, EMULATION_SITE) {
  emulation::warp_barrier(mask, site);
}
inline void __threadfence() { emulation::fence(); }
inline void __threadfence_block() { emulation::fence(); }

namespace emulation {
template <class T>
inline T shuffle_value(const char* what, unsigned mask, T value, int source, Site site) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "a shuffle moves 4 or 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = shuffle(what, mask, bits, source, site);
  memcpy(&value, &bits, sizeof value);
  return value;
}
}  // namespace emulation
template <class T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = 32, EMULATION_SITE) {
  int first = emulation::lane() & ~(width - 1);
  return emulation::shuffle_value("__shfl_sync", mask, value, first | (source & (width - 1)), site);
}
template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, EMULATION_SITE) {
  int lane = emulation::lane(), source = lane ^ bits;
  if ((source & ~(width - 1)) > (lane & ~(width - 1))) source = lane;
  return emulation::shuffle_value("__shfl_xor_sync", mask, value, source, site);
}
template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, EMULATION_SITE) {
  int lane = emulation::lane(), source = (lane & (width - 1)) + (int)by < width ? lane + (int)by : lane;
  return emulation::shuffle_value("__shfl_down_sync", mask, value, source, site);
}
template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, EMULATION_SITE) {
  int lane = emulation::lane(), source = (lane & (width - 1)) >= (int)by ? lane - (int)by : lane;
  return emulation::shuffle_value("__shfl_up_sync", mask, value, source, site);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, EMULATION_SITE) {
  return emulation::ballot("__ballot_sync", mask, predicate != 0, site);
}
inline int __any_sync(unsigned mask, int predicate, EMULATION_SITE) {
  return emulation::ballot("__any_sync", mask, predicate != 0, site) != 0;
}
inline int __all_sync(unsigned mask, int predicate, EMULATION_SITE) {
  return emulation::ballot("__all_sync", mask, predicate == 0, site) == 0;
}

// ---- names of device.cuh
inline void copy_async16(void* shared, const void* global, bool wanted, EMULATION_SITE) {
  emulation::copy_begin(shared, global, wanted, site);
  for (int i = 0; i < 4; i++) ((uint32_t*)shared)[i] = ~0u;  // from now until it is waited for, it may be anything
}
inline void copy_commit() { emulation::copy_commit(); }
template <int KEEP>
inline void copy_wait() {
  emulation::Copy copy;
  while (emulation::copy_due(KEEP, copy))
    for (int i = 0; i < 4; i++) ((uint32_t*)copy.shared)[i] = copy.global ? ((const uint32_t*)copy.global)[i] : 0u;
}
inline void load_matrix4(uint32_t (&r)[4], const void* row, EMULATION_SITE) {
  const unsigned char* rows[8][4];
  emulation::matrix_rows("load_matrix4", row, rows, site);
  int lane = emulation::lane();
  for (int i = 0; i < 4; i++) r[i] = *(const uint32_t*)(rows[lane / 4][i] + 4 * (lane % 4));
}
inline void load_matrix4_transposed(uint32_t (&r)[4], const void* row, EMULATION_SITE) {
  const unsigned char* rows[8][4];
  emulation::matrix_rows("load_matrix4_transposed", row, rows, site);
  int lane = emulation::lane(), first = 2 * (lane % 4), column = lane / 4;
  for (int i = 0; i < 4; i++) {
    uint32_t low = *(const uint16_t*)(rows[first][i] + 2 * column);
    uint32_t high = *(const uint16_t*)(rows[first + 1][i] + 2 * column);
    r[i] = low | high << 16;
  }
}
namespace emulation {
template <class T> struct IsBrain;
template <> struct IsBrain<f16> { static constexpr bool value = false; };
template <> struct IsBrain<bf16> { static constexpr bool value = true; };
}  // namespace emulation
template <class T>
inline void multiply_accumulate(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                                EMULATION_SITE) {
  emulation::multiply_accumulate_halves(c, a, b0, b1, emulation::IsBrain<T>::value, site);
}
inline float exp2_fast(float x) { return exp2f(x); }
inline float log2_fast(float x) { return log2f(x); }
inline float reciprocal(float x) { return 1.f / x; }

// What the tests of the emulated driver share. Every test runs under all three orders of work, in a context of its own.
#pragma once
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "driver_functions.h"

extern int failures;
extern const char* test_name;
extern int order;  // 0 eager, 1 lazy, 2 reverse
extern const char* const order_names[3];
extern void* context;

void run(const char* name, void (*test)());
#define TEST(name) run(#name, name)
// driver_*_test.cpp
void test_order();
void test_graphs();
void test_memory();
void test_modules();
void test_faults();
void test_cublas();
void check_all_orders();  // what only shows over all three

#define CHECK(condition)                                                                              \
  do {                                                                                                \
    if (!(condition)) {                                                                               \
      failures++;                                                                                     \
      printf("%s (%s): %s:%d: %s\n", test_name, order_names[order], __FILE__, __LINE__, #condition);  \
    }                                                                                                 \
  } while (0)
#define EXPECT(code, call)                                                                            \
  do {                                                                                                \
    const long long got = (call);                                                                     \
    if (got != (code)) {                                                                              \
      failures++;                                                                                     \
      printf("%s (%s): %s:%d: %s is %lld, not %lld\n", test_name, order_names[order], __FILE__, __LINE__, #call, got, \
             (long long)(code));                                                                      \
    }                                                                                                 \
  } while (0)
#define OK(call) EXPECT(0, call)

enum { NON_BLOCKING = 1 };

// ---- short forms

inline uint64_t device(size_t bytes) {
  uint64_t address = 0;
  OK(cuMemAlloc_v2(&address, bytes));
  return address;
}
inline float* pinned(size_t count) {
  void* address = nullptr;
  OK(cuMemHostAlloc(&address, count * sizeof(float), 0));
  return (float*)address;
}
inline void* stream(unsigned flags = NON_BLOCKING) {
  void* handle = nullptr;
  OK(cuStreamCreate(&handle, flags));
  return handle;
}
inline void* event(unsigned flags = 2) {
  void* handle = nullptr;
  OK(cuEventCreate(&handle, flags));
  return handle;
}
inline void* library() {
  void* handle = nullptr;
  OK(cuLibraryLoadData(&handle, "emulated driver_test\n", nullptr, nullptr, 0, nullptr, nullptr, 0));
  return handle;
}
inline void* kernel(void* library, const char* name) {
  void *kernel = nullptr, *function = nullptr;
  OK(cuLibraryGetKernel(&kernel, library, name));
  OK(cuKernelGetFunction(&function, kernel));
  return function;
}
template <class... A> int launch(void* function, int blocks, int threads, unsigned shared, void* stream, A... a) {
  void* parameters[] = {(void*)&a..., nullptr};
  return cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, shared, stream, parameters, nullptr);
}

inline float first(uint64_t address, void* stream) {
  float* host = pinned(1);
  OK(cuMemcpyDtoHAsync_v2(host, address, 4, stream));
  OK(cuStreamSynchronize(stream));
  const float value = host[0];
  OK(cuMemFreeHost(host));
  return value;
}

// everything that the tests of work share
struct Set {
  void* library_ = library();
  void *fill = kernel(library_, "test_fill"), *add = kernel(library_, "test_add");
  void *a = stream(), *b = stream();
  uint64_t x = device(400), y = device(400);
  ~Set() {
    cuMemFree_v2(x);
    cuMemFree_v2(y);
    cuStreamDestroy_v2(a);
    cuStreamDestroy_v2(b);
    cuLibraryUnload(library_);
  }
};

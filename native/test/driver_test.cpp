// Tests of the emulated driver and of its cuBLAS, with kernels of their own:
//   native/test/build OUT opt driver_test native/driver*.cpp native/cublas.cpp native/test/driver*_test.cpp
//     native/test/cublas_test.cpp && OUT/opt/driver_test
// Prints what failed and ends with 1 if anything did. Kernels that fail on purpose say so on the error stream.
#include "driver_test.h"

#include "device.cuh"

KERNEL(test_fill, 256, (float* y, float value, int n)) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = value;
}
KERNEL(test_add, 256, (const float* x, float* y, int n)) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] += x[i];
}
KERNEL(test_shared, 64, (float* y)) {
  DYNAMIC_SHARED(memory);
  float* values = (float*)memory;
  values[threadIdx.x] = (float)threadIdx.x;
  __syncthreads();
  y[threadIdx.x] = values[63 - threadIdx.x];
}
KERNEL(test_trap, 32, ()) {
  if (threadIdx.x == 0) __syncwarp();  // the others never come
}

int failures;
const char* test_name = "before anything";
int order;
const char* const order_names[3] = {"eager", "lazy", "reverse"};
void* context;

void run(const char* name, void (*test)()) {
  test_name = name;
  sidefade_emulation_reset();
  sidefade_emulation_order(order);
  OK(cuInit(0));
  OK(cuDevicePrimaryCtxRetain(&context, 0));
  OK(cuCtxSetCurrent(context));
  test();
  for (int what = 0; what <= 5; what++) EXPECT(0, sidefade_emulation_live(what));
  OK(cuDevicePrimaryCtxRelease_v2(0));
}

int main() {
  EXPECT(3, cuCtxSynchronize());
  for (order = 0; order < 3; order++) {
    test_order();
    test_graphs();
    test_memory();
    test_modules();
    test_faults();
    test_cublas();
  }
  order = 0;
  check_all_orders();
  printf(failures ? "driver_test: %d failures\n" : "driver_test: all well\n", failures);
  return failures != 0;
}

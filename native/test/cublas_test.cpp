// Tests of the emulated cuBLAS.
#include "driver_test.h"

static uint32_t random_state = 1;
static float random_value() {
  random_state = random_state * 1664525 + 1013904223;
  return (float)(random_state >> 8) / (1 << 23) - 1;
}

static uint64_t upload(const std::vector<float>& values) {
  const uint64_t address = device(values.size() * 4);
  OK(cuMemcpyHtoD_v2(address, values.data(), values.size() * 4));
  OK(cuCtxSynchronize());
  return address;
}

static void products() {
  void *handle = nullptr, *s = stream();
  OK(cublasCreate_v2(&handle));
  OK(cublasSetStream_v2(handle, s));
  const int shapes[][3] = {{1, 1, 1}, {17, 5, 3}, {16, 4, 600}, {33, 29, 31}, {5, 40, 257}};
  for (auto& shape : shapes) {
    for (int transposes = 0; transposes < 4; transposes++) {
      const int m = shape[0], n = shape[1], k = shape[2], ta = transposes & 1, tb = transposes >> 1;
      const int lda = (ta ? k : m) + 2, ldb = (tb ? n : k) + 1, ldc = m + 3;
      std::vector<float> a((size_t)lda * (ta ? m : k)), b((size_t)ldb * (tb ? k : n)), c((size_t)ldc * n), out;
      for (float& x : a) x = random_value();
      for (float& x : b) x = random_value();
      for (float& x : c) x = random_value();
      out = c;
      const uint64_t da = upload(a), db = upload(b), dc = upload(c);
      const float alpha = 0.5f, beta = transposes == 3 ? 0 : 2;
      OK(cublasSgemm_v2(handle, ta, tb, m, n, k, &alpha, (float*)da, lda, (float*)db, ldb, &beta, (float*)dc, ldc));
      OK(cuMemcpyDtoHAsync_v2(out.data(), dc, out.size() * 4, s));
      double worst = 0;
      for (int j = 0; j < n; j++) {
        for (int i = 0; i < ldc; i++) {
          double expected = c[i + (size_t)j * ldc];
          if (i < m) {
            expected *= beta;
            for (int p = 0; p < k; p++)
              expected += alpha * (double)a[ta ? p + i * lda : i + p * lda] * b[tb ? j + p * ldb : p + j * ldb];
          }
          worst = fmax(worst, fabs(expected - out[i + (size_t)j * ldc]));
        }
      }
      CHECK(worst < 2e-6 + 0x1p-22 * sqrt(k));
      for (uint64_t address : {da, db, dc}) OK(cuMemFree_v2(address));
    }
  }
  OK(cublasDestroy_v2(handle));
  EXPECT(1, cublasDestroy_v2(handle));
  OK(cuStreamDestroy_v2(s));
}

// Halves, batches, scales on the device, a captured product, TensorFloat-32.
static void kinds_of_products() {
  enum { F32 = 0, F16 = 2, BF16 = 14, COMPUTE = 68, TF32 = 77 };
  void *handle = nullptr, *s = stream(), *graph = nullptr, *executable = nullptr;
  OK(cublasCreate_v2(&handle));
  OK(cublasSetStream_v2(handle, s));
  const float one = 1, zero = 0;
  for (int type : {F16, BF16}) {
    const uint16_t unit = type == F16 ? 0x3c00 : 0x3f80;
    uint16_t values[8] = {unit, unit, (uint16_t)(unit + 1), 0, unit, 0, 0, unit};  // 1 1 1+u 0 | 1 0 0 1, by columns
    const uint64_t x = device(16), y = device(32);
    OK(cuMemcpyHtoDAsync_v2(x, values, 16, s));
    OK(cublasGemmStridedBatchedEx(handle, 0, 0, 2, 2, 2, &one, (void*)x, type, 2, 0, (void*)(x + 8), type, 2, 0, &zero,
                                  (void*)y, F32, 2, 4, 2, COMPUTE, -1));
    float f[8];
    OK(cuMemcpyDtoHAsync_v2(f, y, 32, s));
    const float above = type == F16 ? 1 + 0x1p-10f : 1 + 0x1p-7f;
    for (int i = 0; i < 8; i += 4) CHECK(f[i] == 1 && f[i + 1] == 1 && f[i + 2] == above && f[i + 3] == 0);
    OK(cublasGemmEx(handle, 0, 0, 2, 2, 2, &one, (void*)x, type, 2, (void*)(x + 8), type, 2, &zero, (void*)y, type, 2,
                    COMPUTE, -1));
    uint16_t h[4];
    OK(cuMemcpyDtoHAsync_v2(h, y, 8, s));
    CHECK(!memcmp(h, values, 8));
    EXPECT(15, cublasGemmEx(handle, 0, 0, 2, 2, 2, &one, (void*)x, type, 2, (void*)x, F32, 2, &zero, (void*)y, F32, 2,
                            COMPUTE, -1));
    OK(cuMemFree_v2(x));
    OK(cuMemFree_v2(y));
  }
  const float x = 1 + 0x1p-12f;
  const uint64_t dx = upload({x}), dy = upload({0}), scales = upload({2, 1});
  float y = 0;
  OK(cublasSetMathMode(handle, 3));
  OK(cublasSgemm_v2(handle, 0, 0, 1, 1, 1, &one, (float*)dx, 1, (float*)dx, 1, &zero, (float*)dy, 1));
  OK(cuMemcpyDtoHAsync_v2(&y, dy, 4, s));
  CHECK(y == 1);
  OK(cublasSetMathMode(handle, 2));
  OK(cublasSetPointerMode_v2(handle, 1));
  OK(cuStreamBeginCapture_v2(s, 1));
  OK(cublasSgemm_v2(handle, 0, 0, 1, 1, 1, (float*)scales, (float*)dx, 1, (float*)dx, 1, (float*)(scales + 4),
                    (float*)dy, 1));
  OK(cuStreamEndCapture(s, &graph));
  OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
  OK(cuGraphLaunch(executable, s));
  OK(cuGraphLaunch(executable, s));
  OK(cuMemcpyDtoHAsync_v2(&y, dy, 4, s));
  CHECK(y == (2 * x * x + 1) + 2 * x * x);
  OK(cuGraphExecDestroy(executable));
  OK(cuGraphDestroy(graph));
  for (uint64_t address : {dx, dy, scales}) OK(cuMemFree_v2(address));
  OK(cublasDestroy_v2(handle));
  CHECK(sidefade_emulation_cublas_live() == 0);
  OK(cuStreamDestroy_v2(s));
}

void test_cublas() {
  TEST(products);
  TEST(kinds_of_products);
}

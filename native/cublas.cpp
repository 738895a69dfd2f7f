// The functions of cuBLAS that the library uses, on the emulated driver: products of matrices as work queued on a
// stream.
//
// Sums are in F32 and in a fixed order. Where TensorFloat-32 is asked for, inputs are rounded to it, so that a test
// notices. The workspace is not used. Matrices are in column order, as cuBLAS has them.
#include <cstdint>
#include <cstring>
#include <mutex>
#include <set>
#include <vector>

#include "emulation_types.h"

#define API extern "C" __attribute__((visibility("default")))

enum cublasStatus_t {
  CUBLAS_STATUS_SUCCESS = 0,
  CUBLAS_STATUS_NOT_INITIALIZED = 1,
  CUBLAS_STATUS_ALLOC_FAILED = 3,
  CUBLAS_STATUS_INVALID_VALUE = 7,
  CUBLAS_STATUS_ARCH_MISMATCH = 8,
  CUBLAS_STATUS_MAPPING_ERROR = 11,
  CUBLAS_STATUS_EXECUTION_FAILED = 13,
  CUBLAS_STATUS_INTERNAL_ERROR = 14,
  CUBLAS_STATUS_NOT_SUPPORTED = 15,
};
enum { OP_N = 0, OP_T = 1, OP_C = 2 };
enum { COMPUTE_32F = 68, COMPUTE_32F_PEDANTIC = 69, COMPUTE_32F_FAST_TF32 = 77 };
enum { R_32F = 0, R_16F = 2, R_16BF = 14 };
enum { MATH_TF32 = 3 };
enum { CUDA_ILLEGAL_ADDRESS = 700, CUDA_OUT_OF_MEMORY = 2 };

// driver_faults.cpp
extern "C" int sidefade_emulation_enter(const char* function);
extern "C" int sidefade_emulation_enqueue(void* stream, const char* kind, int (*run)(const void*),
                                          const void* arguments, size_t bytes);
extern "C" int sidefade_emulation_accessible(const void* address, size_t bytes);

struct Handle {
  void* stream;
  int math, pointer_mode, atomics;
};
static std::mutex handles_lock;
static std::set<Handle*>& handles() {
  static auto& h = *new std::set<Handle*>();
  return h;
}
static bool known(Handle* handle) {
  std::lock_guard<std::mutex> hold(handles_lock);
  return handles().count(handle) != 0;
}

static cublasStatus_t enter(const char* function) {
  const int error = sidefade_emulation_enter(function);
  if (error >= 0) return (cublasStatus_t)error;
  return error > -600 ? CUBLAS_STATUS_NOT_INITIALIZED : CUBLAS_STATUS_EXECUTION_FAILED;
}
#define BEGIN(handle)                                                          \
  if (cublasStatus_t status = enter(__func__)) return status;                  \
  if (!known(handle)) return CUBLAS_STATUS_NOT_INITIALIZED

// ---- the products

struct Matrix {
  char* address;
  int type;
  bool transposed;
  int64_t leading, stride;  // in elements

  char* at(int64_t batch) const { return address + batch * stride * (type == R_32F ? 4 : 2); }
};

// c[m, n] = alpha a[m, k] b[k, n] + beta c
struct Product {
  int64_t m, n, k, batches;
  Matrix a, b, c;
  bool scales_on_device, tf32;
  float alpha, beta;
  const float *device_alpha, *device_beta;
};

static float to_tf32(float x) {
  const uint32_t bits = __float_as_uint(x);
  if ((bits & 0x7f800000) == 0x7f800000) return x;
  return __uint_as_float((bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu);
}

static float load(const char* address, int64_t index, int type) {
  if (type == R_32F) return ((const float*)address)[index];
  const uint16_t h = ((const uint16_t*)address)[index];
  return type == R_16F ? __half2float(f16{h}) : __bfloat162float(bf16{h});
}
static void store(char* address, int64_t index, int type, float x) {
  if (type == R_32F) {
    ((float*)address)[index] = x;
  } else {
    ((uint16_t*)address)[index] = type == R_16F ? __float2half_rn(x).bits : __float2bfloat16_rn(x).bits;
  }
}

// Tiles of 16 rows and 4 columns, k in pieces that are summed by themselves: less rounding than one long sum.
static const int ROWS = 16, COLUMNS = 4, PIECE = 64;
typedef float Vector __attribute__((vector_size(32)));

// out[i / width][p][i % width] = the element p of line i; zeros beyond the last line. Lines are rows of a or columns
// of b, along[0] elements apart, their elements along[1] apart.
static void pack(const char* from, int type, bool tf32, int64_t lines, int64_t k, int width, const int64_t along[2],
                 std::vector<float>& out) {
  const int64_t panels = (lines + width - 1) / width;
  out.assign((size_t)(panels * width * k), 0);
  for (int64_t i = 0; i < lines; i++) {
    float* to = out.data() + i / width * width * k + i % width;
    for (int64_t p = 0; p < k; p++) {
      const float x = load(from, i * along[0] + p * along[1], type);
      to[p * width] = tf32 ? to_tf32(x) : x;
    }
  }
}

// sum[column][row] over all k
static void tile(const float* a, const float* b, int64_t k, Vector (&sum)[COLUMNS][2]) {
  for (auto& column : sum) column[0] = column[1] = Vector{};
  for (int64_t from = 0; from < k; from += PIECE) {
    const int64_t to = from + PIECE < k ? from + PIECE : k;
    Vector part[COLUMNS][2] = {};
    for (int64_t p = from; p < to; p++) {
      Vector low, high;
      memcpy(&low, a + p * ROWS, sizeof low);
      memcpy(&high, a + p * ROWS + ROWS / 2, sizeof high);
#pragma GCC unroll 4
      for (int j = 0; j < COLUMNS; j++) {  // unrolled, so that `part` stays in registers
        const float x = b[p * COLUMNS + j];
        part[j][0] += low * x;
        part[j][1] += high * x;
      }
    }
#pragma GCC unroll 4
    for (int j = 0; j < COLUMNS; j++) {
      sum[j][0] += part[j][0];
      sum[j][1] += part[j][1];
    }
  }
}

static void multiply(const Product& p, int64_t batch, float alpha, float beta) {
  std::vector<float> a, b;
  const int64_t a_along[2] = {p.a.transposed ? p.a.leading : 1, p.a.transposed ? 1 : p.a.leading};
  const int64_t b_along[2] = {p.b.transposed ? 1 : p.b.leading, p.b.transposed ? p.b.leading : 1};
  pack(p.a.at(batch), p.a.type, p.tf32, p.m, p.k, ROWS, a_along, a);
  pack(p.b.at(batch), p.b.type, p.tf32, p.n, p.k, COLUMNS, b_along, b);
  char* c = p.c.at(batch);
  for (int64_t column = 0; column < p.n; column += COLUMNS) {
    for (int64_t row = 0; row < p.m; row += ROWS) {
      Vector sum[COLUMNS][2];
      tile(a.data() + row * p.k, b.data() + column * p.k, p.k, sum);
      for (int j = 0; j < COLUMNS && column + j < p.n; j++) {
        for (int i = 0; i < ROWS && row + i < p.m; i++) {
          const int64_t index = row + i + (column + j) * p.c.leading;
          const float x = alpha * sum[j][i / (ROWS / 2)][i % (ROWS / 2)];
          store(c, index, p.c.type, beta == 0 ? x : x + beta * load(c, index, p.c.type));
        }
      }
    }
  }
}

static bool accessible(const Matrix& x, int64_t rows, int64_t columns, int64_t batch) {
  if (!rows || !columns) return true;
  const int64_t elements = (columns - 1) * x.leading + rows;
  return sidefade_emulation_accessible(x.at(batch), (size_t)elements * (x.type == R_32F ? 4 : 2));
}

static int run(const void* arguments) {
  const Product& p = *(const Product*)arguments;
  if (p.scales_on_device &&
      !(sidefade_emulation_accessible(p.device_alpha, 4) && sidefade_emulation_accessible(p.device_beta, 4)))
    return CUDA_ILLEGAL_ADDRESS;
  const float alpha = p.scales_on_device ? *p.device_alpha : p.alpha;
  const float beta = p.scales_on_device ? *p.device_beta : p.beta;
  for (int64_t i = 0; i < p.batches; i++) {
    if (!accessible(p.a, p.a.transposed ? p.k : p.m, p.a.transposed ? p.m : p.k, i) ||
        !accessible(p.b, p.b.transposed ? p.n : p.k, p.b.transposed ? p.k : p.n, i) || !accessible(p.c, p.m, p.n, i))
      return CUDA_ILLEGAL_ADDRESS;
    multiply(p, i, alpha, beta);
  }
  return 0;
}

static bool supported(const Product& p, int compute) {
  const bool f32 = p.a.type == R_32F, half = p.a.type == R_16F || p.a.type == R_16BF;
  return (compute == COMPUTE_32F || compute == COMPUTE_32F_PEDANTIC || compute == COMPUTE_32F_FAST_TF32) &&
         (f32 || half) && p.a.type == p.b.type && (p.c.type == R_32F || p.c.type == p.a.type);
}

static int64_t least(int64_t rows) { return rows > 1 ? rows : 1; }

static cublasStatus_t gemm(Handle* h, int op_a, int op_b, Product p, const void* alpha, const void* beta, int compute) {
  if (op_a < OP_N || op_a > OP_C || op_b < OP_N || op_b > OP_C || p.m < 0 || p.n < 0 || p.k < 0 || p.batches < 0)
    return CUBLAS_STATUS_INVALID_VALUE;
  p.a.transposed = op_a != OP_N;
  p.b.transposed = op_b != OP_N;
  p.c.transposed = false;
  if (p.a.leading < least(p.a.transposed ? p.k : p.m) || p.b.leading < least(p.b.transposed ? p.n : p.k) ||
      p.c.leading < least(p.m) || !alpha || !beta)
    return CUBLAS_STATUS_INVALID_VALUE;
  if (!supported(p, compute)) return CUBLAS_STATUS_NOT_SUPPORTED;
  p.tf32 = compute == COMPUTE_32F_FAST_TF32 || (compute == COMPUTE_32F && p.a.type == R_32F && h->math == MATH_TF32);
  p.scales_on_device = h->pointer_mode != 0;
  if (p.scales_on_device) {
    p.device_alpha = (const float*)alpha;
    p.device_beta = (const float*)beta;
  } else {
    p.alpha = *(const float*)alpha;
    p.beta = *(const float*)beta;
  }
  if (!p.m || !p.n || !p.batches) return CUBLAS_STATUS_SUCCESS;
  const int error = sidefade_emulation_enqueue(h->stream, "gemm", run, &p, sizeof p);
  if (!error) return CUBLAS_STATUS_SUCCESS;
  return error == CUDA_OUT_OF_MEMORY ? CUBLAS_STATUS_ALLOC_FAILED : CUBLAS_STATUS_EXECUTION_FAILED;
}

static Matrix matrix(const void* address, int type, int leading, int64_t stride) {
  return {(char*)address, type, false, leading, stride};
}

static Product product(int m, int n, int k, int batches, Matrix a, Matrix b, Matrix c) {
  return {m, n, k, batches, a, b, c, false, false, 0, 0, nullptr, nullptr};
}

API cublasStatus_t cublasSgemm_v2(Handle* handle, int op_a, int op_b, int m, int n, int k, const float* alpha,
                                  const float* a, int lda, const float* b, int ldb, const float* beta, float* c,
                                  int ldc) {
  BEGIN(handle);
  const Product p = product(m, n, k, 1, matrix(a, R_32F, lda, 0), matrix(b, R_32F, ldb, 0), matrix(c, R_32F, ldc, 0));
  return gemm(handle, op_a, op_b, p, alpha, beta, COMPUTE_32F);
}

API cublasStatus_t cublasSgemmStridedBatched(Handle* handle, int op_a, int op_b, int m, int n, int k,
                                             const float* alpha, const float* a, int lda, long long stride_a,
                                             const float* b, int ldb, long long stride_b, const float* beta, float* c,
                                             int ldc, long long stride_c, int batches) {
  BEGIN(handle);
  const Product p = product(m, n, k, batches, matrix(a, R_32F, lda, stride_a), matrix(b, R_32F, ldb, stride_b),
                            matrix(c, R_32F, ldc, stride_c));
  return gemm(handle, op_a, op_b, p, alpha, beta, COMPUTE_32F);
}

API cublasStatus_t cublasGemmEx(Handle* handle, int op_a, int op_b, int m, int n, int k, const void* alpha,
                                const void* a, int a_type, int lda, const void* b, int b_type, int ldb,
                                const void* beta, void* c, int c_type, int ldc, int compute, int) {
  BEGIN(handle);
  const Product p =
      product(m, n, k, 1, matrix(a, a_type, lda, 0), matrix(b, b_type, ldb, 0), matrix(c, c_type, ldc, 0));
  return gemm(handle, op_a, op_b, p, alpha, beta, compute);
}

API cublasStatus_t cublasGemmStridedBatchedEx(Handle* handle, int op_a, int op_b, int m, int n, int k,
                                              const void* alpha, const void* a, int a_type, int lda,
                                              long long stride_a, const void* b, int b_type, int ldb,
                                              long long stride_b, const void* beta, void* c, int c_type, int ldc,
                                              long long stride_c, int batches, int compute, int) {
  BEGIN(handle);
  const Product p = product(m, n, k, batches, matrix(a, a_type, lda, stride_a), matrix(b, b_type, ldb, stride_b),
                            matrix(c, c_type, ldc, stride_c));
  return gemm(handle, op_a, op_b, p, alpha, beta, compute);
}

// ---- handles

API cublasStatus_t cublasCreate_v2(Handle** handle) {
  if (cublasStatus_t status = enter(__func__)) return status;
  if (!handle) return CUBLAS_STATUS_INVALID_VALUE;
  std::lock_guard<std::mutex> hold(handles_lock);
  *handle = *handles().insert(new Handle{}).first;
  return CUBLAS_STATUS_SUCCESS;
}

API cublasStatus_t cublasDestroy_v2(Handle* handle) {
  if (!known(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  {
    std::lock_guard<std::mutex> hold(handles_lock);
    handles().erase(handle);
    delete handle;
  }
  return enter(__func__);
}

// For tests: how many handles are alive.
API int sidefade_emulation_cublas_live() {
  std::lock_guard<std::mutex> hold(handles_lock);
  return (int)handles().size();
}

API cublasStatus_t cublasSetStream_v2(Handle* handle, void* stream) {
  BEGIN(handle);
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}

API cublasStatus_t cublasGetStream_v2(Handle* handle, void** stream) {
  BEGIN(handle);
  if (!stream) return CUBLAS_STATUS_INVALID_VALUE;
  *stream = handle->stream;
  return CUBLAS_STATUS_SUCCESS;
}

API cublasStatus_t cublasSetWorkspace_v2(Handle* handle, void* workspace, size_t) {
  BEGIN(handle);
  return (uintptr_t)workspace % 256 ? CUBLAS_STATUS_INVALID_VALUE : CUBLAS_STATUS_SUCCESS;
}

API cublasStatus_t cublasSetMathMode(Handle* handle, int mode) {
  BEGIN(handle);
  if ((mode & 15) > 4) return CUBLAS_STATUS_INVALID_VALUE;
  handle->math = mode & 15;
  return CUBLAS_STATUS_SUCCESS;
}

API cublasStatus_t cublasGetMathMode(Handle* handle, int* mode) {
  BEGIN(handle);
  if (!mode) return CUBLAS_STATUS_INVALID_VALUE;
  *mode = handle->math;
  return CUBLAS_STATUS_SUCCESS;
}

API cublasStatus_t cublasSetPointerMode_v2(Handle* handle, int mode) {
  BEGIN(handle);
  if (mode < 0 || mode > 1) return CUBLAS_STATUS_INVALID_VALUE;
  handle->pointer_mode = mode;
  return CUBLAS_STATUS_SUCCESS;
}

API cublasStatus_t cublasSetAtomicsMode(Handle* handle, int mode) {
  BEGIN(handle);
  if (mode < 0 || mode > 1) return CUBLAS_STATUS_INVALID_VALUE;
  handle->atomics = mode;
  return CUBLAS_STATUS_SUCCESS;
}

API cublasStatus_t cublasGetVersion_v2(Handle*, int* version) {
  if (!version) return CUBLAS_STATUS_INVALID_VALUE;
  *version = 130100;
  return CUBLAS_STATUS_SUCCESS;
}

struct StatusName {
  cublasStatus_t status;
  const char *name, *text;
};
#define STATUS_NAME(status, text) {status, #status, text}
static const StatusName status_names[] = {
    STATUS_NAME(CUBLAS_STATUS_SUCCESS, "success"),
    STATUS_NAME(CUBLAS_STATUS_NOT_INITIALIZED, "the library was not initialized"),
    STATUS_NAME(CUBLAS_STATUS_ALLOC_FAILED, "the resource allocation failed"),
    STATUS_NAME(CUBLAS_STATUS_INVALID_VALUE, "an invalid value was used as an argument"),
    STATUS_NAME(CUBLAS_STATUS_ARCH_MISMATCH, "an absent device architectural feature is required"),
    STATUS_NAME(CUBLAS_STATUS_MAPPING_ERROR, "an access to GPU memory space failed"),
    STATUS_NAME(CUBLAS_STATUS_EXECUTION_FAILED, "the GPU program failed to execute"),
    STATUS_NAME(CUBLAS_STATUS_INTERNAL_ERROR, "an internal operation failed"),
    STATUS_NAME(CUBLAS_STATUS_NOT_SUPPORTED, "the functionality requested is not supported"),
};

API const char* cublasGetStatusName(cublasStatus_t status) {
  for (const StatusName& s : status_names)
    if (s.status == status) return s.name;
  return "CUBLAS_STATUS_<unknown>";
}

API const char* cublasGetStatusString(cublasStatus_t status) {
  for (const StatusName& s : status_names)
    if (s.status == status) return s.text;
  return "<unknown>";
}

// Operations on single elements, and sums of columns. All F32.
//
// add:              y += x                               x, y [n]
// gelu:             y = x Phi(x)                         y may be x
// gelu_backward:    dx = dy gelu'(x)                     dx may be dy
// relu:             y = max(x, 0), NaN stays NaN         y may be x
// relu_backward:    dx = dy where y > 0, else 0          dx may be dy
//   one thread for four elements, blocks of 256: grid (n / 1024 rounded up)
//
// bias_add:         y[row] += bias                       y [rows, width], bias [width]
//   grid (rows / rows_of_block rounded up), blocks of 256
//
// column_sums:      sums[slot] = the sum of the rows [slot rows_of_slot, (slot + 1) rows_of_slot) of x
//                                                        x [rows, width], sums [slots, width], written
//   grid (slots, width / 32 rounded up), blocks of 256. Deterministic: which thread adds which row follows from the
//   shape alone. The sum of all rows is the same kernel once more over the slots, as one slot.
#include "chunks.cuh"

constexpr int ELEMENTS_OF_BLOCK = 1024;

// y[i] = f(a[i], b[i]) for four elements of each thread
template <class F> DEVICE void each_element(const float* a, const float* b, float* y, long long n, F f) {
  const long long at = (long long)blockIdx.x * ELEMENTS_OF_BLOCK + threadIdx.x * 4;
  const int count = (int)min(n - at, 4ll);
  const bool whole = aligned16(a) && aligned16(b) && aligned16(y) && count == 4;
  const Pack<float> left = load_chunk(a + at, count, whole);
  const Pack<float> right = a == b ? left : load_chunk(b + at, count, whole);
  Pack<float> result;
#pragma unroll
  for (int k = 0; k < 4; k++) result.v[k] = f(left.v[k], right.v[k]);
  store_chunk(y + at, result, count, whole);
}

DEVICE float normal_distribution(float x) { return 0.5f + 0.5f * erff(0.70710678f * x); }

KERNEL(add, 256, (const float* x, float* y, long long n)) {
  each_element(x, y, y, n, [](float a, float b) { return a + b; });
}

KERNEL(gelu, 256, (const float* x, float* y, long long n)) {
  each_element(x, x, y, n, [](float a, float) { return a * normal_distribution(a); });
}

KERNEL(gelu_backward, 256, (const float* x, const float* dy, float* dx, long long n)) {
  each_element(x, dy, dx, n, [](float a, float d) {
    const float density = 0.39894228f * expf(-0.5f * a * a);
    return d * fmaf(a, density, normal_distribution(a));
  });
}

KERNEL(relu, 256, (const float* x, float* y, long long n)) {
  each_element(x, x, y, n, [](float a, float) { return a < 0.f ? 0.f : a; });
}

KERNEL(relu_backward, 256, (const float* y, const float* dy, float* dx, long long n)) {
  each_element(y, dy, dx, n, [](float a, float d) { return a > 0.f ? d : 0.f; });
}

KERNEL(bias_add, 256, (float* y, const float* bias, long long rows, int width, int rows_of_block)) {
  const long long first = (long long)blockIdx.x * rows_of_block;
  const int chunks = (width + 3) / 4;
  const int here = (int)min(rows - first, (long long)rows_of_block) * chunks;
  const bool whole = whole_chunks(y, width);
  const bool whole_bias = whole_chunks(bias, width);
  for (int i = threadIdx.x; i < here; i += 256) {
    const int row = i / chunks;
    const int column = (i - row * chunks) * 4;
    float* at = y + (first + row) * width + column;
    Pack<float> values = load_chunk(at, width - column, whole);
    const Pack<float> added = load_chunk(bias + column, width - column, whole_bias);
#pragma unroll
    for (int k = 0; k < 4; k++) values.v[k] += added.v[k];
    store_chunk(at, values, width - column, whole);
  }
}

KERNEL(column_sums, 256, (const float* x, long long rows, int width, int rows_of_slot, float* sums)) {
  const int column = blockIdx.y * 32 + lane_index();
  const long long first = (long long)blockIdx.x * rows_of_slot;
  const long long end = min(rows, first + rows_of_slot);
  float sum = 0;
  if (column < width) {
#pragma unroll 8
    for (long long row = first + warp_index(); row < end; row += 8) sum += x[row * width + column];
  }
  sum = sum_over_warps<8>(sum);
  if (warp_index() == 0 && column < width) sums[(long long)blockIdx.x * width + column] = sum;
}

// Rows of any width at any address, read and written in chunks of 16 bytes where the addresses allow it.
//
// Which thread has which element never depends on the address: a chunk that may not be moved at once is moved element
// by element by the same thread. So sums are taken in the same order, and results are the same bits, wherever a tensor
// lies.
#pragma once
#include "device.cuh"

// Whether all chunks of all rows of a matrix can be moved at once. Uniform over a launch.
template <class T> DEVICE bool whole_chunks(const T* x, int width) {
  return aligned16(x) && width % Pack<T>::N == 0;
}

// The elements p[0 .. count), at most Pack<T>::N of them, zeros behind; a count below 1 reads nothing.
template <class T> DEVICE Pack<T> load_chunk(const T* p, int count, bool whole) {
  Pack<T> chunk;
  if (whole && count > 0) {
    chunk = load16(p);
  } else {
#pragma unroll
    for (int k = 0; k < Pack<T>::N; k++) chunk.v[k] = k < count ? p[k] : from_float<T>(0.f);
  }
  return chunk;
}

template <class T> DEVICE void store_chunk(T* p, const Pack<T>& chunk, int count, bool whole) {
  if (whole && count > 0) {
    store16(p, chunk);
  } else {
#pragma unroll
    for (int k = 0; k < Pack<T>::N; k++)
      if (k < count) p[k] = chunk.v[k];
  }
}

// Sums of a column each: every lane of WARPS warps, the whole block, brings its part; warp 0 gets the sums, in the order of
// the warps.
template <int WARPS> DEVICE float sum_over_warps(float sum) {
  SHARED(float, partial, 32 * WARPS);
  partial[threadIdx.x] = sum;
  __syncthreads();
  if (warp_index() == 0)
    for (int warp = 1; warp < WARPS; warp++) sum += partial[warp * 32 + lane_index()];
  return sum;
}

// N (4 or 8) parameters p[0 .. count), zeros behind
template <int N> DEVICE void load_floats(float (&values)[N], const float* p, int count, bool whole) {
#pragma unroll
  for (int i = 0; i < N; i += 4) {
    const Pack<float> chunk = load_chunk(p + i, count - i, whole);
#pragma unroll
    for (int k = 0; k < 4; k++) values[i + k] = chunk.v[k];
  }
}

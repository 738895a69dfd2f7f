// From tokens to the rows that a head reads, and back. x, y, dy, dx of one type (_f32, _f16, _bf16).
//
// pool:           y [batch, parts * width] from x [batch, tokens, width]: the first token where first_token, then,
//                 where mean, the mean over the valid tokens from `prefix` on (0 where there are none)
// pool_backward:  dx [batch, tokens, width] from dy, every row written
//   grid (batch, width / (32 chunks of 16 bytes) rounded up), blocks of 256: a warp takes every eighth token
// pool_tokens:    y = x, both [rows, width], but 0 in rows of padding: this is its own gradient
//   grid (rows / rows_of_block rounded up), blocks of 256
//
// valid [batch * tokens] F32, 0 = padding, or null. Rows of padding are not read (but for a first token that is taken).
// Deterministic: a column's sum is that of eight warps, each in the order of the tokens, added in order.
#include "chunks.cuh"

DEVICE bool is_token(const float* valid, long long row) { return valid == nullptr || valid[row] != 0.f; }

template <class T>
DEVICE void pool(const T* x, const float* valid, int tokens, int prefix, int width, int first_token, int mean, T* y) {
  constexpr int N = Pack<T>::N;
  SHARED(float, sums, 256 * N);
  SHARED(int, counts, 8);
  const int lane = lane_index(), warp = warp_index();
  const int column = (blockIdx.y * 32 + lane) * N;
  const int left = width - column;
  const bool whole_x = whole_chunks(x, width), whole_y = whole_chunks(y, width);
  const long long first = (long long)blockIdx.x * tokens;
  T* to = y + (long long)blockIdx.x * width * (first_token + mean) + column;
  if (first_token && warp == 0) store_chunk(to, load_chunk(x + first * width + column, left, whole_x), left, whole_y);
  if (!mean) return;
  if (first_token) to += width;
  float sum[N];
  int count = 0;
#pragma unroll
  for (int k = 0; k < N; k++) sum[k] = 0.f;
#pragma unroll 4
  for (int token = prefix + warp; token < tokens; token += 8) {
    if (is_token(valid, first + token)) {
      count++;
      const Pack<T> chunk = load_chunk(x + (first + token) * width + column, left, whole_x);
#pragma unroll
      for (int k = 0; k < N; k++) sum[k] += to_float(chunk.v[k]);
    }
  }
#pragma unroll
  for (int k = 0; k < N; k++) sums[k * 256 + threadIdx.x] = sum[k];
  if (lane == 0) counts[warp] = count;
  __syncthreads();
  if (warp != 0) return;
  for (int other = 1; other < 8; other++) {
    count += counts[other];
#pragma unroll
    for (int k = 0; k < N; k++) sum[k] += sums[k * 256 + other * 32 + lane];
  }
  const float per_token = count == 0 ? 0.f : reciprocal((float)count);
  Pack<T> result;
#pragma unroll
  for (int k = 0; k < N; k++) result.v[k] = from_float<T>(sum[k] * per_token);
  store_chunk(to, result, left, whole_y);
}

template <class T>
DEVICE void pool_backward(const T* dy, const float* valid, int tokens, int prefix, int width, int first_token, int mean,
                          T* dx) {
  constexpr int N = Pack<T>::N;
  SHARED(int, counts, 8);
  const int lane = lane_index(), warp = warp_index();
  const int column = (blockIdx.y * 32 + lane) * N;
  const int left = width - column;
  const bool whole_dy = whole_chunks(dy, width), whole_dx = whole_chunks(dx, width);
  const long long first = (long long)blockIdx.x * tokens;
  int count = 0;
  if (mean)
    for (int token = prefix + warp; token < tokens; token += 8) count += is_token(valid, first + token);
  if (lane == 0) counts[warp] = count;
  __syncthreads();
  count = 0;
  for (int other = 0; other < 8; other++) count += counts[other];
  const float per_token = count == 0 ? 0.f : reciprocal((float)count);
  const T* from = dy + (long long)blockIdx.x * width * (first_token + mean) + column;
  const Pack<T> of_first = load_chunk(from, first_token ? left : 0, whole_dy);
  const Pack<T> of_mean = load_chunk(from + (first_token ? width : 0), mean ? left : 0, whole_dy);
  for (int token = warp; token < tokens; token += 8) {
    const bool in_mean = mean && token >= prefix && is_token(valid, first + token);
    const bool taken = first_token && token == 0;
    Pack<T> result;
#pragma unroll
    for (int k = 0; k < N; k++) {
      const float share = in_mean ? to_float(of_mean.v[k]) * per_token : 0.f;
      result.v[k] = from_float<T>(taken ? share + to_float(of_first.v[k]) : share);
    }
    store_chunk(dx + (first + token) * width + column, result, left, whole_dx);
  }
}

template <class T>
DEVICE void pool_tokens(const T* x, const float* valid, T* y, long long rows, int width, int rows_of_block) {
  constexpr int N = Pack<T>::N;
  const bool whole_x = whole_chunks(x, width), whole_y = whole_chunks(y, width);
  const long long first = (long long)blockIdx.x * rows_of_block;
  const int chunks = (width + N - 1) / N;
  const int here = (int)min(rows - first, (long long)rows_of_block) * chunks;
  for (int i = threadIdx.x; i < here; i += 256) {
    const int place = i / chunks;
    const int column = (i - place * chunks) * N;
    const long long row = first + place, at = row * width + column;
    const int wanted = is_token(valid, row) ? width - column : 0;
    store_chunk(y + at, load_chunk(x + at, wanted, whole_x), width - column, whole_y);
  }
}

#define POOL(T, suffix) \
  KERNEL(pool_##suffix, 256, \
         (const T* x, const float* valid, int tokens, int prefix, int width, int first_token, int mean, T* y)) { \
    pool<T>(x, valid, tokens, prefix, width, first_token, mean, y); \
  } \
  KERNEL(pool_backward_##suffix, 256, \
         (const T* dy, const float* valid, int tokens, int prefix, int width, int first_token, int mean, T* dx)) { \
    pool_backward<T>(dy, valid, tokens, prefix, width, first_token, mean, dx); \
  } \
  KERNEL(pool_tokens_##suffix, 256, \
         (const T* x, const float* valid, T* y, long long rows, int width, int rows_of_block)) { \
    pool_tokens<T>(x, valid, y, rows, width, rows_of_block); \
  }

POOL(float, f32)
POOL(f16, f16)
POOL(bf16, bf16)

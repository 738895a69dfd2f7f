// Feature matching: a low-rank alignment f = z down up, its squared error against the backbone's features, all
// gradients.
//
//   z, dz [rows, side], down, ddown [side, rank], up, dup [rank, wide]: F32; dz is added to, ddown and dup are written
//   h [rows, wide]: F32, F16 or BF16; t(h) is h or its layer norm without parameters (epsilon 1e-6)
//   loss = weight / (wide count) sum of (f - t(h))^2 over the counted rows; 0 and no gradients without any
//   list: the counted rows as in ladder_selection.cuh, or null for all; others are not read in z and h, and their dz is
//     left alone
//   weight: one float on the device, the only value that differs from step to step
//
// In order of launch (all but feature_matching_* for any rank):
//   feature_moments_*      mean and 1 / sqrt(variance + epsilon) of h's counted rows; only where t standardizes
//   feature_encode_*       e = z down, packed: row i of e belongs to row list[i] of z
//   feature_matching_*_N   reads h once: residual tiles on chip, and from them parts of de = residual up^T per 256
//                          columns, of dup = e^T residual per run of rows, of the squares per block; ranks up to N
//   feature_decode         dz += de down^T and parts of ddown = z^T de per run of rows
//   feature_finish         parts of ddown, dup and the squares summed, the factor of the loss
// For ranks above 64 the products with up are the larger part of the work and are left to cuBLAS, a block of rows at a
// time; feature_residual_* makes the residual between them.
//
// Nothing as wide as h is written to memory but that block of rows. Parts are summed in fixed order, runs of rows
// depend on the number of counted rows and the grid alone, and no result depends on how a tensor is aligned.
// All matrices are dense and row-major, at any multiple of their element.
#include "feature_matching_f32.cuh"
#include "feature_matching_half.cuh"

constexpr float STANDARDIZE_EPSILON = 1e-6f;

// the elements `column`... of a row, 0 beyond its end; column is a multiple of their number
template <class T> DEVICE Pack<T> load_columns(const T* row, int column, int wide, bool vector) {
  if (vector) return load16(row + column);
  Pack<T> r;
#pragma unroll
  for (int i = 0; i < Pack<T>::N; i++) r.v[i] = column + i < wide ? row[column + i] : from_float<T>(0.f);
  return r;
}

// moments [counted rows, 2]. grid (rows / 8), 256 threads: a warp per row, which is in the cache when it is read again
template <class T> DEVICE void feature_moments(const T* h, Selection selection, float* moments, int wide) {
  constexpr int N = Pack<T>::N;
  const int i = blockIdx.x * 8 + warp_index();
  if (i >= selection.count()) return;
  const T* row = h + (long long)selection.row(i) * wide;
  const bool vector = wide % N == 0 && aligned16(row);
  const float share = reciprocal((float)wide);
  float sum = 0.f;
  for (int c = lane_index() * N; c < wide; c += 32 * N) {
    const Pack<T> x = load_columns(row, c, wide, vector);
#pragma unroll
    for (int k = 0; k < N; k++) sum += to_float(x.v[k]);
  }
  const float mean = warp_sum(sum) * share;
  float squares = 0.f;
  for (int c = lane_index() * N; c < wide; c += 32 * N) {
    const Pack<T> x = load_columns(row, c, wide, vector);
#pragma unroll
    for (int k = 0; k < N; k++) {
      const float d = c + k < wide ? to_float(x.v[k]) - mean : 0.f;
      squares = fmaf(d, d, squares);
    }
  }
  const float variance = warp_sum(squares) * share;
  if (lane_index() == 0) {
    moments[2 * (long long)i] = mean;
    moments[2 * (long long)i + 1] = reciprocal(sqrtf(variance + STANDARDIZE_EPSILON));
  }
}

// e [rows, stride] = z down for the counted rows, 0 in rows and columns beyond them, stride >= rank.
// grid (rows / 32, stride / 16), 128 threads: a thread has four rows of one column
template <class T>
DEVICE void feature_encode(const float* z, const float* down, Selection selection, T* e, int side, int rank,
                           int stride) {
  constexpr int STEP = 32, ROWS = 32, RANKS = 16, ROW_STRIDE = ROWS + 4;
  SHARED(float, z_tile, STEP * ROW_STRIDE);  // [k, row]
  SHARED(float, down_tile, STEP * RANKS);    // [k, rank]
  const int first = blockIdx.x * ROWS, there = min(ROWS, selection.count() - first);
  const int rank0 = blockIdx.y * RANKS, r = threadIdx.x % RANKS, row0 = threadIdx.x / RANKS * 4;
  float sum[4] = {};
  for (int k0 = 0; k0 < side && there > 0; k0 += STEP) {
    const int k = k0 + lane_index();
    for (int row = warp_index(); row < ROWS; row += 4)
      z_tile[lane_index() * ROW_STRIDE + row] =
          row < there && k < side ? z[(long long)selection.row(first + row) * side + k] : 0.f;
    for (int i = threadIdx.x; i < STEP * RANKS; i += 128) {
      const int depth = k0 + i / RANKS, column = rank0 + i % RANKS;
      down_tile[i] = depth < side && column < rank ? down[(long long)depth * rank + column] : 0.f;
    }
    __syncthreads();
#pragma unroll 8
    for (int i = 0; i < STEP; i++) {
      const Pack<float> x = load16(z_tile + i * ROW_STRIDE + row0);
      const float d = down_tile[i * RANKS + r];
#pragma unroll
      for (int row = 0; row < 4; row++) sum[row] = fmaf(x.v[row], d, sum[row]);
    }
    __syncthreads();
  }
  if (rank0 + r >= stride) return;
#pragma unroll
  for (int row = 0; row < 4; row++)
    if (first + row0 + row < selection.rows)
      e[(long long)(first + row0 + row) * stride + rank0 + r] = from_float<T>(sum[row]);
}

// f [counted row - first, wide] becomes f - t(h), or 0 beyond the counted rows; squares [row] their sums. grid (rows of
// f), 256 threads: a block per row
template <class T>
DEVICE void feature_residual(float* f, const T* h, const float* moments, Selection selection, float* squares, int first,
                             int wide) {
  const int i = first + blockIdx.x;
  const bool there = i < selection.count();
  const T* row = h + (there ? (long long)selection.row(i) * wide : 0);
  float* out = f + (long long)blockIdx.x * wide;
  const float mean = there && moments ? moments[2 * (long long)i] : 0.f;
  const float rstd = there && moments ? moments[2 * (long long)i + 1] : 1.f;
  float sum = 0.f;
  for (int c = threadIdx.x; c < wide; c += 256) {
    const float d = there ? out[c] - (to_float(row[c]) - mean) * rstd : 0.f;
    out[c] = d;
    sum = fmaf(d, d, sum);
  }
  sum = block_sum<256>(sum);
  if (threadIdx.x == 0) squares[i] = sum;
}

// moments: null where t is the identity. grid (runs of rows, wide / 256), 256 threads
#define MATCH_F32(N, ROWS)                                                                                            \
  KERNEL(feature_matching_f32_##N, 256,                                                                               \
         (const float* e, const float* up, const float* h, const float* moments, const int* list, float* de_parts,    \
          float* dup_parts, float* squares_parts, int rows, int wide, int rank)) {                                    \
    MatchF32<N, ROWS>::run(e, up, h, moments, Selection{list, rows}, wide, rank, de_parts, dup_parts, squares_parts); \
  }
MATCH_F32(16, 32)
MATCH_F32(32, 32)
MATCH_F32(64, 16)

// the same; e [rows, N] of the features' type
#define MATCH_HALF(T, suffix, N, ROWS)                                                                                \
  KERNEL(feature_matching_##suffix##_##N, 256,                                                                        \
         (const T* e, const float* up, const T* h, const float* moments, const int* list, float* de_parts,            \
          float* dup_parts, float* squares_parts, int rows, int wide, int rank)) {                                    \
    MatchHalf<T, N, ROWS>::run(e, up, h, moments, Selection{list, rows}, wide, rank, de_parts, dup_parts,             \
                               squares_parts);                                                                        \
  }
MATCH_HALF(f16, f16, 16, 32)
MATCH_HALF(f16, f16, 32, 32)
MATCH_HALF(f16, f16, 48, 16)
MATCH_HALF(f16, f16, 64, 16)
MATCH_HALF(bf16, bf16, 16, 32)
MATCH_HALF(bf16, bf16, 32, 32)
MATCH_HALF(bf16, bf16, 48, 16)
MATCH_HALF(bf16, bf16, 64, 16)

#define BY_TYPE(T, suffix)                                                                                            \
  KERNEL(feature_moments_##suffix, 256, (const T* h, const int* list, float* moments, int rows, int wide)) {          \
    feature_moments<T>(h, Selection{list, rows}, moments, wide);                                                      \
  }                                                                                                                   \
  KERNEL(feature_encode_##suffix, 128,                                                                                \
         (const float* z, const float* down, const int* list, T* e, int rows, int side, int rank, int stride)) {      \
    feature_encode<T>(z, down, Selection{list, rows}, e, side, rank, stride);                                         \
  }                                                                                                                   \
  KERNEL(feature_residual_##suffix, 256,                                                                              \
         (float* f, const T* h, const float* moments, const int* list, float* squares, int rows, int first,           \
          int wide)) {                                                                                                \
    feature_residual<T>(f, h, moments, Selection{list, rows}, squares, first, wide);                                  \
  }
BY_TYPE(float, f32)
BY_TYPE(f16, f16)
BY_TYPE(bf16, bf16)

// weight / (wide count), 0 without counted rows
DEVICE float feature_mean(const float* weight, int count, int wide) {
  return count > 0 ? *weight * reciprocal((float)wide * (float)count) : 0.f;
}

// dz += 2 mean de down^T, ddown_parts[blockIdx.x] [side, rank] = z^T de over the block's run of counted rows.
// de_parts [parts, rows, rank]: its sum is de. grid (runs, side / 32), 128 threads: a block has 32 columns of z
KERNEL(feature_decode, 128,
       (const float* z, const float* down, const int* list, const float* de_parts, const float* weight, float* dz,
        float* ddown_parts, int parts, int rows, int side, int rank, int wide)) {
  constexpr int ROWS = 32, RANKS = 64, WARPS = 4, DE_STRIDE = ROWS + 4, WARP_ROWS = ROWS / WARPS;
  SHARED(float, de_tile, RANKS * DE_STRIDE);  // [rank, row]
  SHARED(float, z_tile, ROWS * 32);
  SHARED(float, down_tile, RANKS * 33);  // [rank, column of z]
  SHARED(int, number, ROWS);
  const Selection selection{list, rows};
  const int count = selection.count(), column0 = blockIdx.y * 32, column = column0 + lane_index();
  const float scale = 2.f * feature_mean(weight, count, wide);
  const Chunk chunk(count, blockIdx.x, gridDim.x);
  for (int rank0 = 0; rank0 < rank; rank0 += RANKS) {
    const int ranks = min(RANKS, rank - rank0), mine = (ranks + WARPS - 1) / WARPS;  // ranks of ddown of a warp
    float sum[RANKS / WARPS] = {};
    for (int i = warp_index(); i < 32; i += WARPS)
      for (int r = lane_index(); r < ranks; r += 32)
        down_tile[r * 33 + i] = column0 + i < side ? down[(long long)(column0 + i) * rank + rank0 + r] : 0.f;
    for (int first = chunk.begin; first < chunk.end; first += ROWS) {
      const int there = min(ROWS, chunk.end - first);
      if (threadIdx.x < ROWS) number[threadIdx.x] = (int)threadIdx.x < there ? selection.row(first + threadIdx.x) : -1;
      __syncthreads();
      for (int row = warp_index(); row < ROWS; row += WARPS) {
        const bool wanted = row < there && column < side;
        z_tile[row * 32 + lane_index()] = wanted ? z[(long long)number[row] * side + column] : 0.f;
        for (int r = lane_index(); r < mine * WARPS; r += 32) {
          float de = 0.f;
          if (row < there && r < ranks)
            for (int p = 0; p < parts; p++) de += de_parts[((long long)p * rows + first + row) * rank + rank0 + r];
          de_tile[r * DE_STRIDE + row] = de;
        }
      }
      __syncthreads();
#pragma unroll 2
      for (int row = 0; row < ROWS; row += 4) {
        float x[4];
#pragma unroll
        for (int k = 0; k < 4; k++) x[k] = z_tile[(row + k) * 32 + lane_index()];
#pragma unroll
        for (int i = 0; i < RANKS / WARPS; i++) {
          if (i >= mine) break;
          const Pack<float> de = load16(de_tile + (warp_index() * mine + i) * DE_STRIDE + row);
#pragma unroll
          for (int k = 0; k < 4; k++) sum[i] = fmaf(x[k], de.v[k], sum[i]);
        }
      }
      float gradient[WARP_ROWS] = {};
#pragma unroll 2
      for (int r = 0; r < ranks; r++) {
        const float d = down_tile[r * 33 + lane_index()];
#pragma unroll
        for (int i = 0; i < WARP_ROWS; i += 4) {
          const Pack<float> de = load16(de_tile + r * DE_STRIDE + warp_index() * WARP_ROWS + i);
#pragma unroll
          for (int k = 0; k < 4; k++) gradient[i + k] = fmaf(de.v[k], d, gradient[i + k]);
        }
      }
#pragma unroll
      for (int i = 0; i < WARP_ROWS; i++) {
        const int row = number[warp_index() * WARP_ROWS + i];
        if (row >= 0 && column < side) dz[(long long)row * side + column] += scale * gradient[i];
      }
      __syncthreads();
    }
    __syncthreads();  // no tile at all: down_tile of the ranks before may still be in use
#pragma unroll
    for (int i = 0; i < RANKS / WARPS; i++) {
      const int r = warp_index() * mine + i;
      if (i < mine && r < ranks && column < side)
        ddown_parts[((long long)blockIdx.x * side + column) * rank + rank0 + r] = sum[i];
    }
  }
}

// ddown, dup and loss from their parts. grid ((side + wide) rank / 256 + 1), 256 threads; the last block has the loss
KERNEL(feature_finish, 256,
       (const float* ddown_parts, const float* dup_parts, const float* squares_parts, const float* weight,
        const int* list, float* ddown, float* dup, float* loss, int down_parts, int up_parts, long long squares_count,
        int rows, int side, int rank, int wide)) {
  const int count = Selection{list, rows}.count();
  const float mean = feature_mean(weight, count, wide);
  if (blockIdx.x == gridDim.x - 1) {
    float squares = 0.f;
    for (long long i = threadIdx.x; i < squares_count; i += 256) squares += squares_parts[i];
    squares = block_sum<256>(squares);
    if (threadIdx.x == 0) *loss = squares * mean;
    return;
  }
  const long long down_size = (long long)side * rank, up_size = (long long)rank * wide;
  const long long element = (long long)blockIdx.x * 256 + threadIdx.x;
  if (element >= down_size + up_size) return;
  const bool is_down = element < down_size;
  const long long at = is_down ? element : element - down_size, size = is_down ? down_size : up_size;
  const float* part = (is_down ? ddown_parts : dup_parts) + at;
  const int parts = is_down ? down_parts : up_parts;
  float sum = 0.f;
#pragma unroll 8
  for (int p = 0; p < parts; p++) sum += part[p * size];
  (is_down ? ddown : dup)[at] = 2.f * mean * sum;
}

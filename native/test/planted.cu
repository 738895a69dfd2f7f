// Kernels that are right with bug = 0 and wrong with bug = 1, each in one way. What must notice which: planted.cpp.
// Each moves 128 numbers a block from x to y and turns them round: y[block][i] = x[block][127 - i].
#include "device.cuh"

static constexpr int N = 128;

DEVICE const float* row(const float* x) { return x + (long long)blockIdx.x * N; }
DEVICE float* row(float* y) { return y + (long long)blockIdx.x * N; }

#define PLANTED(name) KERNEL(name, N, (const float* x, float* y, int n, int bug))

PLANTED(missing_barrier) {
  SHARED(float, tile, N);
  int i = threadIdx.x;
  tile[i] = row(x)[i];
  if (!bug) __syncthreads();
  row(y)[i] = tile[N - 1 - i];
}

// the tile is filled again while others still read it
PLANTED(missing_second_barrier) {
  SHARED(float, tile, N);
  int i = threadIdx.x;
  float first = 0.f;
  for (int turn = 0; turn < 2; turn++) {
    tile[i] = turn ? 0.f : row(x)[i];
    __syncthreads();
    first += tile[N - 1 - i];
    if (!bug) __syncthreads();
  }
  row(y)[i] = first;
}

PLANTED(missing_warp_barrier) {
  SHARED(float, tile, N);
  int i = threadIdx.x, turned = i ^ 31;
  tile[i] = row(x)[i];
  if (!bug) __syncwarp();
  row(y)[N - 1 - turned] = tile[turned];
}

PLANTED(missing_copy_wait) {
  SHARED(float, tile, N);
  int i = threadIdx.x;
  if (i < N / 4) copy_async16(tile + 4 * i, row(x) + 4 * i, true);
  copy_commit();
  if (!bug) copy_wait<0>();
  __syncthreads();
  row(y)[i] = tile[N - 1 - i];
  copy_wait<0>();
}

// two groups, and the second one is still under way
PLANTED(short_copy_wait) {
  SHARED(float, tile, N);
  int i = threadIdx.x;
  for (int half = 0; half < 2; half++) {
    if (i < N / 8) copy_async16(tile + 64 * half + 4 * i, row(x) + 64 * half + 4 * i, true);
    copy_commit();
  }
  bug ? copy_wait<1>() : copy_wait<0>();
  __syncthreads();
  row(y)[i] = tile[N - 1 - i];
  copy_wait<0>();
}

PLANTED(copy_without_barrier) {
  SHARED(float, tile, N);
  int i = threadIdx.x;
  if (i < N / 4) copy_async16(tile + 4 * i, row(x) + 4 * i, true);
  copy_commit();
  copy_wait<0>();
  if (!bug) __syncthreads();
  row(y)[i] = tile[N - 1 - i];
}

// the next copy begins while others still read what it overwrites
PLANTED(copy_too_early) {
  SHARED(float, tile, N);
  int i = threadIdx.x;
  tile[i] = row(x)[i];
  __syncthreads();
  float mine = tile[N - 1 - i];
  if (!bug) __syncthreads();
  if (i < N / 4) copy_async16(tile + 4 * i, nullptr, false);
  copy_commit();
  copy_wait<0>();
  row(y)[i] = mine;
}

PLANTED(unwritten_shared) {
  SHARED(float, tile, N);
  int i = threadIdx.x;
  if (!bug || i) tile[i] = row(x)[i];
  __syncthreads();
  row(y)[i] = tile[N - 1 - i];
}

PLANTED(global_read) {
  SHARED(float, tile, N);
  int i = threadIdx.x;
  tile[i] = row(x)[i];
  if (bug && blockIdx.x == gridDim.x - 1) tile[i] = tile[i] + 0.f * row(x)[i + 1];
  __syncthreads();
  row(y)[i] = tile[N - 1 - i];
}

PLANTED(global_write) {
  int i = threadIdx.x;
  row(y)[i] = row(x)[N - 1 - i];
  if (bug && blockIdx.x == gridDim.x - 1) row(y)[i + 1] = row(x)[i < N - 1 ? N - 2 - i : 0];
}

PLANTED(static_shared_read) {
  SHARED(float, tile, N);
  SHARED(float, other, N);
  int i = threadIdx.x;
  tile[i] = row(x)[i];
  other[i] = 0.f;
  __syncthreads();
  row(y)[i] = tile[N - 1 - i + (bug && i == 0)] + other[i];
}

PLANTED(static_shared_write) {
  SHARED(float, tile, N);
  int i = threadIdx.x;
  tile[i] = row(x)[i];
  __syncthreads();
  row(y)[i] = tile[N - 1 - i];
  if (bug) tile[i + 1] = 0.f;
}

PLANTED(dynamic_shared_read) {
  DYNAMIC_SHARED(bytes);
  float* tile = (float*)bytes;
  int i = threadIdx.x;
  tile[i] = row(x)[i];
  __syncthreads();
  row(y)[i] = tile[N - 1 - i + (bug && i == 0)];
}

PLANTED(dynamic_shared_write) {
  DYNAMIC_SHARED(bytes);
  float* tile = (float*)bytes;
  int i = threadIdx.x;
  tile[i] = row(x)[i];
  __syncthreads();
  row(y)[i] = tile[N - 1 - i];
  if (bug && i == N - 1) tile[i + 1] = 0.f;
}

PLANTED(divergent_barrier) {
  SHARED(float, tile, N);
  int i = threadIdx.x;
  tile[i] = row(x)[i];
  if (bug && i < 32)
    __syncthreads();
  else
    __syncthreads();
  if (!bug) __syncthreads();
  row(y)[i] = tile[N - 1 - i];
}

PLANTED(half_warp) {
  int i = threadIdx.x;
  float v = row(x)[N - 1 - i];
  if (!bug || (i & 31) < 16) v += 0.f * warp_sum(v);
  __syncthreads();
  row(y)[i] = v;
}

PLANTED(exited_lanes) {
  int i = threadIdx.x;
  float v = row(x)[N - 1 - i];
  row(y)[i] = v;
  if (bug && (i & 31) >= 16) return;
  row(y)[i] = v + 0.f * warp_sum(v);
}

PLANTED(shuffle_outside_mask) {
  int i = threadIdx.x, lane = i & 31;
  float v = row(x)[N - 1 - i];
  if (lane < 16) v += 0.f * __shfl_sync(0xffffu, v, bug ? 16 + lane : 15 - lane);
  row(y)[i] = v;
}

PLANTED(diverged_warp) {
  int i = threadIdx.x;
  float v = row(x)[N - 1 - i];
  if (bug && (i & 1))
    v += 0.f * __shfl_xor_sync(~0u, v, 1);
  else
    v += 0.f * __shfl_xor_sync(~0u, v, 2);
  row(y)[i] = v;
}

PLANTED(two_blocks_write) {
  int i = threadIdx.x;
  row(y)[i] = row(x)[N - 1 - i];
  if (bug && i == 0 && blockIdx.x) y[0] = x[N - 1];
}

// blocks have no order: what another one stored must not be read in the same launch
PLANTED(block_reads_neighbour) {
  int i = threadIdx.x;
  row(y)[i] = row(x)[N - 1 - i];
  if (bug && i == 0 && blockIdx.x) row(y)[0] += 0.f * row(y)[-N];
}

PLANTED(misaligned_copy) {
  SHARED(float, tile, N + 4);
  int i = threadIdx.x;
  tile[i] = row(x)[i];
  __syncthreads();
  float v = tile[N - 1 - i];
  __syncthreads();
  if (i == 0) copy_async16(tile, row(x) + bug, true);
  copy_commit();
  copy_wait<0>();
  row(y)[i] = v;
}

PLANTED(misaligned_load) {
  int i = threadIdx.x;
  Pack<float> pack = load16(row(x) + (i < N / 2 ? 4 * (i / 4) + bug : 0));
  row(y)[i] = row(x)[N - 1 - i] + 0.f * pack.v[i & 3];
}

// every warp reads what its neighbour stored
PLANTED(matrix_without_barrier) {
  SHARED(uint32_t, tile, N);  // 4 matrices of 8 rows of 16 bytes
  int i = threadIdx.x, lane = i & 31;
  tile[i] = __float_as_uint(row(x)[i]);
  if (!bug) __syncthreads();
  uint32_t r[4];
  load_matrix4(r, tile + 4 * lane);
  int matrix = warp_index() ^ 1;
  uint32_t bits = matrix == 0 ? r[0] : matrix == 1 ? r[1] : matrix == 2 ? r[2] : r[3];
  row(y)[N - 1 - (32 * matrix + lane)] = __uint_as_float(bits);
}

PLANTED(divided_by_zero) {
  int i = threadIdx.x;
  int one = n / (n - bug * n);
  row(y)[i] = row(x)[N - one - i];
}

// The projection of the ladder for F32 features: products by fused multiply-add over tiles in shared memory.
// 256 threads; a tile of the result has 128 rows and N columns (32, 64 or 96). Thread (y, x) = (thread / 8, thread % 8)
// has rows 4 y + {0..3} and columns 32 j + 4 x + {0..3}. The next step's tiles are on their way in registers while
// one is multiplied; two buffers, one barrier a step.
#pragma once
#include "ladder_selection.cuh"
#include "quads.cuh"

template <int N> struct FloatTile {
  static constexpr int THREADS = 256, ROWS = 128, STEP = 16, PITCH = ROWS + 4, GROUPS = N / 32;
  static constexpr int LEFT_QUADS = ROWS * STEP / 4 / THREADS, RIGHT_VALUES = N * STEP / THREADS;

  float sum[4][GROUPS][4];
  float left[LEFT_QUADS][4];  // what is on its way
  float right[RIGHT_VALUES];

  DEVICE void clear() {
#pragma unroll
    for (int r = 0; r < 4; r++)
#pragma unroll
      for (int j = 0; j < GROUPS; j++)
#pragma unroll
        for (int e = 0; e < 4; e++) sum[r][j][e] = 0.f;
  }

  // the right operand: values [STEP, N] in shared memory, thread i has number i, i + THREADS, ...
  DEVICE void store_right(float* buffer) {
#pragma unroll
    for (int i = 0; i < RIGHT_VALUES; i++) buffer[i * THREADS + threadIdx.x] = right[i];
  }

  // left is [STEP, PITCH], right [STEP, N]
  DEVICE void multiply(const float* left_tile, const float* right_tile) {
    const int y = threadIdx.x >> 3, x = threadIdx.x & 7;
#pragma unroll 2
    for (int k = 0; k < STEP; k++) {
      const Pack<float> a = load16(left_tile + k * PITCH + 4 * y);
#pragma unroll
      for (int j = 0; j < GROUPS; j++) {
        const Pack<float> b = load16(right_tile + k * N + 32 * j + 4 * x);
#pragma unroll
        for (int r = 0; r < 4; r++)
#pragma unroll
          for (int e = 0; e < 4; e++) sum[r][j][e] = fmaf(a.v[r], b.v[e], sum[r][j][e]);
      }
    }
  }
};

// u[row] = h[row] weight + bias for one tile of 128 selected rows; block = row tile * column tiles + column tile
template <int N>
DEVICE void ladder_project_f32(const float* h, const float* weight, const float* bias, Selection selection, float* u,
                               int base, int side) {
  using Tile = FloatTile<N>;
  SHARED(float4, left_quads, 2 * Tile::STEP * Tile::PITCH / 4);
  SHARED(float4, right_quads, 2 * Tile::STEP * N / 4);
  float *left = (float*)left_quads, *right = (float*)right_quads;
  const int tiles = (side + N - 1) / N;
  const int first = (int)(blockIdx.x / tiles) * Tile::ROWS, column = (int)(blockIdx.x % tiles) * N;
  const int count = selection.count();
  if (first >= count) return;
  const bool vector = quads_aligned(h, base);
  const int quad = threadIdx.x & 3;  // this thread's place in a row of the left tile
  long long source[Tile::LEFT_QUADS];
#pragma unroll
  for (int i = 0; i < Tile::LEFT_QUADS; i++) {
    const int r = first + ((i * Tile::THREADS + threadIdx.x) >> 2);
    source[i] = r < count ? (long long)selection.row(r) * base : -1;
  }
  Tile tile;
  tile.clear();
  auto load = [&](int k0) {
    const int k = k0 + 4 * quad;
#pragma unroll
    for (int i = 0; i < Tile::LEFT_QUADS; i++)
      load_quad(tile.left[i], h + source[i] + k, source[i] < 0 ? 0 : base - k, vector);
#pragma unroll
    for (int i = 0; i < Tile::RIGHT_VALUES; i++) {
      const int q = i * Tile::THREADS + threadIdx.x, kw = k0 + q / N, n = column + q % N;
      tile.right[i] = kw < base && n < side ? weight[(long long)kw * side + n] : 0.f;
    }
  };
  load(0);
  for (int k0 = 0, buffer = 0; k0 < base; k0 += Tile::STEP, buffer ^= 1) {
    float* a = left + buffer * Tile::STEP * Tile::PITCH;
    float* b = right + buffer * Tile::STEP * N;
#pragma unroll
    for (int i = 0; i < Tile::LEFT_QUADS; i++)
#pragma unroll
      for (int e = 0; e < 4; e++)  // k-major: a thread's four rows are one access of the product
        a[(4 * quad + e) * Tile::PITCH + ((i * Tile::THREADS + threadIdx.x) >> 2)] = tile.left[i][e];
    tile.store_right(b);
    __syncthreads();
    if (k0 + Tile::STEP < base) load(k0 + Tile::STEP);
    tile.multiply(a, b);
  }
  const int y = threadIdx.x >> 3, x = threadIdx.x & 7;
  const bool vector_out = quads_aligned(u, side);
#pragma unroll
  for (int r = 0; r < 4; r++) {
    if (first + 4 * y + r >= count) continue;
    float* out = u + (long long)selection.row(first + 4 * y + r) * side;
#pragma unroll
    for (int j = 0; j < Tile::GROUPS; j++) {
      const int n = column + 32 * j + 4 * x;
#pragma unroll
      for (int e = 0; e < 4; e++) tile.sum[r][j][e] += n + e < side ? bias[n + e] : 0.f;
      store_quad(out + n, tile.sum[r][j], side - n, vector_out);
    }
  }
}

// slots[chunk] [base + 1, side] = h^T du over the chunk's rows, one tile of 128 features and N columns a block;
// block = chunk * tiles + feature tile * column tiles + column tile. The last row of a slot is not written.
template <int N>
DEVICE void ladder_project_backward_f32(const float* h, const float* du, Selection selection, float* slots, int base,
                                        int side, int chunks) {
  using Tile = FloatTile<N>;
  SHARED(float4, left_quads, 2 * Tile::STEP * Tile::PITCH / 4);
  SHARED(float4, right_quads, 2 * Tile::STEP * N / 4);
  float *left = (float*)left_quads, *right = (float*)right_quads;
  const int column_tiles = (side + N - 1) / N, tiles = (base + Tile::ROWS - 1) / Tile::ROWS * column_tiles;
  const int index = (int)(blockIdx.x / tiles), place = (int)(blockIdx.x % tiles);
  const int feature = place / column_tiles * Tile::ROWS, column = place % column_tiles * N;
  const Chunk chunk(selection.count(), index, chunks);
  const bool vector = quads_aligned(h, base);
  const int quad = threadIdx.x & 31;  // this thread's place in a row of the left tile
  Tile tile;
  tile.clear();
  auto load = [&](int begin) {
    const int m = feature + 4 * quad;
#pragma unroll
    for (int i = 0; i < Tile::LEFT_QUADS; i++) {
      const int r = begin + ((i * Tile::THREADS + threadIdx.x) >> 5);
      const long long row = r < chunk.end ? selection.row(r) : 0;
      load_quad(tile.left[i], h + row * base + m, r < chunk.end ? base - m : 0, vector);
    }
#pragma unroll
    for (int i = 0; i < Tile::RIGHT_VALUES; i++) {
      const int q = i * Tile::THREADS + threadIdx.x, r = begin + q / N, n = column + q % N;
      tile.right[i] = r < chunk.end && n < side ? du[(long long)selection.row(r) * side + n] : 0.f;
    }
  };
  if (chunk.begin < chunk.end) load(chunk.begin);
  for (int begin = chunk.begin, buffer = 0; begin < chunk.end; begin += Tile::STEP, buffer ^= 1) {
    float* a = left + buffer * Tile::STEP * Tile::PITCH;
    float* b = right + buffer * Tile::STEP * N;
#pragma unroll
    for (int i = 0; i < Tile::LEFT_QUADS; i++)
      store_quad(a + ((i * Tile::THREADS + threadIdx.x) >> 5) * Tile::PITCH + 4 * quad, tile.left[i], 4, true);
    tile.store_right(b);
    __syncthreads();
    if (begin + Tile::STEP < chunk.end) load(begin + Tile::STEP);
    tile.multiply(a, b);
  }
  float* slot = slots + (long long)index * (base + 1) * side;
  const int y = threadIdx.x >> 3, x = threadIdx.x & 7;
  const bool vector_out = quads_aligned(slots, side);
#pragma unroll
  for (int r = 0; r < 4; r++) {
    const int m = feature + 4 * y + r;
    if (m >= base) continue;
#pragma unroll
    for (int j = 0; j < Tile::GROUPS; j++) {
      const int n = column + 32 * j + 4 * x;
      store_quad(slot + (long long)m * side + n, tile.sum[r][j], side - n, vector_out);
    }
  }
}

// The projection of the ladder for F16 and BF16 features, on tensor cores: 128 threads, each warp has 32 rows and all N
// columns (32, 64 or 96) of a tile of the result.
#pragma once
#include "ladder_selection.cuh"
#include "quads.cuh"

// eight neighbouring elements; columns beyond the matrix and rows that are not there are 0
template <class T>
DEVICE void copy_features(void* shared, const T* h, long long row, int column, int base, bool vector) {
  if (vector) {
    const bool wanted = row >= 0 && column < base;
    copy_async16(shared, wanted ? h + row * base + column : h, wanted);
  } else {
    Pack<T> values;
#pragma unroll
    for (int e = 0; e < 8; e++)
      values.v[e] = row >= 0 && column + e < base ? h[row * base + column + e] : from_float<T>(0.f);
    store16((T*)shared, values);
  }
}

template <class T> DEVICE bool packs_aligned(const T* h, int base) { return (base & 7) == 0 && aligned16(h); }

// The sums that a warp has of its 32 x N: sum[i][j] is the fragment of rows 16 i and columns 8 j.
template <class T, int N> struct HalfSums {
  float sum[2][N / 8][4];

  DEVICE void clear() {
#pragma unroll
    for (int i = 0; i < 2; i++)
#pragma unroll
      for (int j = 0; j < N / 8; j++)
#pragma unroll
        for (int e = 0; e < 4; e++) sum[i][j][e] = 0.f;
  }
  // b: fragments of columns 16 j (two registers) and 16 j + 8 (two registers)
  DEVICE void add(const uint32_t (&a)[2][4], int j, const uint32_t (&b)[4]) {
#pragma unroll
    for (int i = 0; i < 2; i++) {
      multiply_accumulate<T>(sum[i][2 * j], a[i], b[0], b[1]);
      multiply_accumulate<T>(sum[i][2 * j + 1], a[i], b[2], b[3]);
    }
  }
};

// two neighbouring columns of the result
DEVICE void store_pair(float* p, float v0, float v1, int wanted, bool vector) {
  if (vector && wanted >= 2) {
    *(float2*)p = make_float2(v0, v1);
  } else {
    if (wanted >= 1) p[0] = v0;
    if (wanted >= 2) p[1] = v1;
  }
}
DEVICE bool pairs_aligned(const void* matrix, int width) { return (width & 1) == 0 && ((uintptr_t)matrix & 7) == 0; }

// rounded [padded side, padded base] = weight [base, side] transposed, with zeros in the padding: 256 threads turn a
// tile of 32 x 32
template <class T>
DEVICE void ladder_round_weight(const float* weight, T* rounded, int base, int side, int padded_base) {
  SHARED(float, tile, 32 * 33);
  const int k0 = blockIdx.x * 32, n0 = blockIdx.y * 32, x = threadIdx.x & 31, y = threadIdx.x >> 5;
#pragma unroll
  for (int i = y; i < 32; i += 8)
    tile[i * 33 + x] = k0 + i < base && n0 + x < side ? weight[(long long)(k0 + i) * side + n0 + x] : 0.f;
  __syncthreads();
#pragma unroll
  for (int i = y; i < 32; i += 8) rounded[(long long)(n0 + i) * padded_base + k0 + x] = from_float<T>(tile[x * 33 + i]);
}

// u[row] = h[row] weight + bias for one tile of 128 selected rows; block = row tile * column tiles + column tile.
// Steps of 64 features go through `stages` (2 or 3) buffers of asynchronous copies in dynamic shared memory, with one
// barrier a step. A row of a tile is 128 bytes; its 16-byte pieces are permuted by the row's number (xor) so that
// ldmatrix reads eight rows from different banks.
template <class T, int N> struct HalfProjection {
  static constexpr int THREADS = 128, ROWS = 128, STEP = 64, PIECES = STEP / 8;
  static constexpr int LEFT_BYTES = ROWS * STEP * 2, STAGE_BYTES = LEFT_BYTES + N * STEP * 2;

  static DEVICE int at(int row, int piece) { return (row * PIECES + (piece ^ (row & 7))) * 16; }

  static DEVICE void load(unsigned char* stage, const T* h, const int* rows, const T* weight, int k0, int base,
                          int padded_base, bool vector) {
    const int piece = threadIdx.x & (PIECES - 1), k = k0 + piece * 8;
#pragma unroll
    for (int i = threadIdx.x / PIECES; i < ROWS; i += THREADS / PIECES)
      copy_features(stage + at(i, piece), h, rows[i], k, base, vector);
#pragma unroll
    for (int i = threadIdx.x / PIECES; i < N; i += THREADS / PIECES)
      copy_async16(stage + LEFT_BYTES + at(i, piece), weight + (long long)i * padded_base + k, true);
  }

  static DEVICE void multiply(const unsigned char* stage, HalfSums<T, N>& sums) {
    const int lane = lane_index(), row = warp_index() * 32 + (lane & 15);
    const unsigned char* right = stage + LEFT_BYTES;
#pragma unroll
    for (int k = 0; k < STEP / 16; k++) {
      uint32_t a[2][4];
#pragma unroll
      for (int i = 0; i < 2; i++) load_matrix4(a[i], stage + at(row + 16 * i, 2 * k + (lane >> 4)));
#pragma unroll
      for (int j = 0; j < N / 16; j++) {
        uint32_t b[4];
        load_matrix4(b, right + at(16 * j + (lane & 7) + ((lane >> 4) << 3), 2 * k + ((lane >> 3) & 1)));
        sums.add(a, j, b);
      }
    }
  }

  static DEVICE void store(const HalfSums<T, N>& sums, const int* rows, const float* bias, float* u, int column,
                           int side) {
    const int lane = lane_index();
    const bool vector = pairs_aligned(u, side);
#pragma unroll
    for (int i = 0; i < 2; i++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const long long row = rows[warp_index() * 32 + 16 * i + 8 * half + (lane >> 2)];
        if (row < 0) continue;
#pragma unroll
        for (int j = 0; j < N / 8; j++) {
          const int n = column + 8 * j + 2 * (lane & 3);
          const float b0 = n < side ? bias[n] : 0.f, b1 = n + 1 < side ? bias[n + 1] : 0.f;
          store_pair(u + row * side + n, sums.sum[i][j][2 * half] + b0, sums.sum[i][j][2 * half + 1] + b1, side - n,
                     vector);
        }
      }
  }

  // weight: rounded and transposed by ladder_round_weight
  static DEVICE void run(const T* h, const T* weight, const float* bias, Selection selection, float* u, int base,
                         int padded_base, int side, int stages) {
    DYNAMIC_SHARED(buffers);
    SHARED(int, rows, ROWS);
    const int tiles = (side + N - 1) / N;
    const int first = (int)(blockIdx.x / tiles) * ROWS, column = (int)(blockIdx.x % tiles) * N;
    const int count = selection.count();
    if (first >= count) return;
    const bool vector = packs_aligned(h, base);
    rows[threadIdx.x] = first + (int)threadIdx.x < count ? selection.row(first + threadIdx.x) : -1;
    __syncthreads();
    const T* columns = weight + (long long)column * padded_base;
    HalfSums<T, N> sums;
    sums.clear();
    for (int s = 0; s < stages - 1; s++) {
      if (s * STEP < base) load(buffers + s * STAGE_BYTES, h, rows, columns, s * STEP, base, padded_base, vector);
      copy_commit();
    }
    int reading = 0, filling = stages - 1;
    for (int k0 = 0; k0 < base; k0 += STEP) {
      if (stages == 3) copy_wait<1>();
      else copy_wait<0>();
      __syncthreads();  // this step's tile is there for all, and all are done with the one that is filled next
      const int ahead = k0 + (stages - 1) * STEP;
      if (ahead < base) load(buffers + filling * STAGE_BYTES, h, rows, columns, ahead, base, padded_base, vector);
      copy_commit();
      multiply(buffers + reading * STAGE_BYTES, sums);
      reading = reading == stages - 1 ? 0 : reading + 1;
      filling = filling == stages - 1 ? 0 : filling + 1;
    }
    copy_wait<0>();
    store(sums, rows, bias, u, column, side);
  }
};

// A power of two that brings the largest gradient of a tile to [2^14, 2^15): below the largest F16, and so far above
// the smallest that the split below loses nothing that matters. 1 where the largest is 0 or not finite.
DEVICE float gradient_scale(const float* largest, int blocks) {
  float most = 0.f;
  for (int i = 0; i < blocks; i++) most = fmaxf(most, largest[i]);
  const int exponent = (int)(__float_as_uint(most) >> 23) - 127;
  if (most == 0.f || exponent == 128) return 1.f;
  return __uint_as_float((uint32_t)min(127 + 14 - exponent, 253) << 23);
}
DEVICE float inverse_power_of_two(float scale) { return __uint_as_float((254u << 23) - __float_as_uint(scale)); }

// slots[chunk] [base + 1, side] = h^T du over the chunk's rows, one tile of 128 features and N columns a block; block =
// chunk * tiles + feature tile * column tiles + column tile. The last row of a slot is not written.
//
// du is F32 and h is not: each gradient is split into two terms of the features' type, du = high + low, and both are
// multiplied. With BF16 that keeps 16 bits of du; with F16 22 bits of what is within 2^-16 of the largest, and the rest
// to 2^-39 of the largest (unscaled, F16 would lose gradients below 6e-8; scaling by a power of two is exact).
// Features themselves have 8 and 11 bits. Sums are F32.
template <class T, int N> struct HalfProjectionBackward {
  static constexpr int THREADS = 128, FEATURES = 128, STEP = 32, STAGES = 3, PIECES = FEATURES / 8;
  static constexpr int LEFT_BYTES = STEP * FEATURES * 2;
  static constexpr int PITCH = N * 2 + 16;  // bytes of a row of gradients: an odd number of 16, for the banks
  static constexpr int TERM_BYTES = STEP * PITCH, RIGHT_BYTES = 2 * TERM_BYTES;
  static constexpr int QUADS = STEP * N / 4 / THREADS;

  static DEVICE int at(int row, int piece) { return (row * PIECES + (piece ^ (row & 7))) * 16; }

  static DEVICE void load_left(unsigned char* stage, const T* h, Selection selection, int begin, int end, int feature,
                               int base, bool vector) {
    const int piece = threadIdx.x & (PIECES - 1);
#pragma unroll
    for (int i = threadIdx.x / PIECES; i < STEP; i += THREADS / PIECES)
      copy_features(stage + at(i, piece), h, begin + i < end ? selection.row(begin + i) : -1, feature + 8 * piece, base,
                    vector);
  }
  static DEVICE void load_right(float (&values)[QUADS][4], const float* du, Selection selection, int begin, int end,
                                int column, int side, bool vector) {
#pragma unroll
    for (int i = 0; i < QUADS; i++) {
      const int q = i * THREADS + threadIdx.x, r = begin + q / (N / 4), n = column + q % (N / 4) * 4;
      const long long row = r < end ? selection.row(r) : 0;
      load_quad(values[i], du + row * side + n, r < end ? side - n : 0, vector);
    }
  }
  static DEVICE void split_right(unsigned char* buffer, const float (&values)[QUADS][4], float scale) {
#pragma unroll
    for (int i = 0; i < QUADS; i++) {
      const int q = i * THREADS + threadIdx.x;
      T* high = (T*)(buffer + q / (N / 4) * PITCH + q % (N / 4) * 8);
      T* low = (T*)((unsigned char*)high + TERM_BYTES);
      union {
        uint2 bits;
        T v[4];
      } a, b;
#pragma unroll
      for (int e = 0; e < 4; e++) {
        const float x = values[i][e] * scale;
        a.v[e] = from_float<T>(x);
        b.v[e] = from_float<T>(x - to_float(a.v[e]));
      }
      *(uint2*)high = a.bits;
      *(uint2*)low = b.bits;
    }
  }
  static DEVICE void multiply(const unsigned char* left, const unsigned char* right, HalfSums<T, N>& sums) {
    const int lane = lane_index();
#pragma unroll
    for (int k = 0; k < STEP / 16; k++) {
      uint32_t a[2][4];
#pragma unroll
      for (int i = 0; i < 2; i++)  // the tile is [rows, features], the operand its transpose
        load_matrix4_transposed(a[i], left + at(16 * k + (lane & 7) + ((lane >> 4) << 3),
                                                warp_index() * 4 + 2 * i + ((lane >> 3) & 1)));
#pragma unroll
      for (int term = 0; term < 2; term++)
#pragma unroll
        for (int j = 0; j < N / 16; j++) {
          uint32_t b[4];
          load_matrix4_transposed(b, right + term * TERM_BYTES + (16 * k + (lane & 15)) * PITCH +
                                         (2 * j + (lane >> 4)) * 16);
          sums.add(a, j, b);
        }
    }
  }

  // largest [chunks, column blocks of 32]: largest magnitudes of du
  static DEVICE void run(const T* h, const float* du, Selection selection, const float* largest, float* slots,
                         int base, int side, int chunks) {
    DYNAMIC_SHARED(buffers);
    const int column_tiles = (side + N - 1) / N, tiles = (base + FEATURES - 1) / FEATURES * column_tiles;
    const int index = (int)(blockIdx.x / tiles), place = (int)(blockIdx.x % tiles);
    const int feature = place / column_tiles * FEATURES, column = place % column_tiles * N;
    const Chunk chunk(selection.count(), index, chunks);
    const int column_blocks = (side + 31) / 32;
    const float scale = gradient_scale(largest + (long long)index * column_blocks + column / 32,
                                       min(N / 32, column_blocks - column / 32));
    const bool vector = packs_aligned(h, base), vector_du = quads_aligned(du, side);
    unsigned char* rights = buffers + STAGES * LEFT_BYTES;
    HalfSums<T, N> sums;
    sums.clear();
    float values[QUADS][4];
#pragma unroll
    for (int s = 0; s < STAGES - 1; s++) {
      load_left(buffers + s * LEFT_BYTES, h, selection, chunk.begin + s * STEP, chunk.end, feature, base, vector);
      copy_commit();
    }
    load_right(values, du, selection, chunk.begin, chunk.end, column, side, vector_du);
    int reading = 0, filling = STAGES - 1;
    for (int begin = chunk.begin, right = 0; begin < chunk.end; begin += STEP, right ^= RIGHT_BYTES) {
      split_right(rights + right, values, scale);
      copy_wait<STAGES - 2>();
      __syncthreads();
      load_left(buffers + filling * LEFT_BYTES, h, selection, begin + (STAGES - 1) * STEP, chunk.end, feature, base,
                vector);
      copy_commit();
      load_right(values, du, selection, begin + STEP, chunk.end, column, side, vector_du);
      multiply(buffers + reading * LEFT_BYTES, rights + right, sums);
      reading = reading == STAGES - 1 ? 0 : reading + 1;
      filling = filling == STAGES - 1 ? 0 : filling + 1;
    }
    copy_wait<0>();
    store(sums, slots + (long long)index * (base + 1) * side, feature, column, base, side, inverse_power_of_two(scale));
  }

  static DEVICE void store(const HalfSums<T, N>& sums, float* slot, int feature, int column, int base, int side,
                           float scale) {
    const int lane = lane_index();
    const bool vector = pairs_aligned(slot, side);
#pragma unroll
    for (int i = 0; i < 2; i++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int m = feature + warp_index() * 32 + 16 * i + 8 * half + (lane >> 2);
        if (m >= base) continue;
#pragma unroll
        for (int j = 0; j < N / 8; j++) {
          const int n = column + 8 * j + 2 * (lane & 3);
          store_pair(slot + (long long)m * side + n, sums.sum[i][j][2 * half] * scale,
                     sums.sum[i][j][2 * half + 1] * scale, side - n, vector);
        }
      }
  }
};

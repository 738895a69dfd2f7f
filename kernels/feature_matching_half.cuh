// Feature matching for F16 and BF16 features, on tensor cores. e, up and the residual are rounded to the features' type
// where they are factors; sums, the difference to the target and the loss are F32.
// With factors of size 1 results are within 4 units of the type (2^-11 for F16, 2^-8 for BF16) of the largest element,
// and as exact as with F32 where e, up and the residual fit the type. F16 factors above 65504 become infinite.
#pragma once
#include "feature_matching_tile.cuh"

template <class T> DEVICE uint32_t pack_pair(float low, float high) {
  union {
    T v[2];
    uint32_t bits;
  } pair;
  pair.v[0] = from_float<T>(low);
  pair.v[1] = from_float<T>(high);
  return pair.bits;
}

// RANK: the rank rounded up to a multiple of 16; ROWS: of a tile, a multiple of 16; group = lane / 4, place = lane % 4.
//
// Columns: fragment j of the warp's 32 columns (8 columns each) has, as its columns 2 place + {0, 1}, the columns
// 8 place + 2 j + {0, 1} of the panel. So a lane's elements of a row are 8 neighbours, which it loads with one access,
// and the fragments of the residual are the left operand of de = residual up^T without any exchange.
template <class T, int RANK, int ROWS> struct MatchHalf {
  static constexpr int M = ROWS / 16, K = RANK / 16;
  static constexpr int E_STRIDE = RANK + 8;                // elements: rows of ldmatrix lie in different banks
  static constexpr int RESIDUAL_STRIDE = MATCH_PANEL + 8;  // elements
  static constexpr int RESIDUAL = ROWS * RESIDUAL_STRIDE / 2, PARTIAL = ROWS * RANK;  // floats
  static constexpr int WARP_FLOATS = RESIDUAL > PARTIAL ? RESIDUAL : PARTIAL;

  // right operands: of e up (ranks 16 k, fragment j) and of residual up^T (columns 16 s, ranks 8 t)
  uint32_t forward[K][4][2], backward[2][2 * K][2];
  float dup[K][4][4];  // ranks 16 k, columns 8 j of the panel in their own order
  float squares;

  static DEVICE float at(const float* up, int r, int column, int wide, int rank) {
    return r < rank && column < wide ? up[(long long)r * wide + column] : 0.f;
  }

  DEVICE MatchHalf(const float* up, int panel, int wide, int rank) : squares(0.f) {
    const int group = lane_index() >> 2, place = lane_index() & 3;
#pragma unroll
    for (int k = 0; k < K; k++)
#pragma unroll
      for (int j = 0; j < 4; j++) {
        const int column = panel + 8 * (group >> 1) + 2 * j + (group & 1);
#pragma unroll
        for (int b = 0; b < 2; b++) {
          const int r = 16 * k + 8 * b + 2 * place;
          forward[k][j][b] = pack_pair<T>(at(up, r, column, wide, rank), at(up, r + 1, column, wide, rank));
        }
#pragma unroll
        for (int c = 0; c < 4; c++) dup[k][j][c] = 0.f;
      }
#pragma unroll
    for (int s = 0; s < 2; s++)
#pragma unroll
      for (int t = 0; t < 2 * K; t++)
#pragma unroll
        for (int b = 0; b < 2; b++) {
          const int column = panel + 8 * place + 4 * s + 2 * b, r = 8 * t + group;
          backward[s][t][b] = pack_pair<T>(at(up, r, column, wide, rank), at(up, r, column + 1, wide, rank));
        }
  }

  // e [rows, RANK] of the features' type
  static DEVICE void copy_e(T* tile, const T* e, int first, int there) {
    for (int i = threadIdx.x; i < ROWS * (RANK / 8); i += MATCH_THREADS) {
      const int row = i / (RANK / 8), piece = i % (RANK / 8);
      const bool wanted = row < there;
      const T* source = wanted ? e + (long long)(first + row) * RANK + 8 * piece : e;
      copy_async16(tile + row * E_STRIDE + 8 * piece, source, wanted);
    }
    copy_commit();
  }

  // what a lane needs of the rows 8 i + group of a tile
  static DEVICE void load_features(Pack<T> (&target)[2 * M], Selection selection, const T* h, int first, int there,
                                   int column, int wide, bool vector) {
#pragma unroll
    for (int i = 0; i < 2 * M; i++) {
      const int row = 8 * i + (lane_index() >> 2);
      target[i].bits = make_uint4(0, 0, 0, 0);
      if (row >= there) continue;
      const T* p = h + (long long)selection.row(first + row) * wide + column;
      if (vector) {
        if (column < wide) target[i] = load16_once(p);
      } else {
#pragma unroll
        for (int c = 0; c < 8; c++)
          if (column + c < wide) target[i].v[c] = p[c];
      }
    }
  }

  // packed[i][j]: the pair of fragment j in row 8 i + group of the residual e up - t(h)
  DEVICE void residual(uint32_t (&packed)[2 * M][4], const T* e, const Pack<T> (&target)[2 * M], const float* moments,
                       int first, int there, int column, int wide) {
    const int lane = lane_index();
#pragma unroll
    for (int m = 0; m < M; m++) {
      float f[4][4] = {};
#pragma unroll
      for (int k = 0; k < K; k++) {
        uint32_t a[4];
        load_matrix4(a, e + (16 * m + (lane & 15)) * E_STRIDE + 16 * k + 8 * (lane >> 4));
#pragma unroll
        for (int j = 0; j < 4; j++) multiply_accumulate<T>(f[j], a, forward[k][j][0], forward[k][j][1]);
      }
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int i = 2 * m + half, row = 8 * i + (lane >> 2);
        const bool scaled = moments && row < there;
        const float mean = scaled ? moments[2 * (long long)(first + row)] : 0.f;
        const float rstd = scaled ? moments[2 * (long long)(first + row) + 1] : 1.f;
#pragma unroll
        for (int j = 0; j < 4; j++) {
          float d[2];
#pragma unroll
          for (int c = 0; c < 2; c++) {
            d[c] = f[j][2 * half + c] - (to_float(target[i].v[2 * j + c]) - mean) * rstd;
            if (column + 2 * j + c >= wide) d[c] = 0.f;  // of a row that is not there, f and target are 0
            squares = fmaf(d[c], d[c], squares);
          }
          packed[i][j] = pack_pair<T>(d[0], d[1]);
        }
      }
    }
  }

  // dup += e^T residual over the tile's rows; residual: [ROWS, 32] in the columns' own order
  DEVICE void add_dup(const T* e, const T* residual) {
    const int lane = lane_index();
#pragma unroll
    for (int m = 0; m < M; m++) {
      uint32_t b[2][4];
#pragma unroll
      for (int j = 0; j < 2; j++)
        load_matrix4_transposed(b[j], residual + (16 * m + (lane & 15)) * RESIDUAL_STRIDE + 16 * j + 8 * (lane >> 4));
#pragma unroll
      for (int k = 0; k < K; k++) {
        uint32_t a[4];
        load_matrix4_transposed(
            a, e + (16 * m + (lane & 7) + 8 * (lane >> 4)) * E_STRIDE + 16 * k + 8 * ((lane >> 3) & 1));
#pragma unroll
        for (int j = 0; j < 4; j++)
          multiply_accumulate<T>(dup[k][j], a, b[j / 2][2 * (j & 1)], b[j / 2][2 * (j & 1) + 1]);
      }
    }
  }

  // part [row, RANK] = residual up^T over the warp's columns
  DEVICE void store_de(float* part, const uint32_t (&packed)[2 * M][4]) const {
    const int group = lane_index() >> 2, place = lane_index() & 3;
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
      for (int t = 0; t < 2 * K; t++) {
        float de[4] = {};
#pragma unroll
        for (int s = 0; s < 2; s++) {
          const uint32_t a[4] = {packed[2 * m][2 * s], packed[2 * m + 1][2 * s], packed[2 * m][2 * s + 1],
                                 packed[2 * m + 1][2 * s + 1]};
          multiply_accumulate<T>(de, a, backward[s][t][0], backward[s][t][1]);
        }
        *(float2*)(part + (16 * m + group) * RANK + 8 * t + 2 * place) = make_float2(de[0], de[1]);
        *(float2*)(part + (16 * m + group + 8) * RANK + 8 * t + 2 * place) = make_float2(de[2], de[3]);
      }
  }

  DEVICE void store_dup(float* dup_parts, int panel, int wide, int rank) const {
    const int group = lane_index() >> 2, place = lane_index() & 3;
#pragma unroll
    for (int k = 0; k < K; k++)
#pragma unroll
      for (int j = 0; j < 4; j++)
#pragma unroll
        for (int c = 0; c < 4; c++) {
          const int r = 16 * k + group + 8 * (c >> 1), column = panel + 8 * j + 2 * place + (c & 1);
          if (r < rank && column < wide) dup_parts[((long long)blockIdx.x * rank + r) * wide + column] = dup[k][j][c];
        }
  }

  static DEVICE void run(const T* e, const float* up, const T* h, const float* moments, Selection selection, int wide,
                         int rank, float* de_parts, float* dup_parts, float* squares_parts) {
    SHARED(uint4, e_tiles, 2 * ROWS * E_STRIDE / 8);
    SHARED(float2, shared, MATCH_WARPS * WARP_FLOATS / 2);
    const int group = lane_index() >> 2, panel = match_panel(), column = panel + 8 * (lane_index() & 3);
    const bool vector = (wide & 7) == 0 && aligned16(h);
    float* own = (float*)shared + warp_index() * WARP_FLOATS;
    T* residual = (T*)own;
    T* filling = (T*)e_tiles;
    T* reading = filling + ROWS * E_STRIDE;
    MatchHalf match(up, panel, wide, rank);
    Pack<T> target[2 * M];
    const Chunk chunk(selection.count(), blockIdx.x, gridDim.x);
    if (chunk.begin < chunk.end) {
      const int there = min(ROWS, chunk.end - chunk.begin);
      copy_e(filling, e, chunk.begin, there);
      load_features(target, selection, h, chunk.begin, there, column, wide, vector);
    }
    for (int first = chunk.begin; first < chunk.end; first += ROWS) {
      copy_wait<0>();
      __syncthreads();  // this tile has landed, and all warps are done with the one before
      T* landed = filling;
      filling = reading;
      reading = landed;
      const int there = min(ROWS, chunk.end - first), after = min(ROWS, chunk.end - first - ROWS);
      if (after > 0) copy_e(filling, e, first + ROWS, after);
      uint32_t packed[2 * M][4];
      match.residual(packed, reading, target, moments, first, there, column, wide);
      // the next tile's features are under way while this tile's gradients are made
      if (after > 0) load_features(target, selection, h, first + ROWS, after, column, wide, vector);
#pragma unroll
      for (int i = 0; i < 2 * M; i++)
        *(uint4*)(residual + (8 * i + group) * RESIDUAL_STRIDE + column - panel) =
            make_uint4(packed[i][0], packed[i][1], packed[i][2], packed[i][3]);
      __syncwarp();
      match.add_dup(reading, residual);
      __syncwarp();  // the residuals have been read: the warp's part of de takes their place
      match.store_de(own, packed);
      __syncthreads();
      match_store_de<RANK, WARP_FLOATS>((const float*)shared, de_parts, first, there, selection.rows, rank);
    }
    match.store_dup(dup_parts, panel, wide, rank);
    match_store_squares(match.squares, squares_parts);
  }
};

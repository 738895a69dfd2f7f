// Feature matching for F32 features, with multiply-adds.
#pragma once
#include "feature_matching_tile.cuh"

// RANK: the rank rounded up; ROWS: of a tile, a multiple of 16. A lane has the rows part + 4 i of a tile and four
// columns, or some ranks, at a time: part = lane / 8, place = lane % 8.
template <int RANK, int ROWS> struct MatchF32 {
  static constexpr int LANE_ROWS = ROWS / 4, LANE_RANKS = RANK / 8, PART_RANKS = RANK / 4;
  static constexpr int E_STRIDE = ROWS + 4;              // floats; a multiple of 4
  static constexpr int RESIDUAL_STRIDE = MATCH_PANEL + 4;  // rows side by side lie in different banks
  static constexpr int RESIDUAL = ROWS * RESIDUAL_STRIDE, PARTIAL = ROWS * RANK;
  static constexpr int WARP_FLOATS = RESIDUAL > PARTIAL ? RESIDUAL : PARTIAL;

  // Rows of a tile are kept in this order, so that those of a lane are neighbours.
  static DEVICE int position(int row) { return (row & 3) * LANE_ROWS + (row >> 2); }
  static DEVICE int row_at(int position) { return position % LANE_ROWS * 4 + position / LANE_ROWS; }

  // e [RANK, position] = e of the tile's rows; 0 beyond the rank, and for rows that are not there
  static DEVICE void load_e(float* tile, const float* e, int first, int rows, int rank) {
    for (int row = warp_index(); row < ROWS; row += MATCH_WARPS)
      for (int r = lane_index(); r < RANK; r += 32)
        tile[r * E_STRIDE + position(row)] = row < rows && r < rank ? e[(long long)(first + row) * rank + r] : 0.f;
  }

  // the lane's part of the tile of h, on its way to where the lane finds it: 0 where there is nothing
  static DEVICE void copy_target(float* own, const MatchRows<ROWS>& rows, const float* h, int column, int wide,
                                 bool vector) {
    const int part = lane_index() >> 3, place = lane_index() & 7;
#pragma unroll
    for (int i = 0; i < LANE_ROWS; i++) {
      const int row = rows.number[part + 4 * i], wanted = row < 0 ? 0 : wide - column;
      const float* source = h + (long long)max(row, 0) * wide + column;
      float* to = own + (part + 4 * i) * RESIDUAL_STRIDE + 4 * place;
      if (vector && wanted > 0) {
        copy_async16(to, source, true);
      } else {
        float quad[4];
        load_quad(quad, source, wanted, false);
        store_quad(to, quad, 4, true);
      }
    }
    copy_commit();
  }

  // own: t(h) before, residual = e up - t(h) after, 0 where there is nothing; returns the sum of its squares
  static DEVICE float residual(float* own, const MatchRows<ROWS>& rows, const float* e, const float* up, int column,
                               int wide, int rank, bool vector) {
    const int part = lane_index() >> 3, place = lane_index() & 7, wanted = wide - column;
    float f[LANE_ROWS][4] = {};
#pragma unroll 4
    for (int r = 0; r < rank; r++) {
      float u[4];
      load_quad(u, up + (long long)r * wide + column, wanted, vector);
#pragma unroll
      for (int i = 0; i < LANE_ROWS; i += 4) {
        const Pack<float> x = load16(e + r * E_STRIDE + part * LANE_ROWS + i);
#pragma unroll
        for (int k = 0; k < 4; k++)
#pragma unroll
          for (int c = 0; c < 4; c++) f[i + k][c] = fmaf(x.v[k], u[c], f[i + k][c]);
      }
    }
    copy_wait<0>();
    float squares = 0.f;
#pragma unroll
    for (int i = 0; i < LANE_ROWS; i++) {
      const int row = part + 4 * i;
      const bool there = rows.number[row] >= 0;
      const float mean = rows.mean[row], rstd = rows.rstd[row];
      float* at = own + row * RESIDUAL_STRIDE + 4 * place;
      const Pack<float> target = load16(at);
#pragma unroll
      for (int c = 0; c < 4; c++) {
        f[i][c] = there && c < wanted ? f[i][c] - (target.v[c] - mean) * rstd : 0.f;
        squares = fmaf(f[i][c], f[i][c], squares);
      }
      store_quad(at, f[i], 4, true);
    }
    return squares;
  }

  // de[row, rank] += residual[row, column] up[rank, column] over the warp's columns
  static DEVICE void add_de(float (&de)[LANE_ROWS][LANE_RANKS], const float* shared, const float* up, int panel,
                            int wide, int rank, bool vector) {
    const int part = lane_index() >> 3, place = lane_index() & 7;
    constexpr int GROUP = LANE_RANKS > 4 ? LANE_RANKS / 2 : LANE_RANKS;  // ranks at a time: registers
#pragma unroll 1
    for (int quad = 0; quad < MATCH_PANEL; quad += 4) {
#pragma unroll
      for (int t0 = 0; t0 < LANE_RANKS; t0 += GROUP) {
        float u[GROUP][4];
#pragma unroll
        for (int t = 0; t < GROUP; t++) {
          const int r = place + 8 * (t0 + t), column = panel + quad;
          load_quad(u[t], up + (long long)r * wide + column, r < rank ? wide - column : 0, vector);
        }
#pragma unroll
        for (int i = 0; i < LANE_ROWS; i++) {
          const Pack<float> d = load16(shared + (part + 4 * i) * RESIDUAL_STRIDE + quad);
#pragma unroll
          for (int t = 0; t < GROUP; t++)
#pragma unroll
            for (int c = 0; c < 4; c++) de[i][t0 + t] = fmaf(d.v[c], u[t][c], de[i][t0 + t]);
        }
      }
    }
  }

  // dup[rank, column] += e[row, rank] residual[row, column] over the tile's rows
  static DEVICE void add_dup(float (&dup)[PART_RANKS][4], const float* shared, const float* e) {
    const int part = lane_index() >> 3, place = lane_index() & 7;
#pragma unroll 2
    for (int at = 0; at < ROWS; at += 4) {
      Pack<float> d[4];
#pragma unroll
      for (int k = 0; k < 4; k++) d[k] = load16(shared + row_at(at + k) * RESIDUAL_STRIDE + 4 * place);
#pragma unroll
      for (int s = 0; s < PART_RANKS; s++) {
        const Pack<float> x = load16(e + (part * PART_RANKS + s) * E_STRIDE + at);
#pragma unroll
        for (int k = 0; k < 4; k++)
#pragma unroll
          for (int c = 0; c < 4; c++) dup[s][c] = fmaf(x.v[k], d[k].v[c], dup[s][c]);
      }
    }
  }

  static DEVICE void run(const float* e, const float* up, const float* h, const float* moments, Selection selection,
                         int wide, int rank, float* de_parts, float* dup_parts, float* squares_parts) {
    SHARED(MatchRows<ROWS>, rows, 1);
    SHARED(float, e_tile, RANK * E_STRIDE);
    SHARED(float, shared, MATCH_WARPS * WARP_FLOATS);
    const int part = lane_index() >> 3, place = lane_index() & 7;
    const int panel = match_panel(), column = panel + 4 * place;
    const bool vector_up = quads_aligned(up, wide), vector_h = quads_aligned(h, wide);
    float* own = shared + warp_index() * WARP_FLOATS;
    float dup[PART_RANKS][4] = {};
    float squares = 0.f;
    const Chunk chunk(selection.count(), blockIdx.x, gridDim.x);
    for (int first = chunk.begin; first < chunk.end; first += ROWS) {
      const int there = min(ROWS, chunk.end - first);
      __syncthreads();  // all warps are done with the tile before
      rows[0].load(selection, moments, first, there);
      load_e(e_tile, e, first, there, rank);
      __syncthreads();
      copy_target(own, rows[0], h, column, wide, vector_h);
      squares += residual(own, rows[0], e_tile, up, column, wide, rank, vector_up);
      __syncwarp();
      add_dup(dup, own, e_tile);
      float de[LANE_ROWS][LANE_RANKS] = {};
      add_de(de, own, up, panel, wide, rank, vector_up);
      __syncwarp();  // the residuals have been read: the warp's part of de takes their place
#pragma unroll
      for (int i = 0; i < LANE_ROWS; i++)
#pragma unroll
        for (int t = 0; t < LANE_RANKS; t++) own[(part + 4 * i) * RANK + place + 8 * t] = de[i][t];
      __syncthreads();
      match_store_de<RANK, WARP_FLOATS>(shared, de_parts, first, there, selection.rows, rank);
    }
    const bool vector = quads_aligned(dup_parts, wide);
#pragma unroll
    for (int s = 0; s < PART_RANKS; s++) {
      const int r = part * PART_RANKS + s;
      if (r >= rank) continue;
      store_quad(dup_parts + ((long long)blockIdx.x * rank + r) * wide + column, dup[s], wide - column, vector);
    }
    match_store_squares(squares, squares_parts);
  }
};

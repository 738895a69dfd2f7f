// What feature matching on multiply-adds and on tensor cores have in common.
//
// A block of 8 warps has a run of the counted rows (blockIdx.x) and 256 columns of the features (blockIdx.y), 32 of
// them a warp's. It goes through its rows in tiles. The columns' part of dup stays in registers all the way; the part
// of de that the columns give is summed over the warps and written per tile.
#pragma once
#include "ladder_selection.cuh"
#include "quads.cuh"

constexpr int MATCH_WARPS = 8, MATCH_THREADS = 256, MATCH_PANEL = 32;

// first column of this warp
DEVICE int match_panel() { return ((int)blockIdx.y * MATCH_WARPS + warp_index()) * MATCH_PANEL; }

// The rows of a tile: their numbers in h, -1 where there is none, and how their targets are standardized.
template <int ROWS> struct MatchRows {
  int number[ROWS];
  float mean[ROWS], rstd[ROWS];

  // moments [counted rows, 2] or null
  DEVICE void load(Selection selection, const float* moments, int first, int there) {
    const int i = threadIdx.x;
    if (i >= ROWS) return;
    const bool counts = i < there;
    number[i] = counts ? selection.row(first + i) : -1;
    mean[i] = counts && moments ? moments[2 * (long long)(first + i)] : 0.f;
    rstd[i] = counts && moments ? moments[2 * (long long)(first + i) + 1] : 1.f;
  }
};

// de_parts[blockIdx.y] [rows, rank] = the warps' parts [row, RANK], WARP_FLOATS floats apart, summed in order
template <int RANK, int WARP_FLOATS>
DEVICE void match_store_de(const float* parts, float* de_parts, int first, int there, int rows, int rank) {
  float* out = de_parts + ((long long)blockIdx.y * rows + first) * rank;
  for (int i = threadIdx.x; i < there * RANK; i += MATCH_THREADS) {
    const int row = i / RANK, r = i % RANK;
    if (r >= rank) continue;
    float sum = 0.f;
#pragma unroll
    for (int w = 0; w < MATCH_WARPS; w++) sum += parts[w * WARP_FLOATS + i];
    out[(long long)row * rank + r] = sum;
  }
}

// squares_parts [blockIdx.x, blockIdx.y]
DEVICE void match_store_squares(float squares, float* squares_parts) {
  squares = block_sum<MATCH_THREADS>(squares);
  if (threadIdx.x == 0) squares_parts[blockIdx.x * gridDim.y + blockIdx.y] = squares;
}

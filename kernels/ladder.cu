// The ladder: the gated and masked way from the backbone's features into the side network.
//
//   ladder_coefficients            c [taps, rows] = 1 - m g or m (1 - g), g = sigmoid(gate / tau); written
//   ladder_coefficients_backward   dGates [taps] from dc [taps, rows]; written
//   ladder_select                  the list of the rows whose coefficient is not 0
//   ladder_round_weight_*          weight in the features' type, transposed and padded, for the next
//   ladder_project_*_N             u = h weight + bias over the selected rows; other rows of u are left alone
//   ladder_bias_backward           column sums and largest magnitudes of du, a slot per chunk of the selected rows
//   ladder_project_backward_*_N    h^T du, a slot per chunk
//   ladder_project_finish          dWeight and dBias: the slots summed in order; written
//   ladder_mix                     x = z + c (u - z); written, x may be z
//   ladder_mix_backward            dz = (1 - c) dx, du = c dx, dc = dx . (u - z); written, dz may be dx
//
// All matrices are dense and row-major, F32 but for the features h (F32, F16, BF16), at any multiple of their element's
// size. Rows with c = 0 are not read in h, u, du, those with c = 1 not in z: they may hold NaN.
// Deterministic: lists are in row order; sums over rows are made by chunks that depend on nothing but the number of
// selected rows and the shapes, in fixed order within and over chunks. Nothing depends on how tensors are aligned.
#include "ladder_project_f32.cuh"
#include "ladder_project_half.cuh"

DEVICE float gate_of(float a, float tau) { return reciprocal(1.f + expf(-a * reciprocal(tau))); }

// grid (rows / 256, taps), 256 threads. keep [rows], 1 or 0, or null; on_state: c = 1 - m g, otherwise m (1 - g)
KERNEL(ladder_coefficients, 256, (const float* gates, const float* keep, float* c, float tau, int on_state, int rows)) {
  const int row = blockIdx.x * 256 + threadIdx.x;
  if (row >= rows) return;
  const float gate = gate_of(gates[blockIdx.y], tau), m = keep ? keep[row] : 1.f;
  c[(long long)blockIdx.y * rows + row] = on_state ? 1.f - m * gate : m * (1.f - gate);
}

// grid (taps), 256 threads. dc/dg is -m for both placements; dc of masked rows is not read
KERNEL(ladder_coefficients_backward, 256,
       (const float* gates, const float* keep, const float* dc, float* dgates, float tau, int rows)) {
  const float* gradient = dc + (long long)blockIdx.x * rows;
  float sum = 0.f;
#pragma unroll 4
  for (int row = threadIdx.x; row < rows; row += 256) {
    const float m = keep ? keep[row] : 1.f;
    if (m != 0.f) sum = fmaf(m, gradient[row], sum);
  }
  sum = block_sum<256>(sum);
  if (threadIdx.x == 0) {
    const float gate = gate_of(gates[blockIdx.x], tau);
    dgates[blockIdx.x] = -sum * gate * (1.f - gate) * reciprocal(tau);
  }
}

constexpr int SELECT_ROWS = 16;  // of a thread, neighbours

DEVICE int warp_count(int v) {
#pragma unroll
  for (int o = 16; o; o >>= 1) v += __shfl_xor_sync(0xffffffffu, v, o);
  return v;
}

// grid (rows / 4096), 256 threads. list as in ladder_selection.cuh. A block counts the rows before its own by itself:
// one launch, and no more than a few loads a thread for the numbers of rows of a batch.
KERNEL(ladder_select, 256, (const float* c, int* list, int rows)) {
  SHARED(int, before_of_warp, 8);
  SHARED(int, count_of_warp, 8);
  const int first = blockIdx.x * 256 * SELECT_ROWS;
  int before = 0;
#pragma unroll 8
  for (int row = threadIdx.x; row < first; row += 256) before += c[row] != 0.f;
  const int own = first + (int)threadIdx.x * SELECT_ROWS;
  uint32_t wanted = 0;
#pragma unroll
  for (int i = 0; i < SELECT_ROWS; i++)
    if (own + i < rows && c[own + i] != 0.f) wanted |= 1u << i;
  const int count = __popc(wanted);
  int up_to = count;  // inclusive, within the warp
#pragma unroll
  for (int o = 1; o < 32; o <<= 1) {
    const int other = __shfl_up_sync(0xffffffffu, up_to, o);
    if (lane_index() >= o) up_to += other;
  }
  if (blockIdx.x > 0) before = warp_count(before);
  if (lane_index() == 31) {
    before_of_warp[warp_index()] = before;
    count_of_warp[warp_index()] = up_to;
  }
  __syncthreads();
  int place = up_to - count;
  for (int w = 0; w < 8; w++) place += before_of_warp[w] + (w < warp_index() ? count_of_warp[w] : 0);
#pragma unroll
  for (int i = 0; i < SELECT_ROWS; i++)
    if (wanted >> i & 1) list[SELECTION_HEADER + place++] = own + i;
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x == 255) list[0] = place;
}

// grid (padded base / 32, padded side / 32), 256 threads; padded base: a multiple of 64, padded side: of N
#define ROUND_WEIGHT(T, suffix)                                                                              \
  KERNEL(ladder_round_weight_##suffix, 256,                                                                  \
         (const float* weight, T* rounded, int base, int side, int padded_base)) {                           \
    ladder_round_weight<T>(weight, rounded, base, side, padded_base);                                        \
  }
ROUND_WEIGHT(f16, f16)
ROUND_WEIGHT(bf16, bf16)

// grid (rows / 128 * side / N), 256 threads; list: of ladder_select, or null for all rows
#define PROJECT_F32(N)                                                                                       \
  KERNEL(ladder_project_f32_##N, 256,                                                                        \
         (const float* h, const float* weight, const float* bias, const int* list, float* u, int rows, int base, \
          int side)) {                                                                                       \
    ladder_project_f32<N>(h, weight, bias, Selection{list, rows}, u, base, side);                            \
  }
PROJECT_F32(32)
PROJECT_F32(64)
PROJECT_F32(96)

// the same with 128 threads; weight of ladder_round_weight; dynamic shared memory: stages * (128 + N) * 128 bytes
#define PROJECT_HALF(T, suffix, N)                                                                           \
  KERNEL(ladder_project_##suffix##_##N, 128,                                                                 \
         (const T* h, const T* weight, const float* bias, const int* list, float* u, int rows, int base,     \
          int padded_base, int side, int stages)) {                                                          \
    HalfProjection<T, N>::run(h, weight, bias, Selection{list, rows}, u, base, padded_base, side, stages);   \
  }
PROJECT_HALF(f16, f16, 32)
PROJECT_HALF(f16, f16, 64)
PROJECT_HALF(f16, f16, 96)
PROJECT_HALF(bf16, bf16, 32)
PROJECT_HALF(bf16, bf16, 64)
PROJECT_HALF(bf16, bf16, 96)

// grid (chunks, side / 32), 256 threads. The last row of slots[chunk] [base + 1, side] = column sums of du over the
// chunk's rows; largest [chunks, side / 32] = the largest magnitude in the chunk and 32 columns
KERNEL(ladder_bias_backward, 256,
       (const float* du, const int* list, float* slots, float* largest, int rows, int base, int side)) {
  SHARED(float, sums, 8 * 32);
  SHARED(float, mosts, 8 * 32);
  const Selection selection{list, rows};
  const Chunk chunk(selection.count(), blockIdx.x, gridDim.x);
  const int column = blockIdx.y * 32 + lane_index();
  float sum = 0.f, most = 0.f;
  if (column < side) {
#pragma unroll 4
    for (int i = chunk.begin + warp_index(); i < chunk.end; i += 8) {
      const float v = du[(long long)selection.row(i) * side + column];
      sum += v;
      most = fmaxf(most, fabsf(v));
    }
  }
  sums[threadIdx.x] = sum;
  mosts[threadIdx.x] = most;
  __syncthreads();
  if (warp_index() != 0) return;
  for (int w = 1; w < 8; w++) {
    sum += sums[w * 32 + lane_index()];
    most = fmaxf(most, mosts[w * 32 + lane_index()]);
  }
  if (column < side) slots[((long long)blockIdx.x * (base + 1) + base) * side + column] = sum;
  most = warp_max(most);
  if (lane_index() == 0) largest[blockIdx.x * gridDim.y + blockIdx.y] = most;
}

// grid (chunks * base / 128 * side / N), 256 threads
#define PROJECT_BACKWARD_F32(N)                                                                              \
  KERNEL(ladder_project_backward_f32_##N, 256,                                                               \
         (const float* h, const float* du, const int* list, float* slots, int rows, int base, int side,      \
          int chunks)) {                                                                                     \
    ladder_project_backward_f32<N>(h, du, Selection{list, rows}, slots, base, side, chunks);                 \
  }
PROJECT_BACKWARD_F32(32)
PROJECT_BACKWARD_F32(64)
PROJECT_BACKWARD_F32(96)

// the same with 128 threads; dynamic shared memory: 24576 + 128 * (2 N + 16) bytes
#define PROJECT_BACKWARD_HALF(T, suffix, N)                                                                  \
  KERNEL(ladder_project_backward_##suffix##_##N, 128,                                                        \
         (const T* h, const float* du, const int* list, const float* largest, float* slots, int rows,        \
          int base, int side, int chunks)) {                                                                 \
    HalfProjectionBackward<T, N>::run(h, du, Selection{list, rows}, largest, slots, base, side, chunks);     \
  }
PROJECT_BACKWARD_HALF(f16, f16, 32)
PROJECT_BACKWARD_HALF(f16, f16, 64)
PROJECT_BACKWARD_HALF(f16, f16, 96)
PROJECT_BACKWARD_HALF(bf16, bf16, 32)
PROJECT_BACKWARD_HALF(bf16, bf16, 64)
PROJECT_BACKWARD_HALF(bf16, bf16, 96)

// grid ((base + 1) * side / 256), 256 threads: an element each
KERNEL(ladder_project_finish, 256,
       (const float* slots, float* dweight, float* dbias, int base, int side, int chunks)) {
  const long long weights = (long long)base * side, all = weights + side;
  const long long i = (long long)blockIdx.x * 256 + threadIdx.x;
  if (i >= all) return;
  float sum = 0.f;
#pragma unroll 8
  for (int chunk = 0; chunk < chunks; chunk++) sum += slots[chunk * all + i];
  if (i < weights) dweight[i] = sum;
  else dbias[i - weights] = sum;
}

// grid (rows / 8), 256 threads: a warp per row
KERNEL(ladder_mix, 256, (const float* z, const float* u, const float* c, float* x, int rows, int width)) {
  const int row = blockIdx.x * 8 + warp_index();
  if (row >= rows) return;
  const float k = c[row];
  const long long at = (long long)row * width;
  const bool vector_z = quads_aligned(z, width), vector_u = quads_aligned(u, width), vector_x = quads_aligned(x, width);
  for (int i = 4 * lane_index(); i < width; i += 128) {
    float from[4], to[4];
    if (k != 1.f) load_quad(from, z + at + i, width - i, vector_z);
    if (k != 0.f) load_quad(to, u + at + i, width - i, vector_u);
#pragma unroll
    for (int e = 0; e < 4; e++) {
      if (k == 0.f) to[e] = from[e];
      else if (k != 1.f) to[e] = fmaf(k, to[e] - from[e], from[e]);
    }
    store_quad(x + at + i, to, width - i, vector_x);
  }
}

// grid (rows / 8), 256 threads: a warp per row. dc is 0 where c is exactly 0 or 1, and z and u are not read there
KERNEL(ladder_mix_backward, 256,
       (const float* dx, const float* z, const float* u, const float* c, float* dz, float* du, float* dc, int rows,
        int width)) {
  const int row = blockIdx.x * 8 + warp_index();
  if (row >= rows) return;
  const float k = c[row];
  const bool open = k != 0.f && k != 1.f;
  const long long at = (long long)row * width;
  const bool vector_dx = quads_aligned(dx, width), vector_z = quads_aligned(z, width);
  const bool vector_u = quads_aligned(u, width), vector_dz = quads_aligned(dz, width);
  const bool vector_du = quads_aligned(du, width);
  float dot = 0.f;
  for (int i = 4 * lane_index(); i < width; i += 128) {
    float gradient[4], from[4], to[4];
    load_quad(gradient, dx + at + i, width - i, vector_dx);
    if (open) {
      load_quad(from, z + at + i, width - i, vector_z);
      load_quad(to, u + at + i, width - i, vector_u);
#pragma unroll
      for (int e = 0; e < 4; e++) dot = fmaf(gradient[e], to[e] - from[e], dot);
    }
#pragma unroll
    for (int e = 0; e < 4; e++) {
      to[e] = k * gradient[e];
      from[e] = (1.f - k) * gradient[e];
    }
    store_quad(du + at + i, to, width - i, vector_du);
    store_quad(dz + at + i, from, width - i, vector_dz);
  }
  dot = warp_sum(dot);
  if (lane_index() == 0) dc[row] = dot;
}

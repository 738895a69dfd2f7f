// Layer norm over the last dimension, and its gradients.
//
// layer_norm:           y = gamma (x - mean) rstd + beta, with the biased variance; mean and rstd are written
// layer_norm_backward:  with xh = (x - mean) rstd and q = dy gamma:  dx = rstd (q - mean(q) - xh mean(q xh)),
//                       and per slot of rows the sums of dy xh and dy
// layer_norm_sums:      dGamma and dBeta from the slots
//
// x, y, dy, dx [rows, width] of one type (_f32, _f16, _bf16); gamma, beta, dGamma, dBeta [width], mean, rstd [rows] and
// all sums F32. x is read once: mean, then variance around it, from registers.
//
// By width: _256 and _1024 take rows up to so many elements, a warp each; _8192 a block of 256 threads each, the row in
// registers still; _long any width, a block each, and reads the row again for each pass.
//   layer_norm_256, _1024: grid (rows / 4 rounded up), blocks of 128; _8192, _long: grid (rows), blocks of 256
//   layer_norm_backward_*: grid (slots) for slots of rows_of_slot rows, blocks as above
//     (launched as 128 threads; compiled for 256 in _1024, which leaves it the registers that it needs)
//   layer_norm_sums: grid (1, width / 32 rounded up, 2), blocks of 1024
//
// dx_mode: 0 = dx is not wanted, 1 = written, 2 = added to.
// Deterministic: every sum is taken by the same threads in the same order whatever the addresses; a slot's sums are
// those of its warps in order, and slots are added in a fixed order.
#include "chunks.cuh"

// Sum over the threads that share a row.
template <int THREADS> DEVICE float row_sum(float v) {
  if constexpr (THREADS == 32)
    return warp_sum(v);
  else
    return block_sum<THREADS>(v);
}

// y of N elements of a row
template <class T> DEVICE void write_normalized(const Pack<T>& x, float mean, float rstd, const float* gamma,
                                                const float* beta, bool whole_parameters, T* y, int left, bool whole) {
  constexpr int N = Pack<T>::N;
  float scale[N], shift[N];
  load_floats<N>(scale, gamma, left, whole_parameters);
  load_floats<N>(shift, beta, left, whole_parameters);
  Pack<T> result;
#pragma unroll
  for (int k = 0; k < N; k++)
    result.v[k] = from_float<T>(fmaf((to_float(x.v[k]) - mean) * rstd, scale[k], shift[k]));
  store_chunk(y, result, left, whole);
}

// One row in the registers of THREADS threads, STEPS chunks each.
template <class T, int THREADS, int STEPS>
DEVICE void layer_norm(const T* x, const float* gamma, const float* beta, float epsilon, T* y, float* mean, float* rstd,
                       long long rows, int width) {
  constexpr int N = Pack<T>::N;
  const int thread = threadIdx.x % THREADS;
  const long long row = THREADS == 32 ? (long long)blockIdx.x * 4 + warp_index() : (long long)blockIdx.x;
  if (row >= rows) return;
  const bool whole_x = whole_chunks(x, width), whole_y = whole_chunks(y, width);
  const bool whole_parameters = aligned16(gamma) && aligned16(beta) && width % N == 0;
  const float per_element = reciprocal((float)width);
  Pack<T> values[STEPS];
  float sum = 0;
#pragma unroll
  for (int s = 0; s < STEPS; s++) {
    const int column = (s * THREADS + thread) * N;
    values[s] = load_chunk(x + row * width + column, width - column, whole_x);
#pragma unroll
    for (int k = 0; k < N; k++) sum += to_float(values[s].v[k]);
  }
  const float m = row_sum<THREADS>(sum) * per_element;
  float squares = 0;
#pragma unroll
  for (int s = 0; s < STEPS; s++) {
    const int column = (s * THREADS + thread) * N;
#pragma unroll
    for (int k = 0; k < N; k++) {
      const float centred = column + k < width ? to_float(values[s].v[k]) - m : 0.f;
      squares = fmaf(centred, centred, squares);
    }
  }
  const float r = rsqrtf(fmaf(row_sum<THREADS>(squares), per_element, epsilon));
#pragma unroll
  for (int s = 0; s < STEPS; s++) {
    const int column = (s * THREADS + thread) * N;
    if (column < width)
      write_normalized(values[s], m, r, gamma + column, beta + column, whole_parameters, y + row * width + column,
                       width - column, whole_y);
  }
  if (thread == 0) {
    mean[row] = m;
    rstd[row] = r;
  }
}

// One row per block that does not fit the registers.
template <class T>
DEVICE void layer_norm_long(const T* x, const float* gamma, const float* beta, float epsilon, T* y, float* mean,
                            float* rstd, int width) {
  constexpr int N = Pack<T>::N, STRIDE = 256 * N;
  const long long row = blockIdx.x;
  const T* from = x + row * width;
  const bool whole_x = whole_chunks(x, width), whole_y = whole_chunks(y, width);
  const bool whole_parameters = aligned16(gamma) && aligned16(beta) && width % N == 0;
  const float per_element = reciprocal((float)width);
  float sum = 0;
  for (int column = threadIdx.x * N; column < width; column += STRIDE) {
    const Pack<T> chunk = load_chunk(from + column, width - column, whole_x);
#pragma unroll
    for (int k = 0; k < N; k++) sum += to_float(chunk.v[k]);
  }
  const float m = block_sum<256>(sum) * per_element;
  float squares = 0;
  for (int column = threadIdx.x * N; column < width; column += STRIDE) {
    const Pack<T> chunk = load_chunk(from + column, width - column, whole_x);
#pragma unroll
    for (int k = 0; k < N; k++) {
      const float centred = column + k < width ? to_float(chunk.v[k]) - m : 0.f;
      squares = fmaf(centred, centred, squares);
    }
  }
  const float r = rsqrtf(fmaf(block_sum<256>(squares), per_element, epsilon));
  for (int column = threadIdx.x * N; column < width; column += STRIDE)
    write_normalized(load_chunk(from + column, width - column, whole_x), m, r, gamma + column, beta + column,
                     whole_parameters, y + row * width + column, width - column, whole_y);
  if (threadIdx.x == 0) {
    mean[row] = m;
    rstd[row] = r;
  }
}

// What the parts of a row's gradient share.
template <class T> struct RowGradient {
  const float* gamma;
  T* dx;
  int dx_mode;
  bool whole_gamma, whole_dx;
  float mean, rstd;

  // the row's sums of q and q xh over N elements
  DEVICE void add_sums(const Pack<T>& x, const Pack<T>& dy, int column, int left, float& sum_q, float& sum_qx) const {
    constexpr int N = Pack<T>::N;
    float scale[N];
    load_floats<N>(scale, gamma + column, left, whole_gamma);
#pragma unroll
    for (int k = 0; k < N; k++) {
      const float q = to_float(dy.v[k]) * scale[k];
      sum_q += q;
      sum_qx = fmaf(q, (to_float(x.v[k]) - mean) * rstd, sum_qx);
    }
  }

  // dx of N elements, given the means of q and q xh
  DEVICE void write(const Pack<T>& x, const Pack<T>& dy, long long row_start, int column, int left, float mean_q,
                    float mean_qx) const {
    constexpr int N = Pack<T>::N;
    float scale[N];
    load_floats<N>(scale, gamma + column, left, whole_gamma);
    T* to = dx + row_start + column;
    Pack<T> result;
    if (dx_mode == 2) result = load_chunk(to, left, whole_dx);
#pragma unroll
    for (int k = 0; k < N; k++) {
      const float normalized = (to_float(x.v[k]) - mean) * rstd;
      const float inner = fmaf(-normalized, mean_qx, fmaf(to_float(dy.v[k]), scale[k], -mean_q));
      result.v[k] = from_float<T>(dx_mode == 2 ? fmaf(rstd, inner, to_float(result.v[k])) : rstd * inner);
    }
    store_chunk(to, result, left, whole_dx);
  }

  // the slot's sums of dy xh and dy
  DEVICE void add_parameters(const Pack<T>& x, const Pack<T>& dy, float* d_gamma, float* d_beta) const {
#pragma unroll
    for (int k = 0; k < Pack<T>::N; k++) {
      const float d = to_float(dy.v[k]);
      d_gamma[k] = fmaf(d, (to_float(x.v[k]) - mean) * rstd, d_gamma[k]);
      d_beta[k] += d;
    }
  }
};

// sums of a slot, [slots, 2, width]: over dGamma's terms, over dBeta's
DEVICE float* sums_of_slot(float* slots, int width) { return slots + (long long)blockIdx.x * 2 * width; }

// The rows of a slot, each in the registers of THREADS threads.
template <class T, int THREADS, int STEPS, int BLOCK>
DEVICE void layer_norm_backward(const T* x, const float* gamma, const float* mean, const float* rstd, const T* dy, \
            T* dx,
                                int dx_mode, float* slots, long long rows, int width, int rows_of_slot) {
  constexpr int N = Pack<T>::N, STEP = THREADS * N, ROWS = BLOCK / THREADS;
  const int thread = threadIdx.x % THREADS;
  const int place = threadIdx.x / THREADS;
  const long long first = (long long)blockIdx.x * rows_of_slot;
  const int count = (int)min(rows - first, (long long)rows_of_slot);
  const bool whole_x = whole_chunks(x, width), whole_dy = whole_chunks(dy, width);
  const float per_element = reciprocal((float)width);
  RowGradient<T> gradient = {gamma, dx, dx_mode, aligned16(gamma) && width % N == 0, whole_chunks(dx, width), 0.f, 0.f};
  float d_gamma[STEPS * N], d_beta[STEPS * N];
#pragma unroll
  for (int i = 0; i < STEPS * N; i++) d_gamma[i] = d_beta[i] = 0.f;
  const int column = thread * N;
  for (int turn = place; turn < count; turn += ROWS) {
    gradient.mean = mean[first + turn];
    gradient.rstd = rstd[first + turn];
    const long long at = (first + turn) * width + column;
    Pack<T> in[STEPS], d[STEPS];
    float sum_q = 0, sum_qx = 0;
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
      in[s] = load_chunk(x + at + s * STEP, width - column - s * STEP, whole_x);
      d[s] = load_chunk(dy + at + s * STEP, width - column - s * STEP, whole_dy);
    }
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
      gradient.add_parameters(in[s], d[s], d_gamma + s * N, d_beta + s * N);
      if (dx_mode != 0) gradient.add_sums(in[s], d[s], column + s * STEP, width - column - s * STEP, sum_q, sum_qx);
    }
    if (dx_mode == 0) continue;
    const float mean_q = row_sum<THREADS>(sum_q) * per_element;
    const float mean_qx = row_sum<THREADS>(sum_qx) * per_element;
#pragma unroll
    for (int s = 0; s < STEPS; s++)
      if (column + s * STEP < width)
        gradient.write(in[s], d[s], at - column, column + s * STEP, width - column - s * STEP, mean_q, mean_qx);
  }
  float* sums = sums_of_slot(slots, width);
  if constexpr (ROWS == 1) {
#pragma unroll
    for (int i = 0; i < STEPS * N; i++) {
      const int to = column + i / N * STEP + i % N;
      if (to < width) {
        sums[to] = d_gamma[i];
        sums[width + to] = d_beta[i];
      }
    }
  } else {
    SHARED(float, total, 2 * THREADS * STEPS * N);  // one warp after the other adds its own
    constexpr int HALF = THREADS * STEPS * N;
    for (int turn = 0; turn < ROWS; turn++) {
      if (place == turn) {
#pragma unroll
        for (int i = 0; i < STEPS * N; i++) {
          const int at = i * THREADS + thread;  // no two lanes of a warp in one bank
          total[at] = turn == 0 ? d_gamma[i] : total[at] + d_gamma[i];
          total[HALF + at] = turn == 0 ? d_beta[i] : total[HALF + at] + d_beta[i];
        }
      }
      __syncthreads();
    }
    for (int to = threadIdx.x; to < width; to += BLOCK) {
      const int chunk = to / N, i = chunk / THREADS * N + to % N;
      const int at = i * THREADS + chunk % THREADS;
      sums[to] = total[at];
      sums[width + to] = total[HALF + at];
    }
  }
}

// The rows of a slot, one after the other, that do not fit the registers; a thread adds to its own columns of the slot.
template <class T>
DEVICE void layer_norm_backward_long(const T* x, const float* gamma, const float* mean, const float* rstd, const T* dy,
                                     T* dx, int dx_mode, float* slots, long long rows, int width, int rows_of_slot) {
  constexpr int N = Pack<T>::N, STRIDE = 256 * N;
  const long long first = (long long)blockIdx.x * rows_of_slot;
  const long long end = min(rows, first + rows_of_slot);
  const bool whole_x = whole_chunks(x, width), whole_dy = whole_chunks(dy, width);
  const float per_element = reciprocal((float)width);
  RowGradient<T> gradient = {gamma, dx, dx_mode, aligned16(gamma) && width % N == 0, whole_chunks(dx, width), 0.f, 0.f};
  float* sums = sums_of_slot(slots, width);
  for (long long row = first; row < end; row++) {
    gradient.mean = mean[row];
    gradient.rstd = rstd[row];
    const T* in = x + row * width;
    const T* d = dy + row * width;
    float sum_q = 0, sum_qx = 0;
    for (int column = threadIdx.x * N; column < width; column += STRIDE) {
      const Pack<T> x_chunk = load_chunk(in + column, width - column, whole_x);
      const Pack<T> dy_chunk = load_chunk(d + column, width - column, whole_dy);
      float d_gamma[N], d_beta[N];
#pragma unroll
      for (int k = 0; k < N; k++) {
        const bool there = row > first && column + k < width;
        d_gamma[k] = there ? sums[column + k] : 0.f;
        d_beta[k] = there ? sums[width + column + k] : 0.f;
      }
      gradient.add_parameters(x_chunk, dy_chunk, d_gamma, d_beta);
#pragma unroll
      for (int k = 0; k < N; k++) {
        if (column + k < width) {
          sums[column + k] = d_gamma[k];
          sums[width + column + k] = d_beta[k];
        }
      }
      if (dx_mode != 0) gradient.add_sums(x_chunk, dy_chunk, column, width - column, sum_q, sum_qx);
    }
    if (dx_mode == 0) continue;
    const float mean_q = block_sum<256>(sum_q) * per_element;
    const float mean_qx = block_sum<256>(sum_qx) * per_element;
    for (int column = threadIdx.x * N; column < width; column += STRIDE)
      gradient.write(load_chunk(in + column, width - column, whole_x), load_chunk(d + column, width - column, whole_dy),
                     row * width, column, width - column, mean_q, mean_qx);
  }
}

#define FORWARD(T, suffix, size, block, body) \
  KERNEL(layer_norm_##suffix##_##size, block, \
         (const T* x, const float* gamma, const float* beta, float epsilon, T* y, float* mean, float* rstd, \
          long long rows, int width)) { \
    body; \
  }
#define BACKWARD(T, suffix, size, block, body) \
  KERNEL(layer_norm_backward_##suffix##_##size, block, \
         (const T* x, const float* gamma, const float* mean, const float* rstd, const T* dy, T* dx, int dx_mode, \
          float* slots, long long rows, int width, int rows_of_slot)) { \
    body; \
  }
#define WIDTHS(T, suffix) \
  FORWARD(T, suffix, 256, 128, \
          (layer_norm<T, 32, 256 / 32 / Pack<T>::N>(x, gamma, beta, epsilon, y, mean, rstd, rows, width))) \
  FORWARD(T, suffix, 1024, 128, \
          (layer_norm<T, 32, 1024 / 32 / Pack<T>::N>(x, gamma, beta, epsilon, y, mean, rstd, rows, width))) \
  FORWARD(T, suffix, 8192, 256, \
          (layer_norm<T, 256, 8192 / 256 / Pack<T>::N>(x, gamma, beta, epsilon, y, mean, rstd, rows, width))) \
  FORWARD(T, suffix, long, 256, (layer_norm_long<T>(x, gamma, beta, epsilon, y, mean, rstd, width))) \
  BACKWARD(T, suffix, 256, 128, \
           (layer_norm_backward<T, 32, 256 / 32 / Pack<T>::N, 128>(x, gamma, mean, rstd, dy, dx, dx_mode, slots, \
            rows, width, rows_of_slot))) \
  BACKWARD(T, suffix, 1024, 256, \
           (layer_norm_backward<T, 32, 1024 / 32 / Pack<T>::N, 128>(x, gamma, mean, rstd, dy, dx, dx_mode, slots, \
            rows, width, rows_of_slot))) \
  BACKWARD(T, suffix, 8192, 256, \
           (layer_norm_backward<T, 256, 8192 / 256 / Pack<T>::N, 256>(x, gamma, mean, rstd, dy, dx, dx_mode, slots, \
            rows, width, rows_of_slot))) \
  BACKWARD(T, suffix, long, 256, \
           (layer_norm_backward_long<T>(x, gamma, mean, rstd, dy, dx, dx_mode, slots, rows, width, rows_of_slot)))

WIDTHS(float, f32)
WIDTHS(f16, f16)
WIDTHS(bf16, bf16)

KERNEL(layer_norm_sums, 1024, (const float* slots, int count, int width, float* d_gamma, float* d_beta)) {
  const int column = blockIdx.y * 32 + lane_index();
  const float* terms = slots + (blockIdx.z == 0 ? 0 : width);
  float sum = 0;
  if (column < width) {
#pragma unroll 8
    for (int slot = warp_index(); slot < count; slot += 32) sum += terms[(long long)slot * 2 * width + column];
  }
  sum = sum_over_warps<32>(sum);
  if (warp_index() == 0 && column < width) (blockIdx.z == 0 ? d_gamma : d_beta)[column] = sum;
}

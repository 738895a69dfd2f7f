// The token-wise side block: z = x + gelu(layerNorm(x) w1 + b1) w2 + b2.
//
//   adapter             the whole chain in one launch; writes z and what the backward pass needs
//   adapter_transpose   a weight for the backward chain, columns first
//   adapter_backward    the chain backwards: writes dHidden and dx, and sums over rows of a slot per block
//   adapter_finish      gradients of gamma, beta, b1 and b2: the slots summed in order; written
// Gradients of w1 and w2 are matrix products over what is kept (normalized^T dHidden, activated^T dz).
//
// All F32, dense and row-major, at any address that is a multiple of 4; x, z [rows, width], hidden [rows, middle],
// w1 [width, middle], w2 [middle, width]. A block of 128 threads works on 32 tokens at a time. What flows from one
// product to the next stays in shared memory, or goes through global memory where it does not fit (tiles_bytes is 0
// then); weights are read through the first-level cache, which holds them.
// Deterministic: blocks take tokens by their index, sums are in fixed order, whatever the alignment.
#include "quads.cuh"

constexpr int TOKENS = 32;
constexpr int ADAPTER_THREADS = 128;

// values of the tokens of a block: token t at values + t * pitch
struct TokenTile {
  float* values;
  int pitch;
  bool vector;
};

// A tile in shared memory at `shared`, or, where that is null, the tokens' own rows [.., width] at `rows`.
DEVICE TokenTile token_tile(float* shared, float* rows, int width) {
  if (shared) return TokenTile{shared, (width + 3) / 4 * 4 + 4, true};
  return TokenTile{rows, width, quads_aligned(rows, width)};
}

// The product of a tile [tokens, depth] and weight [depth, columns], handed to finish(token, column, sums) four
// neighbouring columns at a time
template <class Finish>
DEVICE void token_product(const TokenTile& tile, int tokens, int depth, const float* weight, int columns,
                          Finish finish) {
  const int quads = (columns + 3) >> 2;
  const bool vector = quads_aligned(weight, columns);
  for (int item = threadIdx.x; item < TOKENS / 4 * quads; item += ADAPTER_THREADS) {
    const int group = item / quads, column = (item - group * quads) * 4, wanted = columns - column;
    if (4 * group >= tokens) return;
    const float* row[4];
#pragma unroll
    for (int t = 0; t < 4; t++) row[t] = tile.values + (long long)min(4 * group + t, tokens - 1) * tile.pitch;
    float sum[4][4] = {};
    const float* w = weight + column;
    for (int k = 0; k < depth; k += 4) {
      float a[4][4], b[4];
#pragma unroll
      for (int t = 0; t < 4; t++) load_quad(a[t], row[t] + k, depth - k, tile.vector);
#pragma unroll
      for (int e = 0; e < 4; e++) {
        if (k + e >= depth) break;
        load_quad(b, w, wanted, vector);
        w += columns;
#pragma unroll
        for (int t = 0; t < 4; t++)
#pragma unroll
          for (int j = 0; j < 4; j++) sum[t][j] = fmaf(a[t][e], b[j], sum[t][j]);
      }
    }
#pragma unroll
    for (int t = 0; t < 4; t++)
      if (4 * group + t < tokens) finish(4 * group + t, column, sum[t]);
  }
}

// probability of a standard normal below x
DEVICE float normal_below(float x) { return 0.5f + 0.5f * erff(x * 0.70710678f); }
DEVICE float gelu_of(float x) { return x * normal_below(x); }
DEVICE float gelu_slope(float x) { return normal_below(x) + x * 0.39894228f * expf(-0.5f * x * x); }

// layer norm of the block's tokens, a warp per token
DEVICE void normalize_tokens(const float* x, const float* gamma, const float* beta, float epsilon, long long first,
                             int tokens, int width, float* mean, float* rstd, float* normalized, TokenTile tile) {
  const float inverse = reciprocal((float)width);
  for (int t = warp_index(); t < tokens; t += ADAPTER_THREADS / 32) {
    const float* in = x + (first + t) * width;
    float sum = 0.f, squares = 0.f;
    for (int i = lane_index(); i < width; i += 32) sum += in[i];
    const float m = warp_sum(sum) * inverse;
    for (int i = lane_index(); i < width; i += 32) squares = fmaf(in[i] - m, in[i] - m, squares);
    const float r = rsqrtf(warp_sum(squares) * inverse + epsilon);
    if (lane_index() == 0) {
      mean[first + t] = m;
      rstd[first + t] = r;
    }
    for (int i = lane_index(); i < width; i += 32) {
      const float y = fmaf((in[i] - m) * r, gamma[i], beta[i]);
      normalized[(first + t) * width + i] = y;
      tile.values[(long long)t * tile.pitch + i] = y;
    }
  }
}

// grid (rows / 32), 128 threads; tiles_bytes: dynamic shared memory, 0 or 128 * (width + middle + 8) with both widths
// rounded up to multiples of 4
KERNEL(adapter, 128,
       (const float* x, const float* gamma, const float* beta, const float* w1, const float* b1, const float* w2,
        const float* b2, float* mean, float* rstd, float* normalized, float* hidden, float* activated, float* z,
        float epsilon, int rows, int width, int middle, int tiles_bytes)) {
  DYNAMIC_SHARED(tiles);
  const long long first = (long long)blockIdx.x * TOKENS;
  const int tokens = (int)min((long long)TOKENS, rows - first);
  float* shared = tiles_bytes ? (float*)tiles : nullptr;
  const TokenTile norm = token_tile(shared, normalized + first * width, width);
  const TokenTile act = token_tile(shared ? shared + TOKENS * norm.pitch : nullptr, activated + first * middle, middle);
  normalize_tokens(x, gamma, beta, epsilon, first, tokens, width, mean, rstd, normalized, norm);
  __syncthreads();
  const bool vector_hidden = quads_aligned(hidden, middle), vector_activated = quads_aligned(activated, middle);
  token_product(norm, tokens, width, w1, middle, [&](int t, int column, float (&v)[4]) {
    const int wanted = middle - column;
    const long long at = (first + t) * middle + column;
    float bias[4];
    load_quad(bias, b1 + column, wanted, false);
#pragma unroll
    for (int e = 0; e < 4; e++) v[e] += bias[e];
    store_quad(hidden + at, v, wanted, vector_hidden);
#pragma unroll
    for (int e = 0; e < 4; e++) v[e] = gelu_of(v[e]);
    store_quad(activated + at, v, wanted, vector_activated);
    if (tiles_bytes) store_quad(act.values + t * act.pitch + column, v, wanted, true);
  });
  __syncthreads();
  const bool vector_x = quads_aligned(x, width), vector_z = quads_aligned(z, width);
  token_product(act, tokens, middle, w2, width, [&](int t, int column, float (&v)[4]) {
    const int wanted = width - column;
    const long long at = (first + t) * width + column;
    float in[4], bias[4];
    load_quad(in, x + at, wanted, vector_x);
    load_quad(bias, b2 + column, wanted, false);
#pragma unroll
    for (int e = 0; e < 4; e++) v[e] = in[e] + (v[e] + bias[e]);
    store_quad(z + at, v, wanted, vector_z);
  });
}

// transposed [columns, rows] = weight [rows, columns]; grid (columns / 32, rows / 32), 256 threads
KERNEL(adapter_transpose, 256, (const float* weight, float* transposed, int rows, int columns)) {
  SHARED(float, tile, 32 * 33);
  const int c0 = blockIdx.x * 32, r0 = blockIdx.y * 32, x = threadIdx.x & 31, y = threadIdx.x >> 5;
  for (int i = y; i < 32; i += 8)
    if (r0 + i < rows && c0 + x < columns) tile[i * 33 + x] = weight[(long long)(r0 + i) * columns + c0 + x];
  __syncthreads();
  for (int i = y; i < 32; i += 8)
    if (c0 + i < columns && r0 + x < rows) transposed[(long long)(c0 + i) * rows + r0 + x] = tile[x * 33 + i];
}

// What the tokens of one tile add to a slot: gamma [width], beta [width], b2 [width], b1 [middle]; a thread has columns
// of its own. gradient: of the layer norm's output; inner: of the hidden values.
DEVICE void sum_tokens(const float* x, const float* mean, const float* rstd, const float* dz, long long first,
                       int tokens, int width, int middle, const TokenTile& gradient, const float* inner, float* slot,
                       bool add) {
  for (int i = threadIdx.x; i < width; i += ADAPTER_THREADS) {
    float scale = 0.f, shift = 0.f, bias = 0.f;
    for (int t = 0; t < tokens; t++) {
      const float dy = gradient.values[(long long)t * gradient.pitch + i];
      const long long at = (first + t) * width + i;
      scale = fmaf(dy, (x[at] - mean[first + t]) * rstd[first + t], scale);
      shift += dy;
      bias += dz[at];
    }
    slot[i] = add ? slot[i] + scale : scale;
    slot[width + i] = add ? slot[width + i] + shift : shift;
    slot[2 * width + i] = add ? slot[2 * width + i] + bias : bias;
  }
  float* slot_b1 = slot + 3 * (long long)width;
  for (int i = threadIdx.x; i < middle; i += ADAPTER_THREADS) {
    float bias = 0.f;
    for (int t = 0; t < tokens; t++) bias += inner[(first + t) * middle + i];
    slot_b1[i] = add ? slot_b1[i] + bias : bias;
  }
}

// dx = dz + rstd (q - mean(q) - xh mean(q xh)), q = gradient gamma, xh = (x - mean) rstd; a warp per token.
// dx may be dz
DEVICE void normalize_tokens_backward(const float* x, const float* gamma, const float* mean, const float* rstd,
                                      const float* dz, float* dx, long long first, int tokens, int width,
                                      const TokenTile& gradient) {
  const float inverse = reciprocal((float)width);
  for (int t = warp_index(); t < tokens; t += ADAPTER_THREADS / 32) {
    const long long at = (first + t) * width;
    const float* dy = gradient.values + (long long)t * gradient.pitch;
    const float m = mean[first + t], r = rstd[first + t];
    float sum = 0.f, dot = 0.f;
    for (int i = lane_index(); i < width; i += 32) {
      const float q = dy[i] * gamma[i];
      sum += q;
      dot = fmaf(q, (x[at + i] - m) * r, dot);
    }
    sum = warp_sum(sum) * inverse;
    dot = warp_sum(dot) * inverse;
    for (int i = lane_index(); i < width; i += 32) {
      const float xh = (x[at + i] - m) * r;
      dx[at + i] = dz[at + i] + r * (dy[i] * gamma[i] - sum - xh * dot);
    }
  }
}

// grid (a number of blocks, not above rows / 32), 128 threads; block b takes tiles b, b + grid, ... and has slot b of
// slots [grid, 3 width + middle]. w1t, w2t: the weights transposed. dhidden [rows, middle] written; dnormalized
// [rows, width] is used where tiles_bytes is 0. Dynamic shared memory as for the forward pass. dx may be dz
KERNEL(adapter_backward, 128,
       (const float* x, const float* gamma, const float* w1t, const float* w2t, const float* mean, const float* rstd,
        const float* hidden, const float* dz, float* dhidden, float* dnormalized, float* dx, float* slots, int rows,
        int width, int middle, int tiles_bytes)) {
  DYNAMIC_SHARED(tiles);
  float* slot = slots + (long long)blockIdx.x * (3LL * width + middle);
  float* shared = tiles_bytes ? (float*)tiles : nullptr;
  const bool vector_hidden = quads_aligned(hidden, middle), vector_inner = quads_aligned(dhidden, middle);
  for (long long first = (long long)blockIdx.x * TOKENS; first < rows; first += (long long)gridDim.x * TOKENS) {
    const int tokens = (int)min((long long)TOKENS, rows - first);
    const TokenTile norm = token_tile(shared, dnormalized + first * width, width);
    const TokenTile inner =
        token_tile(shared ? shared + TOKENS * norm.pitch : nullptr, dhidden + first * middle, middle);
    TokenTile outer = norm;
    if (shared) {
      for (int t = warp_index(); t < tokens; t += ADAPTER_THREADS / 32)
        for (int i = lane_index(); i < width; i += 32) norm.values[t * norm.pitch + i] = dz[(first + t) * width + i];
      __syncthreads();
    } else {
      outer = TokenTile{const_cast<float*>(dz) + first * width, width, quads_aligned(dz, width)};
    }
    token_product(outer, tokens, width, w2t, middle, [&](int t, int column, float (&v)[4]) {
      const int wanted = middle - column;
      const long long at = (first + t) * middle + column;
      float before[4];
      load_quad(before, hidden + at, wanted, vector_hidden);
#pragma unroll
      for (int e = 0; e < 4; e++) v[e] *= gelu_slope(before[e]);
      store_quad(dhidden + at, v, wanted, vector_inner);
      if (tiles_bytes) store_quad(inner.values + t * inner.pitch + column, v, wanted, true);
    });
    __syncthreads();
    token_product(inner, tokens, middle, w1t, width, [&](int t, int column, float (&v)[4]) {
      store_quad(norm.values + (long long)t * norm.pitch + column, v, width - column, norm.vector);
    });
    __syncthreads();
    sum_tokens(x, mean, rstd, dz, first, tokens, width, middle, norm, dhidden, slot, first >= gridDim.x * TOKENS);
    __syncthreads();  // dz has been read by all: dx may be the same memory
    normalize_tokens_backward(x, gamma, mean, rstd, dz, dx, first, tokens, width, norm);
    __syncthreads();  // the tiles are used again
  }
}

// grid ((3 width + middle) / 32), 256 threads: a column for a lane; warp w sums slots w, w + 8, ..., then the first
// warp the eight sums
KERNEL(adapter_finish, 256,
       (const float* slots, float* dgamma, float* dbeta, float* db1, float* db2, int count, int width, int middle)) {
  SHARED(float, sums, 256);
  const int all = 3 * width + middle, i = blockIdx.x * 32 + lane_index();
  float sum = 0.f;
  if (i < all)
#pragma unroll 4
    for (int s = warp_index(); s < count; s += 8) sum += slots[(long long)s * all + i];
  sums[threadIdx.x] = sum;
  __syncthreads();
  if (warp_index() != 0 || i >= all) return;
  for (int w = 1; w < 8; w++) sum += sums[w * 32 + lane_index()];
  if (i < width) dgamma[i] = sum;
  else if (i < 2 * width) dbeta[i - width] = sum;
  else if (i < 3 * width) db2[i - 2 * width] = sum;
  else db1[i - 3 * width] = sum;
}

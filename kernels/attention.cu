// Multi-head self-attention, out = softmax(q k^T / sqrt(width)) v per sample and head, and its gradient: small heads.
//
// Shapes   qkv, dqkv [batch * tokens, 3 * heads * width]: queries, keys, values, heads contiguous in each;
//          out, dout [batch * tokens, heads * width]; all four of one type T: float, f16 or bf16, at any address.
//          valid [batch * tokens] F32, 0 = padding, or null; statistics [batch * heads * tokens] float4, scratch.
//          1 <= width <= 128, width <= W of the kernel's name. Sums, scores and probabilities are F32.
// Padding  is not read, neither in qkv nor in dout; its rows of out and dqkv are written as 0.
// Grid     x = sample * heads + head, y = tile of blockDim.x / LANES tokens; blockDim.x a multiple of 32.
// Design   LANES neighbouring lanes own one token and split its columns (W = COLUMNS * LANES); their vectors stay in
//          registers while the other side passes through shared memory in tiles of 32 tokens that all lanes of a
//          warp read at the same places. Tiles of padding only are skipped. Nothing of size tokens^2 exists.
//   forward            a token is a query: running maximum, sum and weighted sum of values.
//   backward, queries  one pass as well: with e = exp(s - max), dp = dout . v and delta = sum(e dp) / sum(e),
//                      dq = scale (sum(e dp k) - delta sum(e k)) / sum(e). Leaves max, 1 / sum and delta of its token.
//   backward, keys     a token is a key: p from the statistics of each query, dv += p dout, dk += p (dp - delta) q.
// Deterministic: each output is written by the lanes that own its token, in the order of tokens.
// Shared   8 * 32 * W bytes (16 KiB at W = 64), and 512 more in the backward pass by keys.
#include "device.cuh"

namespace {

constexpr int TILE = 32;  // tokens in shared memory: one bit of a word each
constexpr float LOG2_E = 1.4426950408889634f;
constexpr float LN_2 = 0.6931471805599453f;
constexpr float LOWEST = -3.4028234e38f;

// Four elements in one access of 4 * sizeof(T) bytes.
template <class T> struct Quad {
  using Bits = unsigned long long;
  union {
    Bits bits;
    T v[4];
  };
  DEVICE Quad() {}
};
template <> struct Quad<float> {
  using Bits = float4;
  union {
    Bits bits;
    float v[4];
  };
  DEVICE Quad() {}
};

// Whether rows of `width` elements that start at p can be read four elements at a time.
template <class T> DEVICE bool has_quads(const T* p, int width) {
  return width % 4 == 0 && (uintptr_t)p % (4 * sizeof(T)) == 0;
}

// Elements column .. column + 3 of a row; zeros beyond `width`.
template <class T> DEVICE float4 load_quad(const T* row, int column, int width, bool quads) {
  float x[4] = {0.f, 0.f, 0.f, 0.f};
  if (quads) {
    if (column < width) {
      Quad<T> four;
      four.bits = *(const typename Quad<T>::Bits*)(row + column);
#pragma unroll
      for (int e = 0; e < 4; e++) x[e] = to_float(four.v[e]);
    }
  } else {
#pragma unroll
    for (int e = 0; e < 4; e++) {
      if (column + e < width) x[e] = to_float(row[column + e]);
    }
  }
  return make_float4(x[0], x[1], x[2], x[3]);
}

template <class T> DEVICE void store_quad(T* row, const float* x, int column, int width, bool quads) {
  if (quads) {
    if (column < width) {
      Quad<T> four;
#pragma unroll
      for (int e = 0; e < 4; e++) four.v[e] = from_float<T>(x[e]);
      *(typename Quad<T>::Bits*)(row + column) = four.bits;
    }
  } else {
#pragma unroll
    for (int e = 0; e < 4; e++) {
      if (column + e < width) row[column + e] = from_float<T>(x[e]);
    }
  }
}

// The head of this block, and the token and the columns of this thread. Quad j of a lane is quad j * LANES + lane of
// the row, so that neighbouring lanes touch neighbouring memory.
template <int COLUMNS, int LANES> struct Place {
  static constexpr int QUADS = COLUMNS / 4;        // of a lane
  static constexpr int ROW_QUADS = QUADS * LANES;  // of a row

  int tokens, width;
  int row_width;        // of out; a third of a row of qkv
  long long first_row;  // of the sample
  int first_column;     // of the head
  int lane;             // of those that share a token
  int token;
  bool present;  // whether the token is there and not padding

  DEVICE Place(const float* valid, int tokens, int heads, int width) : tokens(tokens), width(width) {
    int sample = blockIdx.x / heads;
    row_width = heads * width;
    first_row = (long long)sample * tokens;
    first_column = (blockIdx.x - sample * heads) * width;
    lane = threadIdx.x % LANES;
    token = blockIdx.y * (blockDim.x / LANES) + threadIdx.x / LANES;
    present = token < tokens && (valid == nullptr || valid[first_row + token] != 0.f);
  }
  // Element 0 of this head in part 0, 1, 2 (queries, keys, values) of a token.
  template <class T> DEVICE T* in(T* qkv, int part, int of_token) const {
    return qkv + ((first_row + of_token) * 3 + part) * row_width + first_column;
  }
  template <class T> DEVICE T* out(T* out, int of_token) const {
    return out + (first_row + of_token) * row_width + first_column;
  }
  DEVICE long long statistic(int of_token) const { return (long long)blockIdx.x * tokens + of_token; }

  // This lane's columns of a row, times `factor`; zeros when the token is absent: then nothing is read.
  template <class T> DEVICE void load(float (&x)[COLUMNS], const T* row, float factor, bool quads) const {
#pragma unroll
    for (int j = 0; j < QUADS; j++) {
      float4 four = make_float4(0.f, 0.f, 0.f, 0.f);
      if (present) four = load_quad(row, 4 * (j * LANES + lane), width, quads);
      x[4 * j] = four.x * factor;
      x[4 * j + 1] = four.y * factor;
      x[4 * j + 2] = four.z * factor;
      x[4 * j + 3] = four.w * factor;
    }
  }
  // Writes this lane's columns, or zeros for padding.
  template <class T> DEVICE void store(T* row, float (&x)[COLUMNS], bool quads) const {
    if (token >= tokens) return;
#pragma unroll
    for (int j = 0; j < QUADS; j++) {
      float four[4];
#pragma unroll
      for (int e = 0; e < 4; e++) four[e] = present ? x[4 * j + e] : 0.f;
      store_quad(row, four, 4 * (j * LANES + lane), width, quads);
    }
  }
  // Bit i: token first + i of the sample is there and not padding. The same for all threads of the block.
  DEVICE unsigned present_from(const float* valid, int first) const {
    int left = tokens - first;
    unsigned inside = left >= TILE ? 0xffffffffu : (1u << left) - 1;
    if (valid == nullptr) return inside;
    int i = lane_index();
    return __ballot_sync(0xffffffffu, i < left && valid[first_row + first + i] != 0.f);
  }
  // Row i of a tile is the vector of token first + i, times `factor`; zeros where its bit is not set.
  template <class T>
  DEVICE void load_tile(float4* tile, const T* first_token, int stride, unsigned bits, float factor, bool quads) const {
#pragma unroll 2
    for (int i = threadIdx.x; i < TILE * ROW_QUADS; i += blockDim.x) {
      int row = i / ROW_QUADS;
      float4 four = make_float4(0.f, 0.f, 0.f, 0.f);
      if (bits >> row & 1) four = load_quad(first_token + (long long)row * stride, 4 * (i % ROW_QUADS), width, quads);
      tile[i] = make_float4(four.x * factor, four.y * factor, four.z * factor, four.w * factor);
    }
  }
  // This lane's part of x . (row of a tile).
  DEVICE float dot(const float (&x)[COLUMNS], const float4* row) const {
    float sum = 0.f;
#pragma unroll
    for (int j = 0; j < QUADS; j++) {
      float4 y = row[j * LANES + lane];
      sum = fmaf(x[4 * j], y.x, sum);
      sum = fmaf(x[4 * j + 1], y.y, sum);
      sum = fmaf(x[4 * j + 2], y.z, sum);
      sum = fmaf(x[4 * j + 3], y.w, sum);
    }
    return sum;
  }
  // x += factor * (row of a tile)
  DEVICE void add(float (&x)[COLUMNS], float factor, const float4* row) const {
#pragma unroll
    for (int j = 0; j < QUADS; j++) {
      float4 y = row[j * LANES + lane];
      x[4 * j] = fmaf(factor, y.x, x[4 * j]);
      x[4 * j + 1] = fmaf(factor, y.y, x[4 * j + 1]);
      x[4 * j + 2] = fmaf(factor, y.z, x[4 * j + 2]);
      x[4 * j + 3] = fmaf(factor, y.w, x[4 * j + 3]);
    }
  }
};

// The sum over the lanes that share a token.
template <int LANES> DEVICE float sum_of_lanes(float v) {
#pragma unroll
  for (int o = LANES / 2; o; o >>= 1) v += __shfl_xor_sync(0xffffffffu, v, o);
  return v;
}

template <int COLUMNS> DEVICE void fill(float (&x)[COLUMNS], float value) {
#pragma unroll
  for (int j = 0; j < COLUMNS; j++) x[j] = value;
}

template <int COLUMNS> DEVICE void times(float (&x)[COLUMNS], float factor) {
#pragma unroll
  for (int j = 0; j < COLUMNS; j++) x[j] *= factor;
}

// score[c] = x . (row k + c of the tile of keys), -inf for padding; returns the largest of them and `max`.
template <int CHUNK, int COLUMNS, int LANES>
DEVICE float scores(const Place<COLUMNS, LANES>& place, const float (&x)[COLUMNS], const float4* keys, int k,
                    unsigned bits, float max, float (&score)[CHUNK]) {
#pragma unroll
  for (int c = 0; c < CHUNK; c++) {
    score[c] = sum_of_lanes<LANES>(place.dot(x, keys + (k + c) * place.ROW_QUADS));
    if (!(bits >> c & 1)) score[c] = -INFINITY;
    max = fmaxf(max, score[c]);
  }
  return max;
}

template <class T, int COLUMNS, int LANES>
DEVICE void attention(const T* qkv, const float* valid, T* out, int tokens, int heads, int width, float scale) {
  using P = Place<COLUMNS, LANES>;
  constexpr int CHUNK = 8;
  SHARED(float4, keys, TILE * P::ROW_QUADS);
  SHARED(float4, values, TILE * P::ROW_QUADS);
  P place(valid, tokens, heads, width);
  bool quads = has_quads(qkv, width) && has_quads(out, width);
  float query[COLUMNS], sum[COLUMNS];
  place.load(query, place.in(qkv, 0, place.token), scale * LOG2_E, quads);
  fill(sum, 0.f);
  float max = LOWEST, total = 0.f;
  for (int first = 0; first < tokens; first += TILE) {
    unsigned present = place.present_from(valid, first);
    if (present == 0) continue;
    __syncthreads();
    place.load_tile(keys, place.in(qkv, 1, first), 3 * place.row_width, present, 1.f, quads);
    place.load_tile(values, place.in(qkv, 2, first), 3 * place.row_width, present, 1.f, quads);
    __syncthreads();
#pragma unroll 1
    for (int k = 0; k < TILE; k += CHUNK) {
      unsigned bits = present >> k & ((1u << CHUNK) - 1);
      if (bits == 0) continue;
      float e[CHUNK];
      float larger = scores<CHUNK>(place, query, keys, k, bits, max, e);
      if (larger > max) {
        float correction = exp2_fast(max - larger);
        times(sum, correction);
        total *= correction;
        max = larger;
      }
#pragma unroll
      for (int c = 0; c < CHUNK; c++) {
        e[c] = exp2_fast(e[c] - max);
        total += e[c];
        place.add(sum, e[c], values + (k + c) * P::ROW_QUADS);
      }
    }
  }
  if (total > 0.f) times(sum, reciprocal(total));
  place.store(place.out(out, place.token), sum, quads);
}

template <class T, int COLUMNS, int LANES>
DEVICE void attention_backward_queries(const T* qkv, const float* valid, const T* dout, T* dqkv, float4* statistics,
                                       int tokens, int heads, int width, float scale) {
  using P = Place<COLUMNS, LANES>;
  constexpr int CHUNK = 2;
  SHARED(float4, keys, TILE * P::ROW_QUADS);
  SHARED(float4, values, TILE * P::ROW_QUADS);
  P place(valid, tokens, heads, width);
  bool quads = has_quads(qkv, width) && has_quads(dout, width) && has_quads(dqkv, width);
  float query[COLUMNS], gradient[COLUMNS], weighted[COLUMNS], mean[COLUMNS];
  place.load(query, place.in(qkv, 0, place.token), scale * LOG2_E, quads);
  place.load(gradient, place.out(dout, place.token), 1.f, quads);
  fill(weighted, 0.f);  // sum of e dp k
  fill(mean, 0.f);      // sum of e k
  float max = LOWEST, total = 0.f, delta = 0.f;
  for (int first = 0; first < tokens; first += TILE) {
    unsigned present = place.present_from(valid, first);
    if (present == 0) continue;
    __syncthreads();
    place.load_tile(keys, place.in(qkv, 1, first), 3 * place.row_width, present, 1.f, quads);
    place.load_tile(values, place.in(qkv, 2, first), 3 * place.row_width, present, 1.f, quads);
    __syncthreads();
#pragma unroll 1
    for (int k = 0; k < TILE; k += CHUNK) {
      unsigned bits = present >> k & ((1u << CHUNK) - 1);
      if (bits == 0) continue;
      float e[CHUNK];
      float larger = scores<CHUNK>(place, query, keys, k, bits, max, e);
      if (larger > max) {
        float correction = exp2_fast(max - larger);
        times(weighted, correction);
        times(mean, correction);
        total *= correction;
        delta *= correction;
        max = larger;
      }
#pragma unroll
      for (int c = 0; c < CHUNK; c++) {
        const float4* key = keys + (k + c) * P::ROW_QUADS;
        float p = exp2_fast(e[c] - max);
        float dp = p * sum_of_lanes<LANES>(place.dot(gradient, values + (k + c) * P::ROW_QUADS));
        total += p;
        delta += dp;
        place.add(weighted, dp, key);
        place.add(mean, p, key);
      }
    }
  }
  float inverse = total > 0.f ? reciprocal(total) : 0.f;
  delta *= inverse;
#pragma unroll
  for (int j = 0; j < COLUMNS; j++) weighted[j] = fmaf(-delta, mean[j], weighted[j]) * (inverse * scale);
  place.store(place.in(dqkv, 0, place.token), weighted, quads);
  if (place.present && place.lane == 0) {
    statistics[place.statistic(place.token)] = make_float4(max, inverse, delta, 0.f);
  }
}

template <class T, int COLUMNS, int LANES>
DEVICE void attention_backward_keys(const T* qkv, const float* valid, const T* dout, T* dqkv,
                                    const float4* statistics, int tokens, int heads, int width, float scale) {
  using P = Place<COLUMNS, LANES>;
  SHARED(float4, queries, TILE * P::ROW_QUADS);
  SHARED(float4, gradients, TILE * P::ROW_QUADS);
  SHARED(float4, of_query, TILE);
  P place(valid, tokens, heads, width);
  bool quads = has_quads(qkv, width) && has_quads(dout, width) && has_quads(dqkv, width);
  float key[COLUMNS], value[COLUMNS], dkey[COLUMNS], dvalue[COLUMNS];
  place.load(key, place.in(qkv, 1, place.token), 1.f, quads);
  place.load(value, place.in(qkv, 2, place.token), 1.f, quads);
  fill(dkey, 0.f);
  fill(dvalue, 0.f);
  for (int first = 0; first < tokens; first += TILE) {
    unsigned present = place.present_from(valid, first);
    if (present == 0) continue;
    __syncthreads();
    place.load_tile(queries, place.in(qkv, 0, first), 3 * place.row_width, present, scale * LOG2_E, quads);
    place.load_tile(gradients, place.out(dout, first), place.row_width, present, 1.f, quads);
    if (threadIdx.x < TILE && (present >> threadIdx.x & 1)) {
      of_query[threadIdx.x] = statistics[place.statistic(first + threadIdx.x)];
    }
    __syncthreads();
#pragma unroll 1
    for (int k = 0; k < TILE; k++) {
      if (!(present >> k & 1)) continue;
      const float4* query = queries + k * P::ROW_QUADS;
      const float4* gradient = gradients + k * P::ROW_QUADS;
      float4 s = of_query[k];  // maximum, 1 / sum, delta
      float p = exp2_fast(sum_of_lanes<LANES>(place.dot(key, query)) - s.x) * s.y;
      float ds = p * (sum_of_lanes<LANES>(place.dot(value, gradient)) - s.z);
      place.add(dvalue, p, gradient);
      place.add(dkey, ds, query);
    }
  }
  times(dkey, LN_2);  // the queries of the tiles hold scale * log2(e)
  place.store(place.in(dqkv, 1, place.token), dkey, quads);
  place.store(place.in(dqkv, 2, place.token), dvalue, quads);
}

}  // namespace

#define OF_TYPE(T, suffix, W, COLUMNS, LANES, THREADS)                                                               \
  KERNEL(attention_##W##_##suffix, BOUNDS(THREADS, 16),                                                              \
         (const T* qkv, const float* valid, T* out, int tokens, int heads, int width, float scale)) {                \
    attention<T, COLUMNS, LANES>(qkv, valid, out, tokens, heads, width, scale);                                      \
  }                                                                                                                  \
  KERNEL(attention_backward_queries_##W##_##suffix, BOUNDS(THREADS, 12),                                             \
         (const T* qkv, const float* valid, const T* dout, T* dqkv, float4* statistics, int tokens, int heads,       \
          int width, float scale)) {                                                                                 \
    attention_backward_queries<T, COLUMNS, LANES>(qkv, valid, dout, dqkv, statistics, tokens, heads, width, scale);  \
  }                                                                                                                  \
  KERNEL(attention_backward_keys_##W##_##suffix, BOUNDS(THREADS, 12),                                                \
         (const T* qkv, const float* valid, const T* dout, T* dqkv, const float4* statistics, int tokens, int heads, \
          int width, float scale)) {                                                                                 \
    attention_backward_keys<T, COLUMNS, LANES>(qkv, valid, dout, dqkv, statistics, tokens, heads, width, scale);     \
  }

#define OF_WIDTH(W, COLUMNS, LANES, THREADS)      \
  OF_TYPE(float, f32, W, COLUMNS, LANES, THREADS) \
  OF_TYPE(f16, f16, W, COLUMNS, LANES, THREADS)   \
  OF_TYPE(bf16, bf16, W, COLUMNS, LANES, THREADS)

OF_WIDTH(4, 4, 1, 64)
OF_WIDTH(8, 8, 1, 64)
OF_WIDTH(16, 16, 1, 64)
OF_WIDTH(24, 12, 2, 128)
OF_WIDTH(32, 16, 2, 128)
OF_WIDTH(64, 16, 4, 128)
OF_WIDTH(128, 16, 8, 256)

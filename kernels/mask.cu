// Which tokens are removed, and what stands in their place. All F32; masks hold 1 and 0.
//
// draw_mask:    removed [batch * tokens], written. Of the V valid tokens of a sample from `prefix` on the V - kept[V]
//               of largest noise are removed, ties by index: a token goes where at least kept[V] others come before it.
//               draw: seed and stream number (64 bits each), then kept[0 .. tokens - prefix] (32 bits each): how many
//               tokens stay comes from the host, which computes it in double.
//               grid (batch, tokens / 256 rounded up), blocks of 256: each compares its tokens with all of the sample
// invert_mask:  mask = 1 - mask
//               one thread for an element: grid (n / 256 rounded up), blocks of 256
// insert_mask_token:           y = token where removed, else x; x is not read where removed
//               x, y [rows, width], token [width]; grid (rows / rows_of_block rounded up), blocks of 256
// insert_mask_token_backward:  dx += dy in rows that are not removed; sums[slot] = the sum of dy over the removed rows
//               of a slot of rows_of_slot rows, [slots, width], which column_sums adds in order
//               grid (slots, width / 32 rounded up), blocks of 256
#include "chunks.cuh"

// ---- dev.sidefade.tensor.CounterRandom, bit by bit
constexpr uint64_t GOLDEN = 0x9E3779B97F4A7C15ull;

DEVICE uint64_t mix_bits(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}
DEVICE uint64_t random_bits(uint64_t seed, uint64_t stream, uint64_t index) {
  uint64_t x = mix_bits(seed + GOLDEN);
  x = mix_bits(x + stream * GOLDEN + GOLDEN);
  return mix_bits(x + index * GOLDEN + GOLDEN);
}

constexpr uint32_t NO_TOKEN = 0xffffffffu;

// the 24 bits of the uniform number of a token, or NO_TOKEN
DEVICE uint32_t noise_of(const float* valid, const long long* draw, int prefix, int tokens, long long first,
                         int token) {
  const bool there = token >= prefix && token < tokens && (valid == nullptr || valid[first + token] != 0.f);
  return there ? (uint32_t)(random_bits(draw[0], draw[1], first + token) >> 40) : NO_TOKEN;
}

KERNEL(draw_mask, 256, (const long long* draw, const float* valid, int tokens, int prefix, float* removed)) {
  SHARED(uint32_t, tile, 256);
  const int* kept = (const int*)(draw + 2);
  const long long first = (long long)blockIdx.x * tokens;
  const int token = blockIdx.y * 256 + threadIdx.x;
  const uint32_t own = noise_of(valid, draw, prefix, tokens, first, token);
  int before = 0, count = 0;
  for (int start = 0; start < tokens; start += 256) {
    tile[threadIdx.x] = start == (int)blockIdx.y * 256
                            ? own
                            : noise_of(valid, draw, prefix, tokens, first, start + threadIdx.x);
    __syncthreads();
    const int end = min(256, tokens - start);
#pragma unroll 8
    for (int i = 0; i < end; i++) {
      const uint32_t other = tile[i];
      count += other != NO_TOKEN;
      before += other < own || (other == own && start + i < token);
    }
    __syncthreads();
  }
  if (token < tokens) removed[first + token] = own != NO_TOKEN && before >= kept[count] ? 1.f : 0.f;
}

KERNEL(invert_mask, 256, (float* mask, long long n)) {
  const long long at = (long long)blockIdx.x * 256 + threadIdx.x;
  if (at < n) mask[at] = 1.f - mask[at];
}

KERNEL(insert_mask_token, 256,
       (const float* x, const float* removed, const float* token, float* y, long long rows, int width,
        int rows_of_block)) {
  const bool whole_x = whole_chunks(x, width), whole_y = whole_chunks(y, width);
  const bool whole_token = whole_chunks(token, width);
  const long long first = (long long)blockIdx.x * rows_of_block;
  const int chunks = (width + 3) / 4;
  const int here = (int)min(rows - first, (long long)rows_of_block) * chunks;
  for (int i = threadIdx.x; i < here; i += 256) {
    const int place = i / chunks;
    const int column = (i - place * chunks) * 4;
    const long long row = first + place, at = row * width + column;
    const bool gone = removed[row] != 0.f;
    const Pack<float> chunk = gone ? load_chunk(token + column, width - column, whole_token)
                                   : load_chunk(x + at, width - column, whole_x);
    store_chunk(y + at, chunk, width - column, whole_y);
  }
}

KERNEL(insert_mask_token_backward, 256,
       (const float* dy, const float* removed, float* dx, long long rows, int width, int rows_of_slot, float* sums)) {
  const int column = blockIdx.y * 32 + lane_index();
  const long long first = (long long)blockIdx.x * rows_of_slot;
  const long long end = min(rows, first + rows_of_slot);
  float sum = 0;
  if (column < width) {
#pragma unroll 4
    for (long long row = first + warp_index(); row < end; row += 8) {
      const long long at = row * width + column;
      if (removed[row] != 0.f)
        sum += dy[at];
      else
        dx[at] += dy[at];
    }
  }
  sum = sum_over_warps<8>(sum);
  if (warp_index() == 0 && column < width) sums[(long long)blockIdx.x * width + column] = sum;
}

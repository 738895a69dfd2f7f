// Gradient clipping and AdamW over flat vectors. All F32.
//
// gradient_squares:  squares[slot] = the sum of g^2 over the elements [slot size, (slot + 1) size) of the gradient;
//                    size is a multiple of 1024.  grid (slots), blocks of 256
// gradient_clip:     clip[1] = the norm, from the slots; clip[0] = min(1, most / norm), 1 where most is 0, NaN where
//                    the norm is not finite.  grid (1), blocks of 256
// adamw:             m = beta1 m + (1 - beta1) s g, v = beta2 v + (1 - beta2) (s g)^2,
//                    p -= step_size m / (sqrt(v) root_scale + epsilon) + decay p, with s = clip[0]
//                    over the runs of one vector in one launch, elements outside the runs are left alone.
//                    `runs` holds what may change from step to step: `count` runs in ascending order, apart from each
//                    other: first elements (64 bits each), ends (64 bits each), step sizes and decays (floats; learning
//                    rate and bias correction are in them), then beta1, beta2, epsilon, root_scale (floats).
//                    grid (n / 1024 rounded up), blocks of 256, four elements a thread
// Deterministic: sums are taken in an order that follows from the length alone.
#include "chunks.cuh"

constexpr int ELEMENTS_OF_BLOCK = 1024;

KERNEL(gradient_squares, 256, (const float* gradient, long long n, long long size, float* squares)) {
  const long long first = (long long)blockIdx.x * size;
  const long long end = min(n, first + size);
  const bool whole = aligned16(gradient);
  float sum = 0;
#pragma unroll 4
  for (long long at = first + threadIdx.x * 4; at < end; at += ELEMENTS_OF_BLOCK) {
    const int count = (int)min(end - at, 4ll);
    const Pack<float> chunk = load_chunk(gradient + at, count, whole && count == 4);
#pragma unroll
    for (int k = 0; k < 4; k++) sum = fmaf(chunk.v[k], chunk.v[k], sum);
  }
  sum = block_sum<256>(sum);
  if (threadIdx.x == 0) squares[blockIdx.x] = sum;
}

KERNEL(gradient_clip, 256, (const float* squares, int count, float most, float* clip)) {
  // scaled where the sum might overflow although no slot did
  float largest = 0;
  for (int i = threadIdx.x; i < count; i += 256) largest = fmaxf(largest, squares[i]);
  const bool large = block_max<256>(largest) > 0x1p100f;
  float sum = 0;
  for (int i = threadIdx.x; i < count; i += 256) sum += large ? squares[i] * 0x1p-64f : squares[i];
  sum = block_sum<256>(sum);
  if (threadIdx.x == 0) {
    const float root = sum > 0.f ? sum * rsqrtf(sum) : sum;
    const float norm = large ? root * 0x1p32f : root;
    const bool finite = sum < __uint_as_float(0x7f800000u);  // false for NaN, too
    const float factor = most > 0.f && norm > most ? most * reciprocal(norm) : 1.f;
    clip[0] = finite ? factor : __uint_as_float(0x7fc00000u);
    clip[1] = finite ? norm : sum;
  }
}

struct Factors {
  float scale, beta1, beta2, epsilon, root_scale, step_size, decay;
};

DEVICE void update(float& p, float g, float& m, float& v, const Factors& f) {
  const float d = g * f.scale;
  m = fmaf(f.beta1, m, (1.f - f.beta1) * d);
  v = fmaf(f.beta2, v, (1.f - f.beta2) * d * d);
  const float root = v * rsqrtf(fmaxf(v, 0x1p-126f));  // 0 for 0
  const float move = f.step_size * m * reciprocal(fmaf(root, f.root_scale, f.epsilon));
  p = p - fmaf(f.decay, p, move);
}

// the first run that ends behind an element
DEVICE int first_run(const long long* ends, int count, long long element) {
  int low = 0, high = count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (ends[middle] > element)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

KERNEL(adamw, 256,
       (float* parameters, const float* gradient, float* m, float* v, long long n, const long long* runs, int count,
        const float* clip)) {
  const long long* begins = runs;
  const long long* ends = runs + count;
  const float* steps = (const float*)(runs + 2 * count);
  const float* decays = steps + count;
  const float* common = decays + count;
  Factors factors = {clip[0], common[0], common[1], common[2], common[3], 0.f, 0.f};
  const bool aligned = aligned16(parameters) && aligned16(gradient) && aligned16(m) && aligned16(v);
  const long long block = (long long)blockIdx.x * ELEMENTS_OF_BLOCK;
  const long long behind = min(n, block + ELEMENTS_OF_BLOCK);
  const long long at = block + threadIdx.x * 4;
  for (int run = first_run(ends, count, block); run < count && begins[run] < behind; run++) {
    // this thread's elements of the run
    const long long from = max(begins[run], at), end = min(ends[run], at + 4);
    if (from >= end) continue;
    factors.step_size = steps[run];
    factors.decay = decays[run];
    const int here = (int)(end - from);
    const bool whole = aligned && here == 4;
    Pack<float> p = load_chunk(parameters + from, here, whole);
    const Pack<float> g = load_chunk(gradient + from, here, whole);
    Pack<float> first = load_chunk(m + from, here, whole);
    Pack<float> second = load_chunk(v + from, here, whole);
#pragma unroll
    for (int k = 0; k < 4; k++) update(p.v[k], g.v[k], first.v[k], second.v[k], factors);
    store_chunk(parameters + from, p, here, whole);
    store_chunk(m + from, first, here, whole);
    store_chunk(v + from, second, here, whole);
  }
}

// Cross-entropy with label smoothing and distillation from a teacher's logits, with the gradient, in one launch.
//
//   student, teacher, dstudent [rows, classes], one type (F32, F16, BF16), row-major, at any multiple of an element
//   teacher may be null: there is none. dstudent, written, may be student itself (in place), and overlap nothing else.
//   labels [rows]: a class; PADDING: the row takes part in nothing, is not read and gets a gradient of 0; any other
//     negative number: no cross-entropy. A row that neither has a label nor a teacher is not read either.
//   settings: 7 floats on the device, see below; with the labels they are all that differs from step to step
//   row_losses [rows, 2], written: cross-entropy and KL(teacher || student) at the temperature, 0 where there is none;
//     logit_losses makes the means, losses [2], from it
//
// logit_distillation_rows_*: up to 1024 classes; grid (rows / 4), 128 threads: a warp per row.
// logit_distillation_row_*: any number of classes; grid (rows), 512 threads: a block per row.
// The first keeps its rows in dynamic shared memory between the two passes over them, the second if cached != 0;
// otherwise its second pass reads them again. A row takes 2 * 16 * ceil(classes * sizeof(T) / 16) bytes there, with a
// teacher or without.
//
// Pass 1: sums of exponentials below a running maximum, a thread for itself, then brought to the row's maximum and
// added up. Pass 2: the gradient. A thread reads in pass 2 what it read in pass 1, so the cache needs no barrier, and
// in place needs none either. Elements of a row are dealt to threads by their index in groups of 16 bytes, however the
// row is aligned, and sums have a fixed order: results depend on nothing but values and shapes.
#include "device.cuh"

constexpr int PADDING = INT32_MIN;
constexpr int INVERSE_TEMPERATURE = 0;
constexpr int CE_SCALE = 1;   // factor of softmax - target in the gradient
constexpr int KL_SCALE = 2;   // factor of p_student - p_teacher in the gradient
constexpr int SMOOTHING = 3;  // this much of the target is spread over all classes
constexpr int SQUARINGS = 4;  // log2 of the temperature if it is 1, 2 or 4, otherwise negative
constexpr int CE_MEAN = 5;    // factors of the summed losses
constexpr int KL_MEAN = 6;

constexpr float LOG2_E = 1.44269504f;
constexpr float LOWEST = -3.402823466e38f;

// N elements of 16 bytes, the first `wanted` of them at p
template <class T> DEVICE Pack<T> load_part(const T* p, int wanted, bool vector) {
  if (vector && wanted >= Pack<T>::N) return load16_once(p);
  Pack<T> r;
#pragma unroll
  for (int i = 0; i < Pack<T>::N; i++) r.v[i] = i < wanted ? p[i] : from_float<T>(0.f);
  return r;
}
template <class T> DEVICE void store_part(T* p, const Pack<T>& r, int wanted, bool vector) {
  if (vector && wanted >= Pack<T>::N) {
    store16_once(p, r);
    return;
  }
#pragma unroll
  for (int i = 0; i < Pack<T>::N; i++)
    if (i < wanted) p[i] = r.v[i];
}

// A row of logits and the place where it may be kept from pass 1 to pass 2.
template <class T> struct Logits {
  const T* row;
  T* cache;
  bool cached, vector;

  DEVICE Logits(const T* matrix, long long index, int classes, T* cache, bool cached)
      : row(matrix + index * classes), cache(cache), cached(cached), vector(aligned16(row)) {}

  DEVICE Pack<T> first(int c, int wanted) const {
    if (!cached && vector && wanted >= Pack<T>::N) return load16(row + c);  // likely in the cache still for pass 2
    const Pack<T> r = load_part(row + c, wanted, vector);
    if (cached) store16(cache + c, r);
    return r;
  }
  DEVICE Pack<T> again(int c, int wanted) const {
    return cached ? load16(cache + c) : load_part(row + c, wanted, vector);
  }
};

// What the loss and the gradient want of a row; the same for all threads of a row.
struct Wanted {
  float scale;    // log2(e) / T: exponentials are 2^(scale (x - maximum)); T = 1 where there is no teacher
  int squarings;  // see above, for that T
  bool labelled, taught;

  // e^d from tempered = e^(d / T)
  DEVICE float plain(float tempered, float d) const {
    if (squarings == 0) return tempered;
    if (squarings == 1) return tempered * tempered;
    if (squarings == 2) return (tempered * tempered) * (tempered * tempered);
    return exp2_fast(d * LOG2_E);
  }
};

// Sums of one thread below its own maxima.
struct RowSums {
  float top = LOWEST, tempered = 0.f, plain = 0.f;  // student: maximum, sums of e^((x - top) / T) and e^(x - top)
  float above_first = 0.f;                          // sum of x - first x of the row
  float teacher_top = LOWEST, teacher = 0.f;        // teacher: maximum, sum of e^((y - top) / T)
  float cross = 0.f;                                // sum of e^((y - top) / T) ((y - first y) - (x - first x))

  DEVICE void raise(float to, const Wanted& wanted) {
    tempered *= exp2_fast((top - to) * wanted.scale);
    plain *= exp2_fast((top - to) * LOG2_E);
    top = to;
  }
  DEVICE void raise_teacher(float to, const Wanted& wanted) {
    const float factor = exp2_fast((teacher_top - to) * wanted.scale);
    teacher *= factor;
    cross *= factor;
    teacher_top = to;
  }

  // the first n elements of a pack of each row; n is a constant where the pack is full
  template <class T>
  DEVICE void add(const Pack<T>& x, const Pack<T>& y, int n, float first, float teacher_first, const Wanted& wanted) {
    float highest = top, teacher_highest = teacher_top;
#pragma unroll
    for (int i = 0; i < Pack<T>::N; i++)
      if (i < n) {
        highest = fmaxf(highest, to_float(x.v[i]));
        if (wanted.taught) teacher_highest = fmaxf(teacher_highest, to_float(y.v[i]));
      }
    if (highest > top) raise(highest, wanted);
    if (teacher_highest > teacher_top) raise_teacher(teacher_highest, wanted);
#pragma unroll
    for (int i = 0; i < Pack<T>::N; i++)
      if (i < n) {
        const float d = to_float(x.v[i]) - top, e = exp2_fast(d * wanted.scale), above = to_float(x.v[i]) - first;
        tempered += e;
        if (wanted.labelled) {
          plain += wanted.plain(e, d);
          above_first += above;
        }
        if (wanted.taught) {
          const float t = exp2_fast((to_float(y.v[i]) - teacher_top) * wanted.scale);
          teacher += t;
          cross += t * ((to_float(y.v[i]) - teacher_first) - above);
        }
      }
  }
};

// The threads that share a row: a warp or a block.
template <int THREADS> struct RowThreads {
  static constexpr int WARPS = THREADS / 32;

  static DEVICE int index() { return THREADS == 32 ? lane_index() : (int)threadIdx.x; }
  static DEVICE float largest(float v) {
    if constexpr (THREADS == 32) return warp_max(v);
    else return block_max<THREADS>(v);
  }
  template <int N> static DEVICE void sum(float (&v)[N]) {
#pragma unroll
    for (int i = 0; i < N; i++) v[i] = warp_sum(v[i]);
    if constexpr (THREADS > 32) {
      SHARED(float, partial, N * WARPS);
      if (lane_index() == 0)
        for (int i = 0; i < N; i++) partial[i * WARPS + warp_index()] = v[i];
      __syncthreads();
#pragma unroll
      for (int i = 0; i < N; i++) v[i] = warp_sum(lane_index() < WARPS ? partial[i * WARPS + lane_index()] : 0.f);
    }
  }
};

// gradient = tempered_scale e^((x - top) / T) + plain_scale e^(x - top) - teacher_scale e^((y - top) / T) - everywhere,
// and - at_label at the label's class
struct RowGradient {
  float top, teacher_top, tempered_scale, plain_scale, teacher_scale, everywhere, at_label;
  int label;

  template <class T>
  DEVICE Pack<T> of(const Pack<T>& x, const Pack<T>& y, int c, const Wanted& wanted) const {
    Pack<T> result;
#pragma unroll
    for (int i = 0; i < Pack<T>::N; i++) {
      const float d = to_float(x.v[i]) - top, e = exp2_fast(d * wanted.scale);
      float g = 0.f;
      if (wanted.labelled) g = plain_scale * wanted.plain(e, d) - everywhere - (c + i == label ? at_label : 0.f);
      if (wanted.taught)
        g += tempered_scale * e - teacher_scale * exp2_fast((to_float(y.v[i]) - teacher_top) * wanted.scale);
      result.v[i] = from_float<T>(g);
    }
    return result;
  }
};

// cache: for the student's row, then for the teacher's
template <class T, int THREADS>
DEVICE void distill_row(const T* student, const T* teacher, int label, const float* settings, long long row,
                        int classes, T* dstudent, float* row_losses, T* cache, bool cached) {
  constexpr int N = Pack<T>::N;
  using Threads = RowThreads<THREADS>;
  const int start = Threads::index() * N, step = THREADS * N;
  T* gradient_row = dstudent + row * classes;
  const bool vector = aligned16(gradient_row);
  Wanted wanted;
  wanted.labelled = label >= 0;
  wanted.taught = teacher && label != PADDING;
  if (!wanted.labelled && !wanted.taught) {
    Pack<T> zeros;
    zeros.bits = make_uint4(0, 0, 0, 0);
    for (int c = start; c < classes; c += step) store_part(gradient_row + c, zeros, classes - c, vector);
    if (Threads::index() == 0) row_losses[2 * row] = row_losses[2 * row + 1] = 0.f;
    return;
  }
  const float inverse_temperature = settings[INVERSE_TEMPERATURE], smoothing = settings[SMOOTHING];
  wanted.scale = wanted.taught ? LOG2_E * inverse_temperature : LOG2_E;
  wanted.squarings = wanted.taught ? (int)settings[SQUARINGS] : 0;
  const int padded = (classes + N - 1) / N * N;
  const Logits<T> x(student, row, classes, cache, cached);
  const Logits<T> y(wanted.taught ? teacher : student, row, classes, cache + padded, cached);
  const float first = to_float(x.row[0]), teacher_first = to_float(y.row[0]);
  const float at_label = wanted.labelled ? to_float(x.row[label]) : 0.f;

  RowSums sums;
  for (int c = start; c < classes; c += step) {
    const int n = classes - c;
    const Pack<T> xs = x.first(c, n);
    Pack<T> ys = xs;
    if (wanted.taught) ys = y.first(c, n);
    if (n >= N) sums.add(xs, ys, N, first, teacher_first, wanted);
    else sums.add(xs, ys, n, first, teacher_first, wanted);
  }
  sums.raise(Threads::largest(sums.top), wanted);
  if (wanted.taught) sums.raise_teacher(Threads::largest(sums.teacher_top), wanted);
  float all[5] = {sums.tempered, sums.plain, sums.above_first, sums.teacher, sums.cross};
  Threads::sum(all);
  const float tempered = all[0], plain = all[1], even = smoothing * reciprocal((float)classes);

  if (Threads::index() == 0) {
    float cross_entropy = 0.f, divergence = 0.f;
    if (wanted.labelled) {
      const float log_sum = logf(plain);
      cross_entropy = log_sum + (sums.top - at_label);
      if (smoothing > 0.f) {
        const float mean = all[2] * reciprocal((float)classes) + (first - sums.top);  // of x - top
        cross_entropy = (1.f - smoothing) * cross_entropy + smoothing * (log_sum - mean);
      }
    }
    if (wanted.taught) {
      const float shift = (teacher_first - sums.teacher_top) - (first - sums.top);
      divergence = (all[4] * reciprocal(all[3]) + shift) * inverse_temperature + (logf(tempered) - logf(all[3]));
    }
    row_losses[2 * row] = cross_entropy;
    row_losses[2 * row + 1] = divergence;
  }

  const float ce_scale = settings[CE_SCALE], kl_scale = settings[KL_SCALE];
  RowGradient gradient{sums.top, sums.teacher_top, 0.f, 0.f, 0.f, 0.f, 0.f, label};
  if (wanted.labelled) {
    gradient.plain_scale = ce_scale * reciprocal(plain);
    gradient.everywhere = ce_scale * even;
    gradient.at_label = ce_scale * (1.f - smoothing);
  }
  if (wanted.taught && kl_scale != 0.f) {
    gradient.tempered_scale = kl_scale * reciprocal(tempered);
    gradient.teacher_scale = kl_scale * reciprocal(all[3]);
  } else {
    wanted.taught = false;  // from here on: a weight of 0 takes nothing from the teacher, not even its NaN
  }
  for (int c = start; c < classes; c += step) {
    const int n = classes - c;
    const Pack<T> xs = x.again(c, n);
    Pack<T> ys = xs;
    if (wanted.taught) ys = y.again(c, n);
    store_part(gradient_row + c, gradient.of(xs, ys, c, wanted), n, vector);
  }
}

constexpr int ROWS_OF_BLOCK = 4;

#define LOGIT_DISTILLATION(T, suffix)                                                                                  \
  KERNEL(logit_distillation_rows_##suffix, 128,                                                                        \
         (const T* student, const T* teacher, const int* labels, const float* settings, T* dstudent,                   \
          float* row_losses, long long rows, int classes)) {                                                           \
    DYNAMIC_SHARED(cache);                                                                                             \
    const long long row = (long long)blockIdx.x * ROWS_OF_BLOCK + warp_index();                                        \
    const int padded = (classes + Pack<T>::N - 1) / Pack<T>::N * Pack<T>::N;                                           \
    if (row < rows)                                                                                                    \
      distill_row<T, 32>(student, teacher, labels[row], settings, row, classes, dstudent, row_losses,                  \
                         (T*)cache + warp_index() * 2 * padded, true);                                                 \
  }                                                                                                                    \
  KERNEL(logit_distillation_row_##suffix, BOUNDS(512, 32),                                                             \
         (const T* student, const T* teacher, const int* labels, const float* settings, T* dstudent,                   \
          float* row_losses, int classes, int cached)) {                                                               \
    DYNAMIC_SHARED(cache);                                                                                             \
    distill_row<T, 512>(student, teacher, labels[blockIdx.x], settings, blockIdx.x, classes, dstudent, row_losses,     \
                        (T*)cache, cached != 0);                                                                       \
  }
LOGIT_DISTILLATION(float, f32)
LOGIT_DISTILLATION(f16, f16)
LOGIT_DISTILLATION(bf16, bf16)

// losses [2], written: the sums of row_losses [rows, 2] times CE_MEAN and KL_MEAN. One block of 256 threads.
KERNEL(logit_losses, 256, (const float* row_losses, const float* settings, float* losses, long long rows)) {
  float cross_entropy = 0.f, divergence = 0.f;
  for (long long row = threadIdx.x; row < rows; row += 256) {
    cross_entropy += row_losses[2 * row];
    divergence += row_losses[2 * row + 1];
  }
  cross_entropy = block_sum<256>(cross_entropy);
  divergence = block_sum<256>(divergence);
  if (threadIdx.x == 0) {
    losses[0] = cross_entropy * settings[CE_MEAN];
    losses[1] = divergence * settings[KL_MEAN];
  }
}

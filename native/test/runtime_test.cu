// The emulation against its contract (device.cuh and the CUDA and PTX manuals). Runs in every flavour.
#include "device.cuh"

#include <stdio.h>

#include <thread>

// ---- kernels
KERNEL(test_indices, 1024, (int* out)) {
  int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  out[block * (int)(blockDim.x * blockDim.y * blockDim.z) + thread] = 1000 * block + thread;
}

KERNEL(test_shuffles, 1024, (int width, int by, int* out, long long* wide)) {
  int lane = threadIdx.x;
  out[lane] = __shfl_sync(~0u, lane, by, width);
  out[32 + lane] = __shfl_xor_sync(~0u, lane, by, width);
  out[64 + lane] = __shfl_down_sync(~0u, lane, (unsigned)by, width);
  out[96 + lane] = __shfl_up_sync(~0u, lane, (unsigned)by, width);
  wide[lane] = __shfl_xor_sync(~0u, (long long)lane << 40, by, width);
}

// the lanes of a warp in three groups that meet differently often
KERNEL(test_groups, 1024, (unsigned* out)) {
  int lane = lane_index(), group = lane % 3;
  unsigned mask = 0x49249249u << group, sum = 0;
  for (int i = 0; i <= 3 * group; i++) sum += __ballot_sync(mask, lane % 2 == i % 2);
  __syncwarp(mask);
  out[threadIdx.x] = sum + (unsigned)__any_sync(mask, lane == 4) * 2 + (unsigned)__all_sync(mask, lane < 31);
}

KERNEL(test_barriers, 1024, (int limit, int* out)) {
  int i = threadIdx.x;
  if (i >= limit) return;  // exited threads are not waited for
  int any = __syncthreads_or(i == limit - 1), all = __syncthreads_and(i < limit - 1);
  int count = __syncthreads_count(i % 3 == 0);
  out[i] = any + 10 * all + 100 * count;
}

KERNEL(test_shared, 1024, (const float* x, float* out, int* fresh)) {
  SHARED(float, tile, 96);
  SHARED(unsigned char, odd, 3);
  DYNAMIC_SHARED(bytes);
  float* dynamic = (float*)bytes;
  int i = threadIdx.x;
  if (i == 0) fresh[blockIdx.x] = tile[95] != tile[95] && dynamic[95] != dynamic[95] && odd[2] == 255;
  __syncthreads();
  if (i < 3) odd[i] = (unsigned char)i;
  tile[i] = x[96 * blockIdx.x + i];
  dynamic[i] = 2.f * tile[i];
  __syncthreads();
  float sum = block_sum<96>(tile[95 - i] + dynamic[95 - i]), most = block_max<96>(tile[i]);
  out[96 * blockIdx.x + i] = sum + most + (float)odd[2];
}

KERNEL(test_copies, 1024, (const float* x, int* good)) {
  SHARED(float, tile, 12 * 32);
  float* mine = tile + 12 * threadIdx.x;
  const float* from = x + 12 * threadIdx.x;
  for (int i = 0; i < 12; i++) mine[i] = 5.f;
  copy_async16(mine, from, true);
  copy_commit();
  copy_async16(mine + 4, from + 4, true);
  copy_async16(mine + 8, nullptr, false);
  copy_commit();
  bool ok = mine[0] != mine[0] && mine[7] != mine[7];  // under way
  copy_wait<1>();
  ok &= mine[0] == from[0] && mine[3] == from[3] && mine[4] != mine[4];
  copy_wait<0>();
  for (int i = 0; i < 12; i++) ok &= mine[i] == (i < 8 ? from[i] : 0.f);
  good[threadIdx.x] = ok;
}

KERNEL(test_atomics, 1024, (int* sum, unsigned* most, unsigned long long* wide)) {
  int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(sum, i);
  atomicMax(most, (unsigned)i);
  atomicAdd(wide, 1ull << 33);
}

KERNEL(test_load_matrix, 32, (const uint16_t* x, uint32_t* plain, uint32_t* transposed)) {
  SHARED(uint16_t, tile, 256);
  for (int i = threadIdx.x; i < 256; i += 32) tile[i] = x[i];
  __syncthreads();
  uint32_t r[4], t[4];
  load_matrix4(r, tile + 8 * lane_index());
  load_matrix4_transposed(t, tile + 8 * lane_index());
  for (int i = 0; i < 4; i++) plain[4 * lane_index() + i] = r[i], transposed[4 * lane_index() + i] = t[i];
}

template <class T> DEVICE uint32_t pair(const T* low, const T* high) { return low->bits | (uint32_t)high->bits << 16; }

// c [16, 8] += a [16, 16] b [16, 8]: the fragments by the manual's formulas, and by load_matrix4
template <class T> DEVICE void product(const T* a, const T* b, float* by_formula, float* by_loads) {
  SHARED(T, left, 256);
  SHARED(T, right, 256);
  int lane = lane_index(), group = lane / 4, place = lane % 4;
  for (int i = lane; i < 256; i += 32) left[i] = a[i], right[i] = b[i % 128];
  __syncthreads();
  uint32_t fa[4], fb[2];
  for (int i = 0; i < 4; i++) {
    const T* p = a + 16 * (group + 8 * (i % 2)) + 2 * place + 8 * (i / 2);
    fa[i] = pair(p, p + 1);
  }
  for (int i = 0; i < 2; i++) {
    const T* p = b + 8 * (2 * place + 8 * i) + group;
    fb[i] = pair(p, p + 8);
  }
  float c[4] = {1.f, 2.f, 3.f, 4.f};
  multiply_accumulate<T>(c, fa, fb[0], fb[1]);
  for (int i = 0; i < 4; i++) by_formula[8 * (group + 8 * (i / 2)) + 2 * place + i % 2] = c[i];
  uint32_t la[4], lb[4];
  load_matrix4(la, left + 16 * (lane % 16) + 8 * (lane / 16));
  load_matrix4_transposed(lb, right + 8 * lane);
  float d[4] = {1.f, 2.f, 3.f, 4.f};
  multiply_accumulate<T>(d, la, lb[0], lb[1]);
  for (int i = 0; i < 4; i++) by_loads[8 * (group + 8 * (i / 2)) + 2 * place + i % 2] = d[i];
}
KERNEL(test_product_f16, 32, (const f16* a, const f16* b, float* c, float* d)) { product(a, b, c, d); }
KERNEL(test_product_bf16, 32, (const bf16* a, const bf16* b, float* c, float* d)) { product(a, b, c, d); }

KERNEL(test_parameters, 32, (const float* x, int n, long long rows, float scale, int last, double* out)) {
  *out = (double)x[n] + (double)rows + (double)scale + last;
}

KERNEL(test_failure, 64, (int* out, int fails)) {
  SHARED(int, tile, 64);
  tile[threadIdx.x] = 1;
  if (fails && threadIdx.x == 33)
    __syncwarp();
  else
    __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];
}

// ---- tests
namespace {
int wrong = 0;
void expect(bool good, const char* what) {
  if (good) return;
  wrong++;
  printf("wrong: %s\n", what);
}

void indices() {
  std::vector<int> out(24 * 30);
  emulation::run("test_indices", dim3(2, 3, 4), dim3(5, 3, 2), 0, out.data());
  bool good = true;
  for (int i = 0; i < 24 * 30; i++) good &= out[i] == 1000 * (i / 30) + i % 30;
  expect(good, "thread and block indices");
}

void shuffles() {
  for (int width : {2, 8, 32})
    for (int by : {0, 1, 3, 5, 16, 31}) {
      int out[128];
      long long wide[32];
      emulation::run("test_shuffles", dim3(1), dim3(32), 0, width, by, out, wide);
      bool good = true;
      for (int i = 0; i < 32; i++) {
        int first = i / width * width, turned = i ^ by;
        good &= out[i] == first + by % width;
        good &= out[32 + i] == (turned >= first + width ? i : turned);
        good &= out[64 + i] == (i + by < first + width ? i + by : i);
        good &= out[96 + i] == (i - by >= first ? i - by : i);
        good &= wide[i] == (long long)out[32 + i] << 40;
      }
      expect(good, "shuffles");
    }
}

void groups() {
  unsigned out[64];
  emulation::run("test_groups", dim3(1), dim3(64), 0, out);
  for (int i = 0; i < 64; i++) {
    unsigned group = (unsigned)(i % 32 % 3), mask = 0x49249249u << group, sum = 0;
    for (unsigned k = 0; k <= 3 * group; k++) sum += mask & (k % 2 ? 0xaaaaaaaau : 0x55555555u);
    sum += (mask >> 4 & 1) * 2 + !(mask >> 31);
    expect(out[i] == sum, "groups of lanes");
  }
}

void barriers() {
  for (int limit : {1, 31, 64, 70, 100}) {
    std::vector<int> out(100, -1);
    emulation::run("test_barriers", dim3(1), dim3(100), 0, limit, out.data());
    bool good = true;
    for (int i = 0; i < limit; i++) good &= out[i] == 1 + 100 * ((limit + 2) / 3);
    expect(good, "barriers");
  }
}

void shared() {
  std::vector<float> x(5 * 96), out(5 * 96);
  for (size_t i = 0; i < x.size(); i++) x[i] = (float)(i % 17);
  int fresh[5];
  emulation::run("test_shared", dim3(5), dim3(96), 96 * 4, (const float*)x.data(), out.data(), fresh);
  for (int b = 0; b < 5; b++) {
    float sum = 0.f;
    for (int i = 0; i < 96; i++) sum += 3.f * x[96 * b + i];
    bool good = fresh[b];
    for (int i = 0; i < 96; i++) good &= out[96 * b + i] == sum + 16.f + 2.f;
    expect(good, "shared memory");
  }
}

void copies() {
  alignas(16) float x[12 * 32];
  int good[32];
  for (int i = 0; i < 12 * 32; i++) x[i] = (float)i;
  emulation::run("test_copies", dim3(1), dim3(32), 0, (const float*)x, good);
  for (int i = 0; i < 32; i++) expect(good[i], "asynchronous copies");
}

void atomics() {
  int sum = 0;
  unsigned most = 0;
  unsigned long long wide = 0;
  emulation::run("test_atomics", dim3(7), dim3(50), 0, &sum, &most, &wide);
  expect(sum == 350 * 349 / 2 && most == 349 && wide == 350ull << 33, "atomics");
}

void load_matrix() {
  uint16_t x[256];
  uint32_t plain[128], transposed[128];
  for (int i = 0; i < 256; i++) x[i] = (uint16_t)(i * 201 + 7);
  emulation::run("test_load_matrix", dim3(1), dim3(32), 0, (const uint16_t*)x, plain, transposed);
  bool good = true;
  for (int lane = 0; lane < 32; lane++)
    for (int m = 0; m < 4; m++) {
      const uint16_t* matrix = x + 64 * m;
      int line = lane / 4, first = 2 * (lane % 4);
      good &= plain[4 * lane + m] == (matrix[8 * line + first] | (uint32_t)matrix[8 * line + first + 1] << 16);
      good &= transposed[4 * lane + m] == (matrix[8 * first + line] | (uint32_t)matrix[8 * first + 8 + line] << 16);
    }
  expect(good, "load_matrix4");
}

template <class T>
void products(const char* name) {
  T a[256], b[128];
  float c[128], d[128];
  for (int i = 0; i < 256; i++) a[i] = from_float<T>((float)((i * 37) % 41 - 20) / 8.f);
  for (int i = 0; i < 128; i++) b[i] = from_float<T>((float)((i * 29) % 31 - 15) / 4.f);
  emulation::run(name, dim3(1), dim3(32), 0, (const T*)a, (const T*)b, c, d);
  bool good = true;
  for (int row = 0; row < 16; row++)
    for (int column = 0; column < 8; column++) {
      double sum = 1 + 2 * (row / 8) + column % 2;
      for (int k = 0; k < 16; k++) sum += (double)to_float(a[16 * row + k]) * (double)to_float(b[8 * k + column]);
      good &= c[8 * row + column] == (float)sum && d[8 * row + column] == (float)sum;
    }
  expect(good, name);
}

void parameters() {
  const emulation::Kernel* kernel = emulation::find_kernel("test_parameters");
  const size_t offsets[] = {0, 8, 16, 24, 28, 32}, bytes[] = {8, 4, 8, 4, 4, 8};
  expect(kernel && kernel->file == "runtime_test" && kernel->most_threads == 32 && kernel->parameters.size() == 6,
         "the table of kernels");
  for (int i = 0; i < 6; i++)
    expect(kernel->parameters[i].offset == offsets[i] && kernel->parameters[i].bytes == bytes[i], "parameters");
  float x[3] = {1.f, 2.f, 4.f};
  double out = 0;
  emulation::run("test_parameters", dim3(1), dim3(1), 0, (const float*)x, 2, 1ll << 40, .5f, 7, &out);
  expect(out == 4 + (double)(1ll << 40) + .5 + 7, "arguments");
}

// a failed launch says why and leaves the emulation usable
void failures() {
  const emulation::Kernel& kernel = *emulation::find_kernel("test_failure");
  int out[64] = {}, *pointer = out, fails = 1;
  void* parameters[] = {&pointer, &fails};
  for (int turn = 0; turn < 3; turn++) {
    fails = 1;
    std::string text = emulation::launch(kernel, dim3(3), dim3(64), 0, parameters);
    bool told = text.find("deadlock") != std::string::npos && text.find("runtime_test.cu:") != std::string::npos;
    expect(told, text.c_str());
    fails = 0;
    bool good = emulation::launch(kernel, dim3(1), dim3(64), 0, parameters).empty();
    expect(good && out[5] == 1, "a launch after a failure");
  }
  expect(!emulation::launch(kernel, dim3(1), dim3(65), 0, parameters).empty(), "too many threads");
  expect(!emulation::launch(kernel, dim3(0), dim3(64), 0, parameters).empty(), "no blocks");
  expect(!emulation::launch(kernel, dim3(1), dim3(64), 1 << 20, parameters).empty(), "too much shared memory");
}
}  // namespace

int main() {
  for (auto schedule : {emulation::Schedule::FIFO, emulation::Schedule::LIFO, emulation::Schedule::WARPS}) {
    emulation::config().schedule = schedule;
    indices(), shuffles(), groups(), barriers(), shared(), copies(), atomics(), load_matrix(), parameters(), failures();
    products<f16>("test_product_f16");
    products<bf16>("test_product_bf16");
  }
  std::thread other(shared);  // any thread may launch, one at a time
  shared();
  other.join();
  if (!wrong) printf("runtime: good\n");
  return wrong != 0;
}

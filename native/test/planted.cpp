// planted list: the kernels of planted.cu and which builds must notice their bug, one a line
// planted clean: runs all of them without their bugs; planted NAME: runs one with its bug
// planted record FILE [NAME]: a recording of all of them without their bugs, or of one with its bug
// Ends with 77 where the emulation notices, with 3 where a result is wrong, and as the sanitizers do.
#include <stdio.h>
#include <sys/mman.h>

#include <string>

#include "recording.h"

namespace {
struct Case {
  const char* kernel;
  const char* noticed_by;  // opt: by at least one of the three schedules; BUILD:HOW where that must be how
  size_t shared;
};
constexpr Case CASES[] = {
    {"missing_barrier", "opt tsan:race", 0},
    {"missing_second_barrier", "opt tsan:race", 0},
    {"missing_warp_barrier", "opt tsan:race", 0},
    {"missing_copy_wait", "opt tsan:race", 0},
    {"short_copy_wait", "opt tsan:race", 0},
    {"copy_without_barrier", "opt tsan:race", 0},
    {"copy_too_early", "opt tsan:race", 0},
    {"unwritten_shared", "opt asan tsan", 0},
    {"global_read", "asan:address", 0},
    {"global_write", "asan:address", 0},
    {"static_shared_read", "opt asan:undefined", 0},
    {"static_shared_write", "opt asan:undefined", 0},
    {"dynamic_shared_read", "opt asan:address", 512},
    {"dynamic_shared_write", "opt asan:address", 512},
    {"divergent_barrier", "fifo:message lifo:message warps:message asan:message tsan:message", 0},
    {"half_warp", "fifo:message lifo:message warps:message asan:message tsan:message", 0},
    {"exited_lanes", "fifo:message lifo:message warps:message asan:message tsan:message", 0},
    {"shuffle_outside_mask", "fifo:message lifo:message warps:message asan:message tsan:message", 0},
    {"diverged_warp", "fifo:message lifo:message warps:message asan:message tsan:message", 0},
    {"two_blocks_write", "tsan:race", 0},
    {"block_reads_neighbour", "tsan:race", 0},
    {"misaligned_copy", "fifo:message lifo:message warps:message asan:message tsan:message", 0},
    {"misaligned_load", "asan:undefined", 0},
    {"matrix_without_barrier", "opt tsan:race", 0},
    {"divided_by_zero", "asan:undefined", 0},
};
constexpr int N = 128, BLOCKS = 6;

bool right(const Case& c, int bug) {
  // two heap blocks of just the size, so that a red zone begins behind the last number
  float* x = (float*)aligned_alloc(16, BLOCKS * N * sizeof(float));
  float* y = (float*)aligned_alloc(16, BLOCKS * N * sizeof(float));
  for (int i = 0; i < BLOCKS * N; i++) x[i] = (float)(i % 1009), y[i] = -1.f;
  emulation::run(c.kernel, dim3(BLOCKS), dim3(N), c.shared, (const float*)x, y, N, bug);
  bool same = true;
  for (int b = 0; b < BLOCKS; b++)
    for (int i = 0; i < N; i++) same &= y[b * N + i] == x[b * N + N - 1 - i];
  free(x);
  free(y);
  if (!same) printf("wrong result: %s\n", c.kernel);
  return same;
}

// x and y lie where the driver has device memory, with a gap between them
int record(const char* path, const std::string& bug) {
  const size_t bytes = BLOCKS * N * sizeof(float);
  void* memory = mmap((void*)emulation::ARENA_ADDRESS, 1 << 16, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (memory != (void*)emulation::ARENA_ADDRESS) return perror("planted"), 2;
  emulation::Recorder recorder(path);
  for (const Case& c : CASES) {
    if (!bug.empty() && bug != c.kernel) continue;
    uint64_t from = emulation::ARENA_ADDRESS, to = from + 4096;
    for (int i = 0; i < BLOCKS * N; i++) ((float*)from)[i] = (float)(i % 1009), ((float*)to)[i] = -1.f;
    int n = N, wrong = !bug.empty();
    void* parameters[] = {&from, &to, &n, &wrong};
    const emulation::Kernel& kernel = *emulation::find_kernel(c.kernel);
    recorder.before(kernel, dim3(BLOCKS), dim3(N), c.shared, parameters, {{from, bytes}, {to, bytes}});
    if (!emulation::launch(kernel, dim3(BLOCKS), dim3(N), c.shared, parameters).empty()) return 3;
    recorder.after();
  }
  return 0;
}
}  // namespace

int main(int count, char** arguments) {
  if (count >= 3 && !strcmp(arguments[1], "record")) return record(arguments[2], count == 4 ? arguments[3] : "");
  std::string what = count == 2 ? arguments[1] : "";
  bool found = false, good = true;
  for (const Case& c : CASES) {
    if (what == "list") printf("%s %s\n", c.kernel, c.noticed_by);
    if (what == "clean") good &= right(c, 0);
    if (what == c.kernel) good &= right(c, 1);
    found |= what == "list" || what == "clean" || what == c.kernel;
  }
  if (!found) fprintf(stderr, "usage: planted list|clean|KERNEL\n");
  return !found ? 2 : good ? 0 : 3;
}

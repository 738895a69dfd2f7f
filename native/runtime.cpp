// Runs a grid: blocks one after another, the threads of a block as fibers. A thread that never waits costs no fiber
// of its own: the fiber of the one before goes on with it.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <mutex>

#include "runtime.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulation {

Block block;
volatile bool in_kernel;
char barrier_order[MOST_SETS][2][8];
char warp_order[MOST_SETS][MOST_WARPS][8][8];

namespace {
Fiber host;
// never destroyed; under TSan: fibers[set * threads + thread], none idle
std::vector<Fiber*>&fibers = *new std::vector<Fiber*>, &idle = *new std::vector<Fiber*>;
bool failed;
char message[2048];
char fence_order[8];

void fiber_main();

Fiber* fiber_of(int thread) {
  if (OWN_FIBERS) {
    size_t index = (size_t)block.set * block.threads + thread;
    while (fibers.size() <= index) {
      fibers.push_back(new Fiber);
      fiber_create(*fibers.back(), fiber_main);
    }
    return fibers[index];
  }
  if (idle.empty()) {
    fibers.push_back(new Fiber);
    fiber_create(*fibers.back(), fiber_main);
    return fibers.back();
  }
  Fiber* fiber = idle.back();
  idle.pop_back();
  return fiber;
}

int lowest(unsigned bits) { return __builtin_ctz(bits); }
int highest(unsigned bits) { return 31 - __builtin_clz(bits); }
unsigned above(int bit) { return ~0u << bit << 1; }
unsigned below(int bit) { return (1u << bit) - 1; }

// the ready thread that goes on, or -1
int pick() {
  unsigned warps = block.ready_warps;
  if (!warps) return -1;
  int warp = block.current / WARP, lane = block.current % WARP;
  unsigned ready = block.warp[warp].ready;
  switch (config().schedule) {
    case Schedule::FIFO:
      if (ready & above(lane)) return warp * WARP + lowest(ready & above(lane));
      warp = lowest(warps & above(warp) ? warps & above(warp) : warps);
      return warp * WARP + lowest(block.warp[warp].ready);
    case Schedule::LIFO:
      if (ready & below(lane)) return warp * WARP + highest(ready & below(lane));
      warp = highest(warps & below(warp) ? warps & below(warp) : warps);
      return warp * WARP + highest(block.warp[warp].ready);
    case Schedule::WARPS:
    default: {
      if (ready) return warp * WARP + lowest(ready);
      int first = (int)(running_block * 0x9e3779b97f4a7c15ull >> 59);  // another warp is first in every block
      unsigned rotated = warps >> first | warps << (-first & 31);
      warp = (lowest(rotated) + first) & 31;
      return warp * WARP + lowest(block.warp[warp].ready);
    }
  }
}

void take(int thread) {
  Warp& warp = block.warp[thread / WARP];
  warp.ready &= ~(1u << thread % WARP);
  if (!warp.ready) block.ready_warps &= ~(1u << thread / WARP);
  block.current = thread;
  threadIdx = block.index_of[thread];
}

void deadlock() {
  std::string text;
  Site last{"", 0};
  int shown = 0;
  for (int i = 0; i < block.threads && shown < 8; i++) {
    Thread& thread = block.thread[i];
    if (thread.state != State::AT_BARRIER && thread.state != State::IN_COLLECTIVE) continue;
    if (thread.site.line == last.line && thread.site.file == last.file) continue;
    text += format("; from thread %d on in %s at %s", i, thread.waits_in, where(thread.site));
    last = thread.site;
    shown++;
  }
  static char copy[1024];  // the string would not be freed
  snprintf(copy, sizeof copy, "%s", text.c_str());
  std::string().swap(text);
  fail("deadlock: %d of %d threads wait for each other%s", block.live, block.threads, copy);
}

void fiber_main() {
  fiber_arrived();
  for (;;) {
    Fiber* self = current().fiber;
    block.kernel->call(block.kernel->function, block.parameters);
    thread_exits();
    int next = pick();
    if (next < 0 && block.live) deadlock();
    if (next >= 0) {
      take(next);
      Fiber*& fiber = block.thread[next].fiber;
      if (!fiber && !OWN_FIBERS) {
        fiber = self;
        continue;
      }
    }
    if (!OWN_FIBERS) idle.push_back(self);
    if (next < 0) {
      fiber_switch(*self, host);
    } else {
      if (!block.thread[next].fiber) block.thread[next].fiber = fiber_of(next);
      fiber_switch(*self, *block.thread[next].fiber);
    }
  }
}

void begin_block() {
  block.live = block.threads;
  block.at_barrier = 0;
  block.ready_warps = 0;
  for (int w = 0; w * WARP < block.threads; w++) {
    int lanes = block.threads - w * WARP;
    Warp& warp = block.warp[w];
    warp.exists = warp.ready = lanes >= WARP ? ~0u : (1u << lanes) - 1;
    warp.exited = 0;
    warp.meetings_used = 0;
    block.ready_warps |= 1u << w;
  }
  for (int i = 0; i < block.threads; i++) {
    Thread& thread = block.thread[i];
    thread.fiber = nullptr;
    thread.state = State::READY;
    thread.copies.clear();
    thread.first_copy = 0;
    thread.copy_group = 0;
  }
  bool descending = config().schedule == Schedule::LIFO;
  block.current = descending ? 0 : block.threads - 1;  // pick begins behind it
  shared_begin_block();
}

void run_block() {
  begin_block();
  int first = pick();
  take(first);
  block.thread[first].fiber = fiber_of(first);
  in_kernel = true;
  fiber_switch(host, *block.thread[first].fiber);
  in_kernel = false;
  if (failed) return;
  std::string past = shared_end_block();
  if (!past.empty()) {
    failed = true;
    snprintf(message, sizeof message, "kernel %s, block (%u, %u, %u): %s", block.kernel->name.c_str(), blockIdx.x,
             blockIdx.y, blockIdx.z, past.c_str());
  }
}

void number_threads(dim3 size) {
  static dim3 numbered(0, 0, 0);
  if (size.x == numbered.x && size.y == numbered.y && size.z == numbered.z) return;
  numbered = size;
  int i = 0;
  for (unsigned z = 0; z < size.z; z++)
    for (unsigned y = 0; y < size.y; y++)
      for (unsigned x = 0; x < size.x; x++) block.index_of[i++] = {x, y, z};
}

std::string check(const Kernel& kernel, dim3 grid, dim3 size) {
  uint64_t threads = (uint64_t)size.x * size.y * size.z;
  if (!size.x || !size.y || !size.z || size.x > 1024 || size.y > 1024 || size.z > 64 || threads > MOST_THREADS)
    return format("kernel %s: a block of %u x %u x %u threads", kernel.name.c_str(), size.x, size.y, size.z);
  if (threads > (uint64_t)kernel.most_threads)
    return format("kernel %s: a block of %llu threads, it is compiled for at most %d", kernel.name.c_str(),
                  (unsigned long long)threads, kernel.most_threads);
  if (!grid.x || !grid.y || !grid.z || grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535)
    return format("kernel %s: a grid of %u x %u x %u blocks", kernel.name.c_str(), grid.x, grid.y, grid.z);
  return "";
}

void recover() {
  failed = false;
  idle.clear();
  for (Fiber* fiber : fibers) {
    fiber_reset(*fiber, fiber_main);
    if (!OWN_FIBERS) idle.push_back(fiber);
  }
}

void run_grid(dim3 grid) {
  size_t blocks = (size_t)grid.x * grid.y * grid.z;
  bool descending = config().schedule == Schedule::LIFO;
  // under TSan neighbouring blocks are different threads, so that stores of two blocks to one address are a race
  int sets = OWN_FIBERS ? std::max(2, std::min(MOST_SETS, 512 / block.threads)) : 1;
  block.set = (int)std::min((size_t)sets, blocks) - 1;
  if (OWN_FIBERS) fiber_of(block.threads - 1);  // makes all of them
  fibers_begin_launch(fibers, host);
  for (size_t i = 0; i < blocks && !failed; i++) {
    size_t b = descending ? blocks - 1 - i : i;
    blockIdx = {(unsigned)(b % grid.x), (unsigned)(b / grid.x % grid.y), (unsigned)(b / grid.x / grid.y)};
    block.set = (int)(i % sets);
    run_block();
  }
  fibers_end_launch(fibers, host);
}
}  // namespace

void make_ready(int thread) {
  block.thread[thread].state = State::READY;
  block.warp[thread / WARP].ready |= 1u << thread % WARP;
  block.ready_warps |= 1u << thread / WARP;
}

void wait(State state, const char* what, Site site) {
  Thread& me = current();
  if (me.state != State::READY || !(block.warp[block.current / WARP].ready >> block.current % WARP & 1)) {
    me.state = state;
    me.waits_in = what;
    me.site = site;
  }
  int next = pick();
  if (next < 0) deadlock();
  take(next);
  Fiber*& fiber = block.thread[next].fiber;
  if (!fiber) fiber = fiber_of(next);
  if (fiber != me.fiber) fiber_switch(*me.fiber, *fiber);
}

void fail(const char* text, ...) {
  int n = snprintf(message, sizeof message, "kernel %s, block (%u, %u, %u), thread (%u, %u, %u): ",
                   block.kernel->name.c_str(), blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y,
                   threadIdx.z);
  va_list arguments;
  va_start(arguments, text);
  vsnprintf(message + n, sizeof message - n, text, arguments);
  va_end(arguments);
  failed = true;
  fiber_switch(*current().fiber, host, true);
  abort();
}

void fence() {
  release(fence_order);
  acquire(fence_order);
}

std::string launch(const Kernel& kernel, dim3 grid, dim3 size, size_t shared, void** parameters) {
  static std::mutex one;
  std::lock_guard<std::mutex> lock(one);
  std::string wrong = check(kernel, grid, size);
  if (wrong.empty()) wrong = shared_begin_launch(shared);
  if (!wrong.empty()) return wrong;
  block.kernel = &kernel;
  block.parameters = parameters;
  block.threads = (int)(size.x * size.y * size.z);
  blockDim = size;
  gridDim = grid;
  number_threads(size);
  fiber_adopt(host);
  faults_begin_launch();
  run_grid(grid);
  faults_end_launch();
  if (!failed) return "";
  recover();
  return message;
}

void launch_or_exit(const char* name, dim3 grid, dim3 size, size_t shared, void** parameters, const size_t* bytes,
                    size_t count) {
  const Kernel* kernel = find_kernel(name);
  std::string wrong;
  if (!kernel) {
    wrong = format("there is no kernel %s", name);
  } else if (kernel->parameters.size() != count) {
    wrong = format("kernel %s has %zu parameters, not %zu", name, kernel->parameters.size(), count);
  } else {
    for (size_t i = 0; i < count && wrong.empty(); i++)
      if (kernel->parameters[i].bytes != bytes[i])
        wrong = format("kernel %s: parameter %zu has %zu bytes, not %zu", name, i, kernel->parameters[i].bytes,
                       bytes[i]);
    if (wrong.empty()) wrong = launch(*kernel, grid, size, shared, parameters);
  }
  if (wrong.empty()) return;
  fprintf(stderr, "emulation: %s\n", wrong.c_str());
  fflush(stderr);
  _Exit(77);
}

}  // namespace emulation

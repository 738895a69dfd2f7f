// What the parts of the runtime share. The runtime itself is never compiled with -fsanitize: EMULATION_ASAN and
// EMULATION_TSAN make it tell the sanitizer about its stacks.
#pragma once
#include <vector>

#include "emulation.h"

namespace emulation {

constexpr int WARP = 32, MOST_THREADS = 1024, MOST_WARPS = MOST_THREADS / WARP;

// ---- runtime_fiber.cpp: a stack and what is suspended on it
struct Fiber {
  void* stack_pointer = nullptr;
  unsigned char* stack = nullptr;  // lowest usable byte; a guard page lies below
  size_t stack_bytes = 0;
  void* fake_stack = nullptr;  // of ASan
  void* identity = nullptr;    // of TSan
};
using Entry = void (*)();
// A fiber that starts in `entry` when it is first switched to. `entry` calls fiber_arrived first and never returns.
void fiber_create(Fiber& fiber, Entry entry);
// As new, whatever was suspended on it; not from that fiber itself.
void fiber_reset(Fiber& fiber, Entry entry);
// Suspends `from`, the running one, and goes on with `to`. A `from` that is abandoned is never switched to again.
void fiber_switch(Fiber& from, Fiber& to, bool abandoned = false);
void fiber_arrived();
// The thread that launches; to be called on it before it switches to a fiber.
void fiber_adopt(Fiber& host);
// TSan's view: the fibers see what the host did before a launch, and the host sees what they did in it
void fibers_begin_launch(const std::vector<Fiber*>& fibers, Fiber& host);
void fibers_end_launch(const std::vector<Fiber*>& fibers, Fiber& host);
// what was done before a release is seen after an acquire of the same object
void release(void* object);
void acquire(void* object);
#ifdef EMULATION_TSAN
constexpr bool OWN_FIBERS = true;  // every CUDA thread is a thread to TSan
#else
constexpr bool OWN_FIBERS = false;
#endif

// ---- runtime_memory.cpp: the shared memory of the running block
std::string shared_begin_launch(size_t dynamic_bytes);
void shared_begin_block();
// what was stored past the end of an array, or an empty string
std::string shared_end_block();
bool is_shared(const void* p, size_t bytes);

// ---- runtime_fault.cpp: signals that a kernel's own accesses raise
void faults_begin_launch();
void faults_end_launch();

// ---- runtime.cpp: threads of the running block
enum class State { READY, AT_BARRIER, IN_COLLECTIVE, DONE };
struct Thread {
  Fiber* fiber;  // null: has not begun
  State state;
  const char* waits_in;
  Site site;
  const void* in;  // of the collective it waits in
  void* out;
  std::vector<Copy> copies;  // from first_copy on they are under way
  size_t first_copy;
  int copy_group;
};
// threads of one mask that meet in a collective
struct Meeting {
  unsigned mask, arrived;
  const char* what;
  Site site;
  void* order;  // for TSan
};
struct Warp {
  unsigned exists, ready, exited;
  int meetings_used;
  unsigned warp_barriers;
  Meeting meetings[WARP];
};
struct Block {
  const Kernel* kernel;
  void** parameters;
  int threads, live, at_barrier;
  int current;  // the thread that runs
  unsigned ready_warps;
  unsigned barriers;
  int set;  // of TSan identities
  Site barrier_site;
  int barrier_kind, barrier_any, barrier_all, barrier_count, barrier_result;
  uint3 index_of[MOST_THREADS];
  Thread thread[MOST_THREADS];
  Warp warp[MOST_WARPS];
};
extern Block block;
extern volatile bool in_kernel;  // the launching thread is on a fiber
constexpr int MOST_SETS = 8;
extern char barrier_order[MOST_SETS][2][8];
extern char warp_order[MOST_SETS][MOST_WARPS][8][8];

inline Thread& current() { return block.thread[block.current]; }
void make_ready(int thread);
// gives way to other threads until somebody makes this one ready
void wait(State state, const char* what, Site site);
void thread_exits();
const char* where(Site site);  // "file:line", valid until a few calls later
std::string format(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace emulation

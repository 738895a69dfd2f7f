// Fibers: stacks, switching between them, and what the sanitizers must be told about it.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#ifndef __x86_64__
#include <ucontext.h>
#endif
#ifdef EMULATION_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#include "runtime.h"

#ifdef EMULATION_TSAN
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* object);
void __tsan_release(void* object);
// the trace of a CUDA thread is short, and there are many
const char* __tsan_default_options() { return "history_size=0"; }
}
#endif

#ifdef __x86_64__
// pushes the registers that a callee must keep, stores the stack pointer at *save, and pops those of the other stack
extern "C" __attribute__((visibility("hidden"))) void emulation_switch(void** save, void* load);
asm(R"(
.text
.hidden emulation_switch
.globl emulation_switch
.type emulation_switch,@function
emulation_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emulation_switch,.-emulation_switch
)");
#endif

namespace emulation {

static void suspend(Fiber& from, Fiber& to) {
#ifdef __x86_64__
  emulation_switch(&from.stack_pointer, to.stack_pointer);
#else
  if (!from.stack_pointer) from.stack_pointer = new ucontext_t;
  swapcontext((ucontext_t*)from.stack_pointer, (ucontext_t*)to.stack_pointer);
#endif
}

static void prepare(Fiber& fiber, Entry entry) {
#ifdef __x86_64__
  void** top = (void**)(fiber.stack + fiber.stack_bytes - 64);
  *--top = nullptr;  // where entry would return to; leaves the stack aligned as behind a call
  *--top = (void*)entry;
  for (int i = 0; i < 6; i++) *--top = nullptr;
  fiber.stack_pointer = top;
#else
  if (!fiber.stack_pointer) fiber.stack_pointer = new ucontext_t;
  ucontext_t* context = (ucontext_t*)fiber.stack_pointer;
  getcontext(context);
  context->uc_stack.ss_sp = fiber.stack;
  context->uc_stack.ss_size = fiber.stack_bytes;
  context->uc_link = nullptr;
  makecontext(context, entry, 0);
#endif
  fiber.fake_stack = nullptr;
}

void fiber_create(Fiber& fiber, Entry entry) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  fiber.stack_bytes = (config().stack_bytes + page - 1) / page * page;
  void* memory = mmap(nullptr, page + fiber.stack_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE)) {
    perror("emulation: no memory for a stack");
    abort();
  }
  fiber.stack = (unsigned char*)memory + page;
#ifdef EMULATION_TSAN
  fiber.identity = __tsan_create_fiber(0);
#endif
  prepare(fiber, entry);
}

void fiber_reset(Fiber& fiber, Entry entry) {
#ifdef EMULATION_ASAN
  __asan_unpoison_memory_region(fiber.stack, fiber.stack_bytes);
#endif
#ifdef EMULATION_TSAN
  __tsan_destroy_fiber(fiber.identity);
  fiber.identity = __tsan_create_fiber(0);
#endif
  prepare(fiber, entry);
}

static Fiber* adopted;    // the launching thread
static bool from_adopted;  // it made the last switch

void fiber_switch(Fiber& from, Fiber& to, bool abandoned) {
  (void)abandoned;
  from_adopted = &from == adopted;
#ifdef EMULATION_ASAN
  __sanitizer_start_switch_fiber(abandoned ? nullptr : &from.fake_stack, to.stack, to.stack_bytes);
#endif
#ifdef EMULATION_TSAN
  __tsan_switch_to_fiber(to.identity, 1);  // 1: the switch orders nothing
#endif
  suspend(from, to);
#ifdef EMULATION_ASAN
  const void* stack;
  size_t bytes;
  __sanitizer_finish_switch_fiber(from.fake_stack, &stack, &bytes);
  if (from_adopted) adopted->stack = (unsigned char*)stack, adopted->stack_bytes = bytes;
#endif
}

void fiber_arrived() {
#ifdef EMULATION_ASAN
  const void* stack;
  size_t bytes;
  __sanitizer_finish_switch_fiber(nullptr, &stack, &bytes);
  if (from_adopted) adopted->stack = (unsigned char*)stack, adopted->stack_bytes = bytes;
#endif
}

void fiber_adopt(Fiber& host) {
  adopted = &host;
#ifdef EMULATION_TSAN
  host.identity = __tsan_get_current_fiber();
#endif
}

void release(void* object) {
  (void)object;
#ifdef EMULATION_TSAN
  __tsan_release(object);
#endif
}

void acquire(void* object) {
  (void)object;
#ifdef EMULATION_TSAN
  __tsan_acquire(object);
#endif
}

void fibers_begin_launch(const std::vector<Fiber*>& fibers, Fiber& host) {
  (void)fibers;
  (void)host;
#ifdef EMULATION_TSAN
  release(&host);
  for (Fiber* fiber : fibers) {
    __tsan_switch_to_fiber(fiber->identity, 1);
    acquire(&host);
  }
  __tsan_switch_to_fiber(host.identity, 1);
#endif
}

void fibers_end_launch(const std::vector<Fiber*>& fibers, Fiber& host) {
  (void)fibers;
  (void)host;
#ifdef EMULATION_TSAN
  for (Fiber* fiber : fibers) {
    __tsan_switch_to_fiber(fiber->identity, 1);
    release(&fiber->identity);
  }
  __tsan_switch_to_fiber(host.identity, 1);
  for (Fiber* fiber : fibers) acquire(&fiber->identity);
#endif
}

}  // namespace emulation

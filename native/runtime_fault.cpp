// Faults of a kernel (an address that is not mapped, a misaligned 16-byte access, a full stack, an integer division by
// zero) end the launch and not the process. Only while a kernel runs, and only on the thread that launched it: all
// other signals go to the handlers that were there before, as a Java VM uses them for its own purposes.
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#include "runtime.h"

#if defined(__x86_64__) && !defined(EMULATION_ASAN) && !defined(EMULATION_TSAN)
namespace emulation {
namespace {
constexpr int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE};
constexpr int COUNT = 3;
struct sigaction before[COUNT];
stack_t stack_before;
pthread_t launcher;
volatile bool installed;
int fault_signal, fault_code;
void* fault_address;

void report() {
  const Fiber& fiber = *current().fiber;
  const unsigned char* address = (const unsigned char*)fault_address;
  if (fault_signal == SIGFPE) fail("a division of integers by zero");
  if (fault_code == SI_KERNEL)
    fail("an access of 16 bytes or more that is not aligned, or an address that no device has");
  if (address < fiber.stack && address >= fiber.stack - 65536)
    fail("the stack of %zu bytes is full", fiber.stack_bytes);
  fail("an access to %p, where there is no memory", fault_address);
}

void handle(int signal, siginfo_t* info, void* context) {
  if (in_kernel && pthread_equal(pthread_self(), launcher)) {
    fault_signal = signal;
    fault_code = info->si_code;
    fault_address = info->si_addr;
    in_kernel = false;
    // the thread is abandoned, so its stack is free for the report
    Fiber& fiber = *current().fiber;
    greg_t* registers = ((ucontext_t*)context)->uc_mcontext.gregs;
    registers[REG_RIP] = (greg_t)(void*)report;
    registers[REG_RSP] = (greg_t)(fiber.stack + fiber.stack_bytes - 64 - 8);
    return;
  }
  for (int i = 0; i < COUNT; i++) {
    if (SIGNALS[i] != signal) continue;
    if (before[i].sa_flags & SA_SIGINFO) {
      before[i].sa_sigaction(signal, info, context);
    } else if (before[i].sa_handler == SIG_DFL || before[i].sa_handler == SIG_IGN) {
      sigaction(signal, &before[i], nullptr);  // it happens again, and then this handler is gone
    } else {
      before[i].sa_handler(signal);
    }
  }
}
}  // namespace

void faults_begin_launch() {
  if (!config().catch_faults) return;
  static unsigned char handler_stack[64 << 10];
  launcher = pthread_self();
  stack_t stack = {};
  stack.ss_sp = handler_stack;
  stack.ss_size = sizeof handler_stack;
  sigaltstack(&stack, &stack_before);
  struct sigaction action = {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (int i = 0; i < COUNT; i++) sigaction(SIGNALS[i], &action, &before[i]);
  installed = true;
}

void faults_end_launch() {
  if (!installed) return;
  installed = false;
  for (int i = 0; i < COUNT; i++) sigaction(SIGNALS[i], &before[i], nullptr);
  sigaltstack(&stack_before, nullptr);
}
}  // namespace emulation
#else
namespace emulation {
void faults_begin_launch() {}
void faults_end_launch() {}
}  // namespace emulation
#endif

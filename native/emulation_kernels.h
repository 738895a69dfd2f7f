// The kernels of this library and how the driver and the tests launch them.
#pragma once
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "emulation_types.h"

namespace emulation {

struct Parameter {
  size_t offset, bytes;  // as in the parameter block of the device
};

struct Kernel {
  std::string name;
  std::string file;  // base name of its source, without the ending
  int most_threads;  // of a block
  std::vector<Parameter> parameters;
  void (*function)();
  void (*call)(void (*function)(), void** parameters);  // runs one thread
};

// all kernels that were linked in
const std::vector<Kernel>& kernels();
// null where there is none of that name
const Kernel* find_kernel(const std::string& name);

// Which of several ready threads goes on: FIFO: the next one, in ascending order and round again; LIFO: in descending
// order, blocks too; WARPS: one warp races as far ahead of the others as it can.
enum class Schedule { FIFO, LIFO, WARPS };

struct Config {
  Schedule schedule = Schedule::FIFO;  // SIDEFADE_EMULATION_SCHEDULE = fifo, lifo or warps
  size_t shared_bytes = 227 << 10;     // of a block, static and dynamic together
  size_t stack_bytes = 256 << 10;      // of a thread; read when the first kernel is launched
  bool catch_faults = true;            // SIGSEGV, SIGBUS and SIGFPE of a kernel become a failure; see README.md
};
// read from the environment once, may be changed between launches
Config& config();

// Runs the grid, block after block, and returns when it is done. An empty string, or what went wrong, in a sentence:
// then the blocks up to there have run, and memory is as they left it. One launch at a time: others wait.
std::string launch(const Kernel& kernel, dim3 grid, dim3 block, size_t shared, void** parameters);

// For tests: the kernel of that name with these arguments, which must have its parameters' sizes. Prints a failure
// and exits.
void launch_or_exit(const char* name, dim3 grid, dim3 block, size_t shared, void** parameters, const size_t* bytes,
                    size_t count);
template <class... A>
void run(const char* name, dim3 grid, dim3 block, size_t shared, A... arguments) {
  void* parameters[] = {(void*)&arguments..., nullptr};
  size_t bytes[] = {sizeof(A)..., 0};
  launch_or_exit(name, grid, block, shared, parameters, bytes, sizeof...(A));
}

void add_kernel(Kernel kernel, const char* path);

template <class... P>
struct Caller {
  template <size_t... I>
  static void apply(void (*function)(), void** parameters, std::index_sequence<I...>) {
    (void)parameters;
    ((void (*)(P...))function)(*(std::remove_cv_t<P>*)parameters[I]...);
  }
  static void call(void (*function)(), void** parameters) {
    apply(function, parameters, std::index_sequence_for<P...>{});
  }
};

struct Registration {
  template <class... P>
  Registration(const char* name, const char* path, int most_threads, void (*function)(P...)) {
    Kernel kernel{name, "", most_threads, {}, (void (*)())function, Caller<P...>::call};
    size_t end = 0;
    auto place = [&](size_t bytes, size_t alignment) {
      size_t offset = (end + alignment - 1) / alignment * alignment;
      kernel.parameters.push_back({offset, bytes});
      end = offset + bytes;
    };
    (void)place;
    (place(sizeof(P), alignof(P)), ...);
    add_kernel(kernel, path);
  }
};

}  // namespace emulation

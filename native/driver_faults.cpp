// The emulated driver: what tests ask it to do wrong, and what they ask it.
//
// None of these functions needs a context, and none is part of CUDA.
#include <string.h>

#include "driver.h"
#include "emulation_kernels.h"

using namespace driver;

namespace driver {

struct Injection {
  long nth;  // of the calls still to come
  CUresult code;
};
struct Faults {
  std::map<std::string, Injection> calls;
  Injection allocation{0, CUDA_SUCCESS}, launch{0, CUDA_SUCCESS};
};
static Faults& faults() {
  static Faults& f = *new Faults();
  return f;
}

static CUresult due(Injection& injection) {
  if (injection.nth == 0 || --injection.nth > 0) return CUDA_SUCCESS;
  return injection.code;
}

CUresult injected(const char* function) {
  auto& calls = faults().calls;
  if (calls.empty()) return CUDA_SUCCESS;
  auto found = calls.find(function);
  if (found == calls.end()) return CUDA_SUCCESS;
  const CUresult code = due(found->second);
  if (found->second.nth == 0) calls.erase(found);
  return code;
}

CUresult injected_out_of_memory() { return due(faults().allocation); }
CUresult injected_launch_failure() { return due(faults().launch); }

}  // namespace driver

#define LOCKED std::lock_guard<std::mutex> hold(state().lock)

// The nth next call of the function (1: the very next one) does nothing and returns the code.
API void sidefade_emulation_fail(const char* function, long nth, int code) {
  LOCKED;
  if (nth > 0) {
    faults().calls[function] = {nth, (CUresult)code};
  } else {
    faults().calls.erase(function);
  }
}

// The nth next allocation of device or page-locked memory finds none. 0: no more failures.
API void sidefade_emulation_out_of_memory(long nth) {
  LOCKED;
  faults().allocation = {nth, CUDA_ERROR_OUT_OF_MEMORY};
}

// The nth next kernel that runs fails with this code, which later calls then return until the context ends.
API void sidefade_emulation_fail_launch(long nth, int code) {
  LOCKED;
  faults().launch = {nth, (CUresult)code};
}

// Every call returns the code until the context ends.
API void sidefade_emulation_sticky(int code) {
  LOCKED;
  state().sticky = (CUresult)code;
}

// Every call, cuInit and cuDevicePrimaryCtxRetain too, returns the code until sidefade_emulation_reset. 0: found again.
API void sidefade_emulation_lose_device(int code) {
  LOCKED;
  state().lost = (CUresult)code;
}

// See Live in driver.h; 100 + what: objects of that kind that were alive when a context ended, since the last reset.
API int64_t sidefade_emulation_live(int what) {
  LOCKED;
  if (what >= 100 && what < 100 + KINDS) return state().leaked[what - 100];
  return live(what);
}

// 0 fifo, 1 lifo, 2 warps: which thread of a block goes on
API void sidefade_emulation_schedule(int schedule) {
  LOCKED;
  emulation::config().schedule = (emulation::Schedule)schedule;
}

// 0 eager, 1 lazy, 2 reverse: which work of the streams runs
API void sidefade_emulation_order(int order) {
  LOCKED;
  if (order == EAGER && state().settings.order != EAGER) finish_all();
  state().settings.order = order;
}

// Launches are checked and then forgotten, for measuring what a launch costs the caller.
API void sidefade_emulation_noop(int on) {
  LOCKED;
  state().settings.noop = on != 0;
}

// A setting by its name in the environment, without "SIDEFADE_EMULATION_", in lower case. Holds from now on.
API int sidefade_emulation_set(const char* name, long value) {
  LOCKED;
  Settings& s = state().settings;
  const std::string n = name;
  if (n == "driver_version") {
    s.version = (int)value;
  } else if (n == "devices") {
    s.devices = (int)value;
  } else if (n == "compute_capability") {
    s.compute_capability = (int)value;
  } else if (n == "multiprocessors") {
    s.multiprocessors = (int)value;
  } else if (n == "memory") {
    s.memory = (size_t)value;
  } else {
    return CUDA_ERROR_NOT_FOUND;
  }
  return CUDA_SUCCESS;
}

// What went wrong in the last kernel that failed, "" when none did.
API const char* sidefade_emulation_failure() {
  LOCKED;
  return last_failure();
}

API int sidefade_emulation_record(const char* path) {
  LOCKED;
  return record(path);
}

// As if the process had just begun, but contexts that are current stay so: they are destroyed ones.
API void sidefade_emulation_reset() {
  LOCKED;
  State& s = state();
  if (s.retained) end_context();
  s.retained = 0;
  s.initialised = false;
  s.sticky = s.lost = CUDA_SUCCESS;
  s.settings = settings_of_environment();
  memset(s.leaked, 0, sizeof s.leaked);
  faults() = Faults();
  if (!getenv("SIDEFADE_EMULATION_RECORD")) record(nullptr);
}

// ---- for the emulated cuBLAS

// What stops a call of a library before it begins: positive, the library's own code that a test asked for; negative, an
// error of the driver.
API int sidefade_emulation_enter(const char* function) {
  {
    Call call(function, NOTHING);
    if (call.error) return call.error;
  }
  Call call("", CURRENT);
  return -(int)call.error;
}

// Queues run(arguments) on the stream; the arguments are copied.
API int sidefade_emulation_enqueue(CUstream handle, const char* kind, int (*run)(const void*), const void* arguments,
                                   size_t bytes) {
  Call call(kind, CURRENT);
  if (call.error) return call.error;
  Stream* stream = find_stream(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  auto copy = std::make_shared<std::vector<char>>((const char*)arguments, (const char*)arguments + bytes);
  return submit(*stream, {kind, [=] { return (CUresult)run(copy->data()); }});
}

// For what runs in a queue: may these bytes be touched?
API int sidefade_emulation_accessible(const void* address, size_t bytes) {
  return place((uint64_t)address) != PAGEABLE && accessible((uint64_t)address, bytes);
}

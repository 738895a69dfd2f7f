// The emulated driver: versions, the device, its primary context.
#include "driver.h"

#include <cstdlib>
#include <cstring>

using namespace driver;

namespace driver {

static thread_local std::vector<CUcontext> current;

State& state() {
  static State& s = *new State();  // outlives the threads of the process
  return s;
}

uint64_t next_handle() {
  static uint64_t handle = 0x5f0000000000;
  return handle += 16;
}

static long variable(const char* name, long otherwise) {
  const char* text = getenv(name);
  return text && *text ? atol(text) : otherwise;
}

Settings settings_of_environment() {
  Settings s;
  s.version = (int)variable("SIDEFADE_EMULATION_DRIVER_VERSION", s.version);
  s.devices = (int)variable("SIDEFADE_EMULATION_DEVICES", s.devices);
  s.compute_capability = (int)variable("SIDEFADE_EMULATION_COMPUTE_CAPABILITY", s.compute_capability);
  s.multiprocessors = (int)variable("SIDEFADE_EMULATION_MULTIPROCESSORS", s.multiprocessors);
  s.memory = (size_t)variable("SIDEFADE_EMULATION_MEMORY", (long)s.memory);
  const char* order = getenv("SIDEFADE_EMULATION_ORDER");
  if (order && !strcmp(order, "eager")) s.order = EAGER;
  if (order && !strcmp(order, "reverse")) s.order = REVERSE;
  return s;
}

// Without this the settings of the environment would only hold after cuInit, and cuDriverGetVersion may come before it.
static bool read_environment = (state().settings = settings_of_environment(), true);

int64_t live(int what) {
  State& s = state();
  switch (what) {
    case BYTES: return (int64_t)live_bytes();
    case STREAMS: return (int64_t)s.streams.size();
    case EVENTS: return (int64_t)s.events.size();
    case MODULES: return (int64_t)s.libraries.size();
    case GRAPHS: return (int64_t)(s.graphs.size() + s.executables.size());
    case PINNED_BYTES: return (int64_t)pinned_bytes();
    case CONTEXTS: return s.retained;
    case LAUNCHES: return (int64_t)launches();
    default: return -1;
  }
}

void end_context() {
  State& s = state();
  for (int what = BYTES; what <= PINNED_BYTES; what++) s.leaked[what] += live(what);
  drop_all();
  for (auto& capture : s.captures) capture->valid = false;
  s.captures.clear();
  s.graphs.clear();
  s.executables.clear();
  s.streams.clear();
  s.events.clear();
  release_all_modules();
  release_all_memory();
  s.sticky = CUDA_SUCCESS;
}

Call::Call(const char* function, Needs needs, InCapture in_capture) : error(CUDA_SUCCESS), hold_(state().lock) {
  State& s = state();
  error = injected(function);
  if (error || needs == NOTHING) return;
  if (!s.initialised) error = CUDA_ERROR_NOT_INITIALIZED;
  if (error || needs == INITIALISED) return;
  if (current.empty() || !current.back()) {
    error = CUDA_ERROR_INVALID_CONTEXT;
  } else if (!s.retained) {
    error = CUDA_ERROR_CONTEXT_IS_DESTROYED;
  } else if (needs == CURRENT) {
    error = result();
  }
  if (!error && in_capture == FORBIDDEN) error = forbidden_in_capture();
}

CUresult Call::result() const { return state().lost ? state().lost : state().sticky; }

}  // namespace driver

// ---- versions

API CUresult cuInit(unsigned flags) {
  BEGIN(NOTHING);
  if (flags) return CUDA_ERROR_INVALID_VALUE;
  if (state().lost) return state().lost;
  if (state().settings.devices < 1) return CUDA_ERROR_NO_DEVICE;
  if (!state().initialised)
    if (const char* path = getenv("SIDEFADE_EMULATION_RECORD")) record(path);
  state().initialised = true;
  return CUDA_SUCCESS;
}

API CUresult cuDriverGetVersion(int* version) {
  BEGIN(NOTHING);
  if (!version) return CUDA_ERROR_INVALID_VALUE;
  *version = state().settings.version;
  return CUDA_SUCCESS;
}

// ---- the device

static CUresult check_device(CUdevice device) {
  return device >= 0 && device < state().settings.devices ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

API CUresult cuDeviceGetCount(int* count) {
  BEGIN(INITIALISED);
  if (!count) return CUDA_ERROR_INVALID_VALUE;
  *count = state().settings.devices;
  return CUDA_SUCCESS;
}

API CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  BEGIN(INITIALISED);
  if (!device) return CUDA_ERROR_INVALID_VALUE;
  *device = ordinal;
  return check_device(ordinal);
}

API CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  BEGIN(INITIALISED);
  if (!name || length < 1) return CUDA_ERROR_INVALID_VALUE;
  if (check_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  strncpy(name, "Sidefade emulated GPU", (size_t)length - 1);
  name[length - 1] = 0;
  return CUDA_SUCCESS;
}

API CUresult cuDeviceGetUuid_v2(unsigned char* uuid, CUdevice device) {
  BEGIN(INITIALISED);
  if (!uuid) return CUDA_ERROR_INVALID_VALUE;
  if (check_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  memcpy(uuid, "SidefadeEmulated", 16);
  return CUDA_SUCCESS;
}

API CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  BEGIN(INITIALISED);
  if (!bytes) return CUDA_ERROR_INVALID_VALUE;
  *bytes = state().settings.memory;
  return check_device(device);
}

API CUresult cuDeviceGetAttribute(int* value, int attribute, CUdevice device) {
  BEGIN(INITIALISED);
  if (!value) return CUDA_ERROR_INVALID_VALUE;
  if (check_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  const Settings& s = state().settings;
  const bool turing = s.compute_capability < 80;
  switch (attribute) {
    case 1: *value = 1024; break;                        // threads of a block
    case 2: case 3: *value = 1024; break;                // in x and y
    case 4: *value = 64; break;                          // in z
    case 5: *value = 0x7fffffff; break;                  // blocks of a grid in x
    case 6: case 7: *value = 65535; break;               // in y and z
    case 8: *value = 48 << 10; break;                    // shared memory of a block
    case 10: *value = 32; break;                         // threads of a warp
    case 12: case 82: *value = 65536; break;             // registers of a block, of a multiprocessor
    case 13: *value = 1000000; break;                    // clock, kHz
    case 16: *value = s.multiprocessors; break;
    case 36: *value = 1000000; break;                    // memory clock, kHz
    case 37: *value = 4096; break;                       // bits of the memory bus
    case 38: *value = 50 << 20; break;                   // level 2 cache
    case 39: *value = turing ? 1024 : 2048; break;       // threads of a multiprocessor
    case 40: *value = 2; break;                          // copy engines
    case 41: *value = 1; break;                          // unified addresses
    case 75: *value = s.compute_capability / 10; break;
    case 76: *value = s.compute_capability % 10; break;
    case 78: *value = 1; break;                          // stream priorities
    case 81: *value = turing ? 64 << 10 : 228 << 10; break;  // shared memory of a multiprocessor
    case 97: *value = turing ? 64 << 10 : 227 << 10; break;  // of a block that opted in
    case 106: *value = 32; break;                        // blocks of a multiprocessor
    case 111: *value = 1 << 10; break;                   // shared memory of a block that the system keeps
    case 115: *value = 1; break;                         // memory pools
    case 120: *value = s.compute_capability >= 90; break;  // clusters
    default: *value = 0;
  }
  return CUDA_SUCCESS;
}

// ---- contexts

API CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  BEGIN(INITIALISED);
  if (!context) return CUDA_ERROR_INVALID_VALUE;
  if (check_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  if (call.result()) return call.result();
  state().retained++;
  *context = primary_context;
  return CUDA_SUCCESS;
}

API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  BEGIN(INITIALISED);
  if (check_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  if (!state().retained) return CUDA_ERROR_INVALID_CONTEXT;
  const CUresult result = call.result();
  if (--state().retained == 0) end_context();
  return result;
}

static bool known(CUcontext context) { return context == primary_context && state().retained; }

API CUresult cuCtxSetCurrent(CUcontext context) {
  BEGIN(INITIALISED);
  if (context && !known(context)) return CUDA_ERROR_INVALID_CONTEXT;
  if (!current.empty()) current.pop_back();
  if (context) current.push_back(context);
  return CUDA_SUCCESS;
}

API CUresult cuCtxGetCurrent(CUcontext* context) {
  BEGIN(INITIALISED);
  if (!context) return CUDA_ERROR_INVALID_VALUE;
  *context = current.empty() ? nullptr : current.back();
  return CUDA_SUCCESS;
}

API CUresult cuCtxPushCurrent_v2(CUcontext context) {
  BEGIN(INITIALISED);
  if (!known(context)) return CUDA_ERROR_INVALID_CONTEXT;
  current.push_back(context);
  return CUDA_SUCCESS;
}

API CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  BEGIN(INITIALISED);
  if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT;
  if (context) *context = current.back();
  current.pop_back();
  return CUDA_SUCCESS;
}

API CUresult cuCtxGetDevice(CUdevice* device) {
  BEGIN(CURRENT);
  if (!device) return CUDA_ERROR_INVALID_VALUE;
  *device = 0;
  return CUDA_SUCCESS;
}

API CUresult cuCtxSynchronize() {
  BEGIN(CURRENT, FORBIDDEN);
  finish_all();
  trim_pools();
  return call.result();
}

API CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  BEGIN(CURRENT);
  if (least) *least = 0;
  if (greatest) *greatest = -5;
  return CUDA_SUCCESS;
}

API CUresult cuProfilerStart() {
  BEGIN(CURRENT);
  return CUDA_SUCCESS;
}

API CUresult cuProfilerStop() {
  BEGIN(CURRENT);
  return CUDA_SUCCESS;
}

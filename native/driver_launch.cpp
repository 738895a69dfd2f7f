// The emulated driver: launching kernels.
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "emulation_kernels.h"
#include "recording.h"

using namespace driver;

namespace driver {

static uint64_t launch_count;
uint64_t launches() { return launch_count; }

// the words that went with the last kernel that failed
static std::string& failure() {
  static std::string& text = *new std::string();
  return text;
}
const char* last_failure() { return failure().c_str(); }

static std::unique_ptr<emulation::Recorder>& recorder() {
  static auto& r = *new std::unique_ptr<emulation::Recorder>();
  return r;
}

CUresult record(const char* path) {
  static std::string& recorded = *new std::string();
  if (path && recorder() && recorded == path) return CUDA_SUCCESS;  // goes on
  recorder() = nullptr;
  recorded = path ? path : "";
  if (!path) return CUDA_SUCCESS;
  FILE* file = fopen(path, "wb");
  if (!file) return CUDA_ERROR_INVALID_VALUE;
  fclose(file);
  recorder() = std::make_unique<emulation::Recorder>(path);
  return CUDA_SUCCESS;
}

// Everything of a launch, copied: the caller may change its arguments at once.
struct Launch {
  CUkernel function;
  const emulation::Kernel* kernel;
  dim3 grid, block;
  unsigned shared;
  std::vector<unsigned char> parameters;  // the parameter block
};

static CUresult fail(const Launch& launch, const std::string& text, CUresult error) {
  failure() = launch.kernel->name + ": " + text;
  fprintf(stderr, "emulated CUDA driver: %s\n", last_failure());
  return error;
}

// The first of the kernel's arrays behind whose end something was written. Arrays that the kernel finds through other
// arrays are not looked at; that is for a replay under the address sanitizer.
static const Allocation* overrun(const Launch& launch) {
  for (const emulation::Parameter& p : launch.kernel->parameters) {
    CUdeviceptr address = 0;
    if (p.bytes != sizeof address) continue;
    memcpy(&address, &launch.parameters[p.offset], sizeof address);
    if (place(address) != DEVICE) continue;
    const Allocation* allocation = find_allocation(address);
    if (allocation && !gap_is_intact(*allocation)) return allocation;
  }
  return nullptr;
}

static std::string run_and_record(Launch& launch) {
  std::vector<void*> pointers;
  for (const emulation::Parameter& p : launch.kernel->parameters) pointers.push_back(&launch.parameters[p.offset]);
  pointers.push_back(nullptr);
  if (recorder()) {
    std::vector<emulation::DeviceRange> live;
    for (auto& entry : allocations()) live.push_back({entry.first, entry.second->bytes});
    recorder()->before(*launch.kernel, launch.grid, launch.block, launch.shared, pointers.data(), live);
  }
  std::string text = emulation::launch(*launch.kernel, launch.grid, launch.block, launch.shared, pointers.data());
  if (recorder() && text.empty()) recorder()->after();
  return text;
}

static CUresult run(Launch& launch) {
  if (!find_function(launch.function)) return CUDA_ERROR_INVALID_HANDLE;  // the node of a graph may outlive its library
  if (CUresult error = injected_launch_failure()) return fail(launch, "the failure that was asked for", error);
  launch_count++;
  const std::string text = run_and_record(launch);
  if (!text.empty()) {
    const bool fault = text.find("an access to") != std::string::npos;
    return fail(launch, text, fault ? CUDA_ERROR_ILLEGAL_ADDRESS : CUDA_ERROR_LAUNCH_FAILED);
  }
  if (const Allocation* a = overrun(launch)) {
    const std::string bytes = std::to_string(a->bytes);
    poison(a->base + a->bytes, a->reserved - a->bytes);
    return fail(launch, "wrote past the end of an allocation of " + bytes + " bytes", CUDA_ERROR_ILLEGAL_ADDRESS);
  }
  return CUDA_SUCCESS;
}

static bool in(unsigned value, unsigned most) { return value >= 1 && value <= most; }

static CUresult check_shape(const Function& function, dim3 grid, dim3 block, unsigned shared) {
  if (!in(grid.x, 0x7fffffff) || !in(grid.y, 65535) || !in(grid.z, 65535)) return CUDA_ERROR_INVALID_VALUE;
  if (!in(block.x, 1024) || !in(block.y, 1024) || !in(block.z, 64)) return CUDA_ERROR_INVALID_VALUE;
  const uint64_t threads = (uint64_t)block.x * block.y * block.z;
  if (threads > 1024 || shared > (unsigned)function.dynamic_shared) return CUDA_ERROR_INVALID_VALUE;
  return threads > (uint64_t)function.kernel->most_threads ? CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES : CUDA_SUCCESS;
}

// `extra` is a list of keys and values: 1 the parameter block, 2 a pointer to its size, 0 the end.
static CUresult copy_block(void** extra, size_t bytes, std::vector<unsigned char>& block) {
  const void* from = nullptr;
  size_t given = 0;
  for (; *extra; extra += 2) {
    if (*extra == (void*)1) {
      from = extra[1];
    } else if (*extra == (void*)2) {
      given = *(const size_t*)extra[1];
    } else {
      return CUDA_ERROR_INVALID_VALUE;
    }
  }
  if (bytes && (!from || given < bytes)) return CUDA_ERROR_INVALID_VALUE;
  block.assign((const unsigned char*)from, (const unsigned char*)from + bytes);
  return CUDA_SUCCESS;
}

static CUresult copy_parameters(const emulation::Kernel& kernel, void** parameters, void** extra,
                                std::vector<unsigned char>& block) {
  const bool any = !kernel.parameters.empty();
  if (parameters && extra) return CUDA_ERROR_INVALID_VALUE;
  const size_t bytes = any ? kernel.parameters.back().offset + kernel.parameters.back().bytes : 0;
  if (extra) return copy_block(extra, bytes, block);
  if (any && !parameters) return CUDA_ERROR_INVALID_VALUE;
  block.resize(bytes);
  for (size_t i = 0; i < kernel.parameters.size(); i++) {
    if (!parameters[i]) return CUDA_ERROR_INVALID_VALUE;
    memcpy(&block[kernel.parameters[i].offset], parameters[i], kernel.parameters[i].bytes);
  }
  return CUDA_SUCCESS;
}

static CUresult launch(CUkernel handle, dim3 grid, dim3 block, unsigned shared, CUstream stream_handle,
                       void** parameters, void** extra) {
  Function* function = find_function(handle);
  Stream* stream = find_stream(stream_handle);
  if (!function || !stream) return CUDA_ERROR_INVALID_HANDLE;
  if (CUresult error = check_shape(*function, grid, block, shared)) return error;
  if (state().settings.noop) {
    launch_count++;
    return CUDA_SUCCESS;
  }
  auto launch = std::make_shared<Launch>(Launch{handle, function->kernel, grid, block, shared, {}});
  if (CUresult error = copy_parameters(*function->kernel, parameters, extra, launch->parameters)) return error;
  return submit(*stream, {"kernel", [launch] { return run(*launch); }});
}

}  // namespace driver

API CUresult cuLaunchKernel(CUkernel function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                            unsigned block_y, unsigned block_z, unsigned shared, CUstream stream, void** parameters,
                            void** extra) {
  BEGIN(CURRENT);
  return launch(function, dim3(grid_x, grid_y, grid_z), dim3(block_x, block_y, block_z), shared, stream, parameters,
                extra);
}

struct CUlaunchConfig {
  unsigned grid[3], block[3], shared;
  CUstream stream;
  void* attributes;
  unsigned attribute_count;
};

// Attributes are hints here, except that there are no clusters.
API CUresult cuLaunchKernelEx(const CUlaunchConfig* config, CUkernel function, void** parameters, void** extra) {
  BEGIN(CURRENT);
  if (!config || (config->attribute_count && !config->attributes)) return CUDA_ERROR_INVALID_VALUE;
  struct Attribute {
    int id, pad;
    unsigned value[16];
  };
  const int cluster_dimension = 4;
  for (unsigned i = 0; i < config->attribute_count; i++) {
    const Attribute& a = ((const Attribute*)config->attributes)[i];
    if (a.id == cluster_dimension && (a.value[0] > 1 || a.value[1] > 1 || a.value[2] > 1))
      return CUDA_ERROR_NOT_SUPPORTED;
  }
  const unsigned *g = config->grid, *b = config->block;
  return launch(function, dim3(g[0], g[1], g[2]), dim3(b[0], b[1], b[2]), config->shared, config->stream, parameters,
                extra);
}

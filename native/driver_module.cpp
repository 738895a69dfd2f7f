// The emulated driver: libraries, modules, functions.
//
// An image is the text "emulated FILE", which stands for the kernels of kernels/FILE.cu, or a real fatbin, cubin or
// PTX, which stands for all kernels there are. Modules are libraries and functions are kernels here.
#include <string.h>

#include <algorithm>

#include "driver.h"
#include "emulation_kernels.h"

using namespace driver;

namespace driver {

static Handles<Function>& functions() {
  static auto& f = *new Handles<Function>();
  return f;
}

Function* find_function(CUkernel handle) { return functions().find(handle); }

void release_all_modules() {
  functions().clear();
  state().libraries.clear();
}

// ---- loading

static bool any_kernels(const void* image) {
  const unsigned char* b = (const unsigned char*)image;
  const bool fatbin = b[0] == 0x50 && b[1] == 0xed && b[2] == 0x55 && b[3] == 0xba;
  const bool elf = b[0] == 0x7f && b[1] == 'E' && b[2] == 'L' && b[3] == 'F';
  return fatbin || elf || !strncmp((const char*)image, ".version", 8) || !strncmp((const char*)image, "//", 2);
}

// The name behind "emulated ", up to white space.
static bool emulated(const void* image, std::string* file) {
  static const char word[] = "emulated ";
  const char* text = (const char*)image;
  if (strncmp(text, word, sizeof word - 1)) return false;
  text += sizeof word - 1;
  *file = std::string(text, strcspn(text, " \t\r\n"));
  return true;
}

static CUresult load(CUlibrary* handle, const void* image, bool is_module) {
  if (!handle || !image) return CUDA_ERROR_INVALID_VALUE;
  std::string file;
  const bool one_file = emulated(image, &file);
  if (!one_file && !any_kernels(image)) return CUDA_ERROR_INVALID_IMAGE;
  auto library = std::make_shared<Library>();
  library->is_module = is_module;
  for (const emulation::Kernel& kernel : emulation::kernels()) {
    if (one_file && kernel.file != file) continue;
    CUkernel function;
    functions().add(std::make_shared<Function>(Function{&kernel}), &function);
    library->functions.push_back(function);
  }
  if (library->functions.empty()) return CUDA_ERROR_INVALID_IMAGE;
  state().libraries.add(library, handle);
  return CUDA_SUCCESS;
}

static CUresult unload(const Call& call, CUlibrary handle, bool is_module) {
  Library* library = state().libraries.find(handle);
  if (!library || library->is_module != is_module) return CUDA_ERROR_INVALID_HANDLE;
  finish_all();
  for (CUkernel function : library->functions) functions().remove(function);
  state().libraries.remove(handle);
  return call.result();
}

static CUresult find_function(CUkernel* handle, CUlibrary library_handle, const char* name) {
  Library* library = state().libraries.find(library_handle);
  if (!library) return CUDA_ERROR_INVALID_HANDLE;
  if (!handle || !name) return CUDA_ERROR_INVALID_VALUE;
  for (CUkernel function : library->functions) {
    if (functions().find(function)->kernel->name == name) {
      *handle = function;
      return CUDA_SUCCESS;
    }
  }
  return CUDA_ERROR_NOT_FOUND;
}

// ---- what is known of a function

int most_shared_bytes() { return state().settings.compute_capability < 80 ? 64 << 10 : 227 << 10; }

enum FunctionAttribute {
  MAX_THREADS_PER_BLOCK = 0,
  SHARED_SIZE_BYTES = 1,
  LOCAL_SIZE_BYTES = 3,
  NUM_REGS = 4,
  PTX_VERSION = 5,
  BINARY_VERSION = 6,
  MAX_DYNAMIC_SHARED_SIZE_BYTES = 8,
  PREFERRED_SHARED_MEMORY_CARVEOUT = 9,
};

// a plausible number: no more than the bound on threads allows
static int registers(const Function& f) { return std::min(64, 65536 / std::max(1, f.kernel->most_threads)); }

static CUresult get_attribute(int* value, int attribute, CUkernel handle) {
  Function* f = functions().find(handle);
  if (!f) return CUDA_ERROR_INVALID_HANDLE;
  if (!value) return CUDA_ERROR_INVALID_VALUE;
  switch (attribute) {
    case MAX_THREADS_PER_BLOCK: *value = f->kernel->most_threads; break;
    case NUM_REGS: *value = registers(*f); break;
    case PTX_VERSION:
    case BINARY_VERSION: *value = state().settings.compute_capability; break;
    case MAX_DYNAMIC_SHARED_SIZE_BYTES: *value = f->dynamic_shared; break;
    case PREFERRED_SHARED_MEMORY_CARVEOUT: *value = f->carveout; break;
    default:
      if (attribute < 0 || attribute > 15) return CUDA_ERROR_INVALID_VALUE;
      *value = 0;
  }
  return CUDA_SUCCESS;
}

static CUresult set_attribute(CUkernel handle, int attribute, int value) {
  Function* f = functions().find(handle);
  if (!f) return CUDA_ERROR_INVALID_HANDLE;
  switch (attribute) {
    case MAX_DYNAMIC_SHARED_SIZE_BYTES:
      if (value < 0 || value > most_shared_bytes()) return CUDA_ERROR_INVALID_VALUE;
      f->dynamic_shared = value;
      return CUDA_SUCCESS;
    case PREFERRED_SHARED_MEMORY_CARVEOUT:
      if (value < -1 || value > 100) return CUDA_ERROR_INVALID_VALUE;
      f->carveout = value;
      return CUDA_SUCCESS;
    default: return CUDA_ERROR_INVALID_VALUE;
  }
}

static CUresult get_parameter(CUkernel handle, size_t index, size_t* offset, size_t* bytes) {
  Function* f = functions().find(handle);
  if (!f) return CUDA_ERROR_INVALID_HANDLE;
  if (!offset || index >= f->kernel->parameters.size()) return CUDA_ERROR_INVALID_VALUE;
  *offset = f->kernel->parameters[index].offset;
  if (bytes) *bytes = f->kernel->parameters[index].bytes;
  return CUDA_SUCCESS;
}

static CUresult blocks_of_multiprocessor(int* blocks, CUkernel handle, int threads, size_t shared) {
  Function* f = functions().find(handle);
  if (!f) return CUDA_ERROR_INVALID_HANDLE;
  if (!blocks || threads < 1 || threads > 1024) return CUDA_ERROR_INVALID_VALUE;
  const int warps = (threads + 31) / 32;
  const int by_threads = (state().settings.compute_capability < 80 ? 32 : 64) / warps;
  const int by_registers = 65536 / (registers(*f) * warps * 32);
  const int by_shared = (int)std::min<size_t>(32, (size_t)(most_shared_bytes() + 1024) / (shared + 1024));
  const bool fits = threads <= f->kernel->most_threads && shared <= (size_t)most_shared_bytes();
  *blocks = fits ? std::min(std::min(by_threads, by_registers), by_shared) : 0;
  return CUDA_SUCCESS;
}

}  // namespace driver

API CUresult cuLibraryLoadData(CUlibrary* library, const void* image, void*, void*, unsigned, void*, void*, unsigned) {
  BEGIN(CURRENT, FORBIDDEN);
  return load(library, image, false);
}

API CUresult cuLibraryUnload(CUlibrary library) {
  BEGIN(RELEASE, FORBIDDEN);
  return unload(call, library, false);
}

API CUresult cuLibraryGetKernel(CUkernel* kernel, CUlibrary library, const char* name) {
  BEGIN(CURRENT);
  return find_function(kernel, library, name);
}

API CUresult cuLibraryGetModule(CUlibrary* module, CUlibrary library) {
  BEGIN(CURRENT);
  if (!state().libraries.find(library)) return CUDA_ERROR_INVALID_HANDLE;
  if (!module) return CUDA_ERROR_INVALID_VALUE;
  *module = library;
  return CUDA_SUCCESS;
}

API CUresult cuLibraryGetKernelCount(unsigned* count, CUlibrary handle) {
  BEGIN(CURRENT);
  Library* library = state().libraries.find(handle);
  if (!library) return CUDA_ERROR_INVALID_HANDLE;
  if (!count) return CUDA_ERROR_INVALID_VALUE;
  *count = (unsigned)library->functions.size();
  return CUDA_SUCCESS;
}

API CUresult cuLibraryEnumerateKernels(CUkernel* kernels, unsigned count, CUlibrary handle) {
  BEGIN(CURRENT);
  Library* library = state().libraries.find(handle);
  if (!library) return CUDA_ERROR_INVALID_HANDLE;
  if (!kernels) return CUDA_ERROR_INVALID_VALUE;
  for (unsigned i = 0; i < count && i < library->functions.size(); i++) kernels[i] = library->functions[i];
  return CUDA_SUCCESS;
}

API CUresult cuModuleLoadData(CUlibrary* module, const void* image) {
  BEGIN(CURRENT, FORBIDDEN);
  return load(module, image, true);
}

API CUresult cuModuleLoadDataEx(CUlibrary* module, const void* image, unsigned, void*, void*) {
  BEGIN(CURRENT, FORBIDDEN);
  return load(module, image, true);
}

API CUresult cuModuleUnload(CUlibrary module) {
  BEGIN(RELEASE, FORBIDDEN);
  return unload(call, module, true);
}

API CUresult cuModuleGetFunction(CUkernel* function, CUlibrary module, const char* name) {
  BEGIN(CURRENT);
  return find_function(function, module, name);
}

API CUresult cuModuleGetGlobal_v2(CUdeviceptr*, size_t*, CUlibrary module, const char*) {
  BEGIN(CURRENT);
  return state().libraries.find(module) ? CUDA_ERROR_NOT_FOUND : CUDA_ERROR_INVALID_HANDLE;
}

API CUresult cuKernelGetFunction(CUkernel* function, CUkernel kernel) {
  BEGIN(CURRENT);
  if (!functions().find(kernel)) return CUDA_ERROR_INVALID_HANDLE;
  if (!function) return CUDA_ERROR_INVALID_VALUE;
  *function = kernel;
  return CUDA_SUCCESS;
}

API CUresult cuKernelGetName(const char** name, CUkernel kernel) {
  BEGIN(CURRENT);
  Function* f = functions().find(kernel);
  if (!f) return CUDA_ERROR_INVALID_HANDLE;
  if (!name) return CUDA_ERROR_INVALID_VALUE;
  *name = f->kernel->name.c_str();
  return CUDA_SUCCESS;
}

API CUresult cuKernelGetParamInfo(CUkernel kernel, size_t index, size_t* offset, size_t* bytes) {
  BEGIN(CURRENT);
  return get_parameter(kernel, index, offset, bytes);
}

API CUresult cuFuncGetParamInfo(CUkernel function, size_t index, size_t* offset, size_t* bytes) {
  BEGIN(CURRENT);
  return get_parameter(function, index, offset, bytes);
}

API CUresult cuKernelGetAttribute(int* value, int attribute, CUkernel kernel, CUdevice device) {
  BEGIN(CURRENT);
  return device ? CUDA_ERROR_INVALID_DEVICE : get_attribute(value, attribute, kernel);
}

API CUresult cuKernelSetAttribute(int attribute, int value, CUkernel kernel, CUdevice device) {
  BEGIN(CURRENT);
  return device ? CUDA_ERROR_INVALID_DEVICE : set_attribute(kernel, attribute, value);
}

API CUresult cuFuncGetAttribute(int* value, int attribute, CUkernel function) {
  BEGIN(CURRENT);
  return get_attribute(value, attribute, function);
}

API CUresult cuFuncSetAttribute(CUkernel function, int attribute, int value) {
  BEGIN(CURRENT);
  return set_attribute(function, attribute, value);
}

API CUresult cuFuncSetCacheConfig(CUkernel function, int) {
  BEGIN(CURRENT);
  return functions().find(function) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUkernel function, int threads, size_t shared) {
  BEGIN(CURRENT);
  return blocks_of_multiprocessor(blocks, function, threads, shared);
}

// The largest block that the function may have; the callback for its shared memory is asked about that one only.
API CUresult cuOccupancyMaxPotentialBlockSize(int* grid, int* threads, CUkernel function, size_t (*shared_of)(int),
                                              size_t shared, int limit) {
  BEGIN(CURRENT);
  Function* f = functions().find(function);
  if (!f) return CUDA_ERROR_INVALID_HANDLE;
  if (!grid || !threads) return CUDA_ERROR_INVALID_VALUE;
  *threads = limit > 0 ? std::min(limit, f->kernel->most_threads) : f->kernel->most_threads;
  int blocks = 0;
  const CUresult error =
      blocks_of_multiprocessor(&blocks, function, *threads, shared_of ? shared_of(*threads) : shared);
  *grid = blocks * state().settings.multiprocessors;
  return error;
}

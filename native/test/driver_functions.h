// The functions that the tests of the driver call, as these see them: handles are void*, results int. No header of
// CUDA is needed.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct MemPoolProperties {
  int type, handles, location_type, location;
  void* security;
  size_t most;
  unsigned short usage;
  unsigned char reserved[54];
};
struct Config {
  unsigned grid[3], block[3], shared;
  void* stream;
  void* attributes;
  unsigned attribute_count;
};

extern "C" {
int cuInit(unsigned);
int cuDriverGetVersion(int*);
int cuGetErrorName(int, const char**);
int cuDeviceGetCount(int*);
int cuDeviceGet(int*, int);
int cuDeviceGetName(char*, int, int);
int cuDeviceTotalMem_v2(size_t*, int);
int cuDeviceGetAttribute(int*, int, int);
int cuDeviceGetDefaultMemPool(void**, int);
int cuDevicePrimaryCtxRetain(void**, int);
int cuDevicePrimaryCtxRelease_v2(int);
int cuCtxSetCurrent(void*);
int cuCtxGetCurrent(void**);
int cuCtxPushCurrent_v2(void*);
int cuCtxPopCurrent_v2(void**);
int cuCtxSynchronize();

int cuMemAlloc_v2(uint64_t*, size_t);
int cuMemFree_v2(uint64_t);
int cuMemGetInfo_v2(size_t*, size_t*);
int cuMemGetAddressRange_v2(uint64_t*, size_t*, uint64_t);
int cuPointerGetAttribute(void*, int, uint64_t);
int cuMemHostAlloc(void**, size_t, unsigned);
int cuMemFreeHost(void*);
int cuMemHostRegister_v2(void*, size_t, unsigned);
int cuMemHostUnregister(void*);
int cuMemHostGetDevicePointer_v2(uint64_t*, void*, unsigned);
int cuMemcpyHtoD_v2(uint64_t, const void*, size_t);
int cuMemcpyDtoH_v2(void*, uint64_t, size_t);
int cuMemcpyDtoD_v2(uint64_t, uint64_t, size_t);
int cuMemcpyHtoDAsync_v2(uint64_t, const void*, size_t, void*);
int cuMemcpyDtoHAsync_v2(void*, uint64_t, size_t, void*);
int cuMemsetD32_v2(uint64_t, unsigned, size_t);
int cuMemsetD8Async(uint64_t, unsigned char, size_t, void*);
int cuMemsetD32Async(uint64_t, unsigned, size_t, void*);
int cuMemAllocAsync(uint64_t*, size_t, void*);
int cuMemAllocFromPoolAsync(uint64_t*, size_t, void*, void*);
int cuMemFreeAsync(uint64_t, void*);
int cuMemPoolCreate(void**, const MemPoolProperties*);
int cuMemPoolDestroy(void*);
int cuMemPoolTrimTo(void*, size_t);
int cuMemPoolSetAttribute(void*, int, void*);
int cuMemPoolGetAttribute(void*, int, void*);

int cuStreamCreate(void**, unsigned);
int cuStreamDestroy_v2(void*);
int cuStreamSynchronize(void*);
int cuStreamQuery(void*);
int cuStreamWaitEvent(void*, void*, unsigned);
int cuStreamBeginCapture_v2(void*, int);
int cuStreamEndCapture(void*, void**);
int cuStreamIsCapturing(void*, int*);
int cuEventCreate(void**, unsigned);
int cuEventDestroy_v2(void*);
int cuEventRecord(void*, void*);
int cuEventQuery(void*);
int cuEventSynchronize(void*);
int cuEventElapsedTime_v2(float*, void*, void*);

int cuGraphGetNodes(void*, void**, size_t*);
int cuGraphInstantiateWithFlags(void**, void*, unsigned long long);
int cuGraphUpload(void*, void*);
int cuGraphLaunch(void*, void*);
int cuGraphExecUpdate_v2(void*, void*, void*);
int cuGraphExecDestroy(void*);
int cuGraphDestroy(void*);

int cuLibraryLoadData(void**, const void*, void*, void*, unsigned, void*, void*, unsigned);
int cuLibraryUnload(void*);
int cuLibraryGetKernel(void**, void*, const char*);
int cuLibraryGetModule(void**, void*);
int cuLibraryGetKernelCount(unsigned*, void*);
int cuLibraryEnumerateKernels(void**, unsigned, void*);
int cuModuleLoadData(void**, const void*);
int cuModuleGetFunction(void**, void*, const char*);
int cuKernelGetFunction(void**, void*);
int cuKernelGetName(const char**, void*);
int cuKernelGetParamInfo(void*, size_t, size_t*, size_t*);
int cuFuncGetParamInfo(void*, size_t, size_t*, size_t*);
int cuKernelGetAttribute(int*, int, void*, int);
int cuFuncGetAttribute(int*, int, void*);
int cuFuncSetAttribute(void*, int, int);
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int*, void*, int, size_t);
int cuOccupancyMaxPotentialBlockSize(int*, int*, void*, size_t (*)(int), size_t, int);
int cuLaunchKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);
int cuLaunchKernelEx(const Config*, void*, void**, void**);

void sidefade_emulation_fail(const char*, long, int);
void sidefade_emulation_out_of_memory(long);
void sidefade_emulation_fail_launch(long, int);
void sidefade_emulation_sticky(int);
void sidefade_emulation_lose_device(int);
int64_t sidefade_emulation_live(int);
void sidefade_emulation_order(int);
void sidefade_emulation_noop(int);
int sidefade_emulation_set(const char*, long);
const char* sidefade_emulation_failure();
int sidefade_emulation_record(const char*);
void sidefade_emulation_reset();
int sidefade_emulation_cublas_live();

int cublasCreate_v2(void**);
int cublasDestroy_v2(void*);
int cublasSetStream_v2(void*, void*);
int cublasSetMathMode(void*, int);
int cublasSetPointerMode_v2(void*, int);
int cublasSgemm_v2(void*, int, int, int, int, int, const float*, const float*, int, const float*, int, const float*,
                   float*, int);
int cublasGemmEx(void*, int, int, int, int, int, const void*, const void*, int, int, const void*, int, int, const void*,
                 void*, int, int, int, int);
int cublasGemmStridedBatchedEx(void*, int, int, int, int, int, const void*, const void*, int, int, long long,
                               const void*, int, int, long long, const void*, void*, int, int, long long, int, int,
                               int);
}

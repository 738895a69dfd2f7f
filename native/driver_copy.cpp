// The emulated driver: copies and fills.
//
// A copy reads page-locked host memory when it runs and pageable memory when it is called. Calls that the host waits
// for wait for the legacy default stream and what it is ordered with, not for non-blocking streams. Fills, copies on
// the device and the last part of a copy from pageable memory are not waited for at all.
#include <string.h>

#include "driver.h"

using namespace driver;

namespace driver {

static bool permitted(uint64_t address, size_t bytes) { return bytes == 0 || usable(address, bytes); }

// what graphs are compared by
static const char* kind(Place to, Place from) {
  if (to == DEVICE) return from == DEVICE ? "copy on the device" : "copy to the device";
  return from == DEVICE ? "copy from the device" : "copy on the host";
}

// Places are those at the call: host memory that was page-locked then and no longer is must not be touched.
static bool still(uint64_t address, size_t bytes, Place then) {
  return place(address) == then && accessible(address, bytes);
}

static CUresult copy(uint64_t to, uint64_t from, size_t bytes, Stream& stream, bool waits) {
  if (!permitted(to, bytes) || !permitted(from, bytes)) return CUDA_ERROR_INVALID_VALUE;
  if (!bytes) return CUDA_SUCCESS;
  const Place destination = place(to), source = place(from);
  if (stream.capture && (destination == PAGEABLE || source == PAGEABLE))
    return invalidate(*stream.capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  Work work{kind(destination, source), nullptr};
  if (source == PAGEABLE) {
    auto staged = std::make_shared<std::vector<char>>((const char*)from, (const char*)from + bytes);
    work.run = [=] {
      if (!still(to, bytes, destination)) return CUDA_ERROR_ILLEGAL_ADDRESS;
      memcpy((void*)to, staged->data(), bytes);
      return CUDA_SUCCESS;
    };
  } else {
    work.run = [=] {
      if (!still(to, bytes, destination) || !still(from, bytes, source)) return CUDA_ERROR_ILLEGAL_ADDRESS;
      memmove((void*)to, (const void*)from, bytes);
      return CUDA_SUCCESS;
    };
  }
  CUresult error = submit(stream, std::move(work));
  if (error) return error;
  if (!stream.capture && (waits || destination == PAGEABLE)) finish(stream.last);
  return state().sticky;
}

static CUresult copy(uint64_t to, uint64_t from, size_t bytes, CUstream handle) {
  Stream* stream = find_stream(handle);
  return stream ? copy(to, from, bytes, *stream, false) : CUDA_ERROR_INVALID_HANDLE;
}

// Addresses of the device where the call says so; page-locked host memory has one too.
static bool device(uint64_t address) { return place(address) != PAGEABLE; }
static bool host(const void* address) { return address && place((uint64_t)address) != DEVICE; }

template <class T> static CUresult fill(CUdeviceptr address, T value, size_t count, Stream* stream) {
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  const size_t bytes = count * sizeof(T);
  if (address % sizeof(T) || !device(address) || !permitted(address, bytes)) return CUDA_ERROR_INVALID_VALUE;
  if (!count) return CUDA_SUCCESS;
  const Place then = place(address);
  return submit(*stream, {"fill", [=] {
                            if (!still(address, bytes, then)) return CUDA_ERROR_ILLEGAL_ADDRESS;
                            for (size_t i = 0; i < count; i++) ((T*)address)[i] = value;
                            return CUDA_SUCCESS;
                          }});
}

}  // namespace driver

API CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  BEGIN(CURRENT, FORBIDDEN);
  if (bytes && (!device(to) || !host(from))) return CUDA_ERROR_INVALID_VALUE;
  if (place((uint64_t)from) == PINNED) return copy(to, (uint64_t)from, bytes, legacy_stream(), true);
  if (CUresult error = submit(legacy_stream(), {"wait", nullptr})) return error;
  finish(legacy_stream().last);
  return state().sticky ? state().sticky : copy(to, (uint64_t)from, bytes, legacy_stream(), false);
}

API CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  BEGIN(CURRENT, FORBIDDEN);
  if (bytes && (!device(from) || !host(to))) return CUDA_ERROR_INVALID_VALUE;
  return copy((uint64_t)to, from, bytes, legacy_stream(), true);
}

API CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  BEGIN(CURRENT, FORBIDDEN);
  if (bytes && (!device(to) || !device(from))) return CUDA_ERROR_INVALID_VALUE;
  return copy(to, from, bytes, legacy_stream(), false);
}

API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
  BEGIN(CURRENT);
  if (bytes && (!device(to) || !host(from))) return CUDA_ERROR_INVALID_VALUE;
  return copy(to, (uint64_t)from, bytes, stream);
}

API CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
  BEGIN(CURRENT);
  if (bytes && (!device(from) || !host(to))) return CUDA_ERROR_INVALID_VALUE;
  return copy((uint64_t)to, from, bytes, stream);
}

API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  BEGIN(CURRENT);
  if (bytes && (!device(to) || !device(from))) return CUDA_ERROR_INVALID_VALUE;
  return copy(to, from, bytes, stream);
}

API CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  BEGIN(CURRENT);
  return copy(to, from, bytes, stream);
}

API CUresult cuMemcpyPeerAsync(CUdeviceptr to, CUcontext, CUdeviceptr from, CUcontext, size_t bytes, CUstream stream) {
  BEGIN(CURRENT);
  if (bytes && (!device(to) || !device(from))) return CUDA_ERROR_INVALID_VALUE;
  return copy(to, from, bytes, stream);
}

API CUresult cuMemsetD8_v2(CUdeviceptr address, unsigned char value, size_t count) {
  BEGIN(CURRENT, FORBIDDEN);
  return fill(address, value, count, &legacy_stream());
}

API CUresult cuMemsetD32_v2(CUdeviceptr address, unsigned value, size_t count) {
  BEGIN(CURRENT, FORBIDDEN);
  return fill(address, value, count, &legacy_stream());
}

API CUresult cuMemsetD8Async(CUdeviceptr address, unsigned char value, size_t count, CUstream stream) {
  BEGIN(CURRENT);
  return fill(address, value, count, find_stream(stream));
}

API CUresult cuMemsetD16Async(CUdeviceptr address, unsigned short value, size_t count, CUstream stream) {
  BEGIN(CURRENT);
  return fill(address, value, count, find_stream(stream));
}

API CUresult cuMemsetD32Async(CUdeviceptr address, unsigned value, size_t count, CUstream stream) {
  BEGIN(CURRENT);
  return fill(address, value, count, find_stream(stream));
}

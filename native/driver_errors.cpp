// The emulated driver: names and texts of its errors, as the real one has them.
#include "driver.h"

struct ErrorName {
  CUresult code;
  const char* name;
  const char* text;
};
#define ERROR_NAME(name, text) {name, #name, text}
static const ErrorName error_names[] = {
    ERROR_NAME(CUDA_SUCCESS, "no error"),
    ERROR_NAME(CUDA_ERROR_INVALID_VALUE, "invalid argument"),
    ERROR_NAME(CUDA_ERROR_OUT_OF_MEMORY, "out of memory"),
    ERROR_NAME(CUDA_ERROR_NOT_INITIALIZED, "initialization error"),
    ERROR_NAME(CUDA_ERROR_NO_DEVICE, "no CUDA-capable device is detected"),
    ERROR_NAME(CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal"),
    ERROR_NAME(CUDA_ERROR_INVALID_IMAGE, "device kernel image is invalid"),
    ERROR_NAME(CUDA_ERROR_INVALID_CONTEXT, "invalid device context"),
    ERROR_NAME(CUDA_ERROR_NO_BINARY_FOR_GPU, "no kernel image is available for execution on the device"),
    ERROR_NAME(CUDA_ERROR_INVALID_PTX, "a PTX JIT compilation failed"),
    ERROR_NAME(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, "the provided PTX was compiled with an unsupported toolchain."),
    ERROR_NAME(CUDA_ERROR_INVALID_HANDLE, "invalid resource handle"),
    ERROR_NAME(CUDA_ERROR_ILLEGAL_STATE, "the operation cannot be performed in the present state"),
    ERROR_NAME(CUDA_ERROR_NOT_FOUND, "named symbol not found"),
    ERROR_NAME(CUDA_ERROR_NOT_READY, "device not ready"),
    ERROR_NAME(CUDA_ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered"),
    ERROR_NAME(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources requested for launch"),
    ERROR_NAME(CUDA_ERROR_CONTEXT_IS_DESTROYED, "context is destroyed"),
    ERROR_NAME(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED,
               "part or all of the requested memory range is already mapped"),
    ERROR_NAME(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, "pointer does not correspond to a registered memory region"),
    ERROR_NAME(CUDA_ERROR_LAUNCH_FAILED, "unspecified launch failure"),
    ERROR_NAME(CUDA_ERROR_NOT_PERMITTED, "operation not permitted"),
    ERROR_NAME(CUDA_ERROR_NOT_SUPPORTED, "operation not supported"),
    ERROR_NAME(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, "system has unsupported display driver / cuda driver combination"),
    ERROR_NAME(CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE, "forward compatibility was attempted on non supported HW"),
    ERROR_NAME(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "operation not permitted when stream is capturing"),
    ERROR_NAME(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "operation failed due to a previous error during capture"),
    ERROR_NAME(CUDA_ERROR_STREAM_CAPTURE_MERGE, "operation would result in a merge of separate capture sequences"),
    ERROR_NAME(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "capture was not ended in the same stream as it began"),
    ERROR_NAME(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "capturing stream has unjoined work"),
    ERROR_NAME(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "dependency created on uncaptured work in another stream"),
    ERROR_NAME(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT,
               "operation would make the legacy stream depend on a capturing blocking stream"),
    ERROR_NAME(CUDA_ERROR_CAPTURED_EVENT, "operation not permitted on an event last recorded in a capturing stream"),
    ERROR_NAME(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD,
               "attempt to terminate a thread-local capture sequence from another thread"),
    ERROR_NAME(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE,
               "the graph update was not performed because it included changes which violated constraints specific to "
               "instantiated graph update"),
    ERROR_NAME(CUDA_ERROR_UNKNOWN, "unknown error"),
};

static CUresult error_text(CUresult error, const char** text, const char* ErrorName::*field) {
  if (!text) return CUDA_ERROR_INVALID_VALUE;
  for (const ErrorName& e : error_names) {
    if (e.code == error) {
      *text = e.*field;
      return CUDA_SUCCESS;
    }
  }
  *text = nullptr;
  return CUDA_ERROR_INVALID_VALUE;
}
// no lock: these are asked in the midst of anything
API CUresult cuGetErrorName(CUresult error, const char** text) { return error_text(error, text, &ErrorName::name); }
API CUresult cuGetErrorString(CUresult error, const char** text) { return error_text(error, text, &ErrorName::text); }

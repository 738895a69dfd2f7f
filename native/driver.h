// Inside the emulated CUDA driver: one device, one primary context, one lock around every call. Tests only.
//
// Work is queued per stream and runs when somebody waits for it, in an order that keeps to what CUDA promises and to
// nothing else. It always runs on the thread that waits, which holds the lock meanwhile.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

enum CUresult : int {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_INVALID_VALUE = 1,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NOT_INITIALIZED = 3,
  CUDA_ERROR_NO_DEVICE = 100,
  CUDA_ERROR_INVALID_DEVICE = 101,
  CUDA_ERROR_INVALID_IMAGE = 200,
  CUDA_ERROR_INVALID_CONTEXT = 201,
  CUDA_ERROR_NO_BINARY_FOR_GPU = 209,
  CUDA_ERROR_INVALID_PTX = 218,
  CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222,
  CUDA_ERROR_INVALID_HANDLE = 400,
  CUDA_ERROR_ILLEGAL_STATE = 401,
  CUDA_ERROR_NOT_FOUND = 500,
  CUDA_ERROR_NOT_READY = 600,
  CUDA_ERROR_ILLEGAL_ADDRESS = 700,
  CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES = 701,
  CUDA_ERROR_CONTEXT_IS_DESTROYED = 709,
  CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED = 712,
  CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED = 713,
  CUDA_ERROR_LAUNCH_FAILED = 719,
  CUDA_ERROR_NOT_PERMITTED = 800,
  CUDA_ERROR_NOT_SUPPORTED = 801,
  CUDA_ERROR_SYSTEM_DRIVER_MISMATCH = 803,
  CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE = 804,
  CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED = 900,
  CUDA_ERROR_STREAM_CAPTURE_INVALIDATED = 901,
  CUDA_ERROR_STREAM_CAPTURE_MERGE = 902,
  CUDA_ERROR_STREAM_CAPTURE_UNMATCHED = 903,
  CUDA_ERROR_STREAM_CAPTURE_UNJOINED = 904,
  CUDA_ERROR_STREAM_CAPTURE_ISOLATION = 905,
  CUDA_ERROR_STREAM_CAPTURE_IMPLICIT = 906,
  CUDA_ERROR_CAPTURED_EVENT = 907,
  CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD = 908,
  CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE = 910,
  CUDA_ERROR_UNKNOWN = 999,
};

using CUdeviceptr = unsigned long long;
using CUdevice = int;
struct CUctx;
struct CUstr;
struct CUevt;
struct CUlib;
struct CUker;
struct CUpool;
struct CUgra;
struct CUexe;
using CUcontext = CUctx*;
using CUstream = CUstr*;
using CUevent = CUevt*;
using CUlibrary = CUlib*;  // CUmodule too
using CUkernel = CUker*;   // CUfunction too
using CUmemoryPool = CUpool*;
using CUgraph = CUgra*;
using CUgraphExec = CUexe*;

namespace emulation {
struct Kernel;
}

namespace driver {

struct Stream;
struct Capture;
struct Graph;
struct GraphExec;

// ---- work

// What a stream or the node of a graph does when its turn comes. Two graphs are alike when kinds and edges are.
struct Work {
  const char* kind;
  std::function<CUresult()> run;
};

// A piece of work in a stream's queue. It may run when it is the first of its queue and all in `after` is done.
struct Operation {
  Work work;
  Stream* stream;
  std::vector<std::shared_ptr<Operation>> after;
  bool done = false;
  int64_t nanoseconds = 0;  // when it was done
};

struct Stream {
  CUstream handle = nullptr;
  bool blocking = true;  // ordered with the legacy default stream
  int priority = 0;
  bool destroyed = false;  // its queue is still worked off
  std::deque<std::shared_ptr<Operation>> queue;
  std::shared_ptr<Operation> last;   // the newest, done or not
  std::shared_ptr<Capture> capture;  // null: not capturing
  std::vector<size_t> tail;          // what the next captured node comes after
};

struct Event {
  unsigned flags = 0;
  std::shared_ptr<Operation> record;  // null: never recorded
  std::shared_ptr<Capture> capture;   // recorded in a capture, at these nodes
  std::vector<size_t> nodes;
};

enum Order { EAGER, LAZY, REVERSE };

// Puts work behind all that the stream holds, or into the graph that the stream captures.
CUresult submit(Stream& stream, Work work);
CUresult submit(Stream& stream, Work work, std::vector<std::shared_ptr<Operation>> after);
// Runs what must be done before the operation counts as done, in the order that is set. Null: nothing to do.
void finish(const std::shared_ptr<Operation>& operation);
void finish_all();
// Forgets all work that has not run.
void drop_all();

// ---- graphs

struct Node {
  Work work;
  std::vector<size_t> after;
};
using Nodes = std::vector<Node>;

enum CaptureMode { CAPTURE_GLOBAL, CAPTURE_THREAD_LOCAL, CAPTURE_RELAXED };

struct Capture {
  CaptureMode mode;
  std::thread::id thread;
  Stream* origin;
  bool valid = true;
  Nodes nodes;
};

CUresult capture(Stream& stream, Work work);
// The event's nodes come before what the stream captures next; a stream that did not capture joins the capture.
CUresult capture_wait(Stream& stream, Event& event);
// A call that may not be made during a capture: the captures it concerns fail.
CUresult forbidden_in_capture();
// A use of the legacy default stream while a stream captures that is ordered with it.
CUresult implicit_in_capture();
CUresult invalidate(Capture& capture, CUresult error);

// ---- memory

struct Pool;

struct Allocation {
  CUdeviceptr base;
  size_t bytes;     // asked for
  size_t reserved;  // with the gap behind it
  std::shared_ptr<Pool> pool;  // null: cuMemAlloc
  bool filled = true;          // false until a stream-ordered allocation has had its turn
  bool freed = false;          // in stream order; no call may name it any more
  bool reused = false;         // by a later allocation of the same stream, before the release ran
};

enum Place { DEVICE, PINNED, PAGEABLE };
Place place(uint64_t address);
// Is [address, address + bytes) inside one live allocation (device) or one pinned range? The first also refuses memory
// that was freed in stream order.
bool usable(uint64_t address, size_t bytes);
bool accessible(uint64_t address, size_t bytes);
Allocation* find_allocation(CUdeviceptr address);
std::map<CUdeviceptr, std::shared_ptr<Allocation>>& allocations();
void poison(CUdeviceptr address, size_t bytes);
// A multiple of 512 that leaves a gap behind the allocation; it stays all ones unless a kernel writes where it may not.
size_t reserved_for(size_t bytes);
bool gap_is_intact(const Allocation& allocation);
// Device memory itself: ranges of addresses that are nobody's; 0 when there is none of that size.
CUdeviceptr take_range(size_t bytes);
void give_range(CUdeviceptr address, size_t bytes);
CUdeviceptr arena_base();
size_t arena_bytes();
size_t reserved_bytes();
// Gives back what pools hold beyond their thresholds.
void trim_pools();
// An allocation that is no longer in use; its memory becomes the pool's.
void give_to_pool(Allocation& allocation);
void forget_pools();
uint64_t live_bytes();
uint64_t pinned_bytes();
void release_all_memory();

// ---- modules

struct Library {
  std::vector<CUkernel> functions;
  bool is_module = false;
};
struct Function {
  const emulation::Kernel* kernel;
  int dynamic_shared = 48 << 10;  // most bytes of a launch
  int carveout = -1;
};
Function* find_function(CUkernel handle);
int most_shared_bytes();  // of a block that opted in
uint64_t launches();      // that have run, in graphs too
void release_all_modules();
// Every launch from now on is added to the recording; null ends it.
CUresult record(const char* path);
const char* last_failure();  // in words

// ---- what is alive

// Objects by the handles that callers hold. A handle is never given twice, so one used after its end is always found
// out.
uint64_t next_handle();
template <class T> class Handles {
 public:
  template <class H> T* add(std::shared_ptr<T> object, H* handle) {
    uint64_t key = next_handle();
    *handle = (H)key;
    return (objects_[key] = std::move(object)).get();
  }
  std::shared_ptr<T> share(const void* handle) const {
    auto found = objects_.find((uint64_t)handle);
    return found == objects_.end() ? nullptr : found->second;
  }
  T* find(const void* handle) const {
    auto found = objects_.find((uint64_t)handle);
    return found == objects_.end() ? nullptr : found->second.get();
  }
  void remove(const void* handle) { objects_.erase((uint64_t)handle); }
  void clear() { objects_.clear(); }
  size_t size() const { return objects_.size(); }
  const std::unordered_map<uint64_t, std::shared_ptr<T>>& all() const { return objects_; }

 private:
  std::unordered_map<uint64_t, std::shared_ptr<T>> objects_;
};

// What sidefade_emulation_live counts.
enum Live { BYTES, STREAMS, EVENTS, MODULES, GRAPHS, PINNED_BYTES, CONTEXTS, LAUNCHES, KINDS };

struct Settings {
  int version = 13000;
  int devices = 1;
  int compute_capability = 90;
  int multiprocessors = 132;
  size_t memory = size_t(1) << 30;
  int order = LAZY;
  bool noop = false;
};

struct State {
  std::mutex lock;
  Settings settings;
  bool initialised = false;
  int retained = 0;               // of the primary context
  CUresult sticky = CUDA_SUCCESS;  // ends with the context
  CUresult lost = CUDA_SUCCESS;    // the device's, ends with sidefade_emulation_reset
  Handles<Stream> streams;
  Handles<Event> events;
  Handles<Library> libraries;
  Handles<Graph> graphs;
  Handles<GraphExec> executables;
  std::vector<std::shared_ptr<Capture>> captures;
  int64_t leaked[KINDS] = {};  // alive when a context ended
};
State& state();
const CUcontext primary_context = (CUcontext)0x5f00c0de0000;  // the same whenever it is retained
Stream& legacy_stream();
// The stream of a handle, null for one that is none. 0 and 1 are the legacy default stream.
Stream* find_stream(CUstream handle);
int64_t live(int what);
Settings settings_of_environment();
// All objects of the context are gone, all work is forgotten.
void end_context();

// ---- calls

// What a call needs: nothing, cuInit, a current context, or a current context for giving something back, which is done
// (and reported as failed) even after a sticky error.
enum Needs { NOTHING, INITIALISED, CURRENT, RELEASE };
enum InCapture { ALLOWED, FORBIDDEN };

// One call of the driver: holds the lock and knows what stops the call before it begins.
class Call {
 public:
  Call(const char* function, Needs needs, InCapture in_capture = ALLOWED);
  CUresult error;
  // for RELEASE: the sticky error, if there is one
  CUresult result() const;

 private:
  std::lock_guard<std::mutex> hold_;
};
#define BEGIN(...)                     \
  Call call(__func__, __VA_ARGS__);    \
  if (call.error) return call.error

// The code that a test asked this call of the function to return, or success.
CUresult injected(const char* function);
CUresult injected_out_of_memory();
// The code with which the next kernel that runs must fail, or success.
CUresult injected_launch_failure();

}  // namespace driver

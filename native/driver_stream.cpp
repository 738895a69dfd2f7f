// The emulated driver: streams, events, and the order in which queued work runs.
//
// An operation may run when it is the first of its queue and everything it comes after is done. Which of those that
// may run does run is where the orders differ: eager, each as it is submitted; lazy, nothing but what somebody waits
// for, as late as possible; reverse, the newest streams as far ahead as they may, and everything. Work that lacks an
// order in the program lacks it here too and gives a wrong result in one of them.
#include "driver.h"

#include <time.h>

using namespace driver;

namespace driver {

static const size_t most_pending = 8192;  // of a stream; a real queue is full long before

static int64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

// All streams with work in order of creation, the legacy default stream first.
static std::vector<std::shared_ptr<Stream>>& queues() {
  static auto& q = *new std::vector<std::shared_ptr<Stream>>{std::make_shared<Stream>()};
  return q;
}

Stream& legacy_stream() { return *queues().front(); }

Stream* find_stream(CUstream handle) {
  return (uint64_t)handle <= 1 ? &legacy_stream() : state().streams.find(handle);
}

static Operation* obstacle(Operation& operation) {
  for (auto& before : operation.after)
    if (!before->done) return before.get();
  return nullptr;
}

static void run_front(Stream& stream) {
  std::shared_ptr<Operation> operation = stream.queue.front();
  stream.queue.pop_front();
  State& s = state();
  if (operation->work.run && !s.sticky && !s.lost) s.sticky = operation->work.run();
  operation->work.run = nullptr;
  operation->after.clear();
  operation->nanoseconds = now();
  operation->done = true;
}

// Nothing but what the operation waits for: depth first, without recursion as queues may be long.
static void finish_lazily(const std::shared_ptr<Operation>& wanted) {
  std::vector<Operation*> path{wanted.get()};
  while (!path.empty()) {
    if (path.back()->done) {
      path.pop_back();
      continue;
    }
    Stream& stream = *path.back()->stream;
    Operation* before = obstacle(*stream.queue.front());
    if (before) {
      path.push_back(before);
    } else {
      run_front(stream);
    }
  }
}

static void finish_in_reverse() {
  auto& all = queues();
  for (bool more = true; more;) {
    more = false;
    for (size_t i = all.size(); i-- > 0;) {
      while (!all[i]->queue.empty() && !obstacle(*all[i]->queue.front())) {
        run_front(*all[i]);
        more = true;
      }
    }
  }
}

void finish(const std::shared_ptr<Operation>& operation) {
  if (!operation || operation->done) return;
  if (state().settings.order == REVERSE) {
    finish_in_reverse();
  } else {
    finish_lazily(operation);
  }
}

void finish_all() {
  for (size_t i = queues().size(); i-- > 0;) finish(queues()[i]->last);
}

void drop_all() {
  auto& all = queues();
  for (auto& stream : all) {
    for (auto& operation : stream->queue) {
      operation->work.run = nullptr;
      operation->after.clear();
      operation->done = true;
    }
    stream->queue.clear();
    stream->last = nullptr;
    stream->capture = nullptr;
  }
  all.resize(1);
}

static void remove_drained_streams() {
  auto& all = queues();
  for (size_t i = all.size(); i-- > 1;)
    if (all[i]->destroyed && all[i]->queue.empty()) all.erase(all.begin() + (long)i);
}

// What the legacy default stream adds: it comes behind all work of blocking streams, and theirs behind its.
static void add_legacy_order(Stream& stream, std::vector<std::shared_ptr<Operation>>& after) {
  Stream& legacy = legacy_stream();
  if (!stream.blocking) return;
  if (&stream != &legacy) {
    if (legacy.last && !legacy.last->done) after.push_back(legacy.last);
    return;
  }
  for (auto& other : queues())
    if (other->blocking && other.get() != &legacy && other->last && !other->last->done) after.push_back(other->last);
}

CUresult submit(Stream& stream, Work work) { return submit(stream, std::move(work), {}); }

CUresult submit(Stream& stream, Work work, std::vector<std::shared_ptr<Operation>> after) {
  if (stream.capture) return capture(stream, std::move(work));
  if (&stream == &legacy_stream())
    if (CUresult error = implicit_in_capture()) return error;
  add_legacy_order(stream, after);
  auto operation = std::make_shared<Operation>();
  operation->work = std::move(work);
  operation->stream = &stream;
  operation->after = std::move(after);
  stream.queue.push_back(operation);
  stream.last = operation;
  if (state().settings.order == EAGER) {
    finish(operation);
    return state().sticky;  // a kernel that fails does so at its launch, as with CUDA_LAUNCH_BLOCKING
  }
  if (stream.queue.size() > most_pending) finish(std::shared_ptr<Operation>(stream.queue[most_pending / 2]));
  return CUDA_SUCCESS;
}

static CUresult create_stream(CUstream* handle, unsigned flags, int priority) {
  if (!handle || flags > 1) return CUDA_ERROR_INVALID_VALUE;
  remove_drained_streams();
  auto stream = std::make_shared<Stream>();
  stream->blocking = flags == 0;
  stream->priority = priority;
  queues().push_back(stream);
  state().streams.add(stream, handle)->handle = *handle;
  return CUDA_SUCCESS;
}

// The first of the queue, so that asking again and again comes to an end.
static void advance(Stream& stream) {
  if (!stream.queue.empty()) finish(std::shared_ptr<Operation>(stream.queue.front()));
}

}  // namespace driver

// ---- streams

API CUresult cuStreamCreate(CUstream* stream, unsigned flags) {
  BEGIN(CURRENT);
  return create_stream(stream, flags, 0);
}

API CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int priority) {
  BEGIN(CURRENT);
  return create_stream(stream, flags, priority);
}

API CUresult cuStreamDestroy_v2(CUstream handle) {
  BEGIN(RELEASE);
  Stream* stream = state().streams.find(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture) stream->capture->valid = false;
  stream->destroyed = true;
  state().streams.remove(handle);
  remove_drained_streams();
  return call.result();
}

API CUresult cuStreamSynchronize(CUstream handle) {
  BEGIN(CURRENT);
  Stream* stream = find_stream(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture) return invalidate(*stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  if (CUresult error = forbidden_in_capture()) return error;
  if (stream == &legacy_stream())  // waits for the streams that it is ordered with
    if (CUresult error = submit(*stream, {"wait", nullptr})) return error;
  finish(stream->last);
  trim_pools();
  return call.result();
}

API CUresult cuStreamQuery(CUstream handle) {
  BEGIN(CURRENT);
  Stream* stream = find_stream(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture) return invalidate(*stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  if (CUresult error = forbidden_in_capture()) return error;
  advance(*stream);
  if (call.result()) return call.result();
  return stream->queue.empty() ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

API CUresult cuStreamGetCtx(CUstream handle, CUcontext* context) {
  BEGIN(CURRENT);
  if (!context) return CUDA_ERROR_INVALID_VALUE;
  if (!find_stream(handle)) return CUDA_ERROR_INVALID_HANDLE;
  *context = primary_context;
  return CUDA_SUCCESS;
}

API CUresult cuStreamWaitEvent(CUstream stream_handle, CUevent event_handle, unsigned flags) {
  BEGIN(CURRENT);
  Stream* stream = find_stream(stream_handle);
  Event* event = state().events.find(event_handle);
  if (!stream || !event) return CUDA_ERROR_INVALID_HANDLE;
  if (flags) return CUDA_ERROR_INVALID_VALUE;
  if (stream->capture || event->capture) return capture_wait(*stream, *event);
  if (!event->record || event->record->done) return CUDA_SUCCESS;
  return submit(*stream, {"wait", nullptr}, {event->record});
}

// ---- events

enum { EVENT_DISABLE_TIMING = 2, EVENT_INTERPROCESS = 4 };

API CUresult cuEventCreate(CUevent* handle, unsigned flags) {
  BEGIN(CURRENT);
  if (!handle || flags >= EVENT_INTERPROCESS) return CUDA_ERROR_INVALID_VALUE;
  auto event = std::make_shared<Event>();
  event->flags = flags;
  state().events.add(event, handle);
  return CUDA_SUCCESS;
}

API CUresult cuEventDestroy_v2(CUevent handle) {
  BEGIN(RELEASE);
  if (!state().events.find(handle)) return CUDA_ERROR_INVALID_HANDLE;
  state().events.remove(handle);
  return call.result();
}

API CUresult cuEventRecord(CUevent event_handle, CUstream stream_handle) {
  BEGIN(CURRENT);
  Stream* stream = find_stream(stream_handle);
  Event* event = state().events.find(event_handle);
  if (!stream || !event) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture) {
    if (!stream->capture->valid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    event->capture = stream->capture;
    event->nodes = stream->tail;
    event->record = nullptr;
    return CUDA_SUCCESS;
  }
  CUresult error = submit(*stream, {"record", nullptr});
  if (error) return error;
  event->capture = nullptr;
  event->record = stream->last;
  return CUDA_SUCCESS;
}

API CUresult cuEventQuery(CUevent handle) {
  BEGIN(CURRENT, FORBIDDEN);
  Event* event = state().events.find(handle);
  if (!event) return CUDA_ERROR_INVALID_HANDLE;
  if (event->capture) return CUDA_ERROR_CAPTURED_EVENT;
  if (event->record && !event->record->done) advance(*event->record->stream);
  if (call.result()) return call.result();
  return event->record && !event->record->done ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
}

API CUresult cuEventSynchronize(CUevent handle) {
  BEGIN(CURRENT, FORBIDDEN);
  Event* event = state().events.find(handle);
  if (!event) return CUDA_ERROR_INVALID_HANDLE;
  if (event->capture) return CUDA_ERROR_CAPTURED_EVENT;
  finish(event->record);
  trim_pools();
  return call.result();
}

API CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent start_handle, CUevent end_handle) {
  BEGIN(CURRENT);
  Event* start = state().events.find(start_handle);
  Event* end = state().events.find(end_handle);
  if (!start || !end) return CUDA_ERROR_INVALID_HANDLE;
  if (!milliseconds) return CUDA_ERROR_INVALID_VALUE;
  if ((start->flags | end->flags) & EVENT_DISABLE_TIMING) return CUDA_ERROR_INVALID_HANDLE;
  if (start->capture || end->capture) return CUDA_ERROR_CAPTURED_EVENT;
  if (!start->record || !end->record) return CUDA_ERROR_INVALID_HANDLE;
  if (!start->record->done || !end->record->done) return CUDA_ERROR_NOT_READY;
  *milliseconds = (float)((double)(end->record->nanoseconds - start->record->nanoseconds) * 1e-6);
  return CUDA_SUCCESS;
}

API CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  return cuEventElapsedTime_v2(milliseconds, start, end);
}

// The emulated driver: capturing streams into graphs, and running these.
//
// A launch of a graph is one operation of its stream; inside it the nodes run in an order that keeps to the edges.
#include <algorithm>

#include "driver.h"

using namespace driver;

namespace driver {

struct Graph {
  Nodes nodes;
};

struct GraphExec {
  std::shared_ptr<Nodes> nodes;              // replaced by an update, so that a launch under way keeps its own
  std::shared_ptr<Operation> last;           // its launches run one after another
};

// ---- capture

CUresult invalidate(Capture& capture, CUresult error) {
  capture.valid = false;
  return error;
}

CUresult capture(Stream& stream, Work work) {
  Capture& c = *stream.capture;
  if (!c.valid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  c.nodes.push_back({std::move(work), stream.tail});
  stream.tail = {c.nodes.size() - 1};
  return CUDA_SUCCESS;
}

CUresult capture_wait(Stream& stream, Event& event) {
  if (!event.capture) {
    if (!event.record) return CUDA_SUCCESS;  // never recorded: nothing to wait for
    return invalidate(*stream.capture, CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
  }
  const auto& captures = state().captures;
  if (std::find(captures.begin(), captures.end(), event.capture) == captures.end()) return CUDA_ERROR_CAPTURED_EVENT;
  if (!event.capture->valid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  if (&stream == &legacy_stream()) return invalidate(*event.capture, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  if (stream.capture && stream.capture != event.capture) {
    stream.capture->valid = false;
    return invalidate(*event.capture, CUDA_ERROR_STREAM_CAPTURE_MERGE);
  }
  if (!stream.capture) {
    stream.capture = event.capture;
    stream.tail.clear();
  }
  for (size_t node : event.nodes)
    if (std::find(stream.tail.begin(), stream.tail.end(), node) == stream.tail.end()) stream.tail.push_back(node);
  return CUDA_SUCCESS;
}

CUresult forbidden_in_capture() {
  CUresult error = CUDA_SUCCESS;
  for (auto& c : state().captures) {
    const bool concerned = c->mode == CAPTURE_GLOBAL ||
                           (c->mode == CAPTURE_THREAD_LOCAL && c->thread == std::this_thread::get_id());
    if (concerned) error = invalidate(*c, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  }
  return error;
}

CUresult implicit_in_capture() {
  CUresult error = CUDA_SUCCESS;
  for (auto& entry : state().streams.all())
    if (entry.second->capture && entry.second->blocking)
      error = invalidate(*entry.second->capture, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  return error;
}

// Does every node come before one of `tail`?
static bool all_joined(const Nodes& nodes, const std::vector<size_t>& tail) {
  std::vector<bool> seen(nodes.size());
  std::vector<size_t> open = tail;
  while (!open.empty()) {
    const size_t node = open.back();
    open.pop_back();
    if (seen[node]) continue;
    seen[node] = true;
    open.insert(open.end(), nodes[node].after.begin(), nodes[node].after.end());
  }
  return std::find(seen.begin(), seen.end(), false) == seen.end();
}

// All streams leave the capture.
static void end(const std::shared_ptr<Capture>& c) {
  for (auto& entry : state().streams.all()) {
    if (entry.second->capture != c) continue;
    entry.second->capture = nullptr;
    entry.second->tail.clear();
  }
  auto& captures = state().captures;
  captures.erase(std::find(captures.begin(), captures.end(), c));
}

// ---- running

// Which of the ready nodes comes next, by what the orders stand for: first come, newest made ready, last captured.
static size_t choose(std::vector<size_t>& ready) {
  auto chosen = state().settings.order == EAGER  ? std::min_element(ready.begin(), ready.end())
                : state().settings.order == LAZY ? ready.end() - 1
                                                 : std::max_element(ready.begin(), ready.end());
  const size_t node = *chosen;
  ready.erase(chosen);
  return node;
}

static CUresult run(const Nodes& nodes) {
  std::vector<size_t> missing(nodes.size()), ready;
  std::vector<std::vector<size_t>> followers(nodes.size());
  for (size_t i = 0; i < nodes.size(); i++) {
    missing[i] = nodes[i].after.size();
    for (size_t before : nodes[i].after) followers[before].push_back(i);
    if (!missing[i]) ready.push_back(i);
  }
  while (!ready.empty()) {
    const size_t node = choose(ready);
    if (CUresult error = nodes[node].work.run()) return error;
    for (size_t follower : followers[node])
      if (--missing[follower] == 0) ready.push_back(follower);
  }
  return CUDA_SUCCESS;
}

enum UpdateResult { UPDATED = 0, TOPOLOGY_CHANGED = 2, NODE_TYPE_CHANGED = 3 };

static int difference(const Nodes& a, const Nodes& b, size_t* node) {
  *node = 0;
  if (a.size() != b.size()) return TOPOLOGY_CHANGED;
  for (size_t i = 0; i < a.size(); i++) {
    *node = i;
    if (a[i].after != b[i].after) return TOPOLOGY_CHANGED;
    if (std::string(a[i].work.kind) != b[i].work.kind) return NODE_TYPE_CHANGED;
  }
  return UPDATED;
}

}  // namespace driver

API CUresult cuStreamBeginCapture_v2(CUstream handle, int mode) {
  BEGIN(CURRENT);
  Stream* stream = find_stream(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (mode < CAPTURE_GLOBAL || mode > CAPTURE_RELAXED) return CUDA_ERROR_INVALID_VALUE;
  if (stream == &legacy_stream()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (stream->capture) return CUDA_ERROR_ILLEGAL_STATE;
  auto c = std::make_shared<Capture>();
  c->mode = (CaptureMode)mode;
  c->thread = std::this_thread::get_id();
  c->origin = stream;
  stream->capture = c;
  stream->tail.clear();
  state().captures.push_back(c);
  return CUDA_SUCCESS;
}

API CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph) {
  BEGIN(CURRENT);
  Stream* stream = find_stream(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (!graph) return CUDA_ERROR_INVALID_VALUE;
  *graph = nullptr;
  std::shared_ptr<Capture> c = stream->capture;
  if (!c) return CUDA_ERROR_ILLEGAL_STATE;
  if (c->origin != stream) return invalidate(*c, CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
  if (c->mode != CAPTURE_RELAXED && c->thread != std::this_thread::get_id())
    return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
  const bool joined = all_joined(c->nodes, stream->tail);
  end(c);
  if (!c->valid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  if (!joined) return invalidate(*c, CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  auto captured = std::make_shared<Graph>();
  captured->nodes = c->nodes;
  state().graphs.add(captured, graph);
  return CUDA_SUCCESS;
}

API CUresult cuStreamIsCapturing(CUstream handle, int* status) {
  BEGIN(CURRENT);
  Stream* stream = find_stream(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (!status) return CUDA_ERROR_INVALID_VALUE;
  if (stream == &legacy_stream())
    if (CUresult error = implicit_in_capture()) return error;
  *status = !stream->capture ? 0 : stream->capture->valid ? 1 : 2;
  return CUDA_SUCCESS;
}

API CUresult cuGraphGetNodes(CUgraph handle, void** nodes, size_t* count) {
  BEGIN(CURRENT);
  Graph* graph = state().graphs.find(handle);
  if (!graph) return CUDA_ERROR_INVALID_HANDLE;
  if (!count) return CUDA_ERROR_INVALID_VALUE;
  if (nodes)
    for (size_t i = 0; i < *count; i++) nodes[i] = i < graph->nodes.size() ? &graph->nodes[i] : nullptr;
  *count = nodes ? std::min(*count, graph->nodes.size()) : graph->nodes.size();
  return CUDA_SUCCESS;
}

API CUresult cuGraphDestroy(CUgraph handle) {
  BEGIN(RELEASE);
  if (!state().graphs.find(handle)) return CUDA_ERROR_INVALID_HANDLE;
  state().graphs.remove(handle);
  return call.result();
}

API CUresult cuGraphInstantiateWithFlags(CUgraphExec* executable, CUgraph handle, unsigned long long) {
  BEGIN(CURRENT);
  Graph* graph = state().graphs.find(handle);
  if (!graph) return CUDA_ERROR_INVALID_HANDLE;
  if (!executable) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = injected_out_of_memory()) return error;
  auto created = std::make_shared<GraphExec>();
  created->nodes = std::make_shared<Nodes>(graph->nodes);
  state().executables.add(created, executable);
  return CUDA_SUCCESS;
}

API CUresult cuGraphExecDestroy(CUgraphExec handle) {
  BEGIN(RELEASE);
  if (!state().executables.find(handle)) return CUDA_ERROR_INVALID_HANDLE;
  state().executables.remove(handle);
  return call.result();
}

struct CUgraphExecUpdateResultInfo {
  int result;
  void *node, *from;
};

API CUresult cuGraphExecUpdate_v2(CUgraphExec handle, CUgraph graph_handle, CUgraphExecUpdateResultInfo* info) {
  BEGIN(CURRENT);
  GraphExec* executable = state().executables.find(handle);
  Graph* graph = state().graphs.find(graph_handle);
  if (!executable || !graph) return CUDA_ERROR_INVALID_HANDLE;
  if (!info) return CUDA_ERROR_INVALID_VALUE;
  size_t node;
  *info = {difference(*executable->nodes, graph->nodes, &node), nullptr, nullptr};
  if (info->result) {
    if (node < graph->nodes.size()) info->node = &graph->nodes[node];
    return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
  }
  executable->nodes = std::make_shared<Nodes>(graph->nodes);
  return CUDA_SUCCESS;
}

API CUresult cuGraphUpload(CUgraphExec handle, CUstream stream) {
  BEGIN(CURRENT);
  return state().executables.find(handle) && find_stream(stream) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

API CUresult cuGraphLaunch(CUgraphExec handle, CUstream stream_handle) {
  BEGIN(CURRENT);
  GraphExec* executable = state().executables.find(handle);
  Stream* stream = find_stream(stream_handle);
  if (!executable || !stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture) return invalidate(*stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  std::vector<std::shared_ptr<Operation>> after;
  if (executable->last && !executable->last->done) after.push_back(executable->last);
  auto nodes = executable->nodes;
  const CUresult error = submit(*stream, {"graph", [nodes] { return run(*nodes); }}, after);
  executable->last = stream->last;
  return error;
}

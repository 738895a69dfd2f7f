// Tests of capturing and running graphs on the emulated driver.
#include "driver_test.h"

// y = 0; x = value on a, joined by b: y += x, back to a: y += x. Starts from what the stream a holds.
static void small_program(Set& s, float value) {
  void *forked = event(), *joined = event();
  OK(cuMemsetD32Async(s.y, 0, 100, s.a));
  OK(launch(s.fill, 1, 100, 0, s.a, s.x, value, 100));
  OK(cuEventRecord(forked, s.a));
  OK(cuStreamWaitEvent(s.b, forked, 0));
  OK(launch(s.add, 1, 100, 0, s.b, s.x, s.y, 100));
  OK(cuEventRecord(joined, s.b));
  OK(cuStreamWaitEvent(s.a, joined, 0));
  OK(launch(s.add, 1, 100, 0, s.a, s.x, s.y, 100));
  OK(cuEventDestroy_v2(forked));
  OK(cuEventDestroy_v2(joined));
}

static void* capture(Set& s, float value, int mode = 1) {
  void* graph = nullptr;
  OK(cuStreamBeginCapture_v2(s.a, mode));
  small_program(s, value);
  int status = -1;
  OK(cuStreamIsCapturing(s.b, &status));
  CHECK(status == 1);
  OK(cuStreamEndCapture(s.a, &graph));
  OK(cuStreamIsCapturing(s.b, &status));
  CHECK(status == 0);
  return graph;
}

static void graphs_equal_eager_work() {
  Set s;
  small_program(s, 3);
  const float expected = first(s.y, s.a);
  CHECK(expected == 6);
  void *graph = capture(s, 3), *executable = nullptr;
  OK(cuMemsetD32Async(s.y, 0, 100, s.a));
  CHECK(first(s.y, s.a) == 0);  // capturing runs nothing
  size_t nodes = 0;
  OK(cuGraphGetNodes(graph, nullptr, &nodes));
  CHECK(nodes == 4);
  OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
  OK(cuGraphUpload(executable, s.a));
  for (int i = 0; i < 3; i++) OK(cuGraphLaunch(executable, s.a));
  CHECK(first(s.y, s.a) == expected);
  OK(cuGraphLaunch(executable, s.a));
  OK(cuGraphExecDestroy(executable));  // the launch under way goes on
  OK(cuGraphDestroy(graph));
  CHECK(first(s.y, s.a) == expected);
  EXPECT(400, cuGraphLaunch(executable, s.a));
}

static void graph_updates() {
  Set s;
  struct {
    int result;
    void *node, *from;
  } info;
  void *graph = capture(s, 3), *other = capture(s, 4), *shorter = nullptr, *executable = nullptr;
  OK(cuStreamBeginCapture_v2(s.a, 2));
  OK(launch(s.fill, 1, 100, 0, s.a, s.x, 1.f, 100));
  OK(cuStreamEndCapture(s.a, &shorter));
  OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
  OK(cuGraphLaunch(executable, s.a));
  OK(cuGraphExecUpdate_v2(executable, other, &info));
  CHECK(info.result == 0);
  CHECK(first(s.y, s.a) == 6);
  OK(cuGraphLaunch(executable, s.a));
  CHECK(first(s.y, s.a) == 8);
  EXPECT(910, cuGraphExecUpdate_v2(executable, shorter, &info));
  CHECK(info.result == 2);
  OK(cuGraphLaunch(executable, s.a));
  CHECK(first(s.y, s.a) == 8);
  CHECK(sidefade_emulation_live(4) == 4);
  for (void* g : {graph, other, shorter}) OK(cuGraphDestroy(g));
  OK(cuGraphExecDestroy(executable));
}

// A graph whose nodes lack an edge that they need: some order must show it.
static std::set<float> seen_in_graph;
static void graph_without_an_edge() {
  Set s;
  void *forked = event(), *joined = event(), *graph = nullptr, *executable = nullptr;
  OK(cuStreamBeginCapture_v2(s.a, 1));
  OK(cuMemsetD32Async(s.y, 0, 100, s.a));
  OK(launch(s.fill, 1, 100, 0, s.a, s.x, 0.f, 100));
  OK(cuEventRecord(forked, s.a));
  OK(cuStreamWaitEvent(s.b, forked, 0));
  OK(launch(s.fill, 1, 100, 0, s.a, s.x, 1.f, 100));
  OK(launch(s.add, 1, 100, 0, s.b, s.x, s.y, 100));
  OK(cuEventRecord(joined, s.b));
  OK(cuStreamWaitEvent(s.a, joined, 0));
  OK(cuStreamEndCapture(s.a, &graph));
  OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
  OK(cuGraphLaunch(executable, s.a));
  seen_in_graph.insert(first(s.y, s.a));
  OK(cuGraphExecDestroy(executable));
  OK(cuGraphDestroy(graph));
  for (void* e : {forked, joined}) OK(cuEventDestroy_v2(e));
}

// Each forbidden call fails and takes the capture with it.
static void calls_forbidden_in_capture() {
  Set s;
  void *e = event(), *elsewhere = event(), *graph = nullptr;
  uint64_t address = 0;
  float value = 0;
  OK(cuEventRecord(elsewhere, s.b));
  struct Forbidden {
    int code;
    std::function<int()> call;
  };
  const Forbidden calls[] = {
      {900, [&] { return cuStreamSynchronize(s.a); }},
      {900, [&] { return cuStreamQuery(s.a); }},
      {900, [&] { return cuCtxSynchronize(); }},
      {900, [&] { return cuMemAlloc_v2(&address, 16); }},
      {900, [&] { return cuMemAllocAsync(&address, 16, s.a); }},
      {900, [&] { return cuMemFree_v2(s.x); }},
      {900, [&] { return cuMemcpyDtoH_v2(&value, s.x, 4); }},
      {900, [&] { return cuMemcpyHtoDAsync_v2(s.x, &value, 4, s.a); }},  // from pageable memory
      {900, [&] { return cuEventQuery(elsewhere); }},
      {905, [&] { return cuStreamWaitEvent(s.a, elsewhere, 0); }},
  };
  for (const Forbidden& forbidden : calls) {
    OK(cuStreamBeginCapture_v2(s.a, 0));
    OK(launch(s.fill, 1, 100, 0, s.a, s.x, 1.f, 100));
    EXPECT(forbidden.code, forbidden.call());
    int status = 0;
    OK(cuStreamIsCapturing(s.a, &status));
    CHECK(status == 2);
    EXPECT(901, launch(s.fill, 1, 100, 0, s.a, s.x, 1.f, 100));
    EXPECT(901, cuStreamEndCapture(s.a, &graph));
    CHECK(graph == nullptr);
    OK(launch(s.fill, 1, 100, 0, s.a, s.x, 1.f, 100));
  }
  OK(cuStreamBeginCapture_v2(s.a, 2));  // relaxed: what the capture does not concern may be called
  OK(cuMemAlloc_v2(&address, 16));
  OK(cuStreamEndCapture(s.a, &graph));
  OK(cuGraphDestroy(graph));
  OK(cuMemFree_v2(address));
  for (void* it : {e, elsewhere}) OK(cuEventDestroy_v2(it));
  CHECK(sidefade_emulation_live(4) == 0);
}

static void captures_that_end_wrongly() {
  Set s;
  void *e = event(), *graph = nullptr, *blocking = stream(0);
  EXPECT(401, cuStreamEndCapture(s.a, &graph));
  EXPECT(900, cuStreamBeginCapture_v2(nullptr, 0));
  OK(cuStreamBeginCapture_v2(s.a, 1));
  EXPECT(401, cuStreamBeginCapture_v2(s.a, 1));
  OK(launch(s.fill, 1, 100, 0, s.a, s.x, 1.f, 100));
  OK(cuEventRecord(e, s.a));
  OK(cuStreamWaitEvent(s.b, e, 0));
  OK(launch(s.fill, 1, 100, 0, s.b, s.y, 1.f, 100));
  EXPECT(904, cuStreamEndCapture(s.a, &graph));  // b was not joined back
  OK(cuStreamBeginCapture_v2(s.a, 1));
  OK(cuEventRecord(e, s.a));
  OK(cuStreamWaitEvent(s.b, e, 0));
  EXPECT(903, cuStreamEndCapture(s.b, &graph));
  EXPECT(901, cuStreamEndCapture(s.a, &graph));
  OK(cuStreamBeginCapture_v2(s.a, 1));
  int code = 0;
  std::thread([&] {
    cuCtxSetCurrent(context);
    code = cuStreamEndCapture(s.a, &graph);
  }).join();
  EXPECT(908, code);
  OK(cuStreamEndCapture(s.a, &graph));
  OK(cuGraphDestroy(graph));
  OK(cuStreamBeginCapture_v2(s.a, 1));
  OK(cuStreamBeginCapture_v2(s.b, 1));
  OK(cuEventRecord(e, s.b));
  EXPECT(902, cuStreamWaitEvent(s.a, e, 0));
  EXPECT(901, cuStreamEndCapture(s.a, &graph));
  EXPECT(901, cuStreamEndCapture(s.b, &graph));
  OK(cuStreamBeginCapture_v2(blocking, 2));
  EXPECT(906, launch(s.fill, 1, 100, 0, nullptr, s.x, 1.f, 100));
  EXPECT(901, cuStreamEndCapture(blocking, &graph));
  OK(cuStreamBeginCapture_v2(s.a, 2));
  OK(cuEventRecord(e, s.a));
  EXPECT(907, cuEventQuery(e));
  EXPECT(907, cuEventSynchronize(e));
  OK(cuStreamEndCapture(s.a, &graph));
  OK(cuGraphDestroy(graph));
  OK(cuEventDestroy_v2(e));
  OK(cuStreamDestroy_v2(blocking));
}

void test_graphs() {
  TEST(graphs_equal_eager_work);
  TEST(graph_updates);
  TEST(graph_without_an_edge);
  TEST(calls_forbidden_in_capture);
  TEST(captures_that_end_wrongly);
}

void check_all_orders() {
  test_name = "graph_without_an_edge";
  CHECK(seen_in_graph.size() == 2);
}

// Tests of the order in which the emulated driver runs queued work.
#include "driver_test.h"

// A producer on stream a, a consumer on stream b: y = 0, x = 1 on a; y += x on b.
static float produce_and_consume(bool wait) {
  Set s;
  void* ready = event();
  OK(cuMemsetD32Async(s.x, 0, 100, s.a));
  OK(cuMemsetD32Async(s.y, 0, 100, s.a));
  OK(cuStreamSynchronize(s.a));
  OK(launch(s.fill, 1, 100, 0, s.a, s.x, 1.f, 100));
  OK(cuEventRecord(ready, s.a));
  if (wait) OK(cuStreamWaitEvent(s.b, ready, 0));
  OK(launch(s.add, 1, 100, 0, s.b, s.x, s.y, 100));
  const float value = first(s.y, s.b);
  OK(cuEventDestroy_v2(ready));
  return value;
}

static void missing_wait() {
  const float expected = order == 0 ? 1 : 0;  // eager work does not show it
  CHECK(produce_and_consume(false) == expected);
}
static void event_wait() { CHECK(produce_and_consume(true) == 1); }

// The next upload on a copy stream b overwrites what stream a still reads.
static float overwrite(bool wait) {
  Set s;
  void* read = event();
  float* host = pinned(100);
  for (int i = 0; i < 100; i++) host[i] = 5;
  OK(cuMemsetD32Async(s.y, 0, 100, s.a));
  OK(launch(s.fill, 1, 100, 0, s.a, s.x, 1.f, 100));
  OK(cuStreamSynchronize(s.a));
  OK(launch(s.add, 1, 100, 0, s.a, s.x, s.y, 100));
  OK(cuEventRecord(read, s.a));
  if (wait) OK(cuStreamWaitEvent(s.b, read, 0));
  OK(cuMemcpyHtoDAsync_v2(s.x, host, 400, s.b));
  OK(cuStreamSynchronize(s.b));
  const float value = first(s.y, s.a);
  OK(cuMemFreeHost(host));
  OK(cuEventDestroy_v2(read));
  return value;
}
static void missing_wait_before_overwriting() { CHECK(overwrite(false) == (order == 0 ? 1 : 5)); }
static void wait_before_overwriting() { CHECK(overwrite(true) == 1); }

// A wait is for the last record at the time of the wait; later records do not count.
static void wait_is_for_the_last_record() {
  Set s;
  void* e = event();
  OK(cuMemsetD32Async(s.y, 0, 100, s.a));
  OK(launch(s.fill, 1, 100, 0, s.a, s.x, 1.f, 100));
  OK(cuEventRecord(e, s.a));
  OK(cuStreamWaitEvent(s.b, e, 0));
  OK(cuEventRecord(e, s.a));
  OK(launch(s.fill, 1, 100, 0, s.a, s.x, 2.f, 100));
  OK(cuEventRecord(e, s.a));
  OK(launch(s.add, 1, 100, 0, s.b, s.x, s.y, 100));
  const float value = first(s.y, s.b);
  CHECK(value == (order == 1 ? 1 : 2));
  OK(cuEventDestroy_v2(e));
}

// Asynchronous copies read page-locked memory when they run and pageable memory when they are called.
static void host_memory_is_read_late_when_pinned() {
  Set s;
  float* locked = pinned(1);
  std::vector<float> pageable{3};
  locked[0] = 3;
  OK(cuMemcpyHtoDAsync_v2(s.x, locked, 4, s.a));
  OK(cuMemcpyHtoDAsync_v2(s.y, pageable.data(), 4, s.a));
  locked[0] = 4;
  pageable[0] = 4;
  CHECK(first(s.x, s.a) == (order == 0 ? 3 : 4));
  CHECK(first(s.y, s.a) == 3);
  std::vector<float> out{0};
  OK(cuMemcpyDtoHAsync_v2(out.data(), s.y, 4, s.a));  // waits, as it must
  CHECK(out[0] == 3);
  OK(cuMemFreeHost(locked));
}

// The legacy default stream waits for blocking streams and they for it; non-blocking ones do neither.
static void legacy_default_stream() {
  Set s;
  void* blocking = stream(0);
  OK(cuMemsetD32Async(s.y, 0, 100, nullptr));
  OK(launch(s.fill, 1, 100, 0, nullptr, s.x, 1.f, 100));
  OK(launch(s.add, 1, 100, 0, blocking, s.x, s.y, 100));
  OK(launch(s.add, 1, 100, 0, nullptr, s.x, s.y, 100));
  OK(launch(s.add, 1, 100, 0, blocking, s.x, s.y, 100));
  CHECK(first(s.y, blocking) == 3);
  OK(launch(s.fill, 1, 100, 0, nullptr, s.y, 7.f, 100));
  CHECK(first(s.y, s.a) == (order == 0 ? 7 : 3));  // nothing orders the two
  float value = 0;
  OK(cuMemcpyDtoH_v2(&value, s.y, 4));
  CHECK(value == 7);
  OK(launch(s.fill, 1, 100, 0, s.a, s.y, 8.f, 100));
  OK(cuMemcpyDtoH_v2(&value, s.y, 4));
  CHECK(value == (order == 1 ? 7 : 8));
  OK(cuCtxSynchronize());
  OK(cuMemcpyDtoH_v2(&value, s.y, 4));
  CHECK(value == 8);
  OK(cuStreamDestroy_v2(blocking));
}

// Arguments are the launch's from the call on.
static void arguments_are_copied() {
  Set s;
  uint64_t y = s.y;
  float value = 1;
  int n = 100;
  void* parameters[] = {&y, &value, &n};
  OK(cuLaunchKernel(s.fill, 1, 1, 1, 100, 1, 1, 0, s.a, parameters, nullptr));
  y = 0;
  value = 2;
  CHECK(first(s.y, s.a) == 1);
  struct {
    uint64_t y;
    float value;
    int n;
  } block{s.y, 3, 100};
  size_t bytes = sizeof block;
  void* extra[] = {(void*)1, &block, (void*)2, &bytes, nullptr};
  OK(cuLaunchKernel(s.fill, 1, 1, 1, 100, 1, 1, 0, s.a, nullptr, extra));
  block.value = 4;
  CHECK(first(s.y, s.a) == 3);
}

static void events_and_queries() {
  Set s;
  void *from = event(0), *to = event(0), *untimed = event();
  float milliseconds = -1;
  EXPECT(400, cuEventElapsedTime_v2(&milliseconds, from, to));
  OK(cuEventQuery(from));
  OK(cuEventRecord(from, s.a));
  for (int i = 0; i < 5; i++) OK(launch(s.fill, 1, 100, 0, s.a, s.x, 1.f, 100));
  OK(cuEventRecord(to, s.a));
  if (order != 0) {
    EXPECT(600, cuEventElapsedTime_v2(&milliseconds, from, to));
  }
  int asked = 1;
  while (cuEventQuery(to) == 600) asked++;
  CHECK(asked == (order == 1 ? 7 : 1));
  OK(cuStreamQuery(s.a));
  OK(cuEventElapsedTime_v2(&milliseconds, from, to));
  CHECK(milliseconds >= 0);
  OK(cuEventRecord(untimed, s.a));
  OK(cuEventSynchronize(untimed));
  EXPECT(400, cuEventElapsedTime_v2(&milliseconds, from, untimed));
  for (void* e : {from, to, untimed}) OK(cuEventDestroy_v2(e));
  EXPECT(400, cuEventQuery(from));
}

// Two streams that wait for each other in turn, thousands of times, without anybody waiting for them meanwhile.
static void long_queues() {
  Set s;
  void* e = event();
  OK(launch(s.fill, 1, 1, 0, s.a, s.x, 1.f, 1));
  OK(launch(s.fill, 1, 1, 0, s.a, s.y, 0.f, 1));
  for (int i = 0; i < 6000; i++) {
    OK(cuEventRecord(e, s.a));
    OK(cuStreamWaitEvent(s.b, e, 0));
    OK(launch(s.add, 1, 1, 0, s.b, s.x, s.y, 1));
    std::swap(s.a, s.b);
  }
  CHECK(first(s.y, s.a) == 6000);
  OK(cuEventDestroy_v2(e));
}

void test_order() {
  TEST(missing_wait);
  TEST(event_wait);
  TEST(missing_wait_before_overwriting);
  TEST(wait_before_overwriting);
  TEST(wait_is_for_the_last_record);
  TEST(host_memory_is_read_late_when_pinned);
  TEST(legacy_default_stream);
  TEST(arguments_are_copied);
  TEST(events_and_queries);
  TEST(long_queues);
}

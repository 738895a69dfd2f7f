// Tests of failing kernels, injected failures, contexts and accounting of the emulated driver.
#include "driver_test.h"

extern "C" void __asan_init() __attribute__((weak));
extern "C" void __tsan_init() __attribute__((weak));

// After a sticky error every call fails, what is given back counts as given back, and a new context works again.
static void new_context() {
  CHECK(cuDevicePrimaryCtxRelease_v2(0) != 201);
  CHECK(sidefade_emulation_live(6) == 0);
  OK(cuDevicePrimaryCtxRetain(&context, 0));
  OK(cuCtxSetCurrent(context));
  OK(cuCtxSynchronize());
}

static void check_sticky(int code, Set& s) {
  EXPECT(code, cuCtxSynchronize());
  uint64_t address = 0;
  EXPECT(code, cuMemAlloc_v2(&address, 16));
  EXPECT(code, launch(s.fill, 1, 1, 0, s.a, s.x, 1.f, 1));
  EXPECT(code, cuStreamQuery(s.a));
}

static void failing_kernels() {
  const struct {
    int code;
    std::function<int(Set&)> launch;
    bool signal = false;
  } kernels[] = {
      {700, [](Set& s) { return launch(s.fill, 1, 101, 0, s.a, s.x, 1.f, 101); }},
      {700, [](Set& s) { return launch(s.fill, 1, 1, 0, s.a, (uint64_t)8, 1.f, 1); }, true},
      {719, [](Set& s) { return launch(kernel(s.library_, "test_trap"), 1, 32, 0, s.a); }},
      {719, [](Set& s) {
         sidefade_emulation_fail_launch(2, 719);
         return launch(s.fill, 1, 1, 0, s.a, s.x, 1.f, 1) + launch(s.fill, 1, 1, 0, s.a, s.x, 1.f, 1);
       }},
      {999, [](Set&) {
         sidefade_emulation_sticky(999);
         return 0;
       }},
  };
  for (auto& it : kernels) {
    if (it.signal && (&__asan_init || &__tsan_init)) continue;  // a sanitizer ends the program there
    {
      Set s;
      const int at_once = it.launch(s);
      if (order != 0) CHECK(at_once == 0);  // failures come later
      EXPECT(it.code, cuStreamSynchronize(s.a));
      check_sticky(it.code, s);
      CHECK(it.code == 999 || strlen(sidefade_emulation_failure()) > 10);
    }
    for (int what = 0; what <= 5; what++) CHECK(sidefade_emulation_live(what) == 0);
    new_context();
  }
}

static void work_on_freed_memory() {
  Set s;
  void* graph = nullptr;
  void* executable = nullptr;
  uint64_t z = device(400);
  OK(cuStreamBeginCapture_v2(s.a, 1));
  OK(cuMemsetD32Async(z, 0, 100, s.a));
  OK(cuStreamEndCapture(s.a, &graph));
  OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
  OK(cuMemFree_v2(z));
  const int code = cuGraphLaunch(executable, s.a);
  CHECK(code == (order == 0 ? 700 : 0));
  EXPECT(700, cuStreamSynchronize(s.a));
  EXPECT(700, cuGraphDestroy(graph));
  EXPECT(700, cuGraphExecDestroy(executable));
  EXPECT(0, sidefade_emulation_live(4));
  cuStreamDestroy_v2(s.a);
  new_context();
}

static void injected_failures() {
  uint64_t a = 0, b = 0;
  void* locked = nullptr;
  sidefade_emulation_out_of_memory(2);
  OK(cuMemAlloc_v2(&a, 16));
  EXPECT(2, cuMemAlloc_v2(&b, 16));
  OK(cuMemAlloc_v2(&b, 16));
  sidefade_emulation_out_of_memory(1);
  EXPECT(2, cuMemHostAlloc(&locked, 16, 0));
  sidefade_emulation_fail("cuMemFree_v2", 2, 999);
  OK(cuMemFree_v2(a));
  EXPECT(999, cuMemFree_v2(b));
  OK(cuMemFree_v2(b));
  sidefade_emulation_fail("cuInit", 1, 100);
  EXPECT(100, cuInit(0));
  OK(cuInit(0));
  void* handle = nullptr;
  sidefade_emulation_fail("cublasCreate_v2", 1, 3);
  EXPECT(3, cublasCreate_v2(&handle));
}

static void lost_device() {
  {
    Set s;
    sidefade_emulation_lose_device(999);
    check_sticky(999, s);
  }
  EXPECT(0, sidefade_emulation_live(0));
  void* other = nullptr;
  EXPECT(999, cuDevicePrimaryCtxRelease_v2(0));
  EXPECT(999, cuDevicePrimaryCtxRetain(&other, 0));
  EXPECT(999, cuInit(0));
  sidefade_emulation_lose_device(0);
  OK(cuDevicePrimaryCtxRetain(&context, 0));
  OK(cuCtxSetCurrent(context));
}

// ---- contexts and accounting

static void contexts() {
  void* current = nullptr;
  uint64_t address = 0;
  OK(cuCtxGetCurrent(&current));
  CHECK(current == context);
  OK(cuCtxPushCurrent_v2(context));
  OK(cuCtxPopCurrent_v2(&current));
  OK(cuCtxSetCurrent(nullptr));
  EXPECT(201, cuMemAlloc_v2(&address, 16));
  OK(cuCtxGetCurrent(&current));
  CHECK(current == nullptr);
  EXPECT(201, cuCtxPopCurrent_v2(&current));
  EXPECT(201, cuCtxSetCurrent((void*)0x123));
  OK(cuCtxSetCurrent(context));
  int code = 0;
  std::thread([&] { code = cuMemAlloc_v2(&address, 16); }).join();
  EXPECT(201, code);  // current in one thread only
  OK(cuDevicePrimaryCtxRetain(&current, 0));
  EXPECT(2, (int)sidefade_emulation_live(6));
  OK(cuDevicePrimaryCtxRelease_v2(0));
  OK(cuMemAlloc_v2(&address, 16));
  void* left = stream();
  OK(cuDevicePrimaryCtxRelease_v2(0));
  EXPECT(0, (int)sidefade_emulation_live(0));
  EXPECT(16, (int)sidefade_emulation_live(100));  // what was left behind
  EXPECT(1, (int)sidefade_emulation_live(101));
  EXPECT(709, cuMemAlloc_v2(&address, 16));
  EXPECT(201, cuDevicePrimaryCtxRelease_v2(0));
  OK(cuDevicePrimaryCtxRetain(&context, 0));
  OK(cuMemAlloc_v2(&address, 16));
  OK(cuMemFree_v2(address));
  EXPECT(400, cuStreamSynchronize(left));
}

static void device_and_settings() {
  int version = 0, count = 0, value = 0, ordinal = -1;
  char name[64];
  size_t total = 0;
  OK(cuDriverGetVersion(&version));
  OK(cuDeviceGetCount(&count));
  OK(cuDeviceGet(&ordinal, 0));
  CHECK(version == 13000 && count == 1 && ordinal == 0);
  EXPECT(101, cuDeviceGet(&ordinal, 1));
  OK(cuDeviceGetName(name, sizeof name, 0));
  CHECK(!strcmp(name, "Sidefade emulated GPU"));
  OK(cuDeviceGetAttribute(&value, 75, 0));
  CHECK(value == 9);
  OK(sidefade_emulation_set("driver_version", 12040));
  OK(cuDriverGetVersion(&version));
  CHECK(version == 12040);
  OK(sidefade_emulation_set("driver_version", 13000));
  OK(sidefade_emulation_set("memory", 1 << 20));
  uint64_t address = 0;
  OK(cuDeviceTotalMem_v2(&total, 0));
  CHECK(total == 1 << 20);
  EXPECT(2, cuMemAlloc_v2(&address, 1 << 20));
  OK(sidefade_emulation_set("memory", 1 << 30));
  EXPECT(500, sidefade_emulation_set("nothing", 1));
  const char* text = nullptr;
  OK(cuGetErrorName(700, &text));
  CHECK(!strcmp(text, "CUDA_ERROR_ILLEGAL_ADDRESS"));
  EXPECT(1, cuGetErrorName(12345, &text));
}

// Many threads, each with its own stream and memory.
static void threads() {
  void* handle = library();
  void* fill = kernel(handle, "test_fill");
  std::vector<std::thread> all;
  int wrong = 0;
  for (int t = 0; t < 4; t++) {
    all.emplace_back([&, t] {
      cuCtxSetCurrent(context);
      void* mine = nullptr;
      uint64_t y = 0;
      float got = 0;
      wrong += cuStreamCreate(&mine, NON_BLOCKING) + cuMemAllocAsync(&y, 256, mine);
      for (int i = 0; i < 50; i++) {
        const float value = (float)(t * 1000 + i);
        wrong += launch(fill, 1, 64, 0, mine, y, value, 64) + cuMemcpyDtoHAsync_v2(&got, y + 252, 4, mine);
        wrong += got != value;
      }
      wrong += cuMemFreeAsync(y, mine) + cuStreamSynchronize(mine) + cuStreamDestroy_v2(mine);
    });
  }
  for (auto& thread : all) thread.join();
  CHECK(wrong == 0);
  OK(cuLibraryUnload(handle));
}

void test_faults() {
  TEST(failing_kernels);
  TEST(work_on_freed_memory);
  TEST(injected_failures);
  TEST(lost_device);
  TEST(contexts);
  TEST(device_and_settings);
  TEST(threads);
}

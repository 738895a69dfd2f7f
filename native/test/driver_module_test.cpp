// Tests of modules, functions and launches of the emulated driver.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "driver_test.h"

static void modules_and_functions() {
  void *handle = nullptr, *k = nullptr, *module = nullptr;
  EXPECT(200, cuLibraryLoadData(&handle, "something else", nullptr, nullptr, 0, nullptr, nullptr, 0));
  EXPECT(200, cuLibraryLoadData(&handle, "emulated nothing", nullptr, nullptr, 0, nullptr, nullptr, 0));
  EXPECT(200, cuModuleLoadData(&handle, ""));
  handle = library();
  unsigned count = 0;
  OK(cuLibraryGetKernelCount(&count, handle));
  CHECK(count == 4);
  std::vector<void*> kernels(count);
  OK(cuLibraryEnumerateKernels(kernels.data(), count, handle));
  const char* name = nullptr;
  OK(cuKernelGetName(&name, kernels[0]));
  CHECK(!strncmp(name, "test_", 5));
  EXPECT(500, cuLibraryGetKernel(&k, handle, "nothing"));
  OK(cuLibraryGetModule(&module, handle));
  OK(cuModuleGetFunction(&k, module, "test_fill"));
  size_t offset = 99, bytes = 99;
  OK(cuKernelGetParamInfo(k, 0, &offset, &bytes));
  CHECK(offset == 0 && bytes == 8);
  OK(cuFuncGetParamInfo(k, 2, &offset, &bytes));
  CHECK(offset == 12 && bytes == 4);
  EXPECT(1, cuKernelGetParamInfo(k, 3, &offset, &bytes));
  int value = 0;
  OK(cuFuncGetAttribute(&value, 0, k));
  CHECK(value == 256);
  OK(cuKernelGetAttribute(&value, 8, k, 0));
  CHECK(value == 48 << 10);
  int blocks = 0, threads = 0;
  OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, k, 256, 100 << 10));
  CHECK(blocks == 2);
  OK(cuOccupancyMaxPotentialBlockSize(&blocks, &threads, k, nullptr, 0, 0));
  CHECK(threads == 256 && blocks % 132 == 0 && blocks > 0);
  OK(cuLibraryUnload(handle));
  EXPECT(400, cuLibraryUnload(handle));
  EXPECT(400, launch(k, 1, 1, 0, nullptr, (uint64_t)0, 1.f, 0));
}

static void launches_that_are_refused() {
  Set s;
  void* shared = kernel(s.library_, "test_shared");
  const int64_t before = sidefade_emulation_live(7);
  EXPECT(1, launch(s.fill, 0, 100, 0, s.a, s.x, 1.f, 100));
  EXPECT(1, launch(s.fill, 1, 0, 0, s.a, s.x, 1.f, 100));
  EXPECT(1, launch(s.fill, 1, 2000, 0, s.a, s.x, 1.f, 100));
  EXPECT(701, launch(s.fill, 1, 512, 0, s.a, s.x, 1.f, 100));
  EXPECT(1, cuLaunchKernel(s.fill, 1, 1, 1, 1, 1, 1, 0, s.a, nullptr, nullptr));
  EXPECT(1, launch(shared, 1, 64, 60 << 10, s.a, s.y));
  OK(cuFuncSetAttribute(shared, 8, 60 << 10));
  EXPECT(1, cuFuncSetAttribute(shared, 8, 228 << 10));
  OK(launch(shared, 1, 64, 60 << 10, s.a, s.y));
  CHECK(first(s.y, s.a) == 63);
  EXPECT(400, launch(s.fill, 1, 1, 0, (void*)0x1230, s.x, 1.f, 1));
  CHECK(sidefade_emulation_live(7) == before + 1);
  sidefade_emulation_noop(1);
  OK(launch(s.fill, 1, 64, 0, s.a, s.y, 5.f, 64));
  EXPECT(701, launch(s.fill, 1, 512, 0, s.a, s.x, 1.f, 100));
  sidefade_emulation_noop(0);
  CHECK(first(s.y, s.a) == 63);
  Config config{{1, 1, 1}, {64, 1, 1}, 0, s.a, nullptr, 0};
  float value = 6;
  int n = 64;
  void* parameters[] = {&s.y, &value, &n};
  OK(cuLaunchKernelEx(&config, s.fill, parameters, nullptr));
  CHECK(first(s.y, s.a) == 6);
}

// What is in a recording is for its replay to test; here: it is written and it ends.
static void recordings() {
  Set s;
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("sidefade-recording-" + std::to_string(getpid()));
  OK(sidefade_emulation_record(path.c_str()));
  OK(launch(s.fill, 1, 100, 0, s.a, s.x, 1.f, 100));
  OK(cuStreamSynchronize(s.a));
  OK(sidefade_emulation_record(nullptr));
  OK(launch(s.add, 1, 100, 0, s.a, s.x, s.y, 100));
  OK(cuStreamSynchronize(s.a));
  std::ifstream in(path);
  const std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  CHECK(content.rfind("sidefade recording 1\n", 0) == 0);
  CHECK(content.find("test_fill") != std::string::npos && content.find("test_add") == std::string::npos);
  std::filesystem::remove(path);
  EXPECT(1, sidefade_emulation_record("/nowhere/recording"));
}

void test_modules() {
  TEST(modules_and_functions);
  TEST(launches_that_are_refused);
  TEST(recordings);
}

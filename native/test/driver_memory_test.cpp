// Tests of memory and memory pools of the emulated driver.
#include "driver_test.h"

static void memory_and_addresses() {
  const int64_t before = sidefade_emulation_live(0);
  size_t free_before = 0, free_after = 0, total = 0;
  OK(cuMemGetInfo_v2(&free_before, &total));
  CHECK(total == size_t(1) << 30);
  uint64_t x = device(1000), base = 0;
  size_t bytes = 0;
  CHECK(x % 256 == 0 && sidefade_emulation_live(0) == before + 1000);
  std::vector<uint32_t> host(250);
  OK(cuMemcpyDtoH_v2(host.data(), x, 1000));
  for (uint32_t word : host) CHECK(word == 0xffffffff);
  OK(cuMemGetAddressRange_v2(&base, &bytes, x + 999));
  CHECK(base == x && bytes == 1000);
  EXPECT(500, cuMemGetAddressRange_v2(&base, &bytes, x + 1000));
  int type = 0, ordinal = -1;
  OK(cuPointerGetAttribute(&type, 2, x));
  OK(cuPointerGetAttribute(&ordinal, 9, x));
  CHECK(type == 2 && ordinal == 0);
  EXPECT(1, cuPointerGetAttribute(&type, 2, (uint64_t)host.data()));
  EXPECT(1, cuMemcpyDtoH_v2(host.data(), x + 4, 1000));
  EXPECT(1, cuMemcpyHtoD_v2(x + 4, host.data(), 1000));
  EXPECT(1, cuMemcpyDtoD_v2(x, x + 4, 1000));
  EXPECT(1, cuMemsetD32_v2(x, 0, 251));
  EXPECT(1, cuMemsetD32_v2(x + 2, 0, 1));
  EXPECT(1, cuMemcpyHtoD_v2((uint64_t)host.data(), host.data(), 4));
  EXPECT(1, cuMemFree_v2(x + 256));
  OK(cuMemFree_v2(x));
  EXPECT(1, cuMemFree_v2(x));
  EXPECT(1, cuMemcpyDtoH_v2(host.data(), x, 4));
  OK(cuMemFree_v2(0));
  EXPECT(1, cuMemAlloc_v2(&x, 0));
  EXPECT(2, cuMemAlloc_v2(&x, total + 1));
  OK(cuMemGetInfo_v2(&free_after, &total));
  CHECK(free_after == free_before);
  float* locked = pinned(8);
  OK(cuPointerGetAttribute(&type, 2, (uint64_t)locked));
  OK(cuMemHostGetDevicePointer_v2(&base, locked, 0));
  CHECK(type == 1 && base == (uint64_t)locked && sidefade_emulation_live(5) == 32);
  EXPECT(712, cuMemHostRegister_v2(locked, 8, 0));
  EXPECT(713, cuMemHostUnregister(host.data()));
  OK(cuMemHostRegister_v2(host.data(), 1000, 0));
  OK(cuMemHostUnregister(host.data()));
  OK(cuMemFreeHost(locked));
  EXPECT(1, cuMemFreeHost(locked));
}

static uint64_t pool_attribute(void* pool, int attribute) {
  uint64_t value = 0;
  OK(cuMemPoolGetAttribute(pool, attribute, &value));
  return value;
}

static void pools() {
  enum { THRESHOLD = 4, RESERVED, RESERVED_HIGH, USED, USED_HIGH };
  Set s;
  void* pool = nullptr;
  uint64_t x = 0, y = 0, z = 0, keep = 1 << 20, zero = 0;
  MemPoolProperties properties{1, 0, 1, 0, nullptr, 0, 0, {}};
  OK(cuMemPoolCreate(&pool, &properties));
  OK(cuMemPoolSetAttribute(pool, THRESHOLD, &keep));
  OK(cuMemAllocFromPoolAsync(&x, 100000, pool, s.a));
  OK(cuMemAllocFromPoolAsync(&y, 200000, pool, s.a));
  CHECK(pool_attribute(pool, USED) >= 300000 && pool_attribute(pool, RESERVED) >= 300000);
  OK(launch(s.fill, 100, 250, 0, s.a, x, 1.f, 25000));
  CHECK(first(x + 99996, s.a) == 1);
  OK(cuMemFreeAsync(x, s.a));
  EXPECT(1, cuMemFreeAsync(x, s.a));
  EXPECT(1, cuMemsetD8Async(x, 0, 4, s.a));
  OK(cuMemAllocFromPoolAsync(&z, 100000, pool, s.a));
  CHECK(z == x);  // the same stream gets it back at once
  CHECK(isnan(first(z, s.a)));
  OK(cuMemFreeAsync(z, s.a));
  OK(cuMemAllocFromPoolAsync(&x, 100000, pool, s.b));
  CHECK(x != z || order == 0);  // another stream only when the release has run
  OK(cuMemFreeAsync(x, s.b));
  OK(cuMemFreeAsync(y, s.b));
  OK(cuCtxSynchronize());
  CHECK(pool_attribute(pool, USED) == 0 && pool_attribute(pool, USED_HIGH) >= 300000);
  CHECK(pool_attribute(pool, RESERVED) >= 300000 && pool_attribute(pool, RESERVED) <= keep);
  OK(cuMemPoolTrimTo(pool, 5120));
  CHECK(pool_attribute(pool, RESERVED) == 5120);
  OK(cuMemPoolTrimTo(pool, 0));
  CHECK(pool_attribute(pool, RESERVED) == 0 && pool_attribute(pool, RESERVED_HIGH) >= 300000);
  OK(cuMemPoolSetAttribute(pool, USED_HIGH, &zero));
  CHECK(pool_attribute(pool, USED_HIGH) == 0);
  OK(cuMemAllocFromPoolAsync(&x, 4096, pool, s.a));
  OK(cuMemPoolDestroy(pool));
  CHECK(sidefade_emulation_live(0) == 4096 + 800);
  OK(cuMemFree_v2(x));  // outlives its pool, and may be freed this way too
  EXPECT(400, cuMemPoolTrimTo(pool, 0));
  properties.most = 1 << 20;
  OK(cuMemPoolCreate(&pool, &properties));
  EXPECT(2, cuMemAllocFromPoolAsync(&x, 1 << 21, pool, s.a));
  OK(cuMemPoolDestroy(pool));
  OK(cuDeviceGetDefaultMemPool(&pool, 0));
  EXPECT(800, cuMemPoolDestroy(pool));
  OK(cuMemAllocAsync(&x, 5000, s.a));
  CHECK(pool_attribute(pool, USED) >= 5000);
  OK(cuMemFreeAsync(x, s.a));
  OK(cuStreamSynchronize(s.a));
  CHECK(pool_attribute(pool, RESERVED) == 0);  // threshold 0: everything goes back when the host waits
  EXPECT(1, cuMemFreeAsync(s.x, s.a));
}

// Memory that is only waiting for its release in some stream is found again instead of failing.
static void memory_that_waits_for_its_release() {
  Set s;
  for (int i = 0; i < 8; i++) {
    uint64_t x = 0;
    OK(cuMemAllocAsync(&x, 300 << 20, i % 2 ? s.a : s.b));
    OK(cuMemFreeAsync(x, i % 2 ? s.a : s.b));
  }
  uint64_t x = device(900 << 20);
  OK(cuMemFree_v2(x));
}

void test_memory() {
  TEST(memory_and_addresses);
  TEST(pools);
  TEST(memory_that_waits_for_its_release);
}

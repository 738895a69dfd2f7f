// The emulated driver: stream-ordered allocation and memory pools.
//
// The address of an allocation is known at the call; its contents become all ones when its turn in the stream comes,
// and once more when it is freed in stream order. A block that was freed goes at once to an allocation of the same
// size in the same stream, and to others after the release has run. A pool gives memory beyond its threshold back
// whenever the host waits for the device.
#include <algorithm>

#include "driver.h"

using namespace driver;

namespace driver {

enum PoolAttribute {
  REUSE_FOLLOW_EVENT_DEPENDENCIES = 1,
  REUSE_ALLOW_OPPORTUNISTIC,
  REUSE_ALLOW_INTERNAL_DEPENDENCIES,
  RELEASE_THRESHOLD,
  RESERVED_CURRENT,
  RESERVED_HIGH,
  USED_CURRENT,
  USED_HIGH,
};

struct Pending {  // freed, but the release has not run
  std::shared_ptr<Allocation> allocation;
  Stream* stream;
};

struct Pool {
  bool is_default = false;
  bool destroyed = false;
  size_t most = 0;  // 0: as much as there is
  uint64_t threshold = 0, reserved = 0, reserved_high = 0, used = 0, used_high = 0;
  std::map<CUdeviceptr, size_t> unused;  // ranges that are the pool's and nobody's; neighbours are one
  std::vector<Pending> pending;
  int reuse[3] = {1, 1, 1};
};

static Handles<Pool>& pools() {
  static auto& p = *new Handles<Pool>();
  return p;
}

static std::shared_ptr<Pool> default_pool(CUmemoryPool* handle) {
  static CUmemoryPool known = nullptr;
  if (!pools().find(known)) {
    auto pool = std::make_shared<Pool>();
    pool->is_default = true;
    pools().add(pool, &known);
  }
  if (handle) *handle = known;
  return pools().share(known);
}

static void add_unused(Pool& pool, CUdeviceptr address, size_t bytes) {
  auto next = pool.unused.lower_bound(address);
  if (next != pool.unused.end() && address + bytes == next->first) {
    bytes += next->second;
    next = pool.unused.erase(next);
  }
  if (next != pool.unused.begin()) {
    auto before = std::prev(next);
    if (before->first + before->second == address) {
      before->second += bytes;
      return;
    }
  }
  pool.unused[address] = bytes;
}

static void trim(Pool& pool, uint64_t keep) {
  while (pool.reserved > keep && !pool.unused.empty()) {
    auto last = std::prev(pool.unused.end());
    const size_t bytes = (size_t)std::min<uint64_t>(last->second, (pool.reserved - keep) / 512 * 512);
    if (!bytes) return;
    const CUdeviceptr address = last->first + last->second - bytes;
    if ((last->second -= bytes) == 0) pool.unused.erase(last);
    give_range(address, bytes);
    pool.reserved -= bytes;
  }
}

// What an allocation held is the pool's again, or the device's where the pool has ended.
static void give_back(Pool& pool, const Allocation& allocation) {
  add_unused(pool, allocation.base, allocation.reserved);
  if (pool.destroyed) trim(pool, 0);
}

void give_to_pool(Allocation& allocation) {
  allocation.pool->used -= allocation.reserved;
  give_back(*allocation.pool, allocation);
}

void trim_pools() {
  for (auto& entry : pools().all()) trim(*entry.second, entry.second->threshold);
}

void forget_pools() {
  std::vector<uint64_t> handles;
  for (auto& entry : pools().all()) {
    if (!entry.second->is_default) handles.push_back(entry.first);
    const bool is_default = entry.second->is_default;
    *entry.second = Pool();
    entry.second->is_default = is_default;
  }
  for (uint64_t handle : handles) pools().remove((void*)handle);
}

// ---- taking

static std::shared_ptr<Allocation> take_pending(Pool& pool, size_t bytes, Stream& stream) {
  for (size_t i = 0; i < pool.pending.size(); i++) {
    Pending found = pool.pending[i];
    if (found.stream != &stream || found.allocation->bytes != bytes) continue;
    pool.pending.erase(pool.pending.begin() + (long)i);
    found.allocation->reused = true;
    return found.allocation;
  }
  return nullptr;
}

static CUdeviceptr take_unused(Pool& pool, size_t bytes) {
  for (auto& range : pool.unused) {
    if (range.second < bytes) continue;
    const CUdeviceptr address = range.first;
    const size_t rest = range.second - bytes;
    pool.unused.erase(address);
    if (rest) pool.unused[address + bytes] = rest;
    return address;
  }
  return 0;
}

static CUdeviceptr grow(Pool& pool, size_t bytes) {
  if (pool.most && pool.reserved + bytes > pool.most) return 0;
  const CUdeviceptr address = take_range(bytes);
  if (!address) return 0;
  pool.reserved += bytes;
  pool.reserved_high = std::max(pool.reserved_high, pool.reserved);
  return address;
}

static CUdeviceptr take(Pool& pool, size_t reserved) {
  if (CUdeviceptr address = take_unused(pool, reserved)) return address;
  if (CUdeviceptr address = grow(pool, reserved)) return address;
  finish_all();  // releases that wait for their turn
  if (CUdeviceptr address = take_unused(pool, reserved)) return address;
  for (auto& entry : pools().all()) trim(*entry.second, 0);
  return grow(pool, reserved);
}

static CUresult allocate(CUdeviceptr* address, size_t bytes, std::shared_ptr<Pool> pool, Stream* stream) {
  if (!address || !bytes) return CUDA_ERROR_INVALID_VALUE;
  if (!pool || !stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture) return invalidate(*stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  if (CUresult error = injected_out_of_memory()) return error;
  if (bytes > arena_bytes()) return CUDA_ERROR_OUT_OF_MEMORY;
  const size_t reserved = reserved_for(bytes);
  auto freed = take_pending(*pool, bytes, *stream);
  const CUdeviceptr base = freed ? freed->base : take(*pool, reserved);
  if (!base) return CUDA_ERROR_OUT_OF_MEMORY;
  auto allocation = std::make_shared<Allocation>(Allocation{base, bytes, reserved, pool});
  allocation->filled = false;
  allocations()[base] = allocation;
  pool->used += reserved;
  pool->used_high = std::max(pool->used_high, pool->used);
  *address = base;
  return submit(*stream, {"allocate", [=] {
                            poison(base, reserved);
                            allocation->filled = true;
                            return CUDA_SUCCESS;
                          }});
}

static CUresult release(Stream& stream, std::shared_ptr<Allocation> allocation) {
  std::shared_ptr<Pool> pool = allocation->pool;
  allocation->freed = true;
  pool->used -= allocation->reserved;
  pool->pending.push_back({allocation, &stream});
  return submit(stream, {"free", [=] {
                           poison(allocation->base, allocation->reserved);
                           if (allocation->reused) return CUDA_SUCCESS;
                           for (size_t i = 0; i < pool->pending.size(); i++)
                             if (pool->pending[i].allocation == allocation)
                               pool->pending.erase(pool->pending.begin() + (long)i--);
                           allocations().erase(allocation->base);
                           give_back(*pool, *allocation);
                           return CUDA_SUCCESS;
                         }});
}

}  // namespace driver

API CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice device) {
  BEGIN(INITIALISED);
  if (!pool) return CUDA_ERROR_INVALID_VALUE;
  if (device != 0) return CUDA_ERROR_INVALID_DEVICE;
  default_pool(pool);
  return CUDA_SUCCESS;
}

API CUresult cuMemAllocAsync(CUdeviceptr* address, size_t bytes, CUstream stream) {
  BEGIN(CURRENT);
  return allocate(address, bytes, default_pool(nullptr), find_stream(stream));
}

API CUresult cuMemAllocFromPoolAsync(CUdeviceptr* address, size_t bytes, CUmemoryPool pool, CUstream stream) {
  BEGIN(CURRENT);
  return allocate(address, bytes, pools().share(pool), find_stream(stream));
}

API CUresult cuMemFreeAsync(CUdeviceptr address, CUstream handle) {
  BEGIN(RELEASE);
  Stream* stream = find_stream(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  auto found = allocations().find(address);
  if (found == allocations().end() || found->second->freed || !found->second->pool) return CUDA_ERROR_INVALID_VALUE;
  if (stream->capture) return invalidate(*stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  const CUresult error = release(*stream, found->second);
  return call.result() ? call.result() : error;
}

struct CUmemPoolProps {
  int type, handles, location_type, location;
  void* security;
  size_t most;
  unsigned short usage;
  unsigned char reserved[54];
};

API CUresult cuMemPoolCreate(CUmemoryPool* pool, const CUmemPoolProps* properties) {
  BEGIN(CURRENT);
  if (!pool || !properties) return CUDA_ERROR_INVALID_VALUE;
  const bool on_this_device = properties->type == 1 && properties->location_type == 1 && properties->location == 0;
  if (!on_this_device) return CUDA_ERROR_INVALID_VALUE;
  if (properties->handles) return CUDA_ERROR_NOT_SUPPORTED;
  auto created = std::make_shared<Pool>();
  created->most = properties->most;
  pools().add(created, pool);
  return CUDA_SUCCESS;
}

API CUresult cuMemPoolDestroy(CUmemoryPool handle) {
  BEGIN(RELEASE);
  auto pool = pools().share(handle);
  if (!pool) return CUDA_ERROR_INVALID_HANDLE;
  if (pool->is_default) return CUDA_ERROR_NOT_PERMITTED;
  finish_all();
  pool->destroyed = true;  // what is still allocated lives on and goes back when it is freed
  trim(*pool, 0);
  pools().remove(handle);
  return call.result();
}

API CUresult cuMemPoolTrimTo(CUmemoryPool handle, size_t keep) {
  BEGIN(CURRENT);
  Pool* pool = pools().find(handle);
  if (!pool) return CUDA_ERROR_INVALID_HANDLE;
  trim(*pool, keep);
  return CUDA_SUCCESS;
}

API CUresult cuMemPoolSetAttribute(CUmemoryPool handle, int attribute, void* value) {
  BEGIN(CURRENT);
  Pool* pool = pools().find(handle);
  if (!pool) return CUDA_ERROR_INVALID_HANDLE;
  if (!value) return CUDA_ERROR_INVALID_VALUE;
  switch (attribute) {
    case REUSE_FOLLOW_EVENT_DEPENDENCIES:
    case REUSE_ALLOW_OPPORTUNISTIC:
    case REUSE_ALLOW_INTERNAL_DEPENDENCIES: pool->reuse[attribute - 1] = *(int*)value; return CUDA_SUCCESS;
    case RELEASE_THRESHOLD: pool->threshold = *(uint64_t*)value; return CUDA_SUCCESS;
    case RESERVED_HIGH:  // both can only be set back
      if (*(uint64_t*)value) return CUDA_ERROR_INVALID_VALUE;
      pool->reserved_high = pool->reserved;
      return CUDA_SUCCESS;
    case USED_HIGH:
      if (*(uint64_t*)value) return CUDA_ERROR_INVALID_VALUE;
      pool->used_high = pool->used;
      return CUDA_SUCCESS;
    default: return CUDA_ERROR_INVALID_VALUE;
  }
}

API CUresult cuMemPoolGetAttribute(CUmemoryPool handle, int attribute, void* value) {
  BEGIN(CURRENT);
  Pool* pool = pools().find(handle);
  if (!pool) return CUDA_ERROR_INVALID_HANDLE;
  if (!value) return CUDA_ERROR_INVALID_VALUE;
  switch (attribute) {
    case REUSE_FOLLOW_EVENT_DEPENDENCIES:
    case REUSE_ALLOW_OPPORTUNISTIC:
    case REUSE_ALLOW_INTERNAL_DEPENDENCIES: *(int*)value = pool->reuse[attribute - 1]; return CUDA_SUCCESS;
    case RELEASE_THRESHOLD: *(uint64_t*)value = pool->threshold; return CUDA_SUCCESS;
    case RESERVED_CURRENT: *(uint64_t*)value = pool->reserved; return CUDA_SUCCESS;
    case RESERVED_HIGH: *(uint64_t*)value = pool->reserved_high; return CUDA_SUCCESS;
    case USED_CURRENT: *(uint64_t*)value = pool->used; return CUDA_SUCCESS;
    case USED_HIGH: *(uint64_t*)value = pool->used_high; return CUDA_SUCCESS;
    default: return CUDA_ERROR_INVALID_VALUE;
  }
}

// The emulated driver: device memory, page-locked host memory, and what is known of an address.
//
// Device memory is one range of addresses at a fixed place, so that the addresses in a recording hold wherever it is
// replayed. Memory is all ones (NaN in every floating type) when it is given out and when it is given back.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "driver.h"
#include "recording.h"

using namespace driver;

namespace driver {

static const size_t granule = 512, gap = 256;
static const size_t arena_limit = size_t(64) << 30;

// ---- the arena

struct Arena {
  CUdeviceptr base;
  std::map<CUdeviceptr, size_t> free;  // by address; neighbours are one
  size_t reserved = 0;
};

static Arena map_arena() {
  void* wanted = (void*)emulation::ARENA_ADDRESS;
  void* base = mmap(wanted, arena_limit, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (base != wanted) {
    perror("emulated CUDA driver: no address space for device memory");
    abort();
  }
  return Arena{(CUdeviceptr)base, {{(CUdeviceptr)base, arena_limit}}, 0};
}

static Arena& arena() {
  static Arena& a = *new Arena(map_arena());
  return a;
}

CUdeviceptr arena_base() { return arena().base; }
size_t arena_bytes() { return arena_limit; }
size_t reserved_bytes() { return arena().reserved; }

CUdeviceptr take_range(size_t bytes) {
  Arena& a = arena();
  if (a.reserved + bytes > state().settings.memory) return 0;
  for (auto& range : a.free) {
    if (range.second < bytes) continue;
    const CUdeviceptr address = range.first;
    const size_t rest = range.second - bytes;
    a.free.erase(address);
    if (rest) a.free[address + bytes] = rest;
    a.reserved += bytes;
    return address;
  }
  return 0;
}

void give_range(CUdeviceptr address, size_t bytes) {
  Arena& a = arena();
  a.reserved -= bytes;
  auto next = a.free.lower_bound(address);
  if (next != a.free.end() && address + bytes == next->first) {
    bytes += next->second;
    next = a.free.erase(next);
  }
  if (next != a.free.begin()) {
    auto before = std::prev(next);
    if (before->first + before->second == address) {
      before->second += bytes;
      return;
    }
  }
  a.free[address] = bytes;
}

void poison(CUdeviceptr address, size_t bytes) { memset((void*)address, 0xff, bytes); }

size_t reserved_for(size_t bytes) { return (bytes + gap + granule - 1) / granule * granule; }

bool gap_is_intact(const Allocation& allocation) {
  if (!allocation.filled) return true;
  const unsigned char* memory = (const unsigned char*)allocation.base;
  for (size_t i = allocation.bytes; i < allocation.reserved; i++)
    if (memory[i] != 0xff) return false;
  return true;
}

// ---- allocations

std::map<CUdeviceptr, std::shared_ptr<Allocation>>& allocations() {
  static auto& a = *new std::map<CUdeviceptr, std::shared_ptr<Allocation>>();
  return a;
}

Allocation* find_allocation(CUdeviceptr address) {
  auto next = allocations().upper_bound(address);
  if (next == allocations().begin()) return nullptr;
  Allocation* allocation = std::prev(next)->second.get();
  return address < allocation->base + allocation->bytes ? allocation : nullptr;
}

uint64_t live_bytes() {
  uint64_t bytes = 0;
  for (auto& entry : allocations())
    if (!entry.second->freed) bytes += entry.second->bytes;
  return bytes;
}

static CUresult allocate_now(CUdeviceptr* address, size_t bytes) {
  if (!address || !bytes) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = injected_out_of_memory()) return error;
  if (bytes > arena_bytes()) return CUDA_ERROR_OUT_OF_MEMORY;
  const size_t reserved = reserved_for(bytes);
  CUdeviceptr base = take_range(reserved);
  if (!base) {  // what was freed in stream order may only wait for its turn
    finish_all();
    trim_pools();
    base = take_range(reserved);
  }
  if (!base) return CUDA_ERROR_OUT_OF_MEMORY;
  poison(base, reserved);
  allocations()[base] = std::make_shared<Allocation>(Allocation{base, bytes, reserved, nullptr});
  *address = base;
  return CUDA_SUCCESS;
}

// ---- page-locked host memory

struct Pinned {
  size_t bytes;
  bool registered;  // the caller's own memory
};
static std::map<uint64_t, Pinned>& pinned() {
  static auto& p = *new std::map<uint64_t, Pinned>();
  return p;
}

static std::map<uint64_t, Pinned>::iterator find_pinned(uint64_t address) {
  auto next = pinned().upper_bound(address);
  if (next == pinned().begin()) return pinned().end();
  auto found = std::prev(next);
  return address < found->first + found->second.bytes ? found : pinned().end();
}

uint64_t pinned_bytes() {
  uint64_t bytes = 0;
  for (auto& entry : pinned()) bytes += entry.second.bytes;
  return bytes;
}

// ---- what is known of an address

Place place(uint64_t address) {
  if (address >= arena_base() && address - arena_base() < arena_limit) return DEVICE;
  return find_pinned(address) == pinned().end() ? PAGEABLE : PINNED;
}

bool accessible(uint64_t address, size_t bytes) {
  switch (place(address)) {
    case DEVICE: {
      Allocation* a = find_allocation(address);
      return a && address - a->base + bytes <= a->bytes;
    }
    case PINNED: {
      auto p = find_pinned(address);
      return address - p->first + bytes <= p->second.bytes;
    }
    default: return address != 0;
  }
}

bool usable(uint64_t address, size_t bytes) {
  if (!accessible(address, bytes)) return false;
  return place(address) != DEVICE || !find_allocation(address)->freed;
}

void release_all_memory() {
  allocations().clear();
  forget_pools();
  arena().free = {{arena().base, arena_limit}};
  arena().reserved = 0;
  for (auto& entry : pinned())
    if (!entry.second.registered) free((void*)entry.first);
  pinned().clear();
}

}  // namespace driver

API CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  BEGIN(CURRENT, FORBIDDEN);
  return allocate_now(address, bytes);
}

API CUresult cuMemFree_v2(CUdeviceptr address) {
  BEGIN(RELEASE, FORBIDDEN);
  if (!address) return call.result();
  auto found = allocations().find(address);
  if (found == allocations().end() || found->second->freed) return CUDA_ERROR_INVALID_VALUE;
  finish_all();
  std::shared_ptr<Allocation> allocation = found->second;
  allocations().erase(found);
  poison(allocation->base, allocation->reserved);
  if (allocation->pool) {
    give_to_pool(*allocation);
  } else {
    give_range(allocation->base, allocation->reserved);
  }
  return call.result();
}

API CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  BEGIN(CURRENT);
  if (!free || !total) return CUDA_ERROR_INVALID_VALUE;
  *total = state().settings.memory;
  *free = *total > reserved_bytes() ? *total - reserved_bytes() : 0;
  return CUDA_SUCCESS;
}

API CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* bytes, CUdeviceptr address) {
  BEGIN(CURRENT);
  Allocation* allocation = find_allocation(address);
  if (!allocation || allocation->freed) return CUDA_ERROR_NOT_FOUND;
  if (base) *base = allocation->base;
  if (bytes) *bytes = allocation->bytes;
  return CUDA_SUCCESS;
}

enum { MEMORY_TYPE = 2, DEVICE_POINTER = 3, HOST_POINTER = 4, IS_MANAGED = 8, DEVICE_ORDINAL = 9 };

API CUresult cuPointerGetAttribute(void* value, int attribute, CUdeviceptr address) {
  BEGIN(CURRENT);
  if (!value) return CUDA_ERROR_INVALID_VALUE;
  const Place where = place(address);
  if (where == PAGEABLE || !usable(address, 1)) return CUDA_ERROR_INVALID_VALUE;
  switch (attribute) {
    case MEMORY_TYPE: *(unsigned*)value = where == DEVICE ? 2 : 1; return CUDA_SUCCESS;
    case DEVICE_POINTER: *(CUdeviceptr*)value = address; return CUDA_SUCCESS;
    case HOST_POINTER: *(CUdeviceptr*)value = address; return where == PINNED ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    case IS_MANAGED: *(unsigned char*)value = 0; return CUDA_SUCCESS;
    case DEVICE_ORDINAL: *(int*)value = 0; return CUDA_SUCCESS;
    default: return CUDA_ERROR_NOT_SUPPORTED;
  }
}

// ---- page-locked host memory

API CUresult cuMemHostAlloc(void** address, size_t bytes, unsigned flags) {
  BEGIN(CURRENT, FORBIDDEN);
  if (!address || !bytes || flags > 7) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = injected_out_of_memory()) return error;
  if (posix_memalign(address, 4096, bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  memset(*address, 0xff, bytes);
  pinned()[(uint64_t)*address] = {bytes, false};
  return CUDA_SUCCESS;
}

static CUresult release_pinned(const Call& call, void* address, bool registered, CUresult unknown) {
  auto found = pinned().find((uint64_t)address);
  if (found == pinned().end() || found->second.registered != registered) return unknown;
  finish_all();  // work that has not run reads and writes it
  pinned().erase(found);
  if (!registered) free(address);
  return call.result();
}

API CUresult cuMemFreeHost(void* address) {
  BEGIN(RELEASE, FORBIDDEN);
  return release_pinned(call, address, false, CUDA_ERROR_INVALID_VALUE);
}

API CUresult cuMemHostRegister_v2(void* address, size_t bytes, unsigned flags) {
  BEGIN(CURRENT, FORBIDDEN);
  if (!address || !bytes || flags > 15) return CUDA_ERROR_INVALID_VALUE;
  auto next = pinned().lower_bound((uint64_t)address);
  const bool overlaps = next != pinned().end() && next->first < (uint64_t)address + bytes;
  if (overlaps || place((uint64_t)address) == PINNED) return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
  if (place((uint64_t)address) == DEVICE) return CUDA_ERROR_INVALID_VALUE;
  pinned()[(uint64_t)address] = {bytes, true};
  return CUDA_SUCCESS;
}

API CUresult cuMemHostUnregister(void* address) {
  BEGIN(RELEASE, FORBIDDEN);
  return release_pinned(call, address, true, CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
}

API CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* device, void* address, unsigned flags) {
  BEGIN(CURRENT);
  if (!device || flags || place((uint64_t)address) != PINNED) return CUDA_ERROR_INVALID_VALUE;
  *device = (CUdeviceptr)address;
  return CUDA_SUCCESS;
}

// The shared memory of the running block: [dynamic | zone | array | zone | array | zone ...]. Every block finds it
// filled with 0xff (NaN in every type). Zones are poisoned under ASan; otherwise they hold a pattern that is looked
// at when the block ends.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef EMULATION_ASAN
#include <sanitizer/asan_interface.h>
#endif

#include "runtime.h"

namespace emulation {

uint64_t running_block = 0;

namespace {
constexpr size_t ZONE = 128, MOST_ARRAYS = 64, MOST_STATIC = 48 << 10;
constexpr unsigned char PATTERN = 0xa5, FRESH = 0xff;
struct Array {
  const char* name;
  size_t offset, bytes;
};
unsigned char* memory = nullptr;
size_t mapped, dynamic_bytes, used, static_bytes;
Array arrays[MOST_ARRAYS];
size_t array_count;

// not memset: sanitizers take its calls for the program's own
void fill(unsigned char* p, size_t bytes, unsigned char value) {
#ifdef __x86_64__
  asm volatile("rep stosb" : "+D"(p), "+c"(bytes) : "a"(value) : "memory");
#else
  for (size_t i = 0; i < bytes; i++) ((volatile unsigned char*)p)[i] = value;
#endif
}

void open(size_t offset, size_t bytes) {
#ifdef EMULATION_ASAN
  __asan_unpoison_memory_region(memory + offset, bytes);
#endif
  fill(memory + offset, bytes, FRESH);
#ifndef EMULATION_ASAN
  fill(memory + offset + bytes, ZONE, PATTERN);
#endif
}

size_t align(size_t x) { return (x + 127) / 128 * 128; }

size_t stored_past(size_t end) {
  size_t last = 0;
#ifndef EMULATION_ASAN
  for (size_t i = 0; i < ZONE; i++)
    if (memory[end + i] != PATTERN) last = i + 1;
#endif
  (void)end;
  return last;
}

void map() {
  mapped = config().shared_bytes + MOST_ARRAYS * 2 * ZONE + 4096;
  // the plain call: TSan takes mmap for a store to all of it
  long address = syscall(SYS_mmap, nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == -1) {
    perror("emulation: no memory for shared memory");
    abort();
  }
  memory = (unsigned char*)address;
#ifdef EMULATION_ASAN
  __asan_poison_memory_region(memory, mapped);
#endif
}
}  // namespace

std::string shared_begin_launch(size_t dynamic) {
  if (dynamic > config().shared_bytes)
    return format("%zu bytes of dynamic shared memory; a block has at most %zu", dynamic, config().shared_bytes);
  if (!memory || mapped < config().shared_bytes) {
    if (memory) munmap(memory, mapped);
    map();
  }
#ifdef EMULATION_ASAN
  __asan_poison_memory_region(memory, mapped);
#endif
  dynamic_bytes = dynamic;
  return "";
}

void shared_begin_block() {
  if (!memory) map();
  running_block++;
  open(0, dynamic_bytes);
  used = align(dynamic_bytes + ZONE);
  static_bytes = array_count = 0;
}

std::string shared_end_block() {
  size_t past = stored_past(dynamic_bytes);
  if (past)
    return format("stored up to %zu bytes past the end of the %zu bytes of dynamic shared memory", past, dynamic_bytes);
  for (size_t i = 0; i < array_count; i++) {
    past = stored_past(arrays[i].offset + arrays[i].bytes);
    if (past) return format("stored up to %zu bytes past the end of the shared array '%s'", past, arrays[i].name);
#ifdef EMULATION_ASAN
    __asan_poison_memory_region(memory + arrays[i].offset, arrays[i].bytes);
#endif
  }
#ifdef EMULATION_TSAN
  if (dynamic_bytes || array_count) {  // TSan forgets this block's accesses
    munmap(memory, mapped);
    memory = nullptr;
  }
#endif
  return "";
}

void declare_shared(SharedArray& array, const char* name, size_t bytes, Site site) {
  static_bytes += bytes;
  if (array_count == MOST_ARRAYS) fail("more than %zu shared arrays at %s", MOST_ARRAYS, where(site));
  if (static_bytes > MOST_STATIC)
    fail("%zu bytes of shared arrays with '%s' at %s; a kernel may have %zu", static_bytes, name, where(site),
         MOST_STATIC);
  if (static_bytes + dynamic_bytes > config().shared_bytes)
    fail("%zu bytes of shared memory with '%s' at %s; a block has at most %zu", static_bytes + dynamic_bytes, name,
         where(site), config().shared_bytes);
  arrays[array_count++] = {name, used, bytes};
  open(used, bytes);
  array = {running_block, memory + used};
  used = align(used + bytes + ZONE);
}

unsigned char* dynamic_shared() { return memory; }

bool is_shared(const void* p, size_t bytes) {
  size_t offset = (size_t)((const unsigned char*)p - memory);
  return (const unsigned char*)p >= memory && offset + bytes <= used;
}

}  // namespace emulation

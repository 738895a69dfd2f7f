// replay FILE [MOST]: runs the launches of a recording (recording.h) again and compares every byte that they leave in
// device memory. Under which sanitizer depends on how the kernels were built; without one, under all three schedules.
// MOST: of each kernel, grid, block and shared memory only so many launches (0: all, which is also what happens
// without it).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <map>
#ifdef EMULATION_ASAN
#include <sanitizer/asan_interface.h>
#endif

#include "recording.h"

using namespace emulation;

namespace {
using Bytes = std::vector<unsigned char>;
using Contents = std::vector<std::pair<uint64_t, Bytes>>;  // at these addresses
constexpr uint64_t GAP = 256, PAGE = 2 << 20;

struct Launch {
  std::string name;
  dim3 grid, block;
  size_t shared = 0;
  std::vector<Bytes> parameters;
};

[[noreturn]] void stop(const char* path, const char* what) {
  fprintf(stderr, "replay: %s %s\n", path, what);
  exit(2);
}

class Reader {
 public:
  explicit Reader(const char* path) : path(path), file(fopen(path, "rb")) {
    if (!file) stop(path, "cannot be read");
    char magic[sizeof RECORDING_MAGIC] = {};
    if (fread(magic, 1, sizeof magic - 1, file) != sizeof magic - 1 || strcmp(magic, RECORDING_MAGIC))
      stop(path, "is not a recording");
    fseek(file, 0, SEEK_END);
    left = (uint64_t)ftell(file) - (sizeof magic - 1);
    fseek(file, sizeof magic - 1, SEEK_SET);
  }
  bool more() const { return left > 0; }
  uint64_t word() {
    uint64_t value;
    raw(&value, 8);
    return value;
  }
  Bytes bytes() {
    uint64_t n = word();
    if (n > left) stop(path, "ends in the middle of a record");
    Bytes content(n);
    raw(content.data(), n);
    unsigned char rest[8];
    raw(rest, (8 - n % 8) % 8);
    return content;
  }
  Launch launch() {
    Launch launch;
    Bytes name = bytes();
    launch.name.assign(name.begin(), name.end());
    unsigned size[6];
    for (unsigned& s : size) s = (unsigned)word();
    launch.grid = dim3(size[0], size[1], size[2]);
    launch.block = dim3(size[3], size[4], size[5]);
    launch.shared = word();
    uint64_t count = word();
    if (count > left) stop(path, "ends in the middle of a record");
    for (uint64_t i = 0; i < count; i++) launch.parameters.push_back(bytes());
    return launch;
  }

  const char* path;

 private:
  FILE* file;
  uint64_t left;
  void raw(void* p, uint64_t n) {
    if (n > left || fread(p, 1, n, file) != n) stop(path, "ends in the middle of a record");
    left -= n;
  }
};

// Device memory at the recorded addresses. What no allocation covers is poisoned under ASan and otherwise watched
// where it follows an allocation.
class Memory {
 public:
  explicit Memory(const char* path) : path(path) {}

  void allocate(uint64_t address, uint64_t bytes) {
    if (address < ARENA_ADDRESS || address + bytes < address) stop(path, "has an allocation outside device memory");
    map(address + bytes + GAP);
    open(address, bytes);
    known[address].assign(bytes, 0xff);
    memset((void*)address, 0xff, bytes);
  }
  void free(uint64_t address) {
    auto entry = known.find(address);
    if (entry == known.end()) stop(path, "frees what was not allocated");
    close(address, entry->second.size());
    known.erase(entry);
  }
  // what memory must hold from now on; returns what it had to hold at these places before
  Contents set(const Contents& contents) {
    Contents before;
    for (auto& [address, content] : contents) {
      unsigned char* at = find(address, content.size());
      before.push_back({address, Bytes(at, at + content.size())});
      memcpy(at, content.data(), content.size());
    }
    return before;
  }
  // memory holds what it must
  void restore() {
    for (auto& [address, content] : known) {
      memcpy((void*)address, content.data(), content.size());
      watch(address, content.size(), false);
    }
  }
  // where memory is not as it must be, or nothing
  std::string difference() {
    for (auto& [address, content] : known) {
      const unsigned char* memory = (const unsigned char*)address;
      if (memcmp(memory, content.data(), content.size())) {
        size_t first = 0, count = 0;
        for (size_t i = content.size(); i-- > 0;)
          if (memory[i] != content[i]) first = i, count++;
        char text[200];
        snprintf(text, sizeof text, "%zu of %zu bytes at %#llx differ, the first at %zu: %02x instead of %02x", count,
                 content.size(), (unsigned long long)address, first, memory[first], content[first]);
        return text;
      }
      if (!watch(address, content.size(), true)) return "bytes behind an allocation were overwritten";
    }
    return "";
  }

 private:
  const char* path;
  uint64_t end = ARENA_ADDRESS;
  std::map<uint64_t, Bytes> known;

  void map(uint64_t to) {
    if (to <= end) return;
    uint64_t bytes = (to - end + PAGE - 1) / PAGE * PAGE;
    void* p = mmap((void*)end, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (p != (void*)end) stop(path, "needs addresses that are taken in this process");
    close(end, bytes);
    end += bytes;
  }
  unsigned char* find(uint64_t address, uint64_t bytes) {
    auto entry = known.upper_bound(address);
    if (entry == known.begin()) stop(path, "has content outside the allocations");
    --entry;
    if (address + bytes > entry->first + entry->second.size()) stop(path, "has content outside the allocations");
    return entry->second.data() + (address - entry->first);
  }
  void open(uint64_t address, uint64_t bytes) {
#ifdef EMULATION_ASAN
    ASAN_UNPOISON_MEMORY_REGION((void*)address, bytes);
#endif
    (void)address, (void)bytes;
  }
  void close(uint64_t address, uint64_t bytes) {
#ifdef EMULATION_ASAN
    ASAN_POISON_MEMORY_REGION((void*)address, bytes);
#endif
    (void)address, (void)bytes;
  }
  // fills the gap behind an allocation, or says whether it is as it was filled
  bool watch(uint64_t address, uint64_t bytes, bool look) {
#ifndef EMULATION_ASAN
    unsigned char* gap = (unsigned char*)(address + bytes);
    auto next = known.upper_bound(address);
    uint64_t n = next == known.end() ? GAP : std::min(GAP, next->first - address - bytes);
    if (!look) memset(gap, 0xa5, n);
    for (uint64_t i = 0; i < n; i++)
      if (gap[i] != 0xa5) return false;
#endif
    (void)address, (void)bytes, (void)look;
    return true;
  }
};

const char* name_of(Schedule schedule) {
  return schedule == Schedule::FIFO ? "fifo" : schedule == Schedule::LIFO ? "lifo" : "warps";
}

struct Replay {
  Memory memory;
  long most;  // of one kernel and shape; 0: no limit
  long launches = 0, skipped = 0, wrong = 0;
  std::map<std::string, long> seen;

  Replay(const char* path, long most) : memory(path), most(most) {}

  void run(Launch& launch, const Contents& after) {
    launches++;
    if (wanted(launch)) {
      std::string text = mismatch(launch);
      if (!text.empty()) complain(launch, "-", text);
#if defined(EMULATION_ASAN) || defined(EMULATION_TSAN)
      if (text.empty()) run(launch, after, config().schedule);
#else
      for (Schedule schedule : {Schedule::FIFO, Schedule::LIFO, Schedule::WARPS})
        if (text.empty()) run(launch, after, schedule);
#endif
    } else {
      skipped++;
    }
    memory.set(after);
    memory.restore();
  }

 private:
  bool wanted(const Launch& l) {
    char shape[200];
    snprintf(shape, sizeof shape, " %ux%ux%u %ux%ux%u %zu", l.grid.x, l.grid.y, l.grid.z, l.block.x, l.block.y,
             l.block.z, l.shared);
    return seen[l.name + shape]++ < most || !most;
  }

  std::string mismatch(const Launch& launch) {
    const Kernel* kernel = find_kernel(launch.name);
    if (!kernel) return "there is no such kernel";
    bool same = kernel->parameters.size() == launch.parameters.size();
    for (size_t i = 0; same && i < launch.parameters.size(); i++)
      same = kernel->parameters[i].bytes == launch.parameters[i].size();
    return same ? "" : "its parameters were others when it was recorded";
  }

  void run(Launch& launch, const Contents& after, Schedule schedule) {
    std::vector<void*> parameters;
    for (Bytes& p : launch.parameters) parameters.push_back(p.data());
    parameters.push_back(nullptr);
    config().schedule = schedule;
    memory.restore();
    std::string text =
        emulation::launch(*find_kernel(launch.name), launch.grid, launch.block, launch.shared, parameters.data());
    Contents before = memory.set(after);
    if (text.empty()) text = memory.difference();
    memory.set(before);
    if (!text.empty()) complain(launch, name_of(schedule), text);
  }

  void complain(const Launch& l, const char* schedule, const std::string& what) {
    printf("%s (grid %u x %u x %u, block %u x %u x %u, %s): %s\n", l.name.c_str(), l.grid.x, l.grid.y, l.grid.z,
           l.block.x, l.block.y, l.block.z, schedule, what.c_str());
    wrong++;
  }
};
}  // namespace

int main(int count, char** arguments) {
  if (count < 2 || count > 3) {
    fprintf(stderr, "usage: replay FILE [MOST]\n");
    return 2;
  }
  Reader reader(arguments[1]);
  Replay replay(arguments[1], count == 3 ? atol(arguments[2]) : 0);
  Launch launch;
  Contents after;
  while (reader.more()) {
    RecordKind kind = (RecordKind)reader.word();
    uint64_t address = kind < RecordKind::LAUNCH || kind == RecordKind::AFTER ? reader.word() : 0;
    if (kind == RecordKind::ALLOCATED) {
      replay.memory.allocate(address, reader.word());
    } else if (kind == RecordKind::FREED) {
      replay.memory.free(address);
    } else if (kind == RecordKind::BEFORE) {
      replay.memory.set({{address, reader.bytes()}});
    } else if (kind == RecordKind::LAUNCH) {
      launch = reader.launch();
      after.clear();
    } else if (kind == RecordKind::AFTER) {
      after.push_back({address, reader.bytes()});
    } else if (kind == RecordKind::DONE) {
      replay.run(launch, after);
    } else {
      stop(arguments[1], "has a record of an unknown kind");
    }
  }
  printf("%ld launches, %ld of them left out, %ld wrong\n", replay.launches, replay.skipped, replay.wrong);
  return replay.wrong != 0;
}

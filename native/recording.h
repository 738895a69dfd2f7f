// A recording of launches: what the kernels were given and what they left in device memory, so that test/replay can run
// them again under other schedules and under sanitizers.
//
// A file is the line "sidefade recording 1\n" and then records of 64-bit little-endian words; text and bytes are a
// length and then that many bytes, filled up with zeros to a multiple of 8:
//   1 address bytes        an allocation came to life
//   2 address              it was freed
//   3 address, content     device memory holds this before the next launch (only what changed since the last record)
//   4 name, grid x y z, block x y z, shared bytes, parameters (count, and then each one's bytes)
//   5 address, content     device memory holds this after that launch (only what it changed)
//   6                      that launch ended well; without it, it failed
// Device memory lies at ARENA_ADDRESS, so that pointers in parameters and in memory hold in the replay. A gap of at
// least 256 bytes between allocations is what lets the replay notice accesses past their ends.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "emulation_kernels.h"

namespace emulation {

constexpr uint64_t ARENA_ADDRESS = 0x7ea000000000;
constexpr char RECORDING_MAGIC[] = "sidefade recording 1\n";

enum class RecordKind : uint64_t { ALLOCATED = 1, FREED = 2, BEFORE = 3, LAUNCH = 4, AFTER = 5, DONE = 6 };

struct DeviceRange {
  uint64_t address, bytes;
};

// Writes a recording. Around every launch: before(...), emulation::launch(...), and after() if it went well. Of one
// kernel, grid, block and shared memory only the first launches are written down: SIDEFADE_EMULATION_RECORD_MOST (8)
// of them.
class Recorder {
 public:
  // an unwritable path ends the program: a recording that silently lacks launches is of no use
  explicit Recorder(const std::string& path) : path(path), file(fopen(path.c_str(), "wb")) {
    if (const char* number = getenv("SIDEFADE_EMULATION_RECORD_MOST")) most = atol(number);
    if (!file || fwrite(RECORDING_MAGIC, 1, sizeof RECORDING_MAGIC - 1, file) != sizeof RECORDING_MAGIC - 1) stop();
  }
  ~Recorder() {
    if (fclose(file)) perror(path.c_str());
  }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // `live`: all allocations at this moment
  void before(const Kernel& kernel, dim3 grid, dim3 block, size_t shared, void** parameters,
              const std::vector<DeviceRange>& live) {
    writing = wanted(kernel, grid, block, shared);
    if (!writing) return;
    follow(live);
    changes(RecordKind::BEFORE);
    word((uint64_t)RecordKind::LAUNCH);
    bytes(kernel.name.data(), kernel.name.size());
    for (unsigned size : {grid.x, grid.y, grid.z, block.x, block.y, block.z}) word(size);
    word(shared);
    word(kernel.parameters.size());
    for (size_t i = 0; i < kernel.parameters.size(); i++) bytes(parameters[i], kernel.parameters[i].bytes);
  }

  void after() {
    if (!writing) return;
    changes(RecordKind::AFTER);
    word((uint64_t)RecordKind::DONE);
    if (fflush(file)) stop();
  }

 private:
  std::string path;
  FILE* file;
  long most = 8;
  bool writing = false;  // this launch
  std::map<std::string, long> seen;
  std::map<uint64_t, std::vector<unsigned char>> known;  // what the reader of the file knows of device memory

  [[noreturn]] void stop() {
    perror(("recording of kernel launches, " + path).c_str());
    abort();
  }
  bool wanted(const Kernel& kernel, dim3 grid, dim3 block, size_t shared) {
    std::string shape = kernel.name;
    for (unsigned size : {grid.x, grid.y, grid.z, block.x, block.y, block.z}) shape += " " + std::to_string(size);
    shape += " " + std::to_string(shared);
    return seen[shape]++ < most;
  }
  void raw(const void* p, size_t n) {
    if (fwrite(p, 1, n, file) != n) stop();
  }
  void word(uint64_t value) { raw(&value, 8); }
  void bytes(const void* p, size_t n) {
    word(n);
    raw(p, n);
    const char zeros[8] = {};
    raw(zeros, (8 - n % 8) % 8);
  }

  void follow(const std::vector<DeviceRange>& live) {
    std::map<uint64_t, uint64_t> now;
    for (DeviceRange range : live) now[range.address] = range.bytes;
    for (auto entry = known.begin(); entry != known.end();) {
      auto same = now.find(entry->first);
      if (same != now.end() && same->second == entry->second.size()) {
        ++entry;
        continue;
      }
      word((uint64_t)RecordKind::FREED);
      word(entry->first);
      entry = known.erase(entry);
    }
    for (auto [address, size] : now) {
      if (known.count(address)) continue;
      word((uint64_t)RecordKind::ALLOCATED);
      word(address);
      word(size);
      known[address].assign(size, 0xff);  // as fresh device memory
    }
  }

  // runs of pieces that differ from what is known
  void changes(RecordKind kind) {
    for (auto& [address, content] : known)
      for (size_t from = 0; from < content.size();) {
        size_t same = first_difference(address, content, from, 65536);
        same = first_difference(address, content, same, PIECE);
        size_t to = same;
        while (to < content.size() && differs(address, content, to, PIECE)) to = std::min(content.size(), to + PIECE);
        if (to > same) write(kind, address, content, same, to);
        from = to;
      }
  }
  static constexpr size_t PIECE = 256;
  static bool differs(uint64_t address, const std::vector<unsigned char>& content, size_t at, size_t piece) {
    return memcmp(content.data() + at, (const void*)(address + at), std::min(piece, content.size() - at));
  }
  // from there on, or the content's end
  static size_t first_difference(uint64_t address, const std::vector<unsigned char>& content, size_t from,
                                 size_t piece) {
    while (from < content.size() && !differs(address, content, from, piece)) from += piece;
    return std::min(from, content.size());
  }
  void write(RecordKind kind, uint64_t address, std::vector<unsigned char>& content, size_t from, size_t to) {
    const unsigned char* memory = (const unsigned char*)address;
    word((uint64_t)kind);
    word(address + from);
    bytes(memory + from, to - from);
    memcpy(content.data() + from, memory + from, to - from);
  }
};

}  // namespace emulation

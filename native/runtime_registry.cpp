// The table of kernels, the settings, and small helpers.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime.h"

namespace emulation {

static std::vector<Kernel>& table() {
  static std::vector<Kernel> kernels;
  return kernels;
}

const std::vector<Kernel>& kernels() { return table(); }

const Kernel* find_kernel(const std::string& name) {
  for (const Kernel& kernel : table())
    if (kernel.name == name) return &kernel;
  return nullptr;
}

void add_kernel(Kernel kernel, const char* path) {
  std::string file = path;
  file = file.substr(file.rfind('/') + 1);
  kernel.file = file.substr(0, file.rfind('.'));
  if (find_kernel(kernel.name)) {
    fprintf(stderr, "emulation: there are two kernels %s, one of them in %s\n", kernel.name.c_str(), path);
    abort();
  }
  table().push_back(std::move(kernel));
}

static Config from_environment() {
  Config config;
  const char* schedule = getenv("SIDEFADE_EMULATION_SCHEDULE");
  if (!schedule || !*schedule || !strcmp(schedule, "fifo")) return config;
  if (!strcmp(schedule, "lifo")) {
    config.schedule = Schedule::LIFO;
  } else if (!strcmp(schedule, "warps")) {
    config.schedule = Schedule::WARPS;
  } else {
    fprintf(stderr, "emulation: SIDEFADE_EMULATION_SCHEDULE is '%s'; it must be fifo, lifo or warps\n", schedule);
    abort();
  }
  return config;
}

Config& config() {
  static Config config = from_environment();
  return config;
}

const char* where(Site site) {
  static char text[8][256];
  static int next;
  const char* slash = strrchr(site.file, '/');
  char* out = text[next++ & 7];
  snprintf(out, sizeof text[0], "%s:%d", slash ? slash + 1 : site.file, site.line);
  return out;
}

std::string format(const char* text, ...) {
  char out[1024];
  va_list arguments;
  va_start(arguments, text);
  vsnprintf(out, sizeof out, text, arguments);
  va_end(arguments);
  return out;
}

}  // namespace emulation

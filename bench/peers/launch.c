// What a launch costs in C, over the emulated driver with launches that are checked and forgotten: the peer of
// LaunchBenchmark. cc -O2 -o launch launch.c -ldl
//
//   launch LIBCUDA KERNELS CHUNKS
//
// prints CHUNKS lines "set_and_launch NANOSECONDS", then as many "launch NANOSECONDS": the mean of two milliseconds of
// launches each, so that some of them are not interrupted.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PARAMETERS = 8, CHUNK_NANOSECONDS = 2 * 1000 * 1000, BETWEEN_LOOKS = 500 };
static const long long ADDRESS = 0x10000;

typedef int (*Launch)(void* function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned shared,
                      void* stream, void** parameters, void** extra);

// everything that the launches need
typedef struct {
  Launch launch;
  void *function, *stream;
} Driver;

static void fail(const char* what, int code) {
  fprintf(stderr, "launch: %s failed (%d)\n", what, code);
  exit(1);
}

static void* find(void* library, const char* name) {
  void* function = dlsym(library, name);
  if (!function) fail(name, 0);
  return function;
}

#define CALL(name, types, ...)                                         \
  do {                                                                 \
    int code = ((int (*) types)find(library, #name)) (__VA_ARGS__);    \
    if (code) fail(#name, code);                                       \
  } while (0)

static char* read_image(const char* folder) {
  char path[4096];
  snprintf(path, sizeof path, "%s/logit_distillation.fatbin", folder);
  FILE* file = fopen(path, "rb");
  if (!file) fail(path, 0);
  char* image = calloc(1, 1 << 20);
  fread(image, 1, (1 << 20) - 1, file);
  fclose(file);
  return image;
}

static Driver open_driver(const char* path, const char* kernels) {
  Driver driver;
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL), *context, *module, *kernel;
  int device;
  if (!library) fail(dlerror(), 0);
  char* image = read_image(kernels);
  CALL(cuInit, (unsigned), 0);
  CALL(cuDeviceGet, (int*, int), &device, 0);
  CALL(cuDevicePrimaryCtxRetain, (void**, int), &context, device);
  CALL(cuCtxSetCurrent, (void*), context);
  CALL(cuStreamCreate, (void**, unsigned), &driver.stream, 1);
  CALL(cuLibraryLoadData, (void**, const void*, void*, void*, unsigned, void*, void*, unsigned), &module, image, NULL,
       NULL, 0, NULL, NULL, 0);
  CALL(cuLibraryGetKernel, (void**, void*, const char*), &kernel, module, "logit_distillation_rows_f32");
  CALL(cuKernelGetFunction, (void**, void*), &driver.function, kernel);
  driver.launch = (Launch)find(library, "cuLaunchKernel");
  ((void (*)(int))find(library, "sidefade_emulation_noop"))(1);
  free(image);
  return driver;
}

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// Launches until a chunk of time is over; set: with all arguments anew each time. Returns nanoseconds per launch.
static double chunk(const Driver* driver, int set) {
  static long long count;
  long long pointers[PARAMETERS - 1] = {ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, 1}, launches = 0;
  int classes = 1;
  void* parameters[PARAMETERS];
  for (int i = 0; i < PARAMETERS - 1; i++) parameters[i] = &pointers[i];
  parameters[PARAMETERS - 1] = &classes;
  const long long begin = now();
  long long end = begin;
  while (end - begin < CHUNK_NANOSECONDS) {
    for (int n = 0; n < BETWEEN_LOOKS; n++) {
      unsigned grid = 1;
      if (set) {
        const long long i = count++;
        for (int p = 0; p < PARAMETERS - 2; p++) pointers[p] = ADDRESS + p + i;
        pointers[PARAMETERS - 2] = i;
        classes = (int)i;
        grid = 1 + (unsigned)(i & 1023);
      }
      int code = driver->launch(driver->function, grid, 1, 1, 128, 1, 1, 0, driver->stream, parameters, NULL);
      if (code) fail("cuLaunchKernel", code);
    }
    launches += BETWEEN_LOOKS;
    end = now();
  }
  return (double)(end - begin) / launches;
}

int main(int count, char** arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: launch LIBCUDA KERNELS CHUNKS\n");
    return 2;
  }
  const Driver driver = open_driver(arguments[1], arguments[2]);
  const int chunks = atoi(arguments[3]);
  for (int set = 1; set >= 0; set--) {
    for (int i = 0; i < chunks; i++) printf("%s %.3f\n", set ? "set_and_launch" : "launch", chunk(&driver, set));
  }
  return 0;
}

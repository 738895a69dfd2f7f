// Four neighbouring floats of a row at a time. `vector` says that quads may be moved with 16-byte accesses: the matrix
// starts at a multiple of 16 bytes and its rows are multiples of 4 long. Either way the same values go to the same
// threads, so that results do not depend on where a tensor lies.
#pragma once
#include "device.cuh"

DEVICE bool quads_aligned(const void* matrix, int width) { return (width & 3) == 0 && aligned16(matrix); }

// the first `wanted` of the four at p, 0 for the others
DEVICE void load_quad(float (&v)[4], const float* p, int wanted, bool vector) {
  if (vector && wanted >= 4) {
    const Pack<float> quad = load16(p);
#pragma unroll
    for (int e = 0; e < 4; e++) v[e] = quad.v[e];
  } else {
#pragma unroll
    for (int e = 0; e < 4; e++) v[e] = e < wanted ? p[e] : 0.f;
  }
}

DEVICE void store_quad(float* p, const float (&v)[4], int wanted, bool vector) {
  if (vector && wanted >= 4) {
    Pack<float> quad;
#pragma unroll
    for (int e = 0; e < 4; e++) quad.v[e] = v[e];
    store16(p, quad);
  } else {
#pragma unroll
    for (int e = 0; e < 4; e++)
      if (e < wanted) p[e] = v[e];
  }
}

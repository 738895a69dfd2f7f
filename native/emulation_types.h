// Vector types and half types of CUDA, for the host compiler alone (no CUDA toolkit is needed).
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EMULATION_VECTOR2(name, type)                                    \
  struct alignas(2 * sizeof(type)) name { type x, y; };                  \
  inline name make_##name(type x, type y) { return {x, y}; }
#define EMULATION_VECTOR3(name, type)                                    \
  struct name { type x, y, z; };                                         \
  inline name make_##name(type x, type y, type z) { return {x, y, z}; }
#define EMULATION_VECTOR4(name, type)                                    \
  struct alignas(sizeof(type) < 4 ? 4 * sizeof(type) : 16) name { type x, y, z, w; }; \
  inline name make_##name(type x, type y, type z, type w) { return {x, y, z, w}; }
#define EMULATION_VECTORS(name, type) \
  EMULATION_VECTOR2(name##2, type) EMULATION_VECTOR3(name##3, type) EMULATION_VECTOR4(name##4, type)

EMULATION_VECTORS(char, signed char)
EMULATION_VECTORS(uchar, unsigned char)
EMULATION_VECTORS(short, short)
EMULATION_VECTORS(ushort, unsigned short)
EMULATION_VECTORS(int, int)
EMULATION_VECTORS(uint, unsigned)
EMULATION_VECTORS(float, float)
EMULATION_VECTOR2(longlong2, long long)
EMULATION_VECTOR2(ulonglong2, unsigned long long)
EMULATION_VECTOR2(double2, double)

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

inline unsigned __float_as_uint(float x) {
  unsigned bits;
  memcpy(&bits, &x, 4);
  return bits;
}
inline float __uint_as_float(unsigned bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
inline int __float_as_int(float x) { return (int)__float_as_uint(x); }
inline float __int_as_float(int bits) { return __uint_as_float((unsigned)bits); }

// 1 sign, 5 exponent, 10 mantissa bits
struct f16 {
  uint16_t bits;
};
// the upper half of a float
struct bf16 {
  uint16_t bits;
};

inline float __half2float(f16 x) {
  // a float with the exponent 112 too small: the product is exact, for subnormal numbers too
  float magnitude = __uint_as_float((unsigned)(x.bits & 0x7fff) << 13) * 0x1p112f;
  unsigned bits = __float_as_uint(magnitude);
  if ((x.bits & 0x7c00) == 0x7c00) bits |= 0x7f800000u;  // infinity, or NaN with its payload
  return __uint_as_float(bits | (unsigned)(x.bits & 0x8000) << 16);
}

// to nearest, ties to even; NaN becomes 0x7fff as on the device
inline f16 __float2half_rn(float x) {
  unsigned bits = __float_as_uint(x), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return {0x7fff};
  if (magnitude >= 0x47800000) return {(uint16_t)(sign | 0x7c00)};  // 2^16 and more
  if (magnitude < 0x38800000) {
    // below 2^-14: adding 0.5 leaves units of 2^-24 in the low bits, rounded by the addition itself
    float shifted = __uint_as_float(magnitude) + 0.5f;
    return {(uint16_t)(sign | (__float_as_uint(shifted) - 0x3f000000u))};
  }
  unsigned rounded = magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000u;  // a carry may reach infinity
  return {(uint16_t)(sign | rounded >> 13)};
}

inline float __bfloat162float(bf16 x) { return __uint_as_float((unsigned)x.bits << 16); }

inline bf16 __float2bfloat16_rn(float x) {
  unsigned bits = __float_as_uint(x);
  if ((bits & 0x7fffffff) > 0x7f800000) return {0x7fff};
  return {(uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}
inline f16 __float2half(float x) { return __float2half_rn(x); }
inline bf16 __float2bfloat16(float x) { return __float2bfloat16_rn(x); }

// f16 and bf16 against their definitions: every value, and for rounding every border between two neighbours.
#include <math.h>
#include <stdio.h>

#include "emulation_types.h"

namespace {
int wrong = 0;

void expect(bool good, const char* what, unsigned bits) {
  if (good) return;
  if (wrong++ < 10) printf("wrong: %s, bits %08x\n", what, bits);
}

// a number of 1 + EXPONENT + MANTISSA bits by its definition; finite ones only
double value(unsigned bits, int exponent_bits, int mantissa_bits) {
  int bias = (1 << (exponent_bits - 1)) - 1;
  int exponent = (int)(bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
  unsigned mantissa = bits & ((1u << mantissa_bits) - 1);
  double magnitude = exponent ? ldexp((double)(mantissa | 1u << mantissa_bits), exponent - bias - mantissa_bits)
                              : ldexp((double)mantissa, 1 - bias - mantissa_bits);
  return bits >> (exponent_bits + mantissa_bits) ? -magnitude : magnitude;
}

struct Half {
  static constexpr int EXPONENT = 5, MANTISSA = 10;
  static constexpr unsigned INFINITE = 0x7c00;
  static float wide(unsigned bits) { return __half2float(f16{(uint16_t)bits}); }
  static unsigned narrow(float x) { return __float2half_rn(x).bits; }
};
struct Brain {
  static constexpr int EXPONENT = 8, MANTISSA = 7;
  static constexpr unsigned INFINITE = 0x7f80;
  static float wide(unsigned bits) { return __bfloat162float(bf16{(uint16_t)bits}); }
  static unsigned narrow(float x) { return __float2bfloat16_rn(x).bits; }
};

template <class T>
void both(float x, unsigned expected, const char* what) {
  expect(T::narrow(x) == expected, what, __float_as_uint(x));
  expect(T::narrow(-x) == (expected | 0x8000), what, __float_as_uint(-x));
}

template <class T>
void check(const char* name) {
  int before = wrong;
  for (unsigned bits = 0; bits < 65536; bits++) {
    unsigned magnitude = bits & 0x7fff;
    float x = T::wide(bits);
    if (magnitude > T::INFINITE) {
      expect(isnan(x), "NaN", bits);
      expect(T::narrow(x) == 0x7fff, "NaN back", bits);
    } else if (magnitude == T::INFINITE) {
      expect(isinf(x) && signbit(x) == bits >> 15, "infinity", bits);
    } else {
      expect((double)x == value(bits, T::EXPONENT, T::MANTISSA) && signbit(x) == bits >> 15, "value", bits);
    }
    if (magnitude <= T::INFINITE) expect(T::narrow(x) == bits, "there and back", bits);
  }
  // borders: halfway between neighbours to the even one; infinity begins halfway behind the largest
  for (unsigned low = 0; low < T::INFINITE; low++) {
    double a = value(low, T::EXPONENT, T::MANTISSA);
    double step = a - (low ? value(low - 1, T::EXPONENT, T::MANTISSA) : -value(1, T::EXPONENT, T::MANTISSA));
    double b = low + 1 < T::INFINITE ? value(low + 1, T::EXPONENT, T::MANTISSA) : a + step;
    double middle = (a + b) / 2;
    if (middle > 3.4028234663852886e38) {  // beyond all floats but infinity
      both<T>(3.4028234663852886e38f, T::INFINITE, "largest float");
      continue;
    }
    float border = (float)middle;
    expect((double)border == middle || low == 0, "a border that is a float", low);
    if ((double)border != middle) continue;
    both<T>(border, low & 1 ? low + 1 : low, "tie");
    both<T>(nextafterf(border, -INFINITY), low, "below a border");
    both<T>(nextafterf(border, INFINITY), low + 1, "above a border");
  }
  both<T>(INFINITY, T::INFINITE, "infinity");
  both<T>(1e-45f, 0, "the smallest float");
  expect(T::narrow(__uint_as_float(0x7f800001)) == 0x7fff, "a NaN with a low payload", 0x7f800001);
  expect(T::narrow(__uint_as_float(0xffc00000)) == 0x7fff, "a negative NaN", 0xffc00000);
  printf("%-5s %s\n", name, wrong == before ? "good" : "WRONG");
}
}  // namespace

int main() {
  check<Half>("f16");
  check<Brain>("bf16");
  return wrong != 0;
}

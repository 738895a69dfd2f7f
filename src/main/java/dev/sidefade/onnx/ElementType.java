package dev.sidefade.onnx;

/** Element types of ONNX tensors with their codes in the file ({@code TensorProto.DataType}). */
public enum ElementType {
  /** No type, or one of a newer ONNX that is not known here. */
  UNDEFINED(0, 0),
  /** IEEE 754 binary32. */
  FLOAT(1, 32),
  /** Whole numbers from 0 to 255. */
  UINT8(2, 8),
  /** Whole numbers of 8 bits in two's complement. */
  INT8(3, 8),
  /** Whole numbers from 0 to 65535. */
  UINT16(4, 16),
  /** Whole numbers of 16 bits in two's complement. */
  INT16(5, 16),
  /** Whole numbers of 32 bits in two's complement. */
  INT32(6, 32),
  /** Whole numbers of 64 bits in two's complement. */
  INT64(7, 64),
  /** Text of any length: such tensors have no raw bytes. */
  STRING(8, 0),
  /** One byte each: 0 is false, everything else true. */
  BOOL(9, 8),
  /** IEEE 754 binary16. */
  FLOAT16(10, 16),
  /** IEEE 754 binary64. */
  DOUBLE(11, 64),
  /** Whole numbers of 32 bits without sign. */
  UINT32(12, 32),
  /** Whole numbers of 64 bits without sign. */
  UINT64(13, 64),
  /** Pairs of FLOAT. */
  COMPLEX64(14, 64),
  /** Pairs of DOUBLE. */
  COMPLEX128(15, 128),
  /** The upper half of a FLOAT. */
  BFLOAT16(16, 16),
  /** 8 bits, 4 of them exponent; no infinities. */
  FLOAT8E4M3FN(17, 8),
  /** 8 bits, 4 of them exponent; no infinities, no negative zero. */
  FLOAT8E4M3FNUZ(18, 8),
  /** 8 bits, 5 of them exponent. */
  FLOAT8E5M2(19, 8),
  /** 8 bits, 5 of them exponent; no infinities, no negative zero. */
  FLOAT8E5M2FNUZ(20, 8),
  /** Whole numbers from 0 to 15, two in a byte. */
  UINT4(21, 4),
  /** Whole numbers from -8 to 7, two in a byte. */
  INT4(22, 4),
  /** 4 bits, 2 of them exponent, two in a byte. */
  FLOAT4E2M1(23, 4),
  /** A power of two in 8 bits. */
  FLOAT8E8M0(24, 8),
  /** Whole numbers from 0 to 3, four in a byte. */
  UINT2(25, 2),
  /** Whole numbers from -2 to 1, four in a byte. */
  INT2(26, 2);

  private static final ElementType[] ALL = values();

  private final int code;
  private final int bits;

  ElementType(int code, int bits) {
    this.code = code;
    this.bits = bits;
  }

  /** {@return the number that stands for this type in a file} */
  public int code() {
    return code;
  }

  /** {@return bits of one element; 0 where elements have no fixed size} */
  public int bits() {
    return bits;
  }

  /**
   * {@return bytes that {@code count} elements take, packed where an element is smaller than a
   * byte}
   *
   * @param count number of elements
   */
  public long bytes(long count) {
    return bits >= 8
        ? Math.multiplyExact(count, bits / 8L)
        : Math.ceilDiv(Math.multiplyExact(count, (long) bits), 8L);
  }

  /**
   * {@return the type with the given code, {@link #UNDEFINED} for a code that is not known here}
   *
   * @param code number of the type in ONNX's format
   */
  public static ElementType ofCode(long code) {
    return code > 0 && code < ALL.length ? ALL[(int) code] : UNDEFINED;
  }
}

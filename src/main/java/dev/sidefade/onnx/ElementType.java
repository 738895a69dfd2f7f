package dev.sidefade.onnx;

/** Element types of ONNX tensors with their codes in the file ({@code TensorProto.DataType}). */
public enum ElementType {
  /** No type, or one of a newer ONNX that is not known here. */
  UNDEFINED(0, 0),
  FLOAT(1, 32),
  UINT8(2, 8),
  INT8(3, 8),
  UINT16(4, 16),
  INT16(5, 16),
  INT32(6, 32),
  INT64(7, 64),
  /** Text of any length: such tensors have no raw bytes. */
  STRING(8, 0),
  BOOL(9, 8),
  FLOAT16(10, 16),
  DOUBLE(11, 64),
  UINT32(12, 32),
  UINT64(13, 64),
  COMPLEX64(14, 64),
  COMPLEX128(15, 128),
  BFLOAT16(16, 16),
  FLOAT8E4M3FN(17, 8),
  FLOAT8E4M3FNUZ(18, 8),
  FLOAT8E5M2(19, 8),
  FLOAT8E5M2FNUZ(20, 8),
  UINT4(21, 4),
  INT4(22, 4),
  FLOAT4E2M1(23, 4),
  FLOAT8E8M0(24, 8),
  UINT2(25, 2),
  INT2(26, 2);

  private static final ElementType[] ALL = values();

  private final int code;
  private final int bits;

  ElementType(int code, int bits) {
    this.code = code;
    this.bits = bits;
  }

  /** The number that stands for this type in a file. */
  public int code() {
    return code;
  }

  /** Bits of one element; 0 where elements have no fixed size. */
  public int bits() {
    return bits;
  }

  /** Bytes that {@code count} elements take, packed where an element is smaller than a byte. */
  public long bytes(long count) {
    return bits >= 8
        ? Math.multiplyExact(count, bits / 8L)
        : Math.ceilDiv(Math.multiplyExact(count, (long) bits), 8L);
  }

  /** The type with the given code, {@link #UNDEFINED} for a code that is not known here. */
  public static ElementType ofCode(long code) {
    return code > 0 && code < ALL.length ? ALL[(int) code] : UNDEFINED;
  }
}

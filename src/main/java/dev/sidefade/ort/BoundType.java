package dev.sidefade.ort;

/** Types of elements that go into a backbone and come out of it. */
public enum BoundType {
  /** IEEE 754 binary32. */
  FLOAT(1, Float.BYTES),
  /** 32-bit signed integer. */
  INT32(6, Integer.BYTES),
  /** 64-bit signed integer. */
  INT64(7, Long.BYTES);

  final int code;
  final int bytes;

  BoundType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }
}

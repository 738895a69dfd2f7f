package dev.sidefade.tensor;

/** Element types of a {@link Tensor}. Parameters, statistics and losses are always {@link #F32}. */
public enum DType {
  /** IEEE 754 binary32. */
  F32(4),
  /** IEEE 754 binary16. */
  F16(2),
  /** bfloat16: the upper half of a binary32. */
  BF16(2),
  /** 64-bit signed integer: token ids, attention masks. */
  I64(8),
  /** 32-bit signed integer: the same, where a model wants them so. */
  I32(4);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /** {@return size of one element in bytes} */
  public int bytes() {
    return bytes;
  }
}

package dev.sidefade.export;

import java.util.Locale;

/** How an exported model stores its weights, and what it computes with. */
public enum Precision {
  /** As it was trained. */
  FP32,
  /** Weights of half the size, computed with as 32-bit floats ({@link HalfWeights}). */
  FP16,
  /** Linear layers of a quarter of the size, computed with as integers ({@link DynamicInt8}). */
  INT8;

  /** {@return the name on the command line and in the names of files: {@code int8}} */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}

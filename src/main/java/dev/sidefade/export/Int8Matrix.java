package dev.sidefade.export;

import java.util.Optional;

/**
 * A matrix [rows, columns] as 8-bit integers: element [k, n] stands for elements[k, n] * scales[n].
 * The arrays are not copied and must not be changed afterwards.
 *
 * <p>Elements lie in -64..64 rather than -127..127. Processors without integer dot products (before
 * AVX512-VNNI) add two products of an unsigned and a signed byte in 16 bits and cut off what is
 * beyond; 2 * 255 * 64 still fits, so every machine computes the same sums.
 *
 * @param elements row-major
 * @param scales one for each column
 */
record Int8Matrix(byte[] elements, float[] scales) {
  private static final int LARGEST = 64;

  /** More rows than this could overflow a sum of products of 255 and 64 in 32 bits. */
  private static final int MOST_ROWS = Integer.MAX_VALUE / (255 * LARGEST);

  /**
   * Rounds a matrix to the nearest multiples of each column's largest magnitude / 64, halves to
   * even.
   *
   * @param matrix [rows, columns], row-major
   * @param factor that the matrix is multiplied with; it goes into the scales
   * @return empty where elements or scales are not finite, or there are too many rows
   */
  static Optional<Int8Matrix> of(float[] matrix, int columns, float factor) {
    if (matrix.length / columns > MOST_ROWS) {
      return Optional.empty();
    }
    float[] steps = new float[columns];
    for (int i = 0; i < matrix.length; i++) {
      // Math.max hands NaN on
      steps[i % columns] = Math.max(steps[i % columns], Math.abs(matrix[i]));
    }
    float[] scales = new float[columns];
    for (int n = 0; n < columns; n++) {
      steps[n] /= LARGEST;
      scales[n] = steps[n] * factor;
      if (!Float.isFinite(steps[n]) || !Float.isFinite(scales[n])) {
        return Optional.empty();
      }
    }
    byte[] elements = new byte[matrix.length];
    for (int i = 0; i < matrix.length; i++) {
      float step = steps[i % columns];
      double rounded = step == 0 ? 0 : Math.rint((double) matrix[i] / step);
      elements[i] = (byte) Math.clamp(rounded, -LARGEST, LARGEST);
    }
    return Optional.of(new Int8Matrix(elements, scales));
  }
}

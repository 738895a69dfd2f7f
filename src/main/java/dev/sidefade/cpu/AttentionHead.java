package dev.sidefade.cpu;

/**
 * One head of one sample. The valid tokens are gathered into small contiguous matrices, so padding
 * is never read, and all six products run on {@link RowMath#tile}. Matrices are padded with zeros
 * to whole tiles: rows to a multiple of 6, columns to a multiple of the panel width.
 */
final class AttentionHead {
  private static final int TILE_ROWS = 6;

  private final RowMath math;
  private final int headWidth;
  private final int panelWidth;
  private final int paddedWidth;
  private final float scale;

  private final long indices;
  private final long q;
  private final long k;
  private final long v;
  private final long dOut;
  private final long scores;
  private final long gradientScores;
  private final long panels;
  private final long product;
  private final long inverseSums;

  private long firstRow;
  private int tokens;
  private int count;
  private int rowsPadded;
  private int columnsPadded;

  AttentionHead(RowMath math, Memory memory, int tokens, int headWidth, boolean backward) {
    this.math = math;
    this.headWidth = headWidth;
    this.panelWidth = math.panelWidth();
    this.paddedWidth = roundUp(headWidth, panelWidth);
    this.scale = (float) (1 / Math.sqrt(headWidth));
    int rows = roundUp(tokens, TILE_ROWS);
    int columns = roundUp(rows, panelWidth);
    this.indices = memory.take(tokens);
    this.q = memory.take((long) rows * headWidth);
    this.k = memory.take((long) rows * headWidth);
    this.v = memory.take((long) rows * headWidth);
    this.dOut = backward ? memory.take((long) rows * headWidth) : 0;
    this.scores = memory.take((long) rows * columns);
    this.gradientScores = backward ? memory.take((long) rows * columns) : 0;
    this.panels = memory.take(Math.max((long) columns * headWidth, (long) rows * paddedWidth));
    this.product = memory.take((long) rows * paddedWidth);
    this.inverseSums = memory.take(rows);
  }

  private static int roundUp(int n, int unit) {
    return (n + unit - 1) / unit * unit;
  }

  /** Chooses the valid tokens of the sample that starts at {@code firstRow}. */
  void select(long valid, long firstRow, int tokens) {
    this.firstRow = firstRow;
    this.tokens = tokens;
    count = 0;
    for (int t = 0; t < tokens; t++) {
      if (valid == 0 || RawMemory.get(valid + 4 * (firstRow + t)) != 0) {
        RawMemory.setInt(indices + 4L * count++, t);
      }
    }
    rowsPadded = roundUp(count, TILE_ROWS);
    columnsPadded = roundUp(rowsPadded, panelWidth);
  }

  private long row(int i) {
    return firstRow + RawMemory.getInt(indices + 4L * i);
  }

  /**
   * Gathers queries, keys and values; {@code part} bytes lie between them in a row of {@code
   * stride} bytes.
   */
  void load(long column, long stride, long part) {
    gather(column, stride, q);
    gather(column + part, stride, k);
    gather(column + 2 * part, stride, v);
  }

  void loadGradient(long column, long stride) {
    gather(column, stride, dOut);
  }

  private void gather(long column, long stride, long to) {
    for (int i = 0; i < count; i++) {
      RawMemory.copy(column + row(i) * stride, to + 4L * i * headWidth, headWidth);
    }
    RawMemory.zero(to + 4L * count * headWidth, (long) (rowsPadded - count) * headWidth);
  }

  /** product = softmax(q k^T scale) v. */
  void forward() {
    exponentials();
    packRows(v);
    timesRows(scores, 4L * columnsPadded, 4);
    for (int i = 0; i < count; i++) {
      long row = product + 4L * i * paddedWidth;
      math.scale(inverseSum(i), row, row, headWidth);
    }
  }

  private float inverseSum(int i) {
    return RawMemory.get(inverseSums + 4L * i);
  }

  /**
   * scores = exp(q k^T scale - max) over the first {@code count} columns, all padding zero; the
   * softmax is a row times its inverse sum, which is applied where the row is narrow.
   */
  private void exponentials() {
    packTransposed(k);
    timesTransposed(q, scores);
    for (int i = 0; i < rowsPadded; i++) {
      long s = scores + 4L * i * columnsPadded;
      if (i >= count) {
        RawMemory.zero(s, columnsPadded);
        continue;
      }
      float max = math.max(s, count);
      float sum = math.expScaled(s, max, scale, s, count);
      RawMemory.set(inverseSums + 4L * i, 1 / sum);
      RawMemory.zero(s + 4L * count, columnsPadded - count);
    }
  }

  /**
   * Leaves dV in {@code v}, dQ in {@code dOut} and dK in {@code k}: each input is dead when its
   * place is taken.
   */
  void backward() {
    exponentials();
    packTransposed(v);
    timesTransposed(dOut, gradientScores);
    // dV = P^T dOut: the inverse sums go to the narrow side
    for (int i = 0; i < count; i++) {
      long row = dOut + 4L * i * headWidth;
      math.scale(inverseSum(i), row, row, headWidth);
    }
    packRows(dOut);
    timesRows(scores, 4, 4L * columnsPadded);
    unpad(v);
    for (int i = 0; i < rowsPadded; i++) {
      long p = scores + 4L * i * columnsPadded;
      long s = gradientScores + 4L * i * columnsPadded;
      float inverse = i < count ? inverseSum(i) : 0;
      float shift = inverse * math.dot(p, s, columnsPadded);
      math.softmaxBackward(p, s, shift, scale * inverse, columnsPadded);
    }
    packRows(k);
    timesRows(gradientScores, 4L * columnsPadded, 4);
    unpad(dOut);
    packRows(q);
    timesRows(gradientScores, 4, 4L * columnsPadded);
    unpad(k);
  }

  void storeOut(long column, long stride) {
    zeroColumn(column, stride);
    for (int i = 0; i < count; i++) {
      RawMemory.copy(product + 4L * i * paddedWidth, column + row(i) * stride, headWidth);
    }
  }

  void storeGradients(long column, long stride, long part) {
    storeGradient(dOut, column, stride);
    storeGradient(k, column + part, stride);
    storeGradient(v, column + 2 * part, stride);
  }

  private void storeGradient(long from, long column, long stride) {
    zeroColumn(column, stride);
    for (int i = 0; i < count; i++) {
      RawMemory.copy(from + 4L * i * headWidth, column + row(i) * stride, headWidth);
    }
  }

  private void zeroColumn(long column, long stride) {
    if (count < tokens) {
      for (int t = 0; t < tokens; t++) {
        RawMemory.zero(column + (firstRow + t) * stride, headWidth);
      }
    }
  }

  private void unpad(long to) {
    for (int i = 0; i < count; i++) {
      RawMemory.copy(product + 4L * i * paddedWidth, to + 4L * i * headWidth, headWidth);
    }
  }

  /** Panels of x^T: [headWidth, tokens] in panels of columns. */
  private void packTransposed(long x) {
    for (int first = 0; first < columnsPadded; first += panelWidth) {
      long panel = panels + 4L * first * headWidth;
      for (int j = 0; j < panelWidth; j++) {
        int t = first + j;
        for (int d = 0; d < headWidth; d++) {
          float value = t < count ? RawMemory.get(x + 4L * (t * headWidth + d)) : 0;
          RawMemory.set(panel + 4L * (d * panelWidth + j), value);
        }
      }
    }
  }

  /** Panels of x: [tokens, headWidth] in panels of columns. */
  private void packRows(long x) {
    for (int first = 0; first < paddedWidth; first += panelWidth) {
      long panel = panels + 4L * first * rowsPadded;
      int columns = Math.min(panelWidth, headWidth - first);
      for (int t = 0; t < count; t++) {
        long to = panel + 4L * t * panelWidth;
        RawMemory.copy(x + 4L * (t * headWidth + first), to, columns);
        RawMemory.zero(to + 4L * columns, panelWidth - columns);
      }
    }
  }

  /** c [rowsPadded, columnsPadded] = x times the panels of {@link #packTransposed}. */
  private void timesTransposed(long x, long c) {
    for (int first = 0; first < columnsPadded; first += panelWidth) {
      long panel = panels + 4L * first * headWidth;
      multiply(x, 4L * headWidth, 4, panel, headWidth, c + 4L * first, 4L * columnsPadded);
    }
  }

  /**
   * product [rowsPadded, paddedWidth] = a times the panels of {@link #packRows}; strides in bytes.
   */
  private void timesRows(long a, long rowStride, long columnStride) {
    for (int first = 0; first < paddedWidth; first += panelWidth) {
      long panel = panels + 4L * first * rowsPadded;
      multiply(a, rowStride, columnStride, panel, count, product + 4L * first, 4L * paddedWidth);
    }
  }

  private void multiply(
      long a, long rowStride, long columnStride, long panel, int inner, long c, long cStride) {
    for (int i = 0; i < rowsPadded; i += TILE_ROWS) {
      math.tile(a + i * rowStride, rowStride, columnStride, panel, inner, c + i * cStride, cStride);
    }
  }
}

package dev.sidefade.cpu;

/**
 * One head of one sample. The valid tokens are gathered into small contiguous matrices, so padding
 * is never read, and all six products run on {@link RowMath#tile}. Matrices are padded with zeros
 * to whole tiles: rows to a multiple of 6, columns to a multiple of the panel width.
 */
final class AttentionHead {
  private static final int TILE_ROWS = 6;

  /** Rows that go through all stages together, so that they stay in the first-level cache. */
  private static final int STRIP_ROWS = 2 * TILE_ROWS;

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
  private final long transposedKeys;
  private final long transposedValues;
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
    long scoreRows = backward ? rows : Math.min(rows, STRIP_ROWS);
    this.scores = memory.take(scoreRows * columns);
    this.gradientScores = backward ? memory.take(scoreRows * columns) : 0;
    this.transposedKeys = memory.take((long) columns * headWidth);
    this.transposedValues = backward ? memory.take((long) columns * headWidth) : 0;
    this.panels = memory.take((long) rows * paddedWidth);
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

  /** How many valid tokens from the i-th on lie side by side. */
  private int run(int i) {
    int n = 1;
    while (i + n < count && row(i + n) == row(i) + n) {
      n++;
    }
    return n;
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
    long width = 4L * headWidth;
    for (int i = 0, n; i < count; i += n) {
      n = run(i);
      math.copyRows(column + row(i) * stride, stride, to + i * width, width, n, headWidth);
    }
    RawMemory.zero(to + 4L * count * headWidth, (long) (rowsPadded - count) * headWidth);
  }

  /** product = softmax(q k^T scale) v. */
  void forward() {
    packTransposed(k, transposedKeys);
    packRows(v);
    for (int from = 0; from < rowsPadded; from += STRIP_ROWS) {
      int to = Math.min(from + STRIP_ROWS, rowsPadded);
      exponentials(from, to, scores);
      timesRows(scores, from, to);
      for (int i = from; i < Math.min(to, count); i++) {
        long row = product + 4L * i * paddedWidth;
        math.scale(inverseSum(i), row, row, headWidth);
      }
    }
  }

  private float inverseSum(int i) {
    return RawMemory.get(inverseSums + 4L * i);
  }

  /**
   * Rows [from, to) of exp(q k^T scale - max) at {@code strip}, all padding zero; the softmax is a
   * row times its inverse sum, which is applied where the row is narrow.
   */
  private void exponentials(int from, int to, long strip) {
    timesTransposed(q, transposedKeys, from, to, strip);
    for (int i = from; i < to; i++) {
      long s = strip + 4L * (i - from) * columnsPadded;
      if (i >= count) {
        RawMemory.zero(s, columnsPadded);
        continue;
      }
      // whole vectors only: what padding adds to the sum, 2^-126 each, is lost in rounding
      pad(s, Float.NEGATIVE_INFINITY);
      float max = math.max(s, columnsPadded);
      float sum = math.expScaled(s, max, scale, s, columnsPadded);
      RawMemory.set(inverseSums + 4L * i, 1 / sum);
      pad(s, 0);
    }
  }

  /** Sets the columns of a row that stand for no token. */
  private void pad(long row, float value) {
    for (int j = count; j < columnsPadded; j++) {
      RawMemory.set(row + 4L * j, value);
    }
  }

  /** Leaves dQ in {@code v}, dK in {@code k} and dV in {@code dOut}: those are dead by then. */
  void backward() {
    packTransposed(k, transposedKeys);
    packTransposed(v, transposedValues);
    packRows(k);
    for (int from = 0; from < rowsPadded; from += STRIP_ROWS) {
      int to = Math.min(from + STRIP_ROWS, rowsPadded);
      long p = scores + 4L * from * columnsPadded;
      long s = gradientScores + 4L * from * columnsPadded;
      exponentials(from, to, p);
      timesTransposed(dOut, transposedValues, from, to, s);
      softmaxBackward(from, to, p, s);
      timesRows(s, from, to);
    }
    unpad(v);
    // dV = P^T dOut: the inverse sums go to the narrow side
    for (int i = 0; i < count; i++) {
      long row = dOut + 4L * i * headWidth;
      math.scale(inverseSum(i), row, row, headWidth);
    }
    transposedTimes(scores, dOut, dOut);
    transposedTimes(gradientScores, q, k);
  }

  private void softmaxBackward(int from, int to, long p, long s) {
    long stride = 4L * columnsPadded;
    for (int i = from; i < to; i++, p += stride, s += stride) {
      float inverse = i < count ? inverseSum(i) : 0;
      float shift = inverse * math.dot(p, s, columnsPadded);
      math.softmaxBackward(p, s, shift, scale * inverse, columnsPadded);
    }
  }

  void storeOut(long column, long stride) {
    scatter(product, 4L * paddedWidth, column, stride);
  }

  void storeGradients(long column, long stride, long part) {
    scatter(v, 4L * headWidth, column, stride);
    scatter(k, 4L * headWidth, column + part, stride);
    scatter(dOut, 4L * headWidth, column + 2 * part, stride);
  }

  /** The rows of valid tokens; 0 in the others. */
  private void scatter(long from, long fromStride, long column, long stride) {
    zeroColumn(column, stride);
    for (int i = 0, n; i < count; i += n) {
      n = run(i);
      math.copyRows(
          from + i * fromStride, fromStride, column + row(i) * stride, stride, n, headWidth);
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
    math.copyRows(product, 4L * paddedWidth, to, 4L * headWidth, count, headWidth);
  }

  /** Panels of x^T: [headWidth, tokens] in panels of columns. */
  private void packTransposed(long x, long panels) {
    long panelBytes = 4L * panelWidth * headWidth;
    int whole = count / panelWidth;
    RawMemory.zero(
        panels + whole * panelBytes, (columnsPadded / panelWidth - whole) * panelBytes / 4);
    for (int t = 0; t < count; t++) {
      long from = x + 4L * t * headWidth;
      long to = panels + t / panelWidth * panelBytes + 4L * (t % panelWidth);
      for (int d = 0; d < headWidth; d++) {
        RawMemory.set(to + 4L * d * panelWidth, RawMemory.get(from + 4L * d));
      }
    }
  }

  /** Panels of x: [tokens, headWidth] in panels of columns. */
  private void packRows(long x) {
    for (int first = 0; first < paddedWidth; first += panelWidth) {
      long panel = panels + 4L * first * count;
      int columns = Math.min(panelWidth, headWidth - first);
      if (columns < panelWidth) {
        RawMemory.zero(panel, (long) count * panelWidth);
      }
      math.copyRows(x + 4L * first, 4L * headWidth, panel, 4L * panelWidth, count, columns);
    }
  }

  /** Rows [from, to) of x times the panels of {@link #packTransposed}, at {@code strip}. */
  private void timesTransposed(long x, long panels, int from, int to, long strip) {
    int count = columnsPadded / panelWidth;
    long width = 4L * headWidth;
    long stride = 4L * columnsPadded;
    for (int i = from; i < to; i += TILE_ROWS) {
      long c = strip + (i - from) * stride;
      math.tile(x + i * width, width, 4, panels, count, headWidth, c, stride);
    }
  }

  /**
   * Rows [from, to) of {@code product} [rowsPadded, paddedWidth] = the strip times the panels of
   * {@link #packRows}.
   */
  private void timesRows(long strip, int from, int to) {
    long stride = 4L * columnsPadded;
    for (int i = from; i < to; i += TILE_ROWS) {
      timesPanels(strip + (i - from) * stride, stride, 4, i);
    }
  }

  /** y [count, headWidth] = a^T x, a [rowsPadded, columnsPadded]; y may be x. */
  private void transposedTimes(long a, long x, long y) {
    packRows(x);
    for (int i = 0; i < rowsPadded; i += TILE_ROWS) {
      timesPanels(a + 4L * i, 4, 4L * columnsPadded, i);
    }
    unpad(y);
  }

  /** Six rows of {@code product} from the i-th on; strides in bytes. */
  private void timesPanels(long a, long rowStride, long columnStride, int i) {
    long stride = 4L * paddedWidth;
    int count = paddedWidth / panelWidth;
    math.tile(a, rowStride, columnStride, panels, count, this.count, product + i * stride, stride);
  }
}

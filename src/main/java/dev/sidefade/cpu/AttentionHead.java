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

  /**
   * Rows of the backward pass whose scores are kept at a time: those of a whole sample would fill a
   * second-level cache, and whether they find room there depends on where the system puts them.
   */
  private static final int KEPT_ROWS = 4 * STRIP_ROWS;

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
  private final long dKeys;
  private final long strip;
  private final long partial;
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
    this.q = memory.take((long) columns * headWidth);
    this.k = memory.take((long) columns * paddedWidth);
    this.v = memory.take((long) columns * paddedWidth);
    this.dOut = backward ? memory.take((long) columns * headWidth) : 0;
    long scoreRows = Math.min(rows, backward ? KEPT_ROWS : STRIP_ROWS);
    this.scores = memory.take(scoreRows * columns);
    this.gradientScores = backward ? memory.take(scoreRows * columns) : 0;
    this.transposedKeys = memory.take((long) columns * headWidth);
    this.transposedValues = backward ? memory.take((long) columns * headWidth) : 0;
    this.panels = memory.take((long) rows * paddedWidth);
    this.product = memory.take((long) rows * paddedWidth);
    this.dKeys = backward ? memory.take((long) rows * paddedWidth) : 0;
    this.strip = backward ? memory.take((long) KEPT_ROWS * panelWidth) : 0;
    this.partial = backward ? memory.take((long) rows * paddedWidth) : 0;
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
    RawMemory.zero(to + 4L * count * headWidth, (long) (columnsPadded - count) * headWidth);
  }

  /** product = softmax(q k^T scale) v. */
  void forward() {
    packTransposed(k, transposedKeys);
    long values = panels(v);
    for (int from = 0; from < rowsPadded; from += STRIP_ROWS) {
      int to = Math.min(from + STRIP_ROWS, rowsPadded);
      exponentials(from, to, scores);
      timesRows(scores, values, from, to);
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
    int rows = Math.max(0, Math.min(to, count) - from);
    math.exponentials(strip, rows, count, columnsPadded, scale, inverseSums + 4L * from);
    RawMemory.zero(strip + 4L * rows * columnsPadded, (long) (to - from - rows) * columnsPadded);
  }

  /** Leaves dQ in {@code product}, dK in {@code dKeys} and dV in {@code v}, dead by then. */
  void backward() {
    packTransposed(k, transposedKeys);
    packTransposed(v, transposedValues);
    long keys = panels(k);
    for (int from = 0; from < rowsPadded; from += KEPT_ROWS) {
      int to = Math.min(from + KEPT_ROWS, rowsPadded);
      for (int strip = from; strip < to; strip += STRIP_ROWS) {
        gradientScores(strip, Math.min(strip + STRIP_ROWS, to), strip - from, keys);
      }
      // dV = P^T dOut: the inverse sums go to the narrow side
      for (int i = from; i < Math.min(to, count); i++) {
        long row = dOut + 4L * i * headWidth;
        math.scale(inverseSum(i), row, row, headWidth);
      }
      addTransposed(scores, dOut, from, to, v);
      addTransposed(gradientScores, q, from, to, dKeys);
    }
  }

  /** Scores and their gradients of rows [from, to), kept from row {@code at} on, and dQ. */
  private void gradientScores(int from, int to, int at, long keys) {
    long p = scores + 4L * at * columnsPadded;
    long s = gradientScores + 4L * at * columnsPadded;
    exponentials(from, to, p);
    timesTransposed(dOut, transposedValues, from, to, s);
    softmaxBackward(from, to, p, s);
    timesRows(s, keys, from, to);
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
    scatter(product, column, stride);
  }

  void storeGradients(long column, long stride, long part) {
    scatter(product, column, stride);
    scatter(dKeys, column + part, stride);
    scatter(v, column + 2 * part, stride);
  }

  /** The rows of valid tokens, {@code paddedWidth} wide at {@code from}; 0 in the others. */
  private void scatter(long from, long column, long stride) {
    long fromStride = 4L * paddedWidth;
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

  /** Panels of x^T: [headWidth, tokens] in panels of columns. */
  private void packTransposed(long x, long panels) {
    long panelBytes = 4L * panelWidth * headWidth;
    for (int t = 0; t < columnsPadded; t += panelWidth) {
      math.transpose(x + 4L * t * headWidth, 4L * headWidth, panels, panelWidth, headWidth);
      panels += panelBytes;
    }
  }

  /** Panels of x: [tokens, headWidth] in panels of columns. A head that is one panel is its own. */
  private long panels(long x) {
    if (headWidth == panelWidth) {
      return x;
    }
    for (int first = 0; first < paddedWidth; first += panelWidth) {
      long panel = panels + 4L * first * count;
      int columns = Math.min(panelWidth, headWidth - first);
      if (columns < panelWidth) {
        RawMemory.zero(panel, (long) count * panelWidth);
      }
      math.copyRows(x + 4L * first, 4L * headWidth, panel, 4L * panelWidth, count, columns);
    }
    return panels;
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

  /** Rows [from, to) of {@code product} [rowsPadded, paddedWidth] = the strip times panels. */
  private void timesRows(long strip, long panels, int from, int to) {
    long stride = 4L * columnsPadded;
    for (int i = from; i < to; i += TILE_ROWS) {
      timesPanels(strip + (i - from) * stride, stride, 4, panels, product + 4L * i * paddedWidth);
    }
  }

  /**
   * y [rowsPadded, paddedWidth] += a^T x over rows [from, to) of x, which are kept as the first of
   * a; written where from is 0.
   */
  private void addTransposed(long a, long x, int from, int to, long y) {
    int rows = Math.min(to, count) - from;
    long stride = 4L * paddedWidth;
    long target = from == 0 ? y : partial;
    for (int first = 0; first < headWidth; first += panelWidth) {
      long panel = stripPanel(x, from, rows, first);
      for (int i = 0; i < rowsPadded; i += TILE_ROWS) {
        long c = target + i * stride + 4L * first;
        math.tile(a + 4L * i, 4, 4L * columnsPadded, panel, 1, rows, c, stride);
      }
    }
    if (from > 0) {
      math.add(partial, y, rowsPadded * paddedWidth);
    }
  }

  /** Columns from {@code first} on of rows of x, as a panel. */
  private long stripPanel(long x, int from, int rows, int first) {
    long at = x + 4L * ((long) from * headWidth + first);
    if (headWidth == panelWidth) {
      return at;
    }
    int columns = Math.min(panelWidth, headWidth - first);
    if (columns < panelWidth) {
      RawMemory.zero(strip, (long) rows * panelWidth);
    }
    math.copyRows(at, 4L * headWidth, strip, 4L * panelWidth, rows, columns);
    return strip;
  }

  /** Six rows at {@code to}, {@code paddedWidth} wide; strides in bytes. */
  private void timesPanels(long a, long rowStride, long columnStride, long panels, long to) {
    int width = paddedWidth / panelWidth;
    math.tile(a, rowStride, columnStride, panels, width, count, to, 4L * paddedWidth);
  }
}

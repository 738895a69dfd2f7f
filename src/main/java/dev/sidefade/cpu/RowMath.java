package dev.sidefade.cpu;

/**
 * Loops over one row of {@code n} floats at raw addresses: what the operations are made of. Two
 * providers compute the same within fp32 rounding. Outputs may be inputs where the loop is
 * element-wise; nothing else may overlap.
 */
interface RowMath {
  /** For people: "Vector API, 256 bit". */
  String describe();

  /** Copies {@code rows} rows of n elements; strides in bytes. */
  void copyRows(long from, long fromStride, long to, long toStride, int rows, int n);

  /** y [n, rows] = x^T, x [rows, n] with rows {@code rowStride} bytes apart. */
  void transpose(long x, long rowStride, long y, int rows, int n);

  /** y = value in the elements from {@code from} on of a row of n, which panels cover. */
  void fill(float value, long y, int from, int n);

  /** y += x. */
  void add(long x, long y, int n);

  /** y = a x. */
  void scale(float a, long x, long y, int n);

  /** y += a x. */
  void addScaled(float a, long x, long y, int n);

  /** y = z + c (u - z). */
  void mix(float c, long z, long u, long y, int n);

  /** Sum of x y. */
  float dot(long x, long y, int n);

  /** Sum of a ((x - shiftX) - (y - shiftY)): the shifts keep large values from cancelling. */
  float dotDifference(long a, long x, float shiftX, long y, float shiftY, int n);

  /** Sum of x^2. */
  float sumOfSquares(long x, int n);

  /** Largest element; n > 0. */
  float max(long x, int n);

  /** Sum of x - shift. */
  float sum(long x, float shift, int n);

  /** y = exp(scale (x - shift)) where no x is above shift, scale > 0; returns the sum of y. */
  float expScaled(long x, float shift, float scale, long y, int n);

  /**
   * s = exp(scale (s - the row's largest)) in {@code rows} rows of {@code padded} floats that lie
   * behind each other, of which the first {@code count} hold something: the others become 0. The
   * inverse of a row's sum goes to {@code inverseSums}.
   */
  default void exponentials(
      long s, int rows, int count, int padded, float scale, long inverseSums) {
    for (int r = 0; r < rows; r++) {
      long row = s + 4L * r * padded;
      // whole vectors only: what padding adds to the sum, 2^-126 each, is lost in rounding
      fill(Float.NEGATIVE_INFINITY, row, count, padded);
      float sum = expScaled(row, max(row, padded), scale, row, padded);
      RawMemory.set(inverseSums + 4L * r, 1 / sum);
      fill(0, row, count, padded);
    }
  }

  /** Mean of a row into {@code mean}, 1 / sqrt(biased variance + epsilon) into {@code rstd}. */
  void moments(long x, float epsilon, long mean, long rstd, int n);

  /**
   * {@link #moments} of {@code rows} rows of n that lie behind each other, and y = gamma (x - mean)
   * rstd + beta; mean and rstd [rows].
   */
  void layerNorm(
      long x, long gamma, long beta, float epsilon, long y, long mean, long rstd, int rows, int n);

  /**
   * One row of the layer norm's gradient by its parameters: dGamma += dy xh, dBeta += dy; with q =
   * dy gamma the sums of q and of q xh are written to {@code sums}.
   *
   * <p>The gradient by x is a method of its own, run over all rows afterwards: both loops together
   * are more than C2 compiles without boxing vectors.
   */
  void normalizeBackward(
      long x,
      float mean,
      float rstd,
      long gamma,
      long dy,
      long dGamma,
      long dBeta,
      long sums,
      int n);

  /** dx = rstd (q - mean(q) - xh mean(q xh)) from the sums of {@link #normalizeBackward}. */
  void writeInputGradient(
      long x, float mean, float rstd, long gamma, long dy, long sums, long dx, int n);

  /** As {@link #writeInputGradient}, added to dx. */
  void addInputGradient(
      long x, float mean, float rstd, long gamma, long dy, long sums, long dx, int n);

  /** y = x Phi(x). */
  void gelu(long x, long y, int n);

  /** y = Phi(x) + x phi(x); y is not x. */
  void geluDerivative(long x, long y, int n);

  /** y *= x. */
  void multiply(long x, long y, int n);

  /** y = max(x, 0). */
  void relu(long x, long y, int n);

  /** dx = y > 0 ? dy : 0. */
  void reluBackward(long y, long dy, long dx, int n);

  /** s = p (s - shift) scale: one row of the softmax's gradient, s holding the gradient by p. */
  void softmaxBackward(long p, long s, float shift, float scale, int n);

  /** f = scale (f - (h - mean) rstd); returns the sum of squares of the bracket. */
  float residual(long f, long h, float mean, float rstd, float scale, int n);

  /** AdamW on n elements; see {@link dev.sidefade.kernels.Kernels#adamw}. */
  void adamw(long p, long g, long m, long v, int n, AdamFactors factors);

  /**
   * Scalars of one AdamW update: bias corrections are folded into {@code stepSize} and {@code
   * rootScale}.
   */
  record AdamFactors(
      float beta1,
      float beta2,
      float gradientScale,
      float stepSize,
      float rootScale,
      float epsilon,
      float decay) {}

  /** Columns of a packed panel of {@link #tile}. */
  int panelWidth();

  /**
   * Six rows times panels that lie side by side: c[i][j] = sum over k of a[i][k] b[k][j], i below
   * 6, j below panels times {@link #panelWidth()}.
   *
   * @param a address of a[0][0]; rows are {@code rowStride} bytes apart, columns {@code
   *     columnStride}
   * @param panel the columns of b: {@code panels} times [k, panelWidth], contiguous
   * @param c address of c[0][0]; rows are {@code cStride} bytes apart
   */
  void tile(
      long a,
      long rowStride,
      long columnStride,
      long panel,
      int panels,
      int k,
      long c,
      long cStride);

  /** The Vector API where its module is readable, plain loops otherwise; ready to compute. */
  static RowMath best() {
    if (vectorModuleReadable()) {
      InlineDirectives.installed();
    }
    return chosen();
  }

  /** As {@link #best}, but to be described only: telling the compiler takes a fifth of a second. */
  static RowMath chosen() {
    return vectorModuleReadable() ? new VectorRows() : new PlainRows();
  }

  /** Whether the Vector API's incubator module was added to this virtual machine. */
  static boolean vectorModuleReadable() {
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
  }
}

package dev.sidefade.data;

import java.util.Arrays;

/**
 * Resizing by the triangle ("bilinear") or the cubic filter, whose support grows with the factor
 * when shrinking, so that nothing aliases. Same fixed-point arithmetic, rounding and order
 * (columns, then rows) as PIL's {@code BILINEAR} and {@code BICUBIC}, so that a model sees the
 * pixels it saw in Python.
 */
final class Resize {
  private static final int PRECISION = 22;

  private Resize() {}

  /** The image with the size and channels that spec wants. */
  static Pixels prepare(Pixels image, ImageSpec spec) {
    Pixels p = image.withChannels(spec.channels());
    Resizing how = spec.resizing();
    int w = spec.width();
    int h = spec.height();
    if (how.crop() == 1 && p.width() == w && p.height() == h) {
      return p;
    }
    int boxWidth = box(w, how.crop());
    int boxHeight = box(h, how.crop());
    long fullWidth = boxWidth;
    long fullHeight = boxHeight;
    if (how.keepsAspect()) {
      if ((long) boxHeight * p.width() >= (long) boxWidth * p.height()) {
        fullWidth = Math.max(boxWidth, (long) boxHeight * p.width() / p.height());
      } else {
        fullHeight = Math.max(boxHeight, (long) boxWidth * p.height() / p.width());
      }
    }
    // half to even, as torchvision's centre crop
    long left = (long) Math.rint((fullWidth - w) / 2.0);
    long top = (long) Math.rint((fullHeight - h) / 2.0);
    return resize(p, how.interpolation(), fullWidth, fullHeight, left, top, w, h);
  }

  /** The side of the box; a crop of 224.0 / 248 must give 248 again, whatever its last digit. */
  private static int box(int side, double crop) {
    return (int) Math.floor(side / crop * (1 + 1e-12));
  }

  /**
   * Columns left .. left+w and rows top .. top+h of the image resized to fullWidth x fullHeight.
   */
  static Pixels resize(
      Pixels p,
      Resizing.Interpolation filter,
      long fullWidth,
      long fullHeight,
      long left,
      long top,
      int w,
      int h) {
    Weights columns = Weights.of(filter, p.width(), fullWidth, left, w);
    Weights rows = Weights.of(filter, p.height(), fullHeight, top, h);
    int firstRow = rows.first[0];
    int lastRow = rows.end(h - 1);
    int c = p.channels();
    byte[] narrow = new byte[Math.multiplyExact(lastRow - firstRow, w * c)];
    for (int y = firstRow; y < lastRow; y++) {
      columns(p.data(), y * p.width() * c, columns, c, narrow, (y - firstRow) * w * c);
    }
    byte[] out = new byte[h * w * c];
    int[] sums = new int[w * c];
    for (int y = 0; y < h; y++) {
      row(narrow, (rows.first[y] - firstRow) * w * c, rows, y, sums, out);
    }
    return new Pixels(w, h, c, out);
  }

  private static void columns(
      byte[] in, int inRow, Weights weights, int channels, byte[] out, int to) {
    for (int x = 0; x < weights.first.length; x++) {
      int count = weights.count[x];
      for (int c = 0; c < channels; c++) {
        int from = inRow + weights.first[x] * channels + c;
        int sum = 1 << (PRECISION - 1);
        for (int k = 0; k < count; k++) {
          sum += (in[from + k * channels] & 0xFF) * weights.at(x, k);
        }
        out[to++] = clip(sum);
      }
    }
  }

  /**
   * Output row y from the rows of {@code in} that begin at {@code from}; sums has the length of a
   * row.
   */
  private static void row(byte[] in, int from, Weights weights, int y, int[] sums, byte[] out) {
    int n = sums.length;
    Arrays.fill(sums, 1 << (PRECISION - 1));
    for (int k = 0; k < weights.count[y]; k++) {
      int weight = weights.at(y, k);
      int row = from + k * n;
      for (int x = 0; x < n; x++) {
        sums[x] += (in[row + x] & 0xFF) * weight;
      }
    }
    for (int x = 0; x < n; x++) {
      out[y * n + x] = clip(sums[x]);
    }
  }

  private static byte clip(int sum) {
    return (byte) Math.max(0, Math.min(255, sum >> PRECISION));
  }

  /**
   * For a window of output positions: the first input position each depends on, how many, and their
   * weights, which sum to 2^PRECISION up to rounding.
   */
  private static final class Weights {
    private final int[] first;
    private final int[] count;
    private final int[] weights;
    private final int stride;

    private Weights(int n, int stride) {
      this.first = new int[n];
      this.count = new int[n];
      this.weights = new int[Math.multiplyExact(n, stride)];
      this.stride = stride;
    }

    int at(int position, int k) {
      return weights[position * stride + k];
    }

    int end(int position) {
      return first[position] + count[position];
    }

    static Weights of(Resizing.Interpolation filter, int in, long out, long start, int n) {
      double scale = (double) in / out;
      double stretch = Math.max(scale, 1);
      double support = reach(filter) * stretch;
      double inverse = 1 / stretch;
      Weights w = new Weights(n, (int) Math.ceil(support) * 2 + 1);
      double[] exact = new double[w.stride];
      for (int i = 0; i < n; i++) {
        double centre = (start + i + 0.5) * scale;
        int from = Math.max(0, (int) (centre - support + 0.5));
        int to = Math.min(in, (int) (centre + support + 0.5));
        double sum = 0;
        for (int k = 0; k < to - from; k++) {
          exact[k] = weight(filter, Math.abs((k + from - centre + 0.5) * inverse));
          sum += exact[k];
        }
        w.first[i] = from;
        w.count[i] = to - from;
        for (int k = 0; k < to - from; k++) {
          w.weights[i * w.stride + k] = fixed(exact[k] / sum);
        }
      }
      return w;
    }

    /** Half away from zero, as PIL: a cubic's outer weights are negative. */
    private static int fixed(double weight) {
      double scaled = weight * (1 << PRECISION);
      return (int) (scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }

    /** Distance beyond which a pixel does not count, without shrinking. */
    private static int reach(Resizing.Interpolation filter) {
      return switch (filter) {
        case BILINEAR -> 1;
        case BICUBIC -> 2;
      };
    }

    private static double weight(Resizing.Interpolation filter, double distance) {
      return switch (filter) {
        case BILINEAR -> distance < 1 ? 1 - distance : 0;
        case BICUBIC -> cubic(distance);
      };
    }

    private static double cubic(double x) {
      double a = -0.5;
      if (x < 1) {
        return ((a + 2) * x - (a + 3)) * x * x + 1;
      }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    }
  }
}

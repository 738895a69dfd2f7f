package dev.sidefade.report;

import dev.sidefade.report.svg.Numbers;

/** Measured numbers with their units, for people; a dash where nothing was measured. */
final class Units {
  static final String MISSING = "–";

  private static final String[] BYTES = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

  private Units() {}

  /** A share in [0, 1] as percent with one decimal. */
  static String percent(double share) {
    return Double.isFinite(share) ? Numbers.fixed(100 * share, 1) + " %" : MISSING;
  }

  /** A difference of shares in percentage points, with its sign. */
  static String points(double difference) {
    String number = Numbers.fixed(Math.abs(100 * difference), 1);
    return (number.equals("0.0") ? "±" : difference > 0 ? "+" : "−") + number;
  }

  static String milliseconds(double value) {
    return Double.isFinite(value) ? Numbers.significant(value, 3) + " ms" : MISSING;
  }

  /** Three significant digits and a binary unit. */
  static String bytes(long bytes) {
    int unit = unitOf(bytes);
    return Numbers.significant(inUnit(bytes, unit), unit == 0 ? 4 : 3) + " " + BYTES[unit];
  }

  /**
   * The unit in which {@code bytes} is a handy number, an index for {@link #unitName} and {@link
   * #inUnit}.
   */
  static int unitOf(long bytes) {
    int unit = 0;
    for (double rest = Math.abs((double) bytes);
        rest >= 1000 && unit + 1 < BYTES.length;
        rest /= 1024) {
      unit++;
    }
    return unit;
  }

  static String unitName(int unit) {
    return BYTES[unit];
  }

  static double inUnit(long bytes, int unit) {
    return bytes / Math.pow(1024, unit);
  }

  /** A count with commas between thousands. */
  static String count(long count) {
    StringBuilder text = new StringBuilder(Long.toString(count));
    int first = count < 0 ? 1 : 0;
    for (int i = text.length() - 3; i > first; i -= 3) {
      text.insert(i, ',');
    }
    return text.toString();
  }

  static String duration(double seconds) {
    if (!Double.isFinite(seconds)) {
      return MISSING;
    }
    if (seconds < 60) {
      return Numbers.significant(seconds, 3) + " s";
    }
    long whole = Math.round(seconds);
    if (whole < 3600) {
      return whole / 60 + " min " + whole % 60 + " s";
    }
    return whole / 3600 + " h " + whole % 3600 / 60 + " min";
  }
}

package dev.sidefade.bench.tables;

import java.util.Arrays;

/**
 * New time over old time.
 *
 * @param value quotient of the geometric means
 * @param low of the interval that holds it with 95 %
 * @param high likewise; both are NaN where a side was measured once
 */
record Ratio(double value, double low, double high) {
  /** Faster and slower only where the whole interval says so. */
  enum Verdict {
    FASTER("faster"),
    SLOWER("slower"),
    WITHIN_NOISE("within noise"),
    UNKNOWN("noise unknown");

    private final String words;

    Verdict(String words) {
      this.words = words;
    }

    @Override
    public String toString() {
      return words;
    }
  }

  /**
   * By Welch's interval over the logarithms: times are positive, and what disturbs them multiplies.
   * Measurements of one process are taken as independent, so the noise between processes shows only
   * where there are several.
   */
  static Ratio of(double[] before, double[] after) {
    double difference = mean(after) - mean(before);
    if (before.length < 2 || after.length < 2) {
      return new Ratio(Math.exp(difference), Double.NaN, Double.NaN);
    }
    double a = variance(before) / before.length;
    double b = variance(after) / after.length;
    if (a + b == 0) {
      return new Ratio(Math.exp(difference), Math.exp(difference), Math.exp(difference));
    }
    double degrees = (a + b) * (a + b) / (a * a / (before.length - 1) + b * b / (after.length - 1));
    double half = Student.quantile95(degrees) * Math.sqrt(a + b);
    return new Ratio(
        Math.exp(difference), Math.exp(difference - half), Math.exp(difference + half));
  }

  /**
   * From quotients of times that were measured side by side, one for each pass: the geometric mean,
   * with Student's interval over the logarithms.
   */
  static Ratio ofQuotients(double[] quotients) {
    double mean = mean(quotients);
    if (quotients.length < 2) {
      return new Ratio(Math.exp(mean), Double.NaN, Double.NaN);
    }
    double half =
        Student.quantile95(quotients.length - 1.0)
            * Math.sqrt(variance(quotients) / quotients.length);
    return new Ratio(Math.exp(mean), Math.exp(mean - half), Math.exp(mean + half));
  }

  Verdict verdict() {
    if (Double.isNaN(low)) {
      return Verdict.UNKNOWN;
    }
    return high < 1 ? Verdict.FASTER : low > 1 ? Verdict.SLOWER : Verdict.WITHIN_NOISE;
  }

  /** Whether it is slower by more than so many per cent, and not by noise. */
  boolean worseThan(double percent) {
    return verdict() == Verdict.SLOWER && value > 1 + percent / 100;
  }

  private static double mean(double[] values) {
    return Arrays.stream(values).map(Math::log).average().orElseThrow();
  }

  private static double variance(double[] values) {
    double mean = mean(values);
    return Arrays.stream(values).map(v -> (Math.log(v) - mean) * (Math.log(v) - mean)).sum()
        / (values.length - 1);
  }
}

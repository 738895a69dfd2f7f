package dev.sidefade.report;

import java.util.Arrays;
import java.util.stream.DoubleStream;

/**
 * Mean and spread of a few measurements.
 *
 * @param count how many there are
 * @param mean NaN without any
 * @param deviation standard deviation of the sample (divided by count - 1); NaN below two
 */
public record Statistic(int count, double mean, double deviation) {
  /**
   * Over all values that are finite.
   *
   * @param values the values
   * @return mean and spread
   */
  public static Statistic of(DoubleStream values) {
    double[] finite = values.filter(Double::isFinite).toArray();
    int count = finite.length;
    double mean = Arrays.stream(finite).average().orElse(Double.NaN);
    double squares = Arrays.stream(finite).map(v -> (v - mean) * (v - mean)).sum();
    return new Statistic(count, mean, count < 2 ? Double.NaN : Math.sqrt(squares / (count - 1)));
  }

  /** {@return whether anything was measured} */
  public boolean isKnown() {
    return count > 0;
  }
}

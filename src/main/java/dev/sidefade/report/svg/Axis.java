package dev.sidefade.report.svg;

import java.util.ArrayList;
import java.util.List;

/**
 * A stretch of numbers with round ticks in it.
 *
 * @param low the number at position 0
 * @param high the number at position 1, always above {@code low}
 * @param logarithmic whether positions follow the logarithm; then {@code low} is positive
 * @param ticks rising, inside [low, high]
 * @param digits significant digits that tell neighbouring ticks apart
 */
record Axis(double low, double high, boolean logarithmic, List<Double> ticks, int digits) {
  private static final double LARGEST = 1e300;
  private static final double SMALLEST_POSITIVE = 1e-300;
  private static final int MOST_LOGARITHMIC_TICKS = 7;

  /**
   * From a round number at or below {@code low} to one at or above {@code high}, about {@code
   * wanted} steps.
   */
  static Axis rounded(double low, double high, int wanted) {
    double[] range = widened(low, high, 0);
    double step = step((range[1] - range[0]) / wanted);
    double first = Math.floor(range[0] / step + 1e-9) * step;
    double last = Math.ceil(range[1] / step - 1e-9) * step;
    return withSteps(Math.min(first, range[0]), Math.max(last, range[1]), step);
  }

  /** From {@code low} to {@code high} exactly, ticks at whole numbers: epochs. */
  static Axis whole(double low, double high, int wanted) {
    double[] range = widened(low, high, 1);
    double step = Math.max(1, step((range[1] - range[0]) / wanted));
    return withSteps(range[0], range[1], step);
  }

  /** Round ticks 1, 2, 5 of each power of ten; both ends must be positive. */
  static Axis logarithmic(double low, double high) {
    double from = Math.clamp(low, SMALLEST_POSITIVE, LARGEST);
    double to = Math.clamp(high, from, LARGEST);
    List<Double> all = new ArrayList<>();
    int lowest = (int) Math.floor(Math.log10(from)) - 1;
    int highest = (int) Math.ceil(Math.log10(to)) + 1;
    for (int exponent = lowest; exponent <= highest; exponent++) {
      for (int factor : new int[] {1, 2, 5}) {
        all.add(Double.parseDouble(factor + "e" + exponent));
      }
    }
    double first = all.stream().filter(v -> v <= from).reduce((a, b) -> b).orElse(from);
    double last = all.stream().filter(v -> v >= to && v > first).findFirst().orElse(to * 10);
    List<Double> inside = all.stream().filter(v -> v >= first && v <= last).toList();
    return new Axis(first, last, true, thinned(inside), 1);
  }

  private static List<Double> thinned(List<Double> ticks) {
    if (ticks.size() <= MOST_LOGARITHMIC_TICKS) {
      return ticks;
    }
    List<Double> tens =
        ticks.stream()
            .filter(v -> Math.abs(Math.rint(Math.log10(v)) - Math.log10(v)) < 1e-9)
            .toList();
    int every = Math.ceilDiv(tens.size(), MOST_LOGARITHMIC_TICKS);
    List<Double> kept = new ArrayList<>();
    for (int i = 0; i < tens.size(); i += every) {
      kept.add(tens.get(i));
    }
    return List.copyOf(kept);
  }

  /** A range that has a width which doubles can divide: equal or missing ends are drawn apart. */
  private static double[] widened(double low, double high, double least) {
    if (!Double.isFinite(low) || !Double.isFinite(high)) {
      return new double[] {0, 1};
    }
    double from = Math.clamp(Math.min(low, high), -LARGEST, LARGEST);
    double to = Math.clamp(Math.max(low, high), -LARGEST, LARGEST);
    double magnitude = Math.max(Math.abs(from), Math.abs(to));
    double needed = Math.max(least, magnitude * 1e-9);
    if (to - from > needed || (to - from == needed && needed > 0)) {
      return new double[] {from, to};
    }
    double extra = Math.max(least / 2, magnitude == 0 ? 0.5 : magnitude * 0.1);
    return new double[] {from - extra, to + extra};
  }

  /** The smallest of 1, 2, 5 times a power of ten that is at least {@code rough}. */
  private static double step(double rough) {
    int exponent = (int) Math.floor(Math.log10(Math.max(rough, SMALLEST_POSITIVE)));
    for (int factor : new int[] {1, 2, 5}) {
      double candidate = Double.parseDouble(factor + "e" + exponent);
      if (candidate >= rough * (1 - 1e-12)) {
        return candidate;
      }
    }
    return Double.parseDouble("1e" + (exponent + 1));
  }

  private static Axis withSteps(double low, double high, double step) {
    List<Double> ticks = new ArrayList<>();
    double slack = step * 1e-9;
    double first = Math.ceil((low - slack) / step);
    for (int i = 0; (first + i) * step <= high + slack; i++) {
      ticks.add((first + i) * step + 0.0);
    }
    double magnitude = Math.max(Math.abs(low), Math.abs(high));
    int digits = Math.clamp(exponent(magnitude) - exponent(step) + 1L, 1, 15);
    return new Axis(low, high, false, List.copyOf(ticks), digits);
  }

  private static int exponent(double positive) {
    return (int) Math.floor(Math.log10(positive) + 1e-9);
  }

  /** Where {@code value} lies: 0 at {@code low}, 1 at {@code high}. */
  double position(double value) {
    if (logarithmic) {
      double from = Math.log10(low);
      return (Math.log10(Math.max(value, SMALLEST_POSITIVE)) - from) / (Math.log10(high) - from);
    }
    return (value - low) / (high - low);
  }

  String label(double tick) {
    return Numbers.significant(tick, digits);
  }
}

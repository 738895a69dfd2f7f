package dev.sidefade.report;

import dev.sidefade.report.svg.Numbers;

/**
 * How values of a measure are written for people: shares as percent and their differences in
 * points, everything else as plain numbers.
 *
 * @param measure a constant of {@link RunReport}, or any other name
 */
record Score(String measure) {
  /** Smaller differences are called none. */
  static final double NOTICEABLE = 0.0005;

  /** The measure by which a report compares models. */
  static Score of(RunReport report) {
    return new Score(report.scoreName());
  }

  private boolean isShare() {
    return measure.equals(RunReport.ACCURACY) || measure.equals(RunReport.F1);
  }

  /** Inside a sentence. */
  String name() {
    return switch (measure) {
      case RunReport.F1 -> "F1";
      case RunReport.SPEARMAN -> "Spearman correlation";
      case RunReport.PEARSON -> "Pearson correlation";
      case RunReport.MSE -> "mean squared error";
      default -> measure.replace('_', ' ');
    };
  }

  /** At the start of a line. */
  String label() {
    String name = name();
    return name.isEmpty() ? name : Character.toUpperCase(name.charAt(0)) + name.substring(1);
  }

  /** What the number is. */
  String explanation() {
    return switch (measure) {
      case RunReport.ACCURACY -> "share of right answers";
      case RunReport.F1 -> "F1 score";
      case RunReport.SPEARMAN -> "rank correlation (Spearman) with the true numbers";
      default -> name();
    };
  }

  /** What a value is multiplied by for charts. */
  double factor() {
    return isShare() ? 100 : 1;
  }

  /** Name and unit for an axis. */
  String axis() {
    return isShare() ? name() + ", %" : name();
  }

  /** A value; a dash where it is not finite. */
  String shown(double value) {
    if (!Double.isFinite(value)) {
      return Units.MISSING;
    }
    if (isShare()) {
      return Units.percent(value);
    }
    return measure.equals(RunReport.MSE)
        ? Numbers.significant(value, 3)
        : Numbers.fixed(value, 3).replace('-', '−');
  }

  /** The size of a difference. */
  String difference(double difference) {
    return isShare()
        ? Numbers.fixed(Math.abs(100 * difference), 1) + " points"
        : Numbers.fixed(Math.abs(difference), 3);
  }

  /** A difference with its sign. */
  String signed(double difference) {
    if (isShare()) {
      return Units.points(difference) + " points";
    }
    String number = difference(difference);
    return (number.equals("0.000") ? "±" : difference > 0 ? "+" : "−") + number;
  }

  /** Such as "1.2 points better than". */
  String compared(double difference) {
    if (Math.abs(difference) < NOTICEABLE) {
      return "level with";
    }
    return difference(difference) + (difference > 0 ? " better than" : " worse than");
  }
}

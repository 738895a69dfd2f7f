package dev.sidefade.bench.tables;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Numbers and rows as tables show them. */
final class Text {
  static final double MEBIBYTE = 1024 * 1024;

  private Text() {}

  static String fixed(double value, int decimals) {
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }

  /** Three significant digits, and no fewer before the point than there are. */
  static String three(double value) {
    return fixed(value, value >= 100 ? 0 : value >= 10 ? 1 : 2);
  }

  /** The value below which a share of sorted values lies. */
  static double quantile(double[] sorted, double share) {
    double at = share * (sorted.length - 1);
    int low = (int) at;
    int high = Math.min(low + 1, sorted.length - 1);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  }

  static String row(List<String> cells) {
    return cells.stream().collect(Collectors.joining(" | ", "| ", " |"));
  }

  static String row(String... cells) {
    return row(List.of(cells));
  }

  /** The line below the headings: {@code left} columns of text, then columns of numbers. */
  static String rule(int left, int right) {
    return "|" + " --- |".repeat(left) + " ---: |".repeat(right);
  }
}

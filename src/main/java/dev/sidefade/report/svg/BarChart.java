package dev.sidefade.report.svg;

import java.util.List;

/**
 * Horizontal bars from a common zero, each with its value in words and, where known, a whisker from
 * low to high.
 *
 * @param title what is shown, for screen readers and as a tooltip
 * @param axisLabel name and unit of the values
 */
public record BarChart(String title, String axisLabel, List<Bar> bars) {
  private static final double WIDTH = ChartText.WIDTH;
  private static final double ROW = 30;
  private static final double THICKNESS = 18;
  private static final double BOTTOM = 42;
  private static final double TOP = 6;
  private static final int MOST_LABEL_CHARACTERS = 22;

  public BarChart {
    bars = List.copyOf(bars);
  }

  /**
   * One bar; a {@code value} that is not finite is shown as its text alone.
   *
   * @param low lower end of the whisker, NaN for none
   * @param high upper end of the whisker, NaN for none
   * @param text the value as it is written beside the bar
   * @param color index into {@link Palette}
   */
  public record Bar(String label, double value, double low, double high, String text, int color) {
    /** A bar without a whisker. */
    public static Bar of(String label, double value, String text, int color) {
      return new Bar(label, value, Double.NaN, Double.NaN, text, color);
    }

    private boolean hasWhisker() {
      return Double.isFinite(value) && Double.isFinite(low) && Double.isFinite(high);
    }

    private double least() {
      double bar = Double.isFinite(value) ? Math.min(0, value) : 0;
      return hasWhisker() ? Math.min(bar, low) : bar;
    }

    private double most() {
      double bar = Double.isFinite(value) ? Math.max(0, value) : 0;
      return hasWhisker() ? Math.max(bar, high) : bar;
    }
  }

  /** The chart as one svg element; its height follows the number of bars. */
  public String toSvg() {
    double height = TOP + ROW * Math.max(1, bars.size()) + BOTTOM;
    Markup svg = ChartText.begin(title, description(), height);
    if (bars.isEmpty()) {
      ChartText.nothing(svg, height);
      return svg.close().toString();
    }
    double least = bars.stream().mapToDouble(Bar::least).min().getAsDouble();
    double most = bars.stream().mapToDouble(Bar::most).max().getAsDouble();
    Axis axis = least == most ? Axis.rounded(0, 1, 4) : Axis.rounded(least, most, 4);
    double left = 12 + widest(bars.stream().map(BarChart::shownLabel).toList());
    double right = WIDTH - 10 - widest(bars.stream().map(Bar::text).toList());
    Plot plot = new Plot(axis, left, Math.max(right, left + 60));
    drawAxis(svg, plot, height);
    for (int i = 0; i < bars.size(); i++) {
      drawBar(svg, plot, bars.get(i), TOP + ROW * i + ROW / 2);
    }
    return svg.close().toString();
  }

  private record Plot(Axis axis, double left, double right) {
    double at(double value) {
      return left + axis.position(value) * (right - left);
    }
  }

  private static String shownLabel(Bar bar) {
    return ChartText.shortened(bar.label, MOST_LABEL_CHARACTERS);
  }

  private static double widest(List<String> texts) {
    return texts.stream().mapToDouble(ChartText::width).max().orElse(0);
  }

  private String description() {
    StringBuilder text = new StringBuilder(axisLabel + ".");
    for (Bar bar : bars) {
      text.append(' ').append(bar.label).append(": ").append(bar.text).append('.');
    }
    return text.toString();
  }

  private void drawAxis(Markup svg, Plot plot, double height) {
    double bottom = height - BOTTOM;
    for (double tick : plot.axis.ticks()) {
      double x = plot.at(tick);
      String color = tick == 0 ? Palette.MUTED : Palette.GRID;
      svg.leaf("line", "x1", x, "y1", TOP, "x2", x, "y2", bottom, "style", "stroke:" + color);
      ChartText.label(svg, plot.axis.label(tick), x, bottom + 16, "middle");
    }
    ChartText.label(svg, axisLabel, (plot.left + plot.right) / 2, height - 7, "middle");
  }

  private static void drawBar(Markup svg, Plot plot, Bar bar, double middle) {
    svg.open("g").element("title", bar.label + ": " + bar.text);
    svg.element(
        "text",
        shownLabel(bar),
        "x",
        plot.left - 8,
        "y",
        middle + 4,
        "text-anchor",
        "end",
        "style",
        "fill:" + Palette.INK);
    double end = plot.at(bar.most());
    if (Double.isFinite(bar.value)) {
      double from = plot.at(Math.min(0, bar.value));
      // A hair of colour stays visible where the value is tiny beside the others.
      double length = Math.max(1.5, plot.at(Math.max(0, bar.value)) - from);
      svg.leaf(
          "rect",
          "x",
          from,
          "y",
          middle - THICKNESS / 2,
          "width",
          length,
          "height",
          THICKNESS,
          "rx",
          2,
          "style",
          "fill:" + Palette.color(bar.color));
      end = Math.max(end, from + length);
    }
    if (bar.hasWhisker()) {
      drawWhisker(svg, plot.at(bar.low), plot.at(bar.high), middle);
    }
    svg.element("text", bar.text, "x", end + 7, "y", middle + 4, "style", "fill:" + Palette.INK);
    svg.close();
  }

  private static void drawWhisker(Markup svg, double from, double to, double middle) {
    String d =
        "M%1$s %3$sV%4$sM%1$s %5$sH%2$sM%2$s %3$sV%4$s"
            .formatted(
                Numbers.coordinate(from),
                Numbers.coordinate(to),
                Numbers.coordinate(middle - 4),
                Numbers.coordinate(middle + 4),
                Numbers.coordinate(middle));
    String line = "fill:none;stroke-linecap:round;";
    svg.leaf("path", "d", d, "style", line + "stroke-width:3.5;stroke:" + Palette.SURFACE);
    svg.leaf("path", "d", d, "style", line + "stroke-width:1.5;stroke:" + Palette.INK);
  }
}

package dev.sidefade.report.svg;

import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * Lines over a common axis of whole numbers (epochs).
 *
 * @param title what is shown, for screen readers and as a tooltip
 * @param yLabel name and unit of the values
 * @param logarithmic whether values follow their logarithm; those that are not positive are then
 *     missing
 */
public record LineChart(
    String title, String xLabel, String yLabel, boolean logarithmic, List<Series> series) {
  private static final double HEIGHT = 270;
  private static final double LEGEND_ROW = 18;
  private static final double RIGHT = 14;
  private static final double BOTTOM = 42;
  private static final int MOST_MARKED_POINTS = 60;
  private static final int MOST_LEGEND_CHARACTERS = 28;

  public LineChart {
    series = List.copyOf(series);
  }

  /**
   * One line. Points whose number is not finite are missing: the line breaks there.
   *
   * @param x positions, rising
   * @param y values, as many as positions
   * @param color index into {@link Palette}
   */
  public record Series(String name, double[] x, double[] y, int color) {
    public Series {
      if (x.length != y.length) {
        throw new IllegalArgumentException(
            "series " + name + " has " + x.length + " positions for " + y.length + " values");
      }
      x = x.clone();
      y = y.clone();
    }

    @Override
    public double[] x() {
      return x.clone();
    }

    @Override
    public double[] y() {
      return y.clone();
    }
  }

  /** The chart as one svg element. */
  public String toSvg() {
    Markup svg = ChartText.begin(title, description(), HEIGHT);
    double[] values = drawable();
    if (values.length == 0) {
      ChartText.nothing(svg, HEIGHT);
      return svg.close().toString();
    }
    double top = drawLegend(svg);
    double low = Arrays.stream(values).min().getAsDouble();
    double high = Arrays.stream(values).max().getAsDouble();
    Axis y = logarithmic ? Axis.logarithmic(low, high) : Axis.rounded(low, high, 5);
    Plot plot = new Plot(horizontal(), y, left(y), top, WIDTH - RIGHT, HEIGHT - BOTTOM);
    drawAxes(svg, plot);
    for (Series line : series) {
      drawSeries(svg, plot, line);
    }
    return svg.close().toString();
  }

  private static final double WIDTH = ChartText.WIDTH;

  /** The rectangle that is drawn in and the two axes that map onto it. */
  private record Plot(Axis x, Axis y, double left, double top, double right, double bottom) {
    double atX(double value) {
      return left + x.position(value) * (right - left);
    }

    double atY(double value) {
      return bottom - y.position(value) * (bottom - top);
    }
  }

  private boolean isDrawn(double x, double y) {
    return Double.isFinite(x) && Double.isFinite(y) && (!logarithmic || y > 0);
  }

  private double[] drawable() {
    DoubleStream.Builder values = DoubleStream.builder();
    for (Series line : series) {
      for (int i = 0; i < line.y.length; i++) {
        if (isDrawn(line.x[i], line.y[i])) {
          values.add(line.y[i]);
        }
      }
    }
    return values.build().toArray();
  }

  private Axis horizontal() {
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (Series line : series) {
      for (int i = 0; i < line.x.length; i++) {
        if (isDrawn(line.x[i], line.y[i])) {
          low = Math.min(low, line.x[i]);
          high = Math.max(high, line.x[i]);
        }
      }
    }
    return Axis.whole(low, high, 8);
  }

  private static double left(Axis y) {
    double widest =
        y.ticks().stream().mapToDouble(t -> ChartText.width(y.label(t))).max().orElse(0);
    return widest + 32;
  }

  private String description() {
    StringBuilder text = new StringBuilder(yLabel + " over " + xLabel + ".");
    for (Series line : series) {
      double[] finite = Arrays.stream(line.y).filter(Double::isFinite).toArray();
      if (finite.length > 0) {
        text.append(' ').append(line.name).append(": first ");
        text.append(Numbers.significant(finite[0], 4)).append(", last ");
        text.append(Numbers.significant(finite[finite.length - 1], 4)).append('.');
      }
    }
    return text.toString();
  }

  /** Draws the names, in as many rows as they need, and returns where the plot may begin. */
  private double drawLegend(Markup svg) {
    double x = 4;
    double y = 14;
    for (Series line : series) {
      String name = ChartText.shortened(line.name, MOST_LEGEND_CHARACTERS);
      double width = 30 + ChartText.width(name) + 14;
      if (x > 4 && x + width > WIDTH) {
        x = 4;
        y += LEGEND_ROW;
      }
      svg.leaf("path", "d", path(x, y - 4, x + 22, y - 4), "style", stroke(line));
      svg.element("text", name, "x", x + 28, "y", y, "style", "fill:" + Palette.INK);
      x += width;
    }
    return Math.min(y + 20, HEIGHT - BOTTOM - 80);
  }

  private void drawAxes(Markup svg, Plot plot) {
    svg.open("g", "style", "stroke:" + Palette.GRID + ";stroke-width:1");
    for (double tick : plot.y.ticks()) {
      double y = plot.atY(tick);
      svg.leaf("line", "x1", plot.left, "y1", y, "x2", plot.right, "y2", y);
    }
    svg.close();
    for (double tick : plot.y.ticks()) {
      ChartText.label(svg, plot.y.label(tick), plot.left - 7, plot.atY(tick) + 4, "end");
    }
    for (double tick : plot.x.ticks()) {
      ChartText.label(svg, plot.x.label(tick), plot.atX(tick), plot.bottom + 17, "middle");
    }
    ChartText.label(svg, xLabel, (plot.left + plot.right) / 2, HEIGHT - 7, "middle");
    double middle = (plot.top + plot.bottom) / 2;
    ChartText.turned(svg, yLabel, 12, middle, "middle", ChartText.SIZE);
  }

  private void drawSeries(Markup svg, Plot plot, Series line) {
    StringBuilder path = new StringBuilder();
    boolean connected = false;
    for (int i = 0; i < line.y.length; i++) {
      boolean drawn = isDrawn(line.x[i], line.y[i]);
      if (drawn) {
        path.append(connected ? 'L' : 'M').append(Numbers.coordinate(plot.atX(line.x[i])));
        path.append(' ').append(Numbers.coordinate(plot.atY(line.y[i])));
      }
      connected = drawn;
    }
    if (!path.isEmpty()) {
      svg.leaf("path", "d", path, "style", stroke(line));
    }
    for (int i = 0; i < line.y.length; i++) {
      if (isDrawn(line.x[i], line.y[i])
          && (line.y.length <= MOST_MARKED_POINTS || isAlone(line, i))) {
        drawPoint(svg, plot, line, i);
      }
    }
  }

  /** A point without a drawn neighbour would be invisible as a line. */
  private boolean isAlone(Series line, int i) {
    boolean before = i > 0 && isDrawn(line.x[i - 1], line.y[i - 1]);
    boolean after = i + 1 < line.y.length && isDrawn(line.x[i + 1], line.y[i + 1]);
    return !before && !after;
  }

  private void drawPoint(Markup svg, Plot plot, Series line, int i) {
    double radius = isAlone(line, i) ? 3.5 : 2.2;
    String text = line.name + ", " + xLabel + " " + Numbers.significant(line.x[i], 6) + ": ";
    svg.open(
        "circle",
        "cx",
        plot.atX(line.x[i]),
        "cy",
        plot.atY(line.y[i]),
        "r",
        radius,
        "style",
        "fill:" + Palette.color(line.color));
    svg.element("title", text + Numbers.significant(line.y[i], 4)).close();
  }

  private static String path(double fromX, double fromY, double toX, double toY) {
    return "M%s %sL%s %s"
        .formatted(
            Numbers.coordinate(fromX),
            Numbers.coordinate(fromY),
            Numbers.coordinate(toX),
            Numbers.coordinate(toY));
  }

  /** Dashes follow the place in the chart, so that a single line is a solid one. */
  private String stroke(Series line) {
    return "fill:none;stroke-width:2;stroke-linejoin:round;stroke:"
        + Palette.color(line.color)
        + ";stroke-dasharray:"
        + Palette.dash(series.indexOf(line));
  }
}

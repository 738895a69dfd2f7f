package dev.sidefade.bench.tables;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Plain plots that can be read on light and on dark pages. */
final class Svg {
  private static final int WIDTH = 760;
  private static final int LEFT = 190;
  private static final int RIGHT = 70;
  private static final int COLOURS = 4;

  private static final String STYLE =
      """
        <style>
          text { fill: #1f2328; } .soft { fill: #57606a; } .grid { stroke: #d0d7de; }
          .paper { fill: #ffffff; stroke: #d0d7de; }
          .c0 { fill: #1a7f37; } .c1 { fill: #8250df; } .c2 { fill: #bc4c00; } .c3 { fill: #0969da; }
          .l0 { stroke: #1a7f37; } .l1 { stroke: #8250df; } .l2 { stroke: #bc4c00; } .l3 { stroke: #0969da; }
          @media (prefers-color-scheme: dark) {
            text { fill: #f0f6fc; } .soft { fill: #9da7b3; } .grid { stroke: #3d444d; }
            .paper { fill: #0d1117; stroke: #3d444d; }
            .c0 { fill: #3fb950; } .c1 { fill: #bc8cff; } .c2 { fill: #f0883e; } .c3 { fill: #58a6ff; }
            .l0 { stroke: #3fb950; } .l1 { stroke: #bc8cff; } .l2 { stroke: #f0883e; } .l3 { stroke: #58a6ff; }
          }
        </style>
      """;

  private final List<String> lines = new ArrayList<>();

  private Svg(String title, int height) {
    lines.add(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\""
                .formatted(WIDTH, height, escape(title))
            + " font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\">");
    lines.addAll(STYLE.lines().toList());
    lines.add(
        "  <rect class=\"paper\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"8\"/>"
            .formatted(WIDTH - 1, height - 1));
    text("text", 16, 26, "start", title);
  }

  /**
   * Horizontal bars from 0.
   *
   * @param groups rows: a label, and a value per series; NaN where there is none
   */
  static List<String> bars(
      String title, String unit, List<String> series, Map<String, double[]> groups) {
    int bar = 16;
    int group = bar * series.size() + 12;
    Svg svg = new Svg(title, 64 + group * groups.size() + 12);
    svg.legend(series);
    double most =
        groups.values().stream()
            .flatMapToDouble(java.util.Arrays::stream)
            .filter(value -> !Double.isNaN(value))
            .max()
            .orElse(1);
    int y = 64;
    for (Map.Entry<String, double[]> entry : groups.entrySet()) {
      svg.text("text", LEFT - 10, y + (group - 12) / 2 + 5, "end", entry.getKey());
      double[] values = entry.getValue();
      for (int i = 0; i < values.length; i++) {
        if (!Double.isNaN(values[i])) {
          double length = values[i] / most * (WIDTH - LEFT - RIGHT);
          svg.lines.add(
              "  <rect class=\"c%d\" x=\"%d\" y=\"%d\" width=\"%s\" height=\"%d\"/>"
                  .formatted(
                      i % COLOURS, LEFT, y + i * bar, Text.fixed(Math.max(1, length), 1), bar - 2));
          svg.text(
              "soft",
              LEFT + length + 6,
              y + i * bar + bar - 4,
              "start",
              Text.three(values[i]) + unit);
        }
      }
      y += group;
    }
    return svg.end();
  }

  /**
   * Lines over an axis of numbers, from 0.
   *
   * @param series by name, values by x
   */
  static List<String> plot(
      String title, String xTitle, String yTitle, Map<String, Map<Integer, Double>> series) {
    int height = 360;
    int top = 84;
    int bottom = height - 44;
    int left = 56;
    Svg svg = new Svg(title, height);
    svg.legend(List.copyOf(series.keySet()));
    TreeSet<Integer> xs = new TreeSet<>();
    double most = 0;
    for (Map<Integer, Double> one : series.values()) {
      xs.addAll(one.keySet());
      most = Math.max(most, one.values().stream().mapToDouble(v -> v).max().orElse(0));
    }
    double step = tick(most / 4);
    double ceiling = Math.ceil(most / step) * step;
    for (double y = 0; y <= ceiling + step / 2; y += step) {
      double at = bottom - y / ceiling * (bottom - top);
      svg.line("grid", left, at, WIDTH - 24, at);
      svg.text("soft", left - 8, at + 4, "end", Text.fixed(y, step < 1 ? 1 : 0));
    }
    double span = WIDTH - 24 - left - 40;
    int last = xs.last();
    for (int x : xs) {
      svg.text("soft", left + 20 + span * x / last, bottom + 18, "middle", Integer.toString(x));
    }
    svg.text("soft", WIDTH - 24, height - 10, "end", xTitle);
    svg.text("soft", 16, top - 10, "start", yTitle);
    int colour = 0;
    for (Map<Integer, Double> one : series.values()) {
      StringBuilder path = new StringBuilder();
      for (int x : new TreeSet<>(one.keySet())) {
        String px = Text.fixed(left + 20 + span * x / last, 1);
        String py = Text.fixed(bottom - one.get(x) / ceiling * (bottom - top), 1);
        path.append(path.isEmpty() ? "M" : "L").append(px).append(' ').append(py);
        svg.lines.add(
            "  <circle class=\"c%d\" cx=\"%s\" cy=\"%s\" r=\"3.5\"/>"
                .formatted(colour % COLOURS, px, py));
      }
      svg.lines.add(
          "  <path class=\"l%d\" d=\"%s\" fill=\"none\" stroke-width=\"2\"%s/>"
              .formatted(
                  colour % COLOURS, path, colour < COLOURS ? "" : " stroke-dasharray=\"6 4\""));
      colour++;
    }
    return svg.end();
  }

  /** The largest of 1, 2, 5 times a power of ten that is not above. */
  private static double tick(double value) {
    double power = Math.pow(10, Math.floor(Math.log10(value)));
    double digit = value / power;
    return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
  }

  private void legend(List<String> series) {
    int x = 16;
    int y = 48;
    for (int i = 0; i < series.size(); i++) {
      int wide = 26 + 8 * series.get(i).length();
      if (x > 16 && x + wide > WIDTH - 16) {
        x = 16;
        y += 18;
      }
      lines.add(
          "  <rect class=\"c%d\" x=\"%d\" y=\"%d\" width=\"11\" height=\"11\"/>"
              .formatted(i % COLOURS, x, y - 10));
      text("text", x + 16, y, "start", series.get(i));
      x += wide;
    }
  }

  private void text(String style, double x, double y, String anchor, String words) {
    lines.add(
        "  <text%s x=\"%s\" y=\"%s\" text-anchor=\"%s\">%s</text>"
            .formatted(
                style.equals("text") ? "" : " class=\"" + style + "\"",
                Text.fixed(x, 1),
                Text.fixed(y, 1),
                anchor,
                escape(words)));
  }

  private void line(String style, double x1, double y1, double x2, double y2) {
    lines.add(
        "  <line class=\"%s\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\"/>"
            .formatted(
                style, Text.fixed(x1, 1), Text.fixed(y1, 1), Text.fixed(x2, 1), Text.fixed(y2, 1)));
  }

  private List<String> end() {
    lines.add("</svg>");
    return lines;
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
  }
}

package dev.sidefade.report.svg;

/**
 * The room that text takes, estimated without a font, and the frame that every chart starts with.
 */
final class ChartText {
  /** Font size in user units; charts are {@link #WIDTH} wide, so this is readable on a phone. */
  static final double SIZE = 12;

  static final double WIDTH = 440;

  private static final double WIDTH_OF_CHARACTER = 0.58 * SIZE;

  private ChartText() {}

  /** An upper estimate of the width of {@code text} in user units; wide scripts count double. */
  static double width(String text) {
    return WIDTH_OF_CHARACTER
        * text.codePoints().mapToDouble(c -> c >= 0x1100 && c < 0xFB00 ? 1.8 : 1).sum();
  }

  /** {@code text}; where it is longer than {@code most} characters an ellipsis takes its middle. */
  static String shortened(String text, int most) {
    int length = text.codePointCount(0, text.length());
    if (length <= most) {
      return text;
    }
    int tail = (most - 1) / 2;
    String end = text.substring(text.offsetByCodePoints(text.length(), -tail));
    return text.substring(0, text.offsetByCodePoints(0, most - 1 - tail)) + "…" + end;
  }

  /** Opens the svg element with its title and description for those who do not see it. */
  static Markup begin(String title, String description, double height) {
    Markup svg = new Markup();
    svg.open(
        "svg",
        "xmlns",
        "http://www.w3.org/2000/svg",
        "viewBox",
        "0 0 " + Numbers.coordinate(WIDTH) + " " + Numbers.coordinate(height),
        "role",
        "img",
        "aria-label",
        title,
        "font-family",
        "system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif",
        "font-size",
        SIZE);
    return svg.element("title", title).element("desc", description);
  }

  /** A line of muted text in the middle: there is nothing to draw. */
  static void nothing(Markup svg, double height) {
    label(svg, "no data", WIDTH / 2, height / 2, "middle");
  }

  /** Muted text around a chart; {@code anchor} is start, middle or end. */
  static void label(Markup svg, String text, double x, double y, String anchor) {
    label(svg, text, x, y, anchor, SIZE);
  }

  static void label(Markup svg, String text, double x, double y, String anchor, double size) {
    svg.element(
        "text",
        text,
        "x",
        x,
        "y",
        y,
        "text-anchor",
        anchor,
        "font-size",
        size,
        "style",
        "fill:" + Palette.MUTED);
  }

  /** Muted text that is read from below to above. */
  static void turned(Markup svg, String text, double x, double y, String anchor, double size) {
    String place = Numbers.coordinate(x) + " " + Numbers.coordinate(y);
    svg.element(
        "text",
        text,
        "transform",
        "translate(" + place + ") rotate(-90)",
        "text-anchor",
        anchor,
        "font-size",
        size,
        "style",
        "fill:" + Palette.MUTED);
  }
}

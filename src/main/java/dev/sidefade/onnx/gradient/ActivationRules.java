package dev.sidefade.onnx.gradient;

/** Activation functions, element by element. */
final class ActivationRules {
  private ActivationRules() {}

  static void relu(GradientContext c) {
    GradientBuilder b = c.builder();
    String zero = b.scalar(0, c.input(0));
    c.give(0, b.op("Where", b.op("Greater", c.input(0), zero), c.gradient(), zero));
  }

  /** y (1 - y). */
  static void sigmoid(GradientContext c) {
    GradientBuilder b = c.builder();
    String y = c.output(0);
    String slope = b.op("Mul", y, b.op("Sub", b.scalar(1, y), y));
    c.give(0, b.op("Mul", c.gradient(), slope));
  }

  /** 1 - y². */
  static void tanh(GradientContext c) {
    GradientBuilder b = c.builder();
    c.give(0, b.op("Mul", c.gradient(), tanhSlope(b, c.output(0), c.output(0))));
  }

  /** 2 / sqrt(π) exp(-x²). */
  static void erf(GradientContext c) {
    String slope = bell(c.builder(), 2 / Math.sqrt(Math.PI), c.input(0), c.input(0));
    c.give(0, c.builder().op("Mul", c.gradient(), slope));
  }

  /** height exp(-x²): the height goes into the exponent, which saves a pass over the values. */
  private static String bell(GradientBuilder b, double height, String x, String like) {
    return b.op("Exp", b.op("Sub", b.scalar(Math.log(height), like), b.op("Mul", x, x)));
  }

  static void gelu(GradientContext c) {
    String approximation = c.node().stringAttribute("approximate").orElse("none");
    String slope =
        switch (approximation) {
          case "none" -> geluSlope(c.builder(), c.input(0));
          case "tanh" -> tanhGeluSlope(c.builder(), c.input(0));
          default -> throw c.refuse("its approximation " + approximation + " is not known");
        };
    c.give(0, c.builder().op("Mul", c.gradient(), slope));
  }

  /** Φ(x) + x φ(x), the normal distribution and its density. */
  private static String geluSlope(GradientBuilder b, String x) {
    String narrow = b.op("Mul", x, b.scalar(Math.sqrt(0.5), x));
    String erf = b.op("Erf", narrow);
    String distribution = b.op("Mul", b.op("Add", erf, b.scalar(1, x)), b.scalar(0.5, x));
    String density = bell(b, 1 / Math.sqrt(2 * Math.PI), narrow, x);
    return b.op("Add", distribution, b.op("Mul", x, density));
  }

  /** (1 + t) / 2 + x / 2 (1 - t²) u' for t = tanh(u), u = sqrt(2 / π) (x + 0.044715 x³). */
  private static String tanhGeluSlope(GradientBuilder b, String x) {
    double scale = Math.sqrt(2 / Math.PI);
    double cubic = 0.044715;
    String square = b.op("Mul", x, x);
    String inner = b.op("Add", b.op("Mul", square, b.scalar(scale * cubic, x)), b.scalar(scale, x));
    String t = b.op("Tanh", b.op("Mul", x, inner));
    String innerSlope =
        b.op("Add", b.op("Mul", square, b.scalar(3 * scale * cubic, x)), b.scalar(scale, x));
    String bend = b.op("Mul", x, b.op("Mul", tanhSlope(b, t, x), innerSlope));
    String twice = b.op("Add", b.op("Add", t, b.scalar(1, x)), bend);
    return b.op("Mul", twice, b.scalar(0.5, x));
  }

  private static String tanhSlope(GradientBuilder b, String tanh, String like) {
    return b.op("Sub", b.scalar(1, like), b.op("Mul", tanh, tanh));
  }
}

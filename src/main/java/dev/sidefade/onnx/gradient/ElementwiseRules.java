package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.Initializer;
import java.util.List;
import java.util.Optional;

/** Arithmetic on elements, with broadcasting both ways. */
final class ElementwiseRules {
  private ElementwiseRules() {}

  /** {@code Add}, {@code Sum}. */
  static void sum(GradientContext c) {
    for (int i = 0; i < c.node().inputs().size(); i++) {
      if (c.wants(i)) {
        c.giveSummed(i, c.gradient());
      }
    }
  }

  static void sub(GradientContext c) {
    if (c.wants(0)) {
      c.giveSummed(0, c.gradient());
    }
    if (c.wants(1)) {
      c.give(1, c.builder().op("Neg", c.summed(1, c.gradient())));
    }
  }

  static void mul(GradientContext c) {
    for (int i = 0; i < 2; i++) {
      if (c.wants(i)) {
        c.giveSummed(i, c.builder().op("Mul", c.gradient(), c.input(1 - i)));
      }
    }
  }

  static void div(GradientContext c) {
    String byFirst = c.builder().op("Div", c.gradient(), c.input(1));
    if (c.wants(0)) {
      c.giveSummed(0, byFirst);
    }
    if (c.wants(1)) {
      String product = c.builder().op("Mul", byFirst, c.output(0));
      c.give(1, c.builder().op("Neg", c.summed(1, product)));
    }
  }

  static void neg(GradientContext c) {
    c.give(0, c.builder().op("Neg", c.gradient()));
  }

  static void abs(GradientContext c) {
    c.give(0, c.builder().op("Mul", c.gradient(), c.builder().op("Sign", c.input(0))));
  }

  static void pow(GradientContext c) {
    if (c.wants(1)) {
      throw c.refuse("its exponent depends on what is differentiated by");
    }
    GradientBuilder b = c.builder();
    String x = c.input(0);
    double exponent = exponent(c);
    // squares and cubes are common and much cheaper as products
    String power;
    if (exponent == 2) {
      power = x;
    } else if (exponent == 3) {
      power = b.op("Mul", x, x);
    } else {
      power = b.op("Pow", x, b.scalar(exponent - 1, x));
    }
    String slope = b.op("Mul", power, b.scalar(exponent, x));
    c.giveSummed(0, b.op("Mul", c.gradient(), slope));
  }

  private static double exponent(GradientContext c) {
    Optional<Initializer> constant = c.values().constant(c.input(1));
    if (constant.isEmpty() || constant.get().size() != 1) {
      throw c.refuse("its exponent is no constant number");
    }
    return c.values().isFloat(c.input(1)) ? constant.get().floats()[0] : constant.get().longs()[0];
  }

  static void sqrt(GradientContext c) {
    GradientBuilder b = c.builder();
    String half = b.op("Mul", c.gradient(), b.scalar(0.5, c.input(0)));
    c.give(0, b.op("Div", half, c.output(0)));
  }

  static void reciprocal(GradientContext c) {
    GradientBuilder b = c.builder();
    String square = b.op("Mul", c.output(0), c.output(0));
    c.give(0, b.op("Neg", b.op("Mul", c.gradient(), square)));
  }

  static void exp(GradientContext c) {
    c.give(0, c.builder().op("Mul", c.gradient(), c.output(0)));
  }

  static void log(GradientContext c) {
    c.give(0, c.builder().op("Div", c.gradient(), c.input(0)));
  }

  /** {@code Where}: the gradient goes to the input that was chosen. */
  static void where(GradientContext c) {
    GradientBuilder b = c.builder();
    String zero = b.scalar(0, c.output(0));
    if (c.wants(1)) {
      c.giveSummed(1, b.op("Where", c.input(0), c.gradient(), zero));
    }
    if (c.wants(2)) {
      c.giveSummed(2, b.op("Where", c.input(0), zero, c.gradient()));
    }
  }

  /** {@code Clip} by its first input: where it was not changed. */
  static void clip(GradientContext c) {
    if (c.wants(1) || c.wants(2)) {
      throw c.refuse("its bounds depend on what is differentiated by");
    }
    GradientBuilder b = c.builder();
    String same = b.op("Equal", c.input(0), c.output(0));
    c.give(0, b.op("Where", same, c.gradient(), b.scalar(0, c.output(0))));
  }

  /** {@code Max}, {@code Min}: where an input is what came out; equal inputs share alike. */
  static void extreme(GradientContext c) {
    GradientBuilder b = c.builder();
    List<String> chosen =
        c.node().inputs().stream()
            .map(input -> b.op("Equal", input, c.output(0)))
            .map(same -> b.cast(same, c.values().type(c.output(0))))
            .toList();
    String share = b.op("Div", c.gradient(), b.op("Sum", chosen));
    for (int i = 0; i < chosen.size(); i++) {
      if (c.wants(i)) {
        c.giveSummed(i, b.op("Mul", share, chosen.get(i)));
      }
    }
  }

  /** {@code Identity}, {@code Dropout} as it is outside training. */
  static void identity(GradientContext c) {
    if (c.node().is("Dropout")
        && !c.input(2).isEmpty()
        && c.values().constant(c.input(2)).filter(it -> it.longs()[0] == 0).isEmpty()) {
      throw c.refuse("it drops elements as if in training");
    }
    c.give(0, c.gradient());
  }

  /** {@code Cast} and {@code CastLike} between floating-point types. */
  static void cast(GradientContext c) {
    c.give(0, c.builder().cast(c.gradient(), c.values().type(c.input(0))));
  }
}

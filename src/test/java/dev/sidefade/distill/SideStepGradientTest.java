package dev.sidefade.distill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.Parameter;
import dev.sidefade.side.BlockKind;
import dev.sidefade.side.SideConfig;
import dev.sidefade.tensor.CounterRandom;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Gradients of a whole step against central differences of its loss, at odd widths that differ
 * between taps, with several imitated and generated taps, the start among them.
 */
class SideStepGradientTest {
  private static final int BATCH = 4;
  private static final int CLASSES = 3;

  @ParameterizedTest
  @CsvSource({
    "TRANSFORMER, STATE, CLS, true, false, false",
    "TRANSFORMER, INPUT, MEAN, false, true, true",
    "TRANSFORMER, STATE, TOKENS, false, false, true",
    "ADAPTER, STATE, CLS_MEAN, false, false, false",
    "ADAPTER, INPUT, MEAN, true, true, false",
    "ADAPTER, INPUT, TOKENS, false, true, true",
    "ADAPTER, STATE, TOKENS, true, false, false"
  })
  void gradientsAreSlopes(
      BlockKind kind,
      MaskPlacement placement,
      Pooling pooling,
      boolean grid,
      boolean standardize,
      boolean padded) {
    TokenLayout layout =
        grid ? new TokenLayout(BATCH, 7, 1, 2, 3) : new TokenLayout(BATCH, 6, 1, 0, 0);
    SideConfig side =
        new SideConfig(
            kind, List.of(9, 13, 9, 21, 10), 12, 3, 10, pooling, CLASSES, 1e-5f, 0.1f, placement);
    FeatureConfig features =
        new FeatureConfig(List.of(0, 2), List.of(3, 4), 5, 0.7f, 0.9f, 0.5f, grid, standardize);
    Distillation weights = new Distillation(1.5f, 0.8f, 1, 0.05f);
    try (Device device = Device.cpu(1);
        SideStep step =
            new SideStep(device, side, features, layout, weights, inputs(side, layout, padded))) {
      for (Parameter p : step.parameters.all()) {
        enliven(p);
      }
      for (Parameter p : step.parameters.all()) {
        assertSlope(step, p);
      }
    }
  }

  /** Away from the start, where second weights and gates are zero and hide mistakes. */
  private static void enliven(Parameter p) {
    boolean scale = p.name().endsWith("gamma");
    double deviation = p.shape().rank() == 2 ? 1 / Math.sqrt(p.shape().dim(0)) : 0.1;
    for (int i = 0; i < p.shape().size(); i++) {
      double start = scale ? 1 : 0;
      float noise = CounterRandom.normal(77, p.name().hashCode(), i);
      p.value().set(i, (float) (start + deviation * noise));
    }
  }

  private static void assertSlope(SideStep step, Parameter p) {
    step.run();
    float[] gradient = p.gradient().toFloats();
    float[] start = p.value().toFloats();
    double norm = 0;
    for (float g : gradient) {
      norm += (double) g * g;
    }
    norm = Math.sqrt(norm);
    assertTrue(norm > 1e-6, () -> p.name() + " has no gradient");
    // along the gradient, where an error of scale shows, and off it, where one of direction does
    double[] direction = new double[start.length];
    double expected = 0;
    for (int i = 0; i < direction.length; i++) {
      double off = CounterRandom.normal(5, p.name().hashCode(), i) / Math.sqrt(direction.length);
      direction[i] = gradient[i] / norm + 0.7 * off;
      expected += gradient[i] * direction[i];
    }
    double h = p.name().equals("gates") ? 2e-3 : 1e-2;
    double slope =
        (loss(step, p, start, direction, h) - loss(step, p, start, direction, -h)) / (2 * h);
    p.value().setFloats(start);
    assertEquals(slope, expected, 2e-2 * Math.abs(slope), p.name());
  }

  private static double loss(
      SideStep step, Parameter p, float[] start, double[] direction, double h) {
    for (int i = 0; i < start.length; i++) {
      p.value().set(i, (float) (start[i] + h * direction[i]));
    }
    step.run();
    return step.losses().get("total");
  }

  private static SideStep.Inputs inputs(SideConfig side, TokenLayout layout, boolean padded) {
    int rows = layout.rows();
    float[][] taps = new float[side.tapWidths().size()][];
    for (int l = 0; l < taps.length; l++) {
      taps[l] = random(rows * side.tapWidths().get(l), l);
    }
    float[] keep = new float[rows];
    float[] removed = new float[rows];
    float[] valid = new float[rows];
    for (int r = 0; r < rows; r++) {
      // samples get shorter and shorter
      valid[r] = padded && r % layout.tokens() >= layout.tokens() - r / layout.tokens() ? 0 : 1;
      boolean prefix = r % layout.tokens() < layout.prefix();
      keep[r] = prefix || CounterRandom.uniform(3, 3, r) < 0.7 ? 1 : 0;
      removed[r] = valid[r] == 1 && !prefix && CounterRandom.uniform(3, 4, r) < 0.5 ? 1 : 0;
    }
    int[] labels = {2, 0, -1, 1};
    if (side.pooling() == Pooling.TOKENS) {
      labels = new int[rows];
      for (int r = 0; r < rows; r++) {
        labels[r] = valid[r] == 0 ? Kernels.PADDING : r % (CLASSES + 1) - 1;
      }
    }
    return new SideStep.Inputs(
        taps, keep, padded ? valid : null, removed, random(labels.length * CLASSES, 50), labels);
  }

  private static float[] random(int size, int stream) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = CounterRandom.normal(2, stream, i);
    }
    return values;
  }
}

package dev.sidefade.distill;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.side.BlockKind;
import dev.sidefade.side.SideConfig;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Padding has no part in a step: neither in logits, losses and gradients of the side network nor in
 * those of the feature path with its generator over sequences.
 */
class PaddingTest {
  private static final List<Integer> WIDTHS = List.of(9, 13, 9, 10);
  private static final int BATCH = 3;
  private static final int CLASSES = 3;
  private static final Distillation WEIGHTS = new Distillation(1.5f, 0.8f, 1, 0.05f);

  static Stream<Arguments> variants() {
    return Stream.of(BlockKind.values())
        .flatMap(kind ->
            Stream.of(Pooling.values())
                .flatMap(pooling ->
                    Stream.of(MaskPlacement.values())
                        .map(placement -> Arguments.of(kind, pooling, placement))));
  }

  /** What a step leaves behind. */
  private record Outcome(float[] logits, Map<String, Double> losses, float[] gradients) {}

  private static Outcome run(SideConfig side, TokenLayout layout, SideStep.Inputs inputs) {
    FeatureConfig features =
        new FeatureConfig(List.of(0, 1), List.of(2, 3), 5, 0.7f, 0.9f, 0.5f, false, true);
    try (Device device = Device.cpu(2);
        SideStep step = new SideStep(device, side, features, layout, WEIGHTS, inputs)) {
      Tensor values = step.parameters.values();
      for (int i = 0; i < values.size(); i++) {
        values.set(i, values.get(i) + 0.2f * CounterRandom.normal(7, 7, i));
      }
      step.run();
      return new Outcome(
          step.activations.logits().toFloats(),
          step.losses(),
          step.parameters.gradients().toFloats());
    }
  }

  private static SideConfig config(BlockKind kind, Pooling pooling, MaskPlacement placement) {
    return new SideConfig(kind, WIDTHS, 12, 3, 10, pooling, CLASSES, 1e-5f, 0.1f, placement);
  }

  /**
   * A batch whose samples are padded on the right. What belongs to a token depends on its sample
   * and place alone, not on how far the batch is padded.
   *
   * @param lengths tokens of each sample
   * @param garbage scale of the noise in padding
   * @param drawn whether removed tokens are drawn, not given
   */
  private static SideStep.Inputs inputs(
      Pooling pooling, int tokens, int[] lengths, int garbageSeed, float garbage, boolean drawn) {
    int rows = BATCH * tokens;
    float[] valid = new float[rows];
    float[] keep = new float[rows];
    float[] removed = new float[rows];
    float[][] taps = new float[WIDTHS.size()][];
    for (int l = 0; l < taps.length; l++) {
      taps[l] = new float[rows * WIDTHS.get(l)];
    }
    boolean perToken = pooling == Pooling.TOKENS;
    int[] labels = new int[perToken ? rows : BATCH];
    float[] teacher = new float[labels.length * CLASSES];
    for (int r = 0; r < rows; r++) {
      int place = r % tokens;
      long token = 100L * (r / tokens) + place;
      valid[r] = place < lengths[r / tokens] ? 1 : 0;
      keep[r] = CounterRandom.uniform(3, 3, token) < 0.7 ? 1 : 0;
      removed[r] = valid[r] == 1 && place > 0 && CounterRandom.uniform(3, 4, token) < 0.5 ? 1 : 0;
      for (int l = 0; l < taps.length; l++) {
        fill(
            taps[l],
            r,
            WIDTHS.get(l),
            valid[r] == 1 ? l : -garbageSeed,
            token,
            valid[r] == 1 ? 1 : garbage);
      }
      if (perToken) {
        labels[r] = valid[r] == 1 ? (int) token % (CLASSES + 1) - 1 : Kernels.PADDING;
        fill(teacher, r, CLASSES, 50, token, 1);
      } else if (place == 0) {
        labels[r / tokens] = r / tokens - 1;
        fill(teacher, r / tokens, CLASSES, 50, token, 1);
      }
    }
    return new SideStep.Inputs(taps, keep, valid, drawn ? null : removed, teacher, labels);
  }

  private static void fill(
      float[] matrix, int row, int width, long stream, long token, float scale) {
    for (int d = 0; d < width; d++) {
      matrix[row * width + d] = scale * CounterRandom.normal(2, stream, 100 * token + d);
    }
  }

  /** A float array without the rows of padding. */
  private static float[] tokensOf(float[] matrix, float[] valid) {
    int width = matrix.length / valid.length;
    float[] tokens = new float[matrix.length];
    int n = 0;
    for (int i = 0; i < matrix.length; i++) {
      if (valid[i / width] == 1) {
        tokens[n++] = matrix[i];
      }
    }
    return Arrays.copyOf(tokens, n);
  }

  private static float[] logits(Outcome outcome, Pooling pooling, SideStep.Inputs inputs) {
    return pooling == Pooling.TOKENS
        ? tokensOf(outcome.logits(), inputs.valid())
        : outcome.logits();
  }

  @ParameterizedTest
  @MethodSource("variants")
  void whatPaddingHoldsChangesNoBit(BlockKind kind, Pooling pooling, MaskPlacement placement) {
    TokenLayout layout = new TokenLayout(BATCH, 7, 1, 0, 0);
    int[] lengths = {7, 3, 5};
    for (boolean drawn : new boolean[] {false, true}) {
      SideStep.Inputs clean = inputs(pooling, 7, lengths, 1, 0, drawn);
      Outcome want = run(config(kind, pooling, placement), layout, clean);
      for (float value : want.gradients()) {
        assertTrue(Float.isFinite(value));
      }
      for (int seed = 2; seed < 4; seed++) {
        SideStep.Inputs garbage = inputs(pooling, 7, lengths, seed, 30, drawn);
        assertFalse(Arrays.equals(clean.taps()[0], garbage.taps()[0]));
        Outcome got = run(config(kind, pooling, placement), layout, garbage);
        assertArrayEquals(logits(want, pooling, clean), logits(got, pooling, garbage));
        assertEquals(want.losses(), got.losses());
        assertArrayEquals(want.gradients(), got.gradients());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("variants")
  void aPaddedBatchIsTheBatchWithoutPadding(
      BlockKind kind, Pooling pooling, MaskPlacement placement) {
    int[] lengths = {4, 4, 4};
    SideConfig side = config(kind, pooling, placement);
    SideStep.Inputs bare = inputs(pooling, 4, lengths, 1, 0, false);
    Outcome want = run(side, new TokenLayout(BATCH, 4, 1, 0, 0), bare);
    SideStep.Inputs padded = inputs(pooling, 9, lengths, 2, 30, false);
    Outcome got = run(side, new TokenLayout(BATCH, 9, 1, 0, 0), padded);
    assertClose("logits", want.logits(), logits(got, pooling, padded));
    assertClose("gradients", want.gradients(), got.gradients());
    for (String term : want.losses().keySet()) {
      double loss = want.losses().get(term);
      assertTrue(loss > 1e-3, term + " is there");
      assertEquals(loss, got.losses().get(term), 1e-5 * loss, term);
    }
  }

  private static void assertClose(String what, float[] want, float[] got) {
    assertEquals(want.length, got.length, what);
    double largest = 0;
    for (float w : want) {
      largest = Math.max(largest, Math.abs(w));
    }
    for (int i = 0; i < want.length; i++) {
      assertEquals(want[i], got[i], 1e-6 * Math.max(1, largest), what + " at " + i);
    }
  }
}

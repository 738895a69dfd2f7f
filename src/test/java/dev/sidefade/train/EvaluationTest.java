package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Predictions, accuracy and confusion. */
class EvaluationTest {
  @Test
  void accuracyAndConfusionCountLabelledExamplesAlone() {
    Evaluation e =
        new Evaluation(
            new int[] {0, 1, 2, 2, 1, 0},
            new float[6],
            new int[] {0, 2, 2, -1, 1, -1},
            new int[6],
            3);
    assertEquals(3 / 4.0, e.accuracy());
    assertArrayEquals(new long[][] {{1, 0, 0}, {0, 1, 0}, {0, 1, 1}}, e.confusion());
    Evaluation none = new Evaluation(new int[] {1}, new float[1], new int[] {-1}, new int[1], 2);
    assertTrue(Double.isNaN(none.accuracy()));
    assertArrayEquals(new long[2][2], none.confusion());
  }

  /** The first values of an example's last tap serve as its logits. */
  @Test
  void everyExampleIsSeenOnceInOrderWhateverTheBatch() {
    TokenLayout layout = new TokenLayout(5, 1, 0, 0, 0);
    int[] reference = null;
    try (Device device = Device.cpu(1);
        SyntheticFeed feed = new SyntheticFeed(layout, List.of(2, 4), 9, 4, 4, true, 1);
        Tensor logits = device.allocate(5, 4)) {
      for (int rows : new int[] {1, 3, 5}) {
        Evaluation e =
            Evaluation.of(
                feed,
                rows,
                4,
                (features, batch) -> {
                  assertTrue(batch <= rows);
                  Tensor view = logits.slice(0, batch, 4);
                  view.copyFrom(features.last());
                  return view;
                });
        assertEquals(13, e.predicted().length);
        for (int i = 0; i < 13; i++) {
          assertEquals(feed.label(i), e.labels()[i]);
        }
        if (reference != null) {
          assertArrayEquals(reference, e.predicted());
        }
        reference = e.predicted();
        assertPredictions(feed, e);
      }
    }
  }

  private static void assertPredictions(SyntheticFeed feed, Evaluation e) {
    for (int i = 0; i < feed.size(); i++) {
      feed.start(0, new int[] {i}, 1);
      float[] z = feed.next().features().last().toFloats();
      double sum = 0;
      for (float other : z) {
        assertTrue(z[e.predicted()[i]] >= other);
        sum += Math.exp(other);
      }
      assertEquals(Math.exp(z[e.predicted()[i]]) / sum, e.probability()[i], 1e-6);
    }
  }

  @Test
  void largeLogitsGiveProbabilitiesNotInfinities() {
    TokenLayout layout = new TokenLayout(1, 1, 0, 0, 0);
    try (Device device = Device.cpu(1);
        SyntheticFeed feed = new SyntheticFeed(layout, List.of(3, 3), 1, 0, 3, true, 1);
        Tensor logits = device.allocate(1, 3)) {
      logits.setFloats(new float[] {-1e30f, 3e30f, 3e30f});
      Evaluation e = Evaluation.of(feed, 1, 3, (features, batch) -> logits);
      assertEquals(1, e.predicted()[0], "the first of equals");
      assertEquals(0.5f, e.probability()[0]);
    }
  }
}

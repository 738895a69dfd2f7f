package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.distill.Direction;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both networks learn numbers and classes of words from the features of a text backbone. */
class TextPathTest {
  private static final int SIZE = 80;
  private static final int BATCH = 16;
  private static final int EPOCHS = 14;

  @TempDir Path folder;

  private static Setup setup(Task task, Direction logits, int classes) {
    return Setup.with(s -> {
      s.task = task;
      s.logits = logits;
      s.classes = classes;
      s.pooling = task == Task.TOKENS ? Pooling.TOKENS : Pooling.MEAN;
      s.layout = new TokenLayout(BATCH, MadeTexts.LIMITS.maxLength(), 0, 0, 0);
      s.widths = List.of(32, 32, 32, 32);
      s.sideWidth = 16;
      s.labelled = SIZE;
      s.rateSide = 1e-2f;
      s.rateHead = 2e-2f;
      s.rateNorm = 1e-2f;
      s.epochs = EPOCHS;
    });
  }

  /** What a training of a kind left: mean losses of each epoch, and how well both do. */
  private record Trained(List<Map<String, Double>> losses, Outcome tail, Outcome side) {}

  private Trained train(Task task, Direction logits, boolean masked) throws IOException {
    try (Backbone backbone = Backbone.load(MadeTexts.resource("/models/minilm_legacy11.onnx"));
        Device device = Device.cpu(1)) {
      TextSet set =
          new TextSet(MadeTexts.examples(task, SIZE, 2), task, MadeTexts.inputs(backbone));
      int classes = task == Task.REGRESSION ? 1 : set.examples().classNames().size();
      Setup setup = setup(task, logits, classes);
      setup.maskRatio = masked ? 0.4f : 0;
      FeatureSource source = FeatureSource.of(backbone.openTrunk(1, List.of(0, 1, 2, 3)));
      try (LiveFeatures live = new LiveFeatures(set, source, 4, BATCH, device);
          FeatureCache cache =
              FeatureCache.fill(live, 4, BATCH, device, Long.MAX_VALUE, folder, done -> {});
          SidePart side =
              new SidePart(setup.side(), Optional.empty(), setup.layout, device, setup.seed, 0);
          BackboneTail tail = new BackboneTail(setup.tail(), device, setup.seed, p -> {});
          DualPath path =
              new DualPath(
                  device,
                  setup.settings(),
                  Optional.of(tail),
                  Optional.of(side),
                  Optional.empty(),
                  Optional.empty(),
                  Optional.empty(),
                  BATCH)) {
        List<Map<String, Double>> losses = epochs(set, cache, path);
        Kernels kernels = device.kernels();
        return new Trained(
            losses,
            Outcome.of(cache, BATCH, setup.answers(), (f, n) -> tail.forward(kernels, f, n)),
            Outcome.of(cache, BATCH, setup.answers(), (f, n) -> side.forward(kernels, f, n)));
      }
    }
  }

  private static List<Map<String, Double>> epochs(TextSet set, FeatureFeed feed, DualPath path) {
    EpochOrder order = EpochOrder.of(set, SIZE, BATCH, 3);
    List<Map<String, Double>> losses = new ArrayList<>();
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      StepLosses means = new StepLosses();
      feed.start(epoch, order.epoch(epoch), order.rows());
      for (int i = 0; i < order.steps(); i++) {
        path.step(feed.next(), (long) epoch * order.steps() + i, means);
      }
      losses.add(means.means());
    }
    return losses;
  }

  private static void assertFalls(Trained trained, String name) {
    double[] means = trained.losses().stream().mapToDouble(epoch -> epoch.get(name)).toArray();
    assertTrue(Arrays.stream(means).allMatch(Double::isFinite), Arrays.toString(means));
    assertTrue(means[EPOCHS - 1] < 0.8 * means[0], name + " " + Arrays.toString(means));
  }

  private void assertLearns(Task task, double least) throws IOException {
    for (Direction logits : List.of(Direction.SIDE_TO_BACKBONE, Direction.BACKBONE_TO_SIDE)) {
      boolean masked = logits == Direction.BACKBONE_TO_SIDE;
      Trained trained = train(task, logits, masked);
      assertFalls(trained, "backbone_ce");
      assertFalls(trained, "side_ce");
      String kl = masked ? "side_kl" : "backbone_kl";
      assertTrue(trained.losses().stream().allMatch(epoch -> epoch.get(kl) >= 0));
      String what = task + " " + logits;
      assertTrue(trained.tail().score() > least, what + " " + trained.tail().score());
      assertTrue(trained.side().score() > least, what + " " + trained.side().score());
    }
  }

  @Test
  void numbers() throws IOException {
    assertLearns(Task.REGRESSION, 0.5);
  }

  @Test
  void classesOfWords() throws IOException {
    assertLearns(Task.TOKENS, 0.7);
  }

  @Test
  void classesOfTexts() throws IOException {
    assertLearns(Task.CLASSES, 0.6);
  }

  /** Words are counted, not tokens, and sentences without tags not at all. */
  @Test
  void everyWordIsEvaluatedOnce() throws IOException {
    TextSet set = new TextSet(MadeTexts.examples(Task.TOKENS, SIZE, 2), Task.TOKENS, Map.of());
    Evaluation outcome = (Evaluation) train(Task.TOKENS, Direction.OFF, false).tail();
    long tagged = 0;
    long tokens = 0;
    for (int i = 0; i < SIZE; i++) {
      tokens += set.tokens(i);
      int[] first = set.examples().firstPieces(i);
      tagged += i % 4 == 3 ? 0 : Arrays.stream(first).filter(w -> w >= 0).count();
    }
    assertEquals(tokens, outcome.labels().length);
    assertEquals(tagged, Arrays.stream(outcome.labels()).filter(l -> l >= 0).count());
    int[] examples = outcome.example();
    assertTrue(Arrays.equals(examples, Arrays.stream(examples).sorted().toArray()), "in order");
  }
}

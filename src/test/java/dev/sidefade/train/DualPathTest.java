package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.distill.Direction;
import dev.sidefade.side.BlockKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Which network learns from what, in every direction of both paths. */
class DualPathTest {
  private static final int STEPS = 3;

  /** Nothing couples parameters of one network but the loss: no clipping. */
  private static Setup setup(Direction logits, Direction features) {
    return Setup.with(s -> {
      s.logits = logits;
      s.features = features;
      s.clipNorm = 0;
    });
  }

  private static Map<String, List<Float>> after(Setup setup, int steps) {
    try (Run run = new Run(setup)) {
      run.steps(steps);
      return run.values();
    }
  }

  private static Map<String, List<Float>> start(Setup setup) {
    return after(setup, 0);
  }

  /** Parameters of one network that other directions have too. */
  private static Map<String, List<Float>> common(Map<String, List<Float>> values, String prefix) {
    Map<String, List<Float>> some = new TreeMap<>(values);
    some.keySet()
        .removeIf(name ->
            !name.startsWith(prefix)
                || name.contains("align.")
                || name.contains("generator.")
                || name.contains("reverse."));
    return some;
  }

  @Test
  void everyDirectionRunsAndChangesEveryParameter() {
    for (Direction logits : Direction.values()) {
      for (Direction features : Direction.values()) {
        for (BlockKind kind : BlockKind.values()) {
          Setup setup = setup(logits, features);
          setup.kind = kind;
          Map<String, List<Float>> before = start(setup);
          Map<String, List<Float>> values = after(setup, STEPS);
          assertEquals(before.keySet(), values.keySet());
          for (String name : values.keySet()) {
            assertNotEquals(
                before.get(name), values.get(name), logits + " " + features + " " + name);
            assertTrue(values.get(name).stream().allMatch(Float::isFinite), name);
          }
        }
      }
    }
  }

  @Test
  void lossesAreNamedAsTheDirectionsSay() {
    for (Direction logits : Direction.values()) {
      for (Direction features : Direction.values()) {
        Set<String> expected = new TreeSet<>(List.of("side_ce", "backbone_ce"));
        Map<Direction, List<String>> ofLogits =
            Map.of(
                Direction.OFF, List.of(),
                Direction.BACKBONE_TO_SIDE, List.of("side_kl"),
                Direction.SIDE_TO_BACKBONE, List.of("backbone_kl"));
        Map<Direction, List<String>> ofFeatures =
            Map.of(
                Direction.OFF, List.of(),
                Direction.BACKBONE_TO_SIDE, List.of("imitation", "generation"),
                Direction.SIDE_TO_BACKBONE, List.of("reverse_imitation"));
        expected.addAll(ofLogits.get(logits));
        expected.addAll(ofFeatures.get(features));
        try (Run run = new Run(setup(logits, features))) {
          Map<String, Double> means = run.steps(STEPS);
          assertEquals(expected, new TreeSet<>(means.keySet()));
          means.forEach((name, value) -> assertTrue(value > 0, name));
        }
      }
    }
  }

  @Test
  void aTeacherThatIsNotListenedToHasNoLoss() {
    for (Direction logits : List.of(Direction.SIDE_TO_BACKBONE, Direction.BACKBONE_TO_SIDE)) {
      Setup setup = setup(logits, Direction.OFF);
      setup.klWeight = KlWeight.fixed(0);
      try (Run run = new Run(setup)) {
        assertEquals(Set.of("side_ce", "backbone_ce"), run.steps(STEPS).keySet());
        run.path.setKlWeight(0.5f);
        assertEquals(3, run.steps(STEPS).size());
      }
    }
  }

  @Test
  void aBackboneThatHasNotBegunTeachesNothing() {
    Setup setup = setup(Direction.BACKBONE_TO_SIDE, Direction.OFF);
    setup.sideAhead = STEPS;
    try (Run run = new Run(setup)) {
      assertEquals(Set.of("side_ce"), run.steps(STEPS).keySet());
    }
    setup.sideAhead = STEPS - 1;
    try (Run run = new Run(setup)) {
      assertEquals(Set.of("side_ce", "backbone_ce", "side_kl"), run.steps(STEPS).keySet());
    }
  }

  /** Only a path towards the side network may change what it learns, and each of them must. */
  @Test
  void theSideNetworkLearnsFromPathsTowardsItAlone() {
    assertFollows("side.", Direction.BACKBONE_TO_SIDE);
  }

  @Test
  void theBackboneLearnsFromPathsTowardsItAlone() {
    assertFollows("tail.", Direction.SIDE_TO_BACKBONE);
  }

  /** Over one step; later the other network may be another, and say something else. */
  private static void assertFollows(String network, Direction towards) {
    for (Direction logits : Direction.values()) {
      for (Direction features : Direction.values()) {
        Direction sameLogits = logits == towards ? towards : Direction.OFF;
        Direction sameFeatures = features == towards ? towards : Direction.OFF;
        boolean alone = logits != towards && features != towards;
        int steps = alone ? STEPS : 1;
        assertSame(
            common(after(setup(sameLogits, sameFeatures), steps), network),
            common(after(setup(logits, features), steps), network),
            logits + " " + features);
      }
    }
    Map<String, List<Float>> off = common(after(setup(Direction.OFF, Direction.OFF), 1), network);
    assertNotEquals(off, common(after(setup(towards, Direction.OFF), 1), network));
    assertNotEquals(off, common(after(setup(Direction.OFF, towards), 1), network));
  }

  /** Name by name, for a message that can be read. */
  private static void assertSame(
      Map<String, List<Float>> expected, Map<String, List<Float>> actual, String what) {
    assertEquals(expected.keySet(), actual.keySet(), what);
    expected.forEach((name, values) -> assertEquals(values, actual.get(name), what + " " + name));
  }

  /** Not even a change of the other network's parameters shows. */
  @Test
  void withoutAPathTheOtherNetworkMayBeAnything() {
    Consumer<Run> otherSide =
        run -> run.side.orElseThrow().parameters().get("ladder.0.weight").value().set(0, 9);
    Consumer<Run> otherTail =
        run -> run.tail.orElseThrow().parameters().get("head.weight").value().set(0, 9);
    Map<String, List<Float>> plain = after(setup(Direction.OFF, Direction.OFF), STEPS);
    assertEquals(common(plain, "tail."), common(changed(Direction.OFF, otherSide), "tail."));
    assertEquals(common(plain, "side."), common(changed(Direction.OFF, otherTail), "side."));
    assertNotEquals(
        common(changed(Direction.SIDE_TO_BACKBONE, run -> {}), "tail."),
        common(changed(Direction.SIDE_TO_BACKBONE, otherSide), "tail."));
    assertNotEquals(
        common(changed(Direction.BACKBONE_TO_SIDE, run -> {}), "side."),
        common(changed(Direction.BACKBONE_TO_SIDE, otherTail), "side."));
  }

  private static Map<String, List<Float>> changed(Direction logits, Consumer<Run> change) {
    try (Run run = new Run(setup(logits, Direction.OFF))) {
      change.accept(run);
      run.steps(STEPS);
      return run.values();
    }
  }

  @Test
  void aNetworkAloneLearnsAsBesideAnother() {
    Setup both = setup(Direction.OFF, Direction.OFF);
    Setup tail = setup(Direction.SIDE_TO_BACKBONE, Direction.OFF);
    tail.withSide = false;
    Setup side = setup(Direction.BACKBONE_TO_SIDE, Direction.OFF);
    side.withTail = false;
    Map<String, List<Float>> together = after(both, STEPS);
    assertEquals(common(together, "tail."), common(after(tail, STEPS), ""));
    assertEquals(common(together, "side."), common(after(side, STEPS), ""));
  }

  @Test
  void aRateOfZeroLeavesTheNormAsItIs() {
    Setup setup = setup(Direction.SIDE_TO_BACKBONE, Direction.SIDE_TO_BACKBONE);
    setup.rateNorm = 0;
    Map<String, List<Float>> before = start(setup);
    Map<String, List<Float>> values = after(setup, STEPS);
    for (String name : List.of("tail.norm.gamma", "tail.norm.beta")) {
      assertEquals(before.get(name), values.get(name));
    }
    assertNotEquals(before.get("tail.head.weight"), values.get("tail.head.weight"));
    assertEquals(1.03f, values.get("tail.norm.gamma").get(3));
  }

  @Test
  void aWeightOfZeroIsNoPath() {
    for (Direction logits : List.of(Direction.SIDE_TO_BACKBONE, Direction.BACKBONE_TO_SIDE)) {
      Setup weightless = setup(logits, Direction.OFF);
      weightless.klWeight = KlWeight.fixed(0);
      assertEquals(after(setup(Direction.OFF, Direction.OFF), STEPS), after(weightless, STEPS));
    }
  }

  /** Rows without a label change the backbone through the side network's opinion alone. */
  @Test
  void unlabelledRowsTeachThroughTheLogitPath() {
    for (Direction logits : List.of(Direction.OFF, Direction.SIDE_TO_BACKBONE)) {
      Setup setup = setup(logits, Direction.OFF);
      try (Run run = new Run(setup);
          Run unlabelled = new Run(setup)) {
        int[] order = {0, 1, 2, 3, 4, 5};
        FeatureFeed.Batch batch = batch(run, order);
        int[] labels = batch.targets().labels().clone();
        labels[4] = -1;
        labels[5] = -1;
        run.path.step(batch(run, new int[] {0, 1, 2, 3}), 0, new StepLosses());
        FeatureFeed.Batch all = batch(unlabelled, order);
        unlabelled.path.step(
            new FeatureFeed.Batch(all.features(), all.examples(), Targets.classes(labels)),
            0,
            new StepLosses());
        for (String name : List.of("head.weight", "head.bias")) {
          float[] few = gradient(run, name);
          float[] many = gradient(unlabelled, name);
          double difference = 0;
          for (int i = 0; i < few.length; i++) {
            difference = Math.max(difference, Math.abs(few[i] - many[i]));
          }
          boolean same = difference < 1e-6;
          assertEquals(logits == Direction.OFF, same, logits + " " + name + " " + difference);
        }
      }
    }
  }

  private static FeatureFeed.Batch batch(Run run, int[] examples) {
    run.train.start(0, examples, examples.length);
    return run.train.next();
  }

  private static float[] gradient(Run run, String name) {
    return run.tail.orElseThrow().parameters().get(name).gradient().toFloats();
  }

  @Test
  void theBackboneMayLearnAtEverySecondStep() {
    Setup setup = setup(Direction.SIDE_TO_BACKBONE, Direction.SIDE_TO_BACKBONE);
    setup.backboneEvery = 2;
    List<Map<String, List<Float>>> values = new ArrayList<>();
    for (int steps = 0; steps <= 4; steps++) {
      values.add(after(setup, steps));
    }
    for (int steps = 1; steps <= 4; steps++) {
      Map<String, List<Float>> before = values.get(steps - 1);
      Map<String, List<Float>> now = values.get(steps);
      assertEquals(steps % 2 == 0, common(before, "tail.").equals(common(now, "tail.")));
      assertNotEquals(common(before, "side."), common(now, "side."));
    }
  }

  /** Skipped steps leave no trace: neither in AdamW's moments nor in its count of updates. */
  @Test
  void skippedStepsLeaveNoTrace() {
    Setup setup = setup(Direction.OFF, Direction.OFF);
    // so long that every factor is 1
    setup.schedule = Optional.of(new LearningRate(0, 1L << 40));
    setup.labelled = 40;
    Setup every = setup(Direction.OFF, Direction.OFF);
    every.schedule = setup.schedule;
    every.labelled = 40;
    setup.backboneEvery = 2;
    try (Run half = new Run(setup);
        Run whole = new Run(every)) {
      half.steps(5);
      int[] order = every.order().epoch(0);
      int rows = every.order().rows();
      for (int i = 0; i < 3; i++) {
        int[] examples = Arrays.copyOfRange(order, 2 * i * rows, (2 * i + 1) * rows);
        whole.path.step(batch(whole, examples), i, new StepLosses());
      }
      assertEquals(common(whole.values(), "tail."), common(half.values(), "tail."));
    }
  }

  @Test
  void meansOfTheBackboneAreOverItsOwnSteps() {
    Setup setup = setup(Direction.OFF, Direction.OFF);
    setup.rateHead = 0;
    setup.rateNorm = 0;
    Setup half = setup(Direction.OFF, Direction.OFF);
    half.rateHead = 0;
    half.rateNorm = 0;
    half.backboneEvery = 2;
    try (Run every = new Run(setup);
        Run second = new Run(half)) {
      assertEquals(every.steps(1).get("backbone_ce"), second.steps(2).get("backbone_ce"));
    }
  }
}

package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.distill.Direction;
import dev.sidefade.export.Safetensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A running mean of the side network as the teacher, and a side network that begins earlier. */
class TaughtByMeanTest {
  @TempDir Path folder;

  private static Run run(float decay, long ahead) {
    return new Run(
        Setup.with(s -> {
          s.teacherAverage = decay;
          s.sideAhead = ahead;
        }));
  }

  @Test
  void theMeanFollowsTheParameters() {
    try (Run run = run(0.75f, 0)) {
      float[] start = run.side.orElseThrow().parameters().values().toFloats();
      assertArrayEquals(start, run.side.orElseThrow().average().orElseThrow().values().toFloats());
      run.steps(1);
      float[] after = run.side.orElseThrow().parameters().values().toFloats();
      float[] mean = run.side.orElseThrow().average().orElseThrow().values().toFloats();
      for (int i = 0; i < mean.length; i++) {
        assertEquals(0.75 * start[i] + 0.25 * after[i], mean[i], 1e-6);
      }
    }
  }

  @Test
  void whereNothingTeachesByItNoMeanIsKept() throws IOException {
    Path file = folder.resolve("checkpoint.safetensors");
    try (Run none = run(0, 0);
        Run mean = run(0.9f, 0);
        Run tellsNobody =
            new Run(
                Setup.with(s -> {
                  s.teacherAverage = 0.9f;
                  s.logits = Direction.BACKBONE_TO_SIDE;
                }))) {
      for (Run run : List.of(none, tellsNobody)) {
        run.checkpoint(file, "same").save(run.train());
        assertFalse(Safetensors.read(file).tensors().containsKey("side.average"));
        assertTrue(run.side.orElseThrow().average().isEmpty());
        run.checkpoint(file, "same").load();
      }
      mean.checkpoint(file, "same").save(mean.train());
      assertTrue(Safetensors.read(file).tensors().containsKey("side.average"));
    }
  }

  @Test
  void theMeanTeachesAndTheSideNetworkLearnsAsWithoutIt() {
    try (Run mean = run(0.99f, 0);
        Run present = run(0, 0)) {
      mean.steps(4);
      present.steps(4);
      assertArrayEquals(
          present.side.orElseThrow().parameters().values().toFloats(),
          mean.side.orElseThrow().parameters().values().toFloats());
      assertFalse(
          Arrays.equals(
              present.tail.orElseThrow().parameters().values().toFloats(),
              mean.tail.orElseThrow().parameters().values().toFloats()));
    }
  }

  @Test
  void aheadTheBackboneStaysAsItIs() {
    try (Run run = run(0, 3)) {
      float[] start = run.tail.orElseThrow().parameters().values().toFloats();
      run.steps(3);
      assertArrayEquals(start, run.tail.orElseThrow().parameters().values().toFloats());
    }
    try (Run run = run(0, 3)) {
      float[] start = run.tail.orElseThrow().parameters().values().toFloats();
      run.steps(4);
      assertFalse(Arrays.equals(start, run.tail.orElseThrow().parameters().values().toFloats()));
    }
  }

  @Test
  void theFirstUpdateAfterwardsIsAFirstUpdate() {
    // a bias correction that counted the steps ahead would make it tiny
    try (Run late = run(0, 3);
        Run early = run(0, 0)) {
      float[] start = late.tail.orElseThrow().parameters().values().toFloats();
      late.steps(4);
      early.steps(1);
      double moved = distance(start, late.tail.orElseThrow().parameters().values().toFloats());
      double first = distance(start, early.tail.orElseThrow().parameters().values().toFloats());
      // the learning rate has risen from a third to its peak
      assertEquals(3, moved / first, 0.6);
    }
  }

  private static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  @Test
  void aResumedRunKnowsTheMean() throws IOException {
    Path file = folder.resolve("checkpoint.safetensors");
    try (Run whole = run(0.9f, 0);
        Run first = run(0.9f, 0);
        Run second = run(0.9f, 0)) {
      TrainingState expected = whole.train();
      first
          .trainer()
          .run(
              new TrainingState(),
              Run.SILENT,
              state -> {
                if (state.epochsDone() == 2) {
                  first.checkpoint(file, "same").save(state);
                }
              });
      TrainingState resumed = second.checkpoint(file, "same").load();
      second.trainer().run(resumed, Run.SILENT, state -> {});
      assertEquals(whole.outcome(expected), second.outcome(resumed));
    }
  }
}

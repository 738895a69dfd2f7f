package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.distill.Direction;
import dev.sidefade.distill.MaskSchedule;
import dev.sidefade.kernels.Device;
import dev.sidefade.side.BlockKind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole trainings on synthetic features: they learn, they repeat to the bit, they can be stopped
 * and resumed.
 */
class TrainerTest {
  @TempDir Path folder;

  /** With everything that draws random numbers: masks, generation, unlabelled rows. */
  private static Setup rich() {
    return Setup.with(s -> {
      s.features = Direction.BACKBONE_TO_SIDE;
      s.maskRatio = 0.4f;
      s.maskSchedule = MaskSchedule.LINEAR;
      s.unlabelled = 13;
      s.backboneEvery = 2;
    });
  }

  private static Run.Outcome outcome(Setup setup) throws IOException {
    try (Run run = new Run(setup)) {
      return run.outcome(run.train());
    }
  }

  @Test
  void bothNetworksLearn() throws IOException {
    Setup setup =
        Setup.with(s -> {
          s.epochs = 12;
          s.labelled = 60;
          s.validation = 60;
        });
    try (Run run = new Run(setup)) {
      List<EpochRecord> history = run.train().history();
      assertEquals(12, history.size());
      EpochRecord last = history.getLast();
      assertTrue(last.validationFaded() > 0.8, () -> "faded " + last.validationFaded());
      assertTrue(last.validationSide() > 0.8, () -> "side " + last.validationSide());
      for (String term : List.of("side_ce", "backbone_ce")) {
        assertTrue(last.losses().get(term) < 0.7 * history.getFirst().losses().get(term), term);
      }
      assertEquals(2, last.gates().size());
      assertEquals(1, last.maskKeepRatio());
      assertEquals(12, last.epoch());
      assertTrue(last.seconds() > 0);
    }
  }

  @Test
  void theSameSettingsGiveTheSameBits() throws IOException {
    assertEquals(outcome(rich()), outcome(rich()));
    Setup other = rich();
    other.seed = 8;
    assertNotEquals(outcome(rich()).tensors(), outcome(other).tensors());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void threadsDoNotChangeABit(int threads) throws IOException {
    for (BlockKind kind : BlockKind.values()) {
      Setup many = rich();
      many.threads = threads;
      many.kind = kind;
      Setup one = rich();
      one.kind = kind;
      assertEquals(outcome(one), outcome(many));
    }
  }

  /** What a crash looks like from inside. */
  private static final class Crash extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "0, 3", "2, 1", "2, 2"})
  void aResumedRunEndsWithTheSameBits(int patience, int crashAfter) throws IOException {
    Setup setup = rich();
    setup.patience = patience;
    setup.epochs = 6;
    setup.guessableValidation = patience == 0;
    Path file = folder.resolve("checkpoint.safetensors");
    Run.Outcome whole = outcome(setup);
    try (Run run = new Run(setup)) {
      Checkpoint checkpoint = run.checkpoint(file, "f");
      Trainer.Saver saver =
          state -> {
            checkpoint.save(state);
            if (state.epochsDone() == crashAfter) {
              throw new Crash();
            }
          };
      Trainer trainer = run.trainer();
      assertThrows(Crash.class, () -> trainer.run(new TrainingState(), Run.SILENT, saver));
    }
    try (Run run = new Run(setup)) {
      Checkpoint checkpoint = run.checkpoint(file, "f");
      TrainingState state = checkpoint.load();
      assertEquals(crashAfter, state.epochsDone());
      run.trainer().run(state, Run.SILENT, checkpoint::save);
      assertEquals(whole, run.outcome(state));
    }
    // a run that is over: nothing is trained again, the best epoch is put back
    try (Run run = new Run(setup)) {
      TrainingState state = run.checkpoint(file, "f").load();
      run.trainer().run(state, Run.SILENT, s -> assertTrue(false, "trained again"));
      assertEquals(whole, run.outcome(state));
    }
  }

  /** Labels that cannot be guessed: the validation accuracy wanders, so patience must run out. */
  @ParameterizedTest
  @CsvSource({"true, 1", "true, 2", "false, 3"})
  void patienceStopsAndBringsTheBestEpochBack(boolean withTail, int patience) throws IOException {
    Setup setup =
        Setup.with(s -> {
          s.withTail = withTail;
          s.epochs = 40;
          s.patience = patience;
          s.guessableValidation = false;
          s.rateSide = 0.02f;
        });
    List<Map<String, List<Float>>> values = new ArrayList<>();
    try (Run run = new Run(setup)) {
      TrainingState state = new TrainingState();
      run.trainer().run(state, Run.SILENT, s -> values.add(run.values()));
      List<Double> scores =
          state.history().stream()
              .map(e -> withTail ? e.validationFaded() : e.validationSide())
              .toList();
      int best = 0;
      for (int e = 1; e < scores.size(); e++) {
        best = scores.get(e) > scores.get(best) ? e : best;
      }
      assertTrue(state.stopped());
      assertTrue(state.epochsDone() < 40);
      assertEquals(best + 1, state.best().orElseThrow().epoch());
      assertEquals(scores.get(best), state.best().get().score());
      assertEquals(best + 1 + patience, state.epochsDone());
      assertEquals(values.get(best), run.values());
      assertNotEquals(values.getLast(), run.values());
    }
  }

  @Test
  void epochsBeforeTheBackboneLearnsAreNotJudged() throws IOException {
    Setup setup =
        Setup.with(s -> {
          s.epochs = 8;
          s.patience = 2;
          s.sideAhead = 5L * s.order().steps();
        });
    try (Run run = new Run(setup)) {
      TrainingState state = run.train();
      assertTrue(state.epochsDone() > 5, "stopped after " + state.epochsDone());
      assertTrue(state.best().orElseThrow().epoch() > 5);
    }
  }

  /** A head start to step 5, but a turn in every eighth epoch only: the first one is epoch 9. */
  @Test
  void rareTurnsOfTheBackboneAreNotJudgedBeforeTheFirst() throws IOException {
    Setup setup =
        Setup.with(s -> {
          s.sideAhead = 5;
          s.backboneEvery = 8 * s.order().steps();
          s.epochs = 12;
          s.patience = 2;
        });
    try (Run run = new Run(setup)) {
      TrainingState state = run.train();
      assertTrue(state.best().orElseThrow().epoch() > 8, state.best().get().epoch() + "");
    }
  }

  @Test
  void withoutAnyScoreTrainingGoesOnToItsEnd() throws IOException {
    Setup setup =
        Setup.with(s -> {
          s.validation = 0;
          s.patience = 1;
        });
    List<Map<String, List<Float>>> values = new ArrayList<>();
    try (Run run = new Run(setup)) {
      TrainingState state = new TrainingState();
      run.trainer().run(state, Run.SILENT, s -> values.add(run.values()));
      assertEquals(setup.epochs, state.epochsDone());
      assertTrue(Double.isNaN(state.history().getLast().validationFaded()));
      assertEquals(values.getLast(), run.values(), "what was learned last is kept");
    }
  }

  @Test
  void tagsOfSpansAreChosenBySpans() throws IOException {
    Setup setup =
        Setup.with(s -> {
          s.task = Task.TOKENS;
          s.classNames = List.of("O", "B-A", "I-A");
          s.patience = 4;
          s.guessableValidation = false;
        });
    try (Run run = new Run(setup)) {
      TrainingState state = run.train();
      assertEquals(setup.epochs, state.epochsDone());
      Outcome outcome =
          Outcome.of(
              run.validation,
              setup.order().rows(),
              setup.answers(),
              (features, batch) ->
                  run.tail.orElseThrow().forward(run.device.kernels(), features, batch));
      assertEquals("f1", outcome.scoreName());
      assertNotEquals(outcome.measures().get("accuracy"), outcome.score());
      TrainingState.Best best = state.best().orElseThrow();
      assertEquals(best.score(), outcome.score());
      assertEquals(state.history().get(best.epoch() - 1).validationFaded(), outcome.score());
      double most =
          state.history().stream().mapToDouble(EpochRecord::validationFaded).max().orElseThrow();
      assertEquals(most, best.score());
    }
  }

  @Test
  void anyScoreIsBetterThanNone() {
    assertTrue(Trainer.isBetter(-0.5, Double.NaN));
    assertFalse(Trainer.isBetter(Double.NaN, Double.NaN));
    assertFalse(Trainer.isBetter(Double.NaN, -0.5));
    assertFalse(Trainer.isBetter(0.5, 0.5));
    assertTrue(Trainer.isBetter(0.6, 0.5));
  }

  @Test
  void listenersHearEveryStepAndEpoch() throws IOException {
    Setup setup = Setup.with(s -> s.epochs = 2);
    List<Long> steps = new ArrayList<>();
    List<String> events = new ArrayList<>();
    try (Run run = new Run(setup)) {
      Trainer.Listener listener =
          new Trainer.Listener() {
            @Override
            public void stepDone(long step, double loss) {
              assertTrue(loss > 0);
              steps.add(step);
            }

            @Override
            public void epochDone(EpochRecord epoch) {
              events.add("done " + epoch.epoch());
            }
          };
      run.trainer().run(new TrainingState(), listener, s -> events.add("saved " + s.epochsDone()));
    }
    assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L), steps);
    assertEquals(List.of("saved 1", "done 1", "saved 2", "done 2"), events);
  }

  @Test
  void aLossThatIsNotFiniteStopsTheTraining() {
    for (boolean withTail : new boolean[] {true, false}) {
      try (Run run = new Run(Setup.with(s -> s.withTail = withTail))) {
        run.train.spoil(3);
        int[] order = run.setup.order().epoch(0);
        int at = 0;
        while (order[at] != 3) {
          at++;
        }
        int step = at / run.setup.order().rows() + 1;
        List<Integer> saved = new ArrayList<>();
        Trainer trainer = run.trainer();
        String message =
            assertThrows(
                    DivergedException.class,
                    () ->
                        trainer.run(
                            new TrainingState(), Run.SILENT, s -> saved.add(s.epochsDone())))
                .getMessage();
        assertTrue(message.contains(withTail ? "backbone_ce" : "side_ce"), message);
        assertTrue(message.contains("step " + step + ":"), message);
        assertEquals(List.of(), saved);
      }
    }
  }

  @Test
  void aGradientThatIsNotFiniteStopsTheTraining() {
    for (Direction direction : Set.of(Direction.SIDE_TO_BACKBONE, Direction.BACKBONE_TO_SIDE)) {
      Setup setup =
          Setup.with(s -> {
            s.logits = direction;
            s.klWeight = KlWeight.fixed(1e30f);
          });
      try (Run run = new Run(setup)) {
        String message = assertThrows(DivergedException.class, run::train).getMessage();
        boolean backbone = direction == Direction.SIDE_TO_BACKBONE;
        assertTrue(
            message.contains(backbone ? "the backbone's gradient" : "the side network's gradient"),
            message);
      }
    }
  }

  @Test
  void allMemoryIsGivenBack() throws IOException {
    try (Device device = Device.cpu(2)) {
      // the first round grows the device's own scratch memory, which it keeps
      long[] live = new long[3];
      for (int round = 0; round < live.length; round++) {
        try (Run run = new Run(rich(), device)) {
          device.resetPeak();
          run.train();
        }
        live[round] = device.liveBytes();
        assertTrue(device.peakBytes() > live[round]);
      }
      assertEquals(live[0], live[1]);
      assertEquals(live[0], live[2]);
      try (Run run = new Run(rich(), device)) {
        long parameters =
            run.tail.orElseThrow().parameters().values().bytes()
                + run.side.orElseThrow().parameters().values().bytes();
        assertTrue(device.liveBytes() >= live[0] + 4 * parameters);
      }
      assertEquals(live[0], device.liveBytes());
    }
  }
}

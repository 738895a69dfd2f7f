package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.distill.Direction;
import dev.sidefade.distill.MaskSchedule;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.WrappedDevice;
import dev.sidefade.side.BlockKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** What a training on a device beside the host must keep: the results of the CPU, and itself. */
public interface TrainingContract {
  /** Opens the device; the test closes it. */
  Device open();

  /** Looks at a device of {@link #open} after a training on it. */
  default void trained(Device device) {}

  /** Trainings that together do everything that a step may do. */
  private static Map<String, Setup> setups() {
    Map<String, Consumer<Setup>> changes = new LinkedHashMap<>();
    changes.put("the side network teaches logits", s -> {});
    changes.put(
        "the backbone teaches logits and features, tokens are masked",
        s -> {
          s.logits = Direction.BACKBONE_TO_SIDE;
          s.features = Direction.BACKBONE_TO_SIDE;
          s.kind = BlockKind.ADAPTER;
          s.maskRatio = 0.5f;
          s.maskSchedule = MaskSchedule.LINEAR;
        });
    changes.put(
        "its mean teaches where it is sure, at every second step",
        s -> {
          s.features = Direction.SIDE_TO_BACKBONE;
          s.teacherAverage = 0.8f;
          s.klRows = KlRows.SURE;
          s.backboneEvery = 2;
          s.sideAhead = 1;
        });
    changes.put(
        "unlabelled rows alone are taught",
        s -> {
          s.klRows = KlRows.UNLABELLED;
          s.labelled = 20;
          s.unlabelled = 24;
        });
    Map<String, Setup> setups = new LinkedHashMap<>();
    changes.forEach((name, change) -> {
      Setup setup = Setup.with(change);
      setup.epochs = 3;
      setups.put(name, setup);
    });
    return setups;
  }

  private static Run.Outcome train(Setup setup, Device device) {
    try (Run run = new Run(setup, device)) {
      return run.outcome(run.train());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Run.Outcome trainAndClose(Setup setup, Supplier<Device> open) {
    try (Device device = open.get()) {
      return train(setup, device);
    }
  }

  @TestFactory
  default List<DynamicTest> endsWhereTheCpuEnds() {
    List<DynamicTest> tests = new ArrayList<>();
    setups()
        .forEach((name, setup) ->
            tests.add(
                DynamicTest.dynamicTest(
                    name,
                    () ->
                        assertClose(
                            trainAndClose(setup, () -> Device.cpu(1)),
                            trainAndClose(setup, this::open)))));
    return tests;
  }

  private static void assertClose(Run.Outcome want, Run.Outcome got) {
    assertEquals(want.history().size(), got.history().size());
    for (int i = 0; i < want.history().size(); i++) {
      EpochRecord a = want.history().get(i);
      EpochRecord b = got.history().get(i);
      assertEquals(List.copyOf(a.losses().keySet()), List.copyOf(b.losses().keySet()));
      a.losses()
          .forEach((term, value) ->
              assertEquals(value, b.losses().get(term), 1e-4 * value + 1e-6, term));
    }
    want.tensors()
        .forEach((name, values) -> {
          double error = 0;
          double scale = 0;
          List<Float> others = got.tensors().get(name);
          for (int i = 0; i < values.size(); i++) {
            if (isOfKeys(name, i, values.size())) {
              continue;
            }
            error += Math.pow(values.get(i) - others.get(i), 2);
            scale += Math.pow(values.get(i), 2);
          }
          assertTrue(
              Math.sqrt(error) <= 1e-4 * Math.sqrt(scale) + 1e-9,
              name + " is off by " + Math.sqrt(error) + " of " + Math.sqrt(scale));
        });
  }

  /**
   * A bias of keys shifts all scores of a query alike, which the softmax does not see: its gradient
   * is zero, and what AdamW makes of it is rounding.
   */
  private static boolean isOfKeys(String name, int i, int size) {
    return name.endsWith("qkv.bias") && i >= size / 3 && i < 2 * size / 3;
  }

  @TestFactory
  default List<DynamicTest> sameBitsAgainAndWithoutRememberingSteps() {
    List<DynamicTest> tests = new ArrayList<>();
    setups()
        .forEach((name, setup) ->
            tests.add(
                DynamicTest.dynamicTest(
                    name,
                    () -> {
                      Run.Outcome first = trainAndClose(setup, this::open);
                      try (Device again = open()) {
                        assertEquals(first, train(setup, again));
                        trained(again);
                      }
                      assertEquals(first, trainAndClose(setup, () -> new Forgetful(open())));
                    })));
    return tests;
  }

  @Test
  default void sameBitsAfterAnInterruption(@TempDir Path folder) throws IOException {
    Setup setup = setups().values().iterator().next();
    Path file = folder.resolve("checkpoint.safetensors");
    try (Device device = open();
        Run whole = new Run(setup, device);
        Run first = new Run(setup, device);
        Run second = new Run(setup, device)) {
      Run.Outcome expected = whole.outcome(whole.train());
      first
          .trainer()
          .run(
              new TrainingState(),
              Run.SILENT,
              state -> {
                if (state.epochsDone() == 1) {
                  first.checkpoint(file, "same").save(state);
                }
              });
      TrainingState resumed = second.checkpoint(file, "same").load();
      second.trainer().run(resumed, Run.SILENT, state -> {});
      assertEquals(expected, second.outcome(resumed));
    }
  }

  /** Where a backbone computes on the device there is nothing to upload. */
  @TestFactory
  default List<DynamicTest> sameBitsWithFeaturesThatAreOnTheDevice() {
    List<DynamicTest> tests = new ArrayList<>();
    setups()
        .forEach((name, setup) ->
            tests.add(
                DynamicTest.dynamicTest(
                    name,
                    () -> {
                      Run.Outcome uploaded = trainAndClose(setup, this::open);
                      setup.featuresOnDevice = true;
                      try (Device device = open()) {
                        assertEquals(uploaded, train(setup, device));
                        trained(device);
                      }
                    })));
    return tests;
  }

  @Test
  default void givesAllMemoryBack() {
    Setup setup = setups().values().iterator().next();
    try (Device device = open()) {
      train(setup, device);
      // what operations keep for themselves is there now
      long before = device.liveBytes();
      train(setup, device);
      assertEquals(before, device.liveBytes());
    }
  }

  /** A device that does every step as if it were the first. */
  final class Forgetful extends WrappedDevice {
    Forgetful(Device device) {
      super(device);
    }

    @Override
    public void step(Object key, Runnable body) {
      body.run();
    }
  }
}

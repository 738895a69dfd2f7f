package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.export.Safetensors;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What is saved comes back; what is damaged or of another training is refused. */
class CheckpointTest {
  private static final String FINGERPRINT = "settings one";

  @TempDir Path folder;

  private Path file() {
    return folder.resolve("checkpoint.safetensors");
  }

  /** A state that has been somewhere, NaN where there is no such network. */
  private static TrainingState someState(Run run) {
    TrainingState state = new TrainingState();
    for (int e = 1; e <= 3; e++) {
      Map<String, Double> losses = new LinkedHashMap<>();
      losses.put("z", 1.0 / (3 * e));
      losses.put("a", 1e-300);
      state.add(
          new EpochRecord(e, losses, Double.NaN, 0.1 + e, 1 / 3.0, List.of(0.5, 0.1), 1, 2.5));
    }
    state.setBest(TrainingState.Best.of(2, 2.1, run.tail, run.side));
    state.stop();
    return state;
  }

  @Test
  void everythingComesBack() throws IOException {
    for (int parts = 1; parts <= 3; parts++) {
      boolean tail = (parts & 1) != 0;
      boolean side = (parts & 2) != 0;
      Setup setup =
          Setup.with(s -> {
            s.withTail = tail;
            s.withSide = side;
          });
      try (Run run = new Run(setup);
          Run fresh = new Run(setup)) {
        run.steps(2);
        TrainingState state = someState(run);
        run.steps(1);
        run.checkpoint(file(), FINGERPRINT).save(state);
        assertFalse(fresh.outcome(state).equals(run.outcome(state)));
        TrainingState loaded = fresh.checkpoint(file(), FINGERPRINT).load();
        assertEquals(run.outcome(state), fresh.outcome(loaded));
        assertEquals(state.history(), loaded.history());
        assertEquals(List.of("z", "a"), List.copyOf(loaded.history().get(0).losses().keySet()));
        TrainingState.Best best = loaded.best().orElseThrow();
        assertEquals(2, best.epoch());
        assertEquals(2.1, best.score());
        assertTrue(Arrays.equals(state.best().get().tail(), best.tail()));
        assertTrue(Arrays.equals(state.best().get().side(), best.side()));
      }
    }
  }

  @Test
  void withoutABestEpochThereIsNone() throws IOException {
    try (Run run = new Run(new Setup())) {
      Checkpoint checkpoint = run.checkpoint(file(), FINGERPRINT);
      assertFalse(checkpoint.exists());
      checkpoint.save(new TrainingState());
      assertTrue(checkpoint.exists());
      TrainingState loaded = checkpoint.load();
      assertEquals(0, loaded.epochsDone());
      assertTrue(loaded.best().isEmpty());
      assertFalse(loaded.stopped());
    }
  }

  @Test
  void nothingIsLeftBesideTheFile() throws IOException {
    try (Run run = new Run(new Setup())) {
      Checkpoint checkpoint = run.checkpoint(file(), FINGERPRINT);
      checkpoint.save(new TrainingState());
      byte[] first = Files.readAllBytes(file());
      checkpoint.save(new TrainingState());
      assertTrue(Arrays.equals(first, Files.readAllBytes(file())), "same state, same bytes");
      try (Stream<Path> files = Files.list(folder)) {
        assertEquals(List.of(file()), files.toList());
      }
    }
  }

  @Test
  void anotherTrainingIsRefused() throws IOException {
    try (Run run = new Run(new Setup())) {
      run.checkpoint(file(), FINGERPRINT).save(new TrainingState());
      Run.Outcome before = run.outcome(new TrainingState());
      refused(() -> run.checkpoint(file(), "settings two").load(), "other settings");
      assertEquals(before, run.outcome(new TrainingState()));
    }
  }

  @Test
  void whatIsMissingOrOfAnotherSizeIsNamed() throws IOException {
    try (Run run = new Run(Setup.with(s -> s.withSide = false))) {
      run.checkpoint(file(), FINGERPRINT).save(new TrainingState());
    }
    try (Run run = new Run(new Setup())) {
      refused(() -> run.checkpoint(file(), FINGERPRINT).load(), "side.values");
    }
    try (Run run = new Run(Setup.with(s -> s.withSide = false))) {
      Safetensors.Content content = Safetensors.read(file());
      Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>(content.tensors());
      tensors.put("tail.first_moments", new Safetensors.Entry(new float[3], 3));
      Safetensors.write(file(), tensors, content.metadata());
      refused(() -> run.checkpoint(file(), FINGERPRINT).load(), "tail.first_moments");
      for (String state :
          List.of(
              "",
              "{",
              "[]",
              "{}",
              "{\"history\":7}",
              "7",
              "{\"history\":[null]}",
              "{\"history\":[{\"epoch\":1}]}",
              "{\"history\":[{\"losses\":{\"a\":null},\"gates\":[]}]}",
              "{\"history\":[{\"losses\":{},\"gates\":[null]}]}",
              "{\"history\":[{\"losses\":{},\"gates\":[],\"seconds\":1.0\"seconds\"}]}",
              "{\"history\":[{\"losses\":{\"a\":0.3.5},\"gates\":[]}]}",
              "{\"history\":[],\"bestEpoch\":1}",
              "{\"history\":[],\"bestEpoch\":-1}")) {
        Safetensors.write(
            file(), content.tensors(), Map.of("fingerprint", FINGERPRINT, "state", state));
        refused(() -> run.checkpoint(file(), FINGERPRINT).load(), "state");
      }
      Safetensors.write(file(), content.tensors(), Map.of("fingerprint", FINGERPRINT));
      refused(() -> run.checkpoint(file(), FINGERPRINT).load(), "state");
    }
  }

  @Test
  void aBestEpochOfAnotherSizeIsRefused() throws IOException {
    try (Run run = new Run(new Setup())) {
      Checkpoint checkpoint = run.checkpoint(file(), FINGERPRINT);
      checkpoint.save(someState(run));
      Safetensors.Content content = Safetensors.read(file());
      for (String name : List.of("best.tail", "best.side")) {
        Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>(content.tensors());
        tensors.put(name, new Safetensors.Entry(new float[3], 3));
        Safetensors.write(file(), tensors, content.metadata());
        refused(checkpoint::load, name);
      }
    }
  }

  @Test
  void truncatedFilesAreRefused() throws IOException {
    try (Run run = new Run(new Setup())) {
      Checkpoint checkpoint = run.checkpoint(file(), FINGERPRINT);
      checkpoint.save(someState(run));
      byte[] whole = Files.readAllBytes(file());
      for (int length = 0; length < whole.length; length += 1 + length / 7) {
        Files.write(file(), Arrays.copyOf(whole, length));
        assertThrows(BadInputException.class, checkpoint::load, "at " + length);
      }
      Files.write(file(), Arrays.copyOf(whole, whole.length - 1));
      assertThrows(BadInputException.class, checkpoint::load);
      Files.write(file(), whole);
      assertEquals(3, checkpoint.load().epochsDone());
    }
  }

  private static void refused(Executable call, String part) {
    String message = assertThrows(BadInputException.class, call).getMessage();
    assertTrue(message.contains(part), message);
    assertFalse(message.contains("\n"), message);
  }
}

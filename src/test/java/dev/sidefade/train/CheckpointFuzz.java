package dev.sidefade.train;

import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.Mutator;
import dev.sidefade.fuzz.ScratchFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/** Checkpoints of a very small training; what is loaded must be good to train on. */
public final class CheckpointFuzz implements FuzzTarget {
  private static final String FINGERPRINT = "f";

  private final ScratchFolder scratch = ScratchFolder.create();
  private final Path file = scratch.path().resolve("checkpoint.safetensors");
  private final Run run = new Run(setup());
  private final Checkpoint checkpoint = run.checkpoint(file, FINGERPRINT);
  private final byte[] header;
  private final byte[] data;
  private final Mutator whole;
  private final Mutator headers;

  /** Trains for an epoch and saves. */
  public CheckpointFuzz() throws IOException {
    checkpoint.save(run.train());
    byte[] sample = Files.readAllBytes(file);
    int length = (int) ByteBuffer.wrap(sample).order(ByteOrder.LITTLE_ENDIAN).getLong();
    header = Arrays.copyOfRange(sample, 8, 8 + length);
    data = Arrays.copyOfRange(sample, 8 + length, sample.length);
    List<String> words =
        List.of(
            "\\\"history\\\":",
            "\\\"bestEpoch\\\":",
            "\\\"losses\\\":",
            "\\\"gates\\\":",
            "null",
            "{}",
            "[]",
            "[null]",
            "\\\"",
            ",",
            ":",
            "\\\"NaN\\\"",
            "-1",
            "\\\"stopped\\\":true",
            "\\\"epoch\\\":",
            "[[",
            "\\u0000");
    whole = new Mutator(List.of(sample), words);
    headers = new Mutator(List.of(header), words);
  }

  private static Setup setup() {
    return Setup.with(s -> {
      s.withSide = false;
      s.widths = List.of(3, 2);
      s.classes = 2;
      s.epochs = 2;
      s.patience = 1;
      s.labelled = 4;
      s.validation = 2;
    });
  }

  @Override
  public String name() {
    return "checkpoints";
  }

  @Override
  public byte[] mutant(RandomGenerator random) {
    if (random.nextInt(4) == 0) {
      return whole.mutant(random);
    }
    byte[] changed = headers.mutant(random);
    return ByteBuffer.allocate(8 + changed.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(changed.length)
        .put(changed)
        .put(data)
        .array();
  }

  @Override
  public void read(byte[] input) throws IOException {
    Files.write(file, input);
    TrainingState state = checkpoint.load();
    for (EpochRecord epoch : state.history()) {
      if (epoch.losses().containsValue(null) || epoch.gates().contains(null)) {
        throw new IllegalStateException("a loss or gate that is null");
      }
    }
    run.setup.settings().klWeight().next(state.history(), 40, true, 1);
    state.best().ifPresent(best -> best.restore(run.tail, run.side));
  }

  @Override
  public void close() throws IOException {
    run.close();
    scratch.close();
  }
}

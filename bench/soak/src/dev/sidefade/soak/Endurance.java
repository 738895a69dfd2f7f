package dev.sidefade.soak;

import com.google.gson.JsonObject;
import dev.sidefade.AdaptConfig;
import dev.sidefade.ProgressListener;
import dev.sidefade.Sidefade;
import dev.sidefade.Tune;
import dev.sidefade.distill.Direction;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Trains for a given time and looks at memory: {@code Endurance --minutes 60 --kind steps}. {@code
 * steps} is one training that does not end, {@code runs} are whole adaptations one after another,
 * from reading the model to the report. Gradients inside the backbone, the side network and the
 * exchange of logits are all at work.
 */
public final class Endurance {
  private static final PrintStream LOG = new PrintStream(System.err, true, StandardCharsets.UTF_8);

  /** More than any machine gets through. */
  private static final int EPOCHS_A_SECOND = 6;

  private final Options options;
  private final MemorySamples samples = new MemorySamples();
  private long steps;

  private Endurance(String[] arguments) {
    options =
        new Options(
            arguments,
            "--minutes",
            "60",
            "--every",
            "20",
            "--kind",
            "steps",
            "--threads",
            "1",
            "--machine",
            "unnamed",
            "--commit",
            "unknown",
            "--out",
            "endurance.json");
  }

  /** Ends when the time is over. */
  public static void main(String[] arguments) throws IOException {
    new Endurance(arguments).run();
  }

  private void run() throws IOException {
    Path folder = Files.createTempDirectory("sidefade-endurance");
    JsonObject report = Results.begin("endurance", options);
    report.addProperty("kind", options.text("--kind"));
    report.addProperty("threads", options.number("--threads"));
    report.addProperty("minutes_asked_for", options.decimal("--minutes"));
    try {
      DemoData data = DemoData.unpack(folder.resolve("data"));
      switch (options.text("--kind")) {
        case "steps" -> steps(data, folder.resolve("out"));
        case "runs" -> report.addProperty("runs", runs(data, folder));
        default -> throw new IllegalArgumentException("--kind is steps or runs");
      }
    } finally {
      DemoData.delete(folder);
    }
    report.addProperty("training_steps", steps);
    samples.addTo(report);
    Results.write(Path.of(options.text("--out")), report);
  }

  private boolean over() {
    return samples.seconds() >= 60 * options.decimal("--minutes");
  }

  /**
   * One training of more epochs than the time is enough for; not of many more, since linear probes
   * of as many epochs come first.
   */
  private void steps(DemoData data, Path out) throws IOException {
    int epochs = (int) Math.ceil(options.decimal("--minutes") * 60 * EPOCHS_A_SECOND);
    AdaptConfig config = config(data, out).epochs(epochs).build();
    try {
      Sidefade.adapt(config, new Watch(true));
      throw new IllegalStateException("the training ended before its time: raise EPOCHS_A_SECOND");
    } catch (Over _) {
      LOG.println("steps: " + steps + " in " + samples.seconds() + " s");
    }
  }

  private long runs(DemoData data, Path folder) throws IOException {
    long runs = 0;
    while (!over()) {
      Path out = folder.resolve("out");
      Sidefade.adapt(config(data, out).epochs(2).build(), new Watch(false));
      DemoData.delete(out);
      runs++;
      samples.take(runs);
    }
    return runs;
  }

  private AdaptConfig.Builder config(DemoData data, Path out) {
    return data.config(out, options.number("--threads"))
        .tune(Tune.lowRank(4))
        .logits(Direction.SIDE_TO_BACKBONE)
        .measureUnlabelled(false);
  }

  /** Ends a training that would not end. */
  private static final class Over extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** Counts steps, and takes samples between them if asked to. */
  private final class Watch implements ProgressListener {
    private final boolean sampling;
    private boolean training;

    Watch(boolean sampling) {
      this.sampling = sampling;
    }

    @Override
    public void phase(String name, long count) {
      training = name.equals("training");
    }

    @Override
    public void step(long done, String detail) {
      if (!training) {
        return;
      }
      steps++;
      if (!sampling) {
        return;
      }
      if (samples.sinceLast() >= options.decimal("--every")) {
        take();
      }
      if (over()) {
        throw new Over();
      }
    }

    private void take() {
      try {
        samples.take(steps);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}

package dev.sidefade.soak;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.sidefade.AdaptConfig;
import dev.sidefade.ProgressListener;
import dev.sidefade.QuickRuns;
import dev.sidefade.Tune;
import dev.sidefade.fuzz.ScratchFolder;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Kills adaptations with SIGKILL at random moments, in turns at any time and in what comes after
 * the training, looks at the files that are there and resumes: {@code Kill --runs 200}. The resumed
 * run must end in the same bytes as one that was never killed. Victims live too short for the
 * compiler that vectors need: this program and they run without the module of the Vector API, on
 * plain loops.
 */
public final class Kill {
  /** What a victim says when its training is over and the export begins. */
  static final String TRAINED = "after training";

  private static final PrintStream LOG = new PrintStream(System.err, true, StandardCharsets.UTF_8);
  private static final List<String> JVM =
      List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx192m");

  private final Options options;
  private final SplittableRandom random;
  private final Path folder;
  private final DemoData data;
  private final ResultFolder expected;
  private double wholeSeconds;
  private double exportSeconds;

  private Kill(String[] arguments, Path folder) throws IOException {
    this.folder = folder;
    options =
        new Options(
            arguments,
            "--runs",
            "200",
            "--minutes",
            "1e9",
            "--seed",
            "1",
            "--machine",
            "unnamed",
            "--commit",
            "unknown",
            "--out",
            "kill.json");
    random = new SplittableRandom(options.large("--seed"));
    data = DemoData.unpack(folder.resolve("data"));
    SmallData.cut(data, "labelled", 48);
    SmallData.cut(data, "val", 24);
    expected = new ResultFolder(folder.resolve("expected"));
  }

  /** Exit code 1 if a file was broken or a resumed run ended in other bytes. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    boolean good;
    try (ScratchFolder scratch = ScratchFolder.create()) {
      good = new Kill(arguments, scratch.path()).run();
    }
    System.exit(good ? 0 : 1);
  }

  /** A run of a second or two that trains, exports both models and a delta. */
  static AdaptConfig config(DemoData data, Path out) {
    return builder(data, out).build();
  }

  private static AdaptConfig.Builder builder(DemoData data, Path out) {
    return data.config(out, 1)
        .tune(Tune.FINAL_NORM)
        .measureUnlabelled(false)
        .sideWidth(16)
        .epochs(10)
        .batch(16);
  }

  private boolean run() throws IOException, InterruptedException {
    JsonObject report = Results.begin("kill", options);
    report.addProperty("seed", options.large("--seed"));
    report.addProperty("runs_asked_for", options.number("--runs"));
    QuickRuns.adapt(config(data, expected.folder()), ProgressListener.SILENT);
    measureWhole();
    LOG.println("left alone: " + wholeSeconds + " s, export " + exportSeconds + " s");
    report.addProperty("seconds_left_alone", wholeSeconds);
    report.addProperty("seconds_of_export_left_alone", exportSeconds);
    JsonArray runs = new JsonArray();
    TreeMap<String, Integer> moments = new TreeMap<>();
    int wrong = 0;
    long start = System.nanoTime();
    while (runs.size() < options.number("--runs")
        && System.nanoTime() - start < 60e9 * options.decimal("--minutes")) {
      JsonObject run = one(runs.size());
      LOG.println(run);
      runs.add(run);
      moments.merge(run.get("killed_in").getAsString(), 1, Integer::sum);
      wrong += run.get("right").getAsBoolean() ? 0 : 1;
      report.addProperty("runs_done", runs.size());
      report.addProperty("runs_wrong", wrong);
      report.addProperty("seconds", (System.nanoTime() - start) / 1e9);
      JsonObject counts = new JsonObject();
      moments.forEach(counts::addProperty);
      report.add("killed_in", counts);
      report.add("runs", runs);
      Results.write(Path.of(options.text("--out")), report);
    }
    return wrong == 0;
  }

  /** How long a victim takes that is left alone. */
  private void measureWhole() throws IOException, InterruptedException {
    Path out = folder.resolve("whole");
    Process victim = start(out);
    await(victim, "begun");
    long begun = System.nanoTime();
    await(victim, TRAINED);
    long trained = System.nanoTime();
    if (victim.waitFor() != 0) {
      throw new IllegalStateException(Files.readString(log()));
    }
    wholeSeconds = (System.nanoTime() - begun) / 1e9;
    exportSeconds = (System.nanoTime() - trained) / 1e9;
    List<String> differences = new ResultFolder(out).differences(expected);
    if (!differences.isEmpty()) {
      throw new IllegalStateException("two runs that were left alone differ: " + differences);
    }
    clean(out);
  }

  private JsonObject one(int index) throws IOException, InterruptedException {
    Path out = folder.resolve("out");
    boolean atExport = index % 2 == 1;
    double wait = random.nextDouble() * (atExport ? exportSeconds : wholeSeconds);
    Process victim = start(out);
    await(victim, atExport ? TRAINED : "begun");
    victim.waitFor((long) (wait * 1e9), TimeUnit.NANOSECONDS);
    boolean killed = victim.isAlive();
    victim.destroyForcibly().waitFor();
    JsonObject run = new JsonObject();
    List<String> lines = Files.readAllLines(log());
    run.addProperty("killed_in", killed ? lines.getLast() : "nothing: it had finished");
    run.addProperty("seconds_waited", wait);
    ResultFolder result = new ResultFolder(out);
    run.addProperty("files_then", String.join(" ", result.names()));
    List<String> wrong = new ArrayList<>();
    try {
      wrong.addAll(result.broken(expected));
      QuickRuns.adapt(builder(data, out).resume(true).build(), ProgressListener.SILENT);
      wrong.addAll(result.differences(expected));
    } catch (RuntimeException e) {
      wrong.add(e.toString());
    }
    run.addProperty("wrong", String.join("; ", wrong));
    run.addProperty("right", wrong.isEmpty());
    clean(out);
    return run;
  }

  private Process start(Path out) throws IOException {
    Path temporary = Files.createDirectories(folder.resolve("temporary"));
    return Child.start(
        temporary, log(), JVM, KillVictim.class, data.folder().toString(), out.toString());
  }

  private Path log() {
    return folder.resolve("log");
  }

  /** Waits until the victim has said something, or is over. */
  private void await(Process victim, String line) throws IOException, InterruptedException {
    while (victim.isAlive() && !said(line)) {
      Thread.sleep(5);
    }
  }

  private boolean said(String line) throws IOException {
    try (Stream<String> lines = Files.lines(log())) {
      return lines.anyMatch(line::equals);
    }
  }

  private void clean(Path out) throws IOException {
    DemoData.delete(out);
    DemoData.delete(folder.resolve("temporary"));
  }
}

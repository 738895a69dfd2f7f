package dev.sidefade.soak;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.sidefade.fuzz.FuzzFailure;
import dev.sidefade.fuzz.FuzzRun;
import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.FuzzTargets;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Gives every parser many damaged inputs: {@code Fuzz --inputs 1000000 --seed 1}; {@code --parser
 * onnx,idx} takes some of them, {@code --minutes 10} ends each after that time, {@code --replay
 * 1234} reads one input. An input that computes longer than {@code --seconds-for-one} ends the
 * process.
 */
public final class Fuzz {
  private static final PrintStream LOG = new PrintStream(System.err, true, StandardCharsets.UTF_8);
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final int SHOWN = 10;

  private final Options options;
  private final long seed;

  private Fuzz(String[] arguments) {
    options =
        new Options(
            arguments,
            "--inputs",
            "1000000",
            "--seed",
            "1",
            "--parser",
            "all",
            "--replay",
            "-1",
            "--minutes",
            "1e9",
            "--seconds-for-one",
            "20",
            "--machine",
            "unnamed",
            "--commit",
            "unknown",
            "--out",
            "fuzz.json");
    seed = options.large("--seed");
  }

  /** Exit code 1 if any input was answered wrongly. */
  public static void main(String[] arguments) throws IOException {
    System.exit(new Fuzz(arguments).run() ? 0 : 1);
  }

  private boolean run() throws IOException {
    List<String> chosen = chosen();
    if (options.large("--replay") >= 0) {
      replay(chosen.getFirst());
      return true;
    }
    JsonObject report = Results.begin("fuzz", options);
    report.addProperty("seed", seed);
    report.addProperty("inputs_per_parser", options.large("--inputs"));
    report.addProperty("most_seconds_allowed_per_input", options.number("--seconds-for-one"));
    JsonArray parsers = new JsonArray();
    report.add("parsers", parsers);
    boolean good = true;
    for (String name : chosen) {
      JsonObject result = parser(name);
      LOG.println(result);
      parsers.add(result);
      good &= result.get("answered_wrongly").getAsLong() == 0;
      Results.write(Path.of(options.text("--out")), report);
    }
    return good;
  }

  private List<String> chosen() {
    Map<String, FuzzTargets.Opening> all = FuzzTargets.all();
    String wanted = options.text("--parser");
    if (wanted.equals("all")) {
      return List.copyOf(all.keySet());
    }
    List<String> chosen = List.of(wanted.split(","));
    if (!all.keySet().containsAll(chosen)) {
      throw new IllegalArgumentException("the parsers are " + all.keySet());
    }
    return chosen;
  }

  private void replay(String name) throws IOException {
    try (FuzzTarget target = FuzzTargets.all().get(name).open()) {
      FuzzRun run = new FuzzRun(target, seed);
      run.one(options.large("--replay"));
      LOG.println(run.read() > 0 ? "it is read" : "it is refused");
    }
  }

  private JsonObject parser(String name) throws IOException {
    try (FuzzTarget target = FuzzTargets.all().get(name).open()) {
      FuzzRun run = new FuzzRun(target, seed);
      Thread watchdog = watch(name, run, Thread.currentThread());
      long start = System.nanoTime();
      long wrong = 0;
      double most = 60e9 * options.decimal("--minutes");
      long inputs = options.large("--inputs");
      for (long i = 0; i < inputs && System.nanoTime() - start < most; i++) {
        try {
          run.one(i);
        } catch (FuzzFailure e) {
          if (wrong++ < SHOWN) {
            e.printStackTrace(LOG);
          }
        }
      }
      watchdog.interrupt();
      return result(name, target, run, wrong, (System.nanoTime() - start) / 1e9);
    }
  }

  private JsonObject result(
      String name, FuzzTarget target, FuzzRun run, long wrong, double seconds) {
    JsonObject result = new JsonObject();
    result.addProperty("parser", name);
    result.addProperty("of", target.name());
    result.addProperty("inputs", run.read() + run.refused() + run.failedToRead() + wrong);
    result.addProperty("read", run.read());
    result.addProperty("refused", run.refused());
    result.addProperty("io_exception", run.failedToRead());
    result.addProperty("answered_wrongly", wrong);
    result.addProperty("seconds", seconds);
    result.addProperty("longest_input_ms", run.worstNanos() / 1e6);
    result.addProperty("longest_input", run.worstTimeAt());
    // the first time a pause of the machine may have been in it
    result.addProperty("longest_input_again_ms", again(target, run.worstTimeAt()));
    result.addProperty("most_bytes_allowed", target.mostBytes());
    result.addProperty("most_bytes_allocated", run.worstBytes());
    result.addProperty("most_bytes_allocated_by_input", run.worstBytesAt());
    return result;
  }

  private double again(FuzzTarget target, long iteration) {
    FuzzRun run = new FuzzRun(target, seed);
    try {
      run.one(iteration);
    } catch (FuzzFailure e) {
      // counted before
    }
    return run.worstNanos() / 1e6;
  }

  /**
   * Ends the process when one input takes too long, and says which and where it is. What counts is
   * the time of the processor, for the machine may be busy with other things; of the wall's, thirty
   * times as much, for an input may also wait for something.
   */
  private Thread watch(String name, FuzzRun run, Thread worker) {
    long most = options.number("--seconds-for-one") * 1_000_000_000L;
    return Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            long watched = -1;
            long before = 0;
            while (true) {
              Thread.sleep(500);
              long iteration = run.current();
              long now = THREADS.getThreadCpuTime(worker.threadId());
              if (iteration != watched) {
                watched = iteration;
                before = now;
              } else if (iteration >= 0
                  && (now - before > most || run.nanosInCurrent() > 30 * most)) {
                hangs(name, iteration, worker);
              }
            }
          } catch (InterruptedException e) {
            // the parser is through
          }
        });
  }

  private void hangs(String name, long iteration, Thread worker) {
    LOG.println(name + ", seed " + seed + ", iteration " + iteration + " hangs at");
    for (StackTraceElement frame : worker.getStackTrace()) {
      LOG.println("\t" + frame);
    }
    Runtime.getRuntime().halt(1);
  }
}

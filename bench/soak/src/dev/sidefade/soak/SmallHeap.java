package dev.sidefade.soak;

import com.google.gson.JsonObject;
import dev.sidefade.cli.Main;
import dev.sidefade.fuzz.ScratchFolder;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs {@code sidefade demo} with a heap of 256 MB: {@code SmallHeap --threads 1}. */
public final class SmallHeap {
  private SmallHeap() {}

  /** Exit code 1 if the demo failed. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Options options =
        new Options(
            arguments,
            "--heap",
            "256m",
            "--threads",
            "1",
            "--machine",
            "unnamed",
            "--commit",
            "unknown",
            "--out",
            "small-heap.json");
    JsonObject report = Results.begin("small heap", options);
    boolean good;
    try (ScratchFolder scratch = ScratchFolder.create()) {
      good = run(options, scratch.path(), report);
    }
    Results.write(Path.of(options.text("--out")), report);
    System.exit(good ? 0 : 1);
  }

  private static boolean run(Options options, Path folder, JsonObject report)
      throws IOException, InterruptedException {
    Path log = folder.resolve("log");
    Path collections = folder.resolve("collections");
    long start = System.nanoTime();
    Process demo =
        Child.start(
            Files.createDirectory(folder.resolve("temporary")),
            log,
            List.of(
                "--add-modules",
                "jdk.incubator.vector",
                "-Xmx" + options.text("--heap"),
                "-XX:+UseSerialGC",
                "-Xlog:gc:file=" + collections),
            Main.class,
            "demo",
            "--out",
            folder.resolve("demo").toString(),
            "--threads",
            options.text("--threads"));
    long resident = -1;
    while (!demo.waitFor(200, TimeUnit.MILLISECONDS)) {
      resident = Math.max(resident, Child.mostResident(demo.pid()));
    }
    report.addProperty("heap_option", "-Xmx" + options.text("--heap"));
    report.addProperty("threads", options.number("--threads"));
    report.addProperty("exit_code", demo.exitValue());
    report.addProperty("seconds", (System.nanoTime() - start) / 1e9);
    report.addProperty("most_resident_bytes", resident);
    report.addProperty("most_heap_before_a_collection_mebibytes", mostHeap(collections));
    Path result = folder.resolve("demo/result");
    for (String name : List.of("model.onnx", "delta.safetensors", "metrics.json", "report.html")) {
      Path file = result.resolve(name);
      report.addProperty(name + "_bytes", Files.exists(file) ? Files.size(file) : -1);
    }
    if (demo.exitValue() != 0) {
      new PrintStream(System.err, true, StandardCharsets.UTF_8).println(Files.readString(log));
    }
    return demo.exitValue() == 0;
  }

  /** The largest number before the arrow in lines such as "Pause Young (...) 51M->7M(247M)". */
  private static long mostHeap(Path collections) throws IOException {
    try (var lines = Files.lines(collections)) {
      return lines
          .filter(line -> line.matches(".* \\d+M->\\d+M\\(.*"))
          .mapToLong(line -> Long.parseLong(line.replaceAll(".* (\\d+)M->.*", "$1")))
          .max()
          .orElse(-1);
    }
  }
}

package dev.sidefade;

import dev.sidefade.report.CompareFiles;
import dev.sidefade.report.RunMetrics;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The folder of a comparison: a folder per variant with a folder per seed, and the three files of
 * the comparison.
 *
 * @param root the folder
 */
record CompareFolder(Path root) {
  private static final String METRICS = "metrics.json";

  /**
   * Looks whether the folder can take a comparison; nothing is written yet.
   *
   * @throws BadInputException if something else lies there
   */
  void check() throws IOException {
    if (Files.exists(root) && !Files.isDirectory(root)) {
      throw new BadInputException("the output folder " + root + " is a file: choose another");
    }
    if (!Files.exists(root)) {
      return;
    }
    Set<String> own = new HashSet<>(CompareFiles.NAMES);
    Stream.of(CompareVariant.values()).forEach(variant -> own.add(variant.text()));
    try (Stream<Path> inside = Files.list(root)) {
      Optional<String> stranger =
          inside
              .map(path -> path.getFileName().toString())
              .filter(name -> !name.startsWith(".") && !own.contains(name))
              .sorted()
              .findFirst();
      if (stranger.isPresent()) {
        throw new BadInputException(
            "the output folder "
                + root
                + " holds something that is no comparison ("
                + stranger.get()
                + "): choose another");
      }
    }
  }

  /** Folder of one run. */
  Path run(CompareVariant variant, long seed) {
    return root.resolve(variant.text()).resolve("seed-" + seed);
  }

  /** Whether a run was begun. */
  static boolean isStarted(Path run) throws IOException {
    if (!Files.exists(run)) {
      return false;
    }
    try (Stream<Path> inside = Files.list(run)) {
      return inside.findAny().isPresent();
    }
  }

  /**
   * What a run with these settings gave; empty where it is not finished.
   *
   * @throws BadInputException if a run with other settings is finished there, naming them
   */
  static Optional<RunMetrics> finished(AdaptConfig config) throws IOException {
    Path file = config.out().resolve(METRICS);
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    RunMetrics metrics = RunMetrics.read(file);
    refuse(config, "settings", differences(metrics.config(), asText(config)));
    return Optional.of(metrics);
  }

  /**
   * Looks whether finished runs read the files that lie there now. Runs of earlier versions do not
   * say what they read.
   *
   * @param shared names the files
   * @param finished what the runs gave
   * @throws BadInputException if one read others, naming them
   */
  static void requireSameFiles(AdaptConfig shared, Map<AdaptConfig, RunMetrics> finished)
      throws IOException {
    Map<AdaptConfig, Map<String, String>> read = new LinkedHashMap<>();
    finished.forEach((run, metrics) -> {
      Map<String, String> hashes = new HashMap<>(metrics.environment());
      hashes.keySet().retainAll(InputHashes.NAMES);
      if (!hashes.isEmpty()) {
        read.put(run, hashes);
      }
    });
    if (read.isEmpty()) {
      return;
    }
    Map<String, String> now = InputHashes.of(shared);
    read.forEach((run, was) -> refuse(run, "files", differences(was, now)));
  }

  private static void refuse(AdaptConfig config, String what, List<String> differences) {
    if (!differences.isEmpty()) {
      throw new BadInputException(
          "the run in "
              + config.out()
              + " was made with other "
              + what
              + " ("
              + String.join("; ", differences)
              + "): choose another --out, or delete it");
    }
  }

  /** The settings as a run writes them. */
  private static Map<String, String> asText(AdaptConfig config) {
    RunReport report = RunReport.builder("").config(ConfigText.of(config)).build();
    return RunMetrics.of(report).config();
  }

  private static List<String> differences(Map<String, String> was, Map<String, String> is) {
    Set<String> names = new TreeSet<>(was.keySet());
    names.addAll(is.keySet());
    names.removeAll(ConfigText.FREE);
    List<String> differences = new ArrayList<>();
    for (String name : names) {
      String before = was.getOrDefault(name, "not given");
      String now = is.getOrDefault(name, "not given");
      if (!before.equals(now)) {
        differences.add(name + " was " + before + ", is " + now);
      }
    }
    return differences;
  }
}

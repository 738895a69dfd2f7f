package dev.sidefade.docs;

import dev.sidefade.DocumentData;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Where the commands of one document run: a copy of the sources, what was built of them, and small
 * data under the names that the documents use.
 *
 * @param root the folder
 */
record DocumentFolder(Path root) {
  private static final long LONGEST_MINUTES = 3;

  /** What runs for a moment is not worth the second compiler. */
  private static final String SHORT_RUNS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

  /** What a command left behind. */
  record Outcome(int code, String printed) {}

  /** Makes one below a folder; the sources are those of the current folder. */
  static DocumentFolder make(Path scratch, String name) throws IOException {
    Path root = Files.createDirectory(scratch.resolve(name));
    copy(Path.of(""), root);
    Path target = Files.createDirectory(root.resolve("target"));
    try (var built = Files.list(Path.of("target"))) {
      for (Path file : built.toList()) {
        String link = file.getFileName().toString();
        if (link.equals("lib") || link.equals("native") || link.endsWith(".jar")) {
          Files.createSymbolicLink(target.resolve(link), file.toAbsolutePath());
        }
      }
    }
    DocumentData.make(root);
    DocumentFolder folder = new DocumentFolder(root);
    Path launcher = root.resolve("sidefade");
    Files.writeString(launcher, folder.launcher());
    Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
    return folder;
  }

  /** Copies files with their times, but nothing that is built or belongs to git. */
  static void copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
              throws IOException {
            String name = String.valueOf(folder.getFileName());
            if (name.equals(".git") || name.equals("target")) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            Files.createDirectories(to.resolve(from.relativize(folder)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.copy(file, to.resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** Takes the place of {@code ./sidefade}, with shorter defaults. */
  private String launcher() {
    return """
    #!/usr/bin/env bash
    exec '%s' --enable-native-access=ALL-UNNAMED \\
      ${SIDEFADE_JAVA_OPTS:-} -cp '%s' dev.sidefade.cli.DocumentCli "$@"
    """
        .formatted(java(), classPath());
  }

  private static Path java() {
    return Path.of(System.getProperty("java.home"), "bin", "java");
  }

  /** This program's class path, which stays right in another folder. */
  private static String classPath() {
    List<String> absolute = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      absolute.add(Path.of(entry).toAbsolutePath().toString());
    }
    return String.join(File.pathSeparator, absolute);
  }

  /** Runs a command by bash in the folder, with nothing to read. */
  Outcome run(List<String> settings, String command) throws IOException, InterruptedException {
    Path printed = Files.createTempFile(root.getParent(), "printed", ".txt");
    String script = "set -eo pipefail\n" + String.join("\n", settings) + "\n" + command + "\n";
    ProcessBuilder builder =
        new ProcessBuilder("bash", "-c", script)
            .directory(root.toFile())
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
            .redirectOutput(printed.toFile());
    String paths = root + File.pathSeparator + java().getParent() + File.pathSeparator;
    builder.environment().merge("PATH", paths, (before, added) -> added + before);
    builder.environment().put("ORT_DISABLE_TELEMETRY", "1");
    builder.environment().put("JAVA_TOOL_OPTIONS", SHORT_RUNS);
    Process process = builder.start();
    boolean ended = process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES);
    if (!ended) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
    String text = Files.readString(printed, StandardCharsets.UTF_8);
    Files.delete(printed);
    return ended
        ? new Outcome(process.exitValue(), text)
        : new Outcome(124, text + "\nended after " + LONGEST_MINUTES + " minutes\n");
  }
}

package dev.sidefade.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * While this is open, a run that is ended by Ctrl-C (or a polite kill) leaves no half-written file
 * in a folder: files are written aside by {@link dev.sidefade.tensor.AtomicFile} under names that
 * tell the process, and those are deleted.
 */
final class Interruption implements AutoCloseable {
  private final Thread hook;

  /**
   * Starts to listen.
   *
   * @param folder where files are written; it need not exist
   * @param depth how deep in it; 1 = directly inside
   * @param err told {@code advice} when the run is interrupted
   */
  Interruption(Path folder, int depth, PrintWriter err, String advice) {
    this.hook =
        new Thread(
            () -> {
              deletePartFiles(folder, depth, ProcessHandle.current().pid());
              err.println();
              err.println("interrupted; " + advice);
              err.flush();
            },
            "interruption");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Deletes what a process had not finished writing; what cannot be deleted stays. */
  static void deletePartFiles(Path folder, int depth, long process) {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder, depth)) {
      List<Path> parts = files.filter(file -> isPart(file, process)).toList();
      // a folder comes before what lies in it
      for (Path part : parts.reversed()) {
        delete(part);
      }
    } catch (IOException | UncheckedIOException e) {
      // the virtual machine is going down: nobody could do anything about it
      return;
    }
  }

  private static boolean isPart(Path file, long process) {
    String name = String.valueOf(file.getFileName());
    return name.startsWith(".") && name.endsWith("." + process + ".part");
  }

  /** A file, or a folder with the files in it. */
  private static void delete(Path part) throws IOException {
    List<Path> all;
    try (Stream<Path> files = Files.walk(part)) {
      all = files.toList();
    }
    for (Path file : all.reversed()) {
      Files.deleteIfExists(file);
    }
  }

  /** Stops listening: the work is over, well or not. */
  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // going down already: the hook runs
      return;
    }
  }
}

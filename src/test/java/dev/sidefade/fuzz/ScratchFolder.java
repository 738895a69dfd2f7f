package dev.sidefade.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.stream.Stream;

/** A folder for inputs that must be files, in memory where the system has such a place. */
public record ScratchFolder(Path path) implements AutoCloseable {
  private static final Path MEMORY = Path.of("/dev/shm");

  /** A new one. */
  public static ScratchFolder create() throws IOException {
    return new ScratchFolder(
        Files.isWritable(MEMORY)
            ? Files.createTempDirectory(MEMORY, "sidefade-fuzz")
            : Files.createTempDirectory("sidefade-fuzz"));
  }

  /**
   * Puts a file in the place of another, as a new file: one that is mapped by an earlier input
   * stays whole, and need not be torn from all places where it is mapped, which takes far longer.
   */
  public static void replace(Path file, byte[] content) throws IOException {
    Files.deleteIfExists(file);
    Files.write(file, content, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  @Override
  public void close() throws IOException {
    try (Stream<Path> all = Files.walk(path)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}

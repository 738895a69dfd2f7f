package dev.sidefade.tensor;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes a file aside and moves it into place, so that nobody ever sees half of it. */
public final class AtomicFile {
  private AtomicFile() {}

  /** What writes the content into the path that it is given. */
  @FunctionalInterface
  public interface Content {
    /**
     * Writes the file.
     *
     * @param path of the file, which does not exist yet
     * @throws IOException if writing fails; nothing is left behind
     */
    void writeTo(Path path) throws IOException;
  }

  /**
   * Lets {@code content} write a sibling of {@code target}, then moves it over {@code target}. When
   * anything fails the sibling is deleted and {@code target} is as it was.
   *
   * @param target the file to write
   * @param content writes it
   * @throws IOException if the file cannot be written; the target is as it was
   */
  public static void write(Path target, Content content) throws IOException {
    Path absolute = target.toAbsolutePath();
    Path aside =
        absolute.resolveSibling(
            "." + absolute.getFileName() + "." + ProcessHandle.current().pid() + ".part");
    try {
      content.writeTo(aside);
      try {
        Files.move(
            aside, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(aside, absolute, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(aside);
    }
  }
}

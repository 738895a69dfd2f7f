package dev.sidefade.cli;

import dev.sidefade.tensor.AtomicFile;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.stream.Stream;

/**
 * The folder of a demo: {@code data} with what is shipped, {@code result} with what comes out, and
 * a marker by which a later demo knows that it may replace those two.
 *
 * @param root the folder
 */
record DemoFolder(Path root) {
  /** Name of the file that marks the folder of a demo. */
  static final String MARKER = ".sidefade-demo";

  private static final String MARKER_TEXT =
      "This folder was made by 'sidefade demo', which replaces data and result when it runs"
          + " again.\n";

  /** What is shipped, unpacked. */
  Path data() {
    return root.resolve("data");
  }

  /** What comes out. */
  Path result() {
    return root.resolve("result");
  }

  /**
   * Makes the folder, or clears what an earlier demo put there, and unpacks what is shipped.
   *
   * @throws BadInputException if something else lies there already
   */
  void prepare() throws IOException {
    if (Files.exists(root) && !Files.isDirectory(root)) {
      throw new BadInputException(root + " is a file; give --out a folder for the demo");
    }
    if (!isDemo() && !isEmpty()) {
      throw new BadInputException(
          root + " is not empty and was not made by the demo; give --out another folder");
    }
    Files.createDirectories(root);
    // before anything else, so that a demo that was interrupted can be run again
    Files.writeString(root.resolve(MARKER), MARKER_TEXT);
    delete(data());
    delete(result());
    Files.createDirectories(data());
    for (String name : DemoSettings.FILES) {
      unpack(name);
    }
  }

  private boolean isDemo() {
    return Files.isRegularFile(root.resolve(MARKER), LinkOption.NOFOLLOW_LINKS);
  }

  private boolean isEmpty() throws IOException {
    if (!Files.exists(root)) {
      return true;
    }
    try (Stream<Path> inside = Files.list(root)) {
      return inside.findAny().isEmpty();
    }
  }

  private void unpack(String name) throws IOException {
    try (InputStream in = DemoFolder.class.getResourceAsStream(DemoSettings.RESOURCES + name)) {
      if (in == null) {
        throw new IOException("this build of Sidefade lacks the demo's file " + name);
      }
      AtomicFile.write(data().resolve(name), path -> Files.copy(in, path));
    }
  }

  /** Deletes a folder and all in it; a symbolic link itself, not what it points at. */
  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}

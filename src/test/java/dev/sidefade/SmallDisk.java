package dev.sidefade;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A file system with room for a few kilobytes. Only root may mount one, and only on Linux. */
public record SmallDisk(Path path) implements AutoCloseable {

  /** Mounts one at a new folder, or gives up the test where that is not allowed. */
  public static SmallDisk mount(Path folder, int kibibytes) throws IOException {
    Files.createDirectories(folder);
    String size = "size=" + kibibytes + "k";
    boolean mounted = succeeds("mount", "-t", "tmpfs", "-o", size, "none", folder.toString());
    assumeTrue(mounted, "a small file system cannot be mounted: that takes root on Linux");
    return new SmallDisk(folder);
  }

  /** Names of all files and folders, relative to the root. */
  public List<String> names() throws IOException {
    try (Stream<Path> all = Files.walk(path)) {
      return all.skip(1).map(file -> path.relativize(file).toString()).sorted().toList();
    }
  }

  @Override
  public void close() throws IOException {
    // lazily: a mapping may live on until it is collected
    if (!succeeds("umount", "-l", path.toString())) {
      throw new IOException(path + " cannot be unmounted");
    }
  }

  private static boolean succeeds(String... command) throws IOException {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (IOException e) {
      // there is no such command
      return false;
    }
  }
}

package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** Whether this process runs on the emulated driver of {@code native/}. */
public final class EmulatedDriver {
  private EmulatedDriver() {}

  /**
   * Skips the test where the emulated driver, its matrix products or its kernels are not named or
   * not there.
   */
  public static void assumeThere() {
    assumeFile("dev.sidefade.cuda.driver");
    assumeFile("dev.sidefade.cublas.path");
    assumeFile("dev.sidefade.cuda.kernels");
  }

  private static void assumeFile(String property) {
    String named = System.getProperty(property);
    assumeTrue(
        named != null,
        "no emulated driver: build it with native/build FOLDER and name its parts with -D"
            + property);
    assumeTrue(Files.exists(Path.of(named)), "no emulated driver: " + property + " names " + named);
  }
}

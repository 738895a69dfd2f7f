package dev.sidefade.cuda;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The cuBLAS of this process, looked for once: where {@code dev.sidefade.cublas.path} says, beside
 * a driver that was named by {@code dev.sidefade.cuda.driver}, under the system's names (13, then
 * 12), in the folder of the CUDA toolkit. It is loaded before the generated class that calls it is
 * touched.
 */
public final class CublasLibrary {
  /** Names the cuBLAS library to load, or the folder that it is in. */
  public static final String PATH_PROPERTY = "dev.sidefade.cublas.path";

  private static final List<String> NAMES = List.of("libcublas.so.13", "libcublas.so.12");
  private static final String SIGN = "cublasSgemm_v2";

  private final List<String> lines = new ArrayList<>();
  private final boolean loaded;

  private CublasLibrary() {
    if (CudaLibrary.unavailable().isPresent()) {
      lines.add("cuBLAS was not looked for: CUDA cannot be used here");
      loaded = false;
      return;
    }
    DynamicLoader loader = new DynamicLoader();
    loaded = candidates().stream().anyMatch(candidate -> load(loader, candidate));
  }

  /**
   * {@return why matrix products cannot be had; empty if they can} Every place that was tried is
   * named.
   */
  public static Optional<String> unavailable() {
    CublasLibrary found = Found.LIBRARY;
    if (found.loaded) {
      return Optional.empty();
    }
    return Optional.of(
        CudaLibrary.unavailable()
            .map(why -> "not looked for, as " + why)
            .orElseGet(() ->
                "cuBLAS 13 or 12 was not found ("
                    + String.join("; ", found.lines)
                    + "): install it, or name its file or folder by -D"
                    + PATH_PROPERTY));
  }

  /** {@return every place that was tried and what was there, line by line, for people} */
  public static List<String> report() {
    return List.copyOf(Found.LIBRARY.lines);
  }

  private static List<String> candidates() {
    String named = System.getProperty(PATH_PROPERTY);
    if (named != null && !named.isBlank()) {
      Path path = Path.of(named);
      return Files.isDirectory(path) ? inFolder(path) : List.of(named);
    }
    List<String> all = new ArrayList<>();
    String driver = System.getProperty(CudaLibrary.DRIVER_PROPERTY);
    if (driver != null && !driver.isBlank()) {
      Path beside = Objects.requireNonNull(Path.of(driver).toAbsolutePath().getParent());
      inFolder(beside).stream().filter(f -> Files.isRegularFile(Path.of(f))).forEach(all::add);
    }
    all.addAll(NAMES);
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      String home = System.getenv(variable);
      if (home != null && !home.isBlank()) {
        all.addAll(inFolder(Path.of(home, "lib64")));
      }
    }
    all.addAll(inFolder(Path.of("/usr/local/cuda/lib64")));
    return all.stream().distinct().toList();
  }

  private static List<String> inFolder(Path folder) {
    return NAMES.stream().map(name -> folder.resolve(name).toString()).toList();
  }

  /**
   * Loads it for the whole process, then for this class loader, where the generated class looks.
   */
  private boolean load(DynamicLoader loader, String candidate) {
    DynamicLoader.Opened library = loader.open(candidate);
    if (library.failed()) {
      lines.add("cuBLAS not at " + candidate + " (" + library.reason() + ")");
      return false;
    }
    Optional<Path> file = loader.fileOf(library, SIGN);
    if (file.isEmpty()) {
      lines.add(candidate + " is not cuBLAS: it lacks " + SIGN);
      return false;
    }
    try {
      System.load(file.get().toString());
    } catch (UnsatisfiedLinkError e) {
      lines.add("cuBLAS at " + file.get() + " was refused (" + e.getMessage() + ")");
      return false;
    }
    lines.add("cuBLAS " + file.get());
    return true;
  }

  private static final class Found {
    static final CublasLibrary LIBRARY = new CublasLibrary();
  }
}

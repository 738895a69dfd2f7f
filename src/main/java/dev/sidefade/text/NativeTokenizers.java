package dev.sidefade.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The native half of {@code ai.djl.huggingface:tokenizers}, loaded once on first use from the
 * library's own jar.
 *
 * <p>The usual entry, {@code HuggingFaceTokenizer}, asks the metadata service of EC2 for the name
 * of the machine and reports the use of the library unless a system property or environment
 * variable forbids it, logs through SLF4J, which writes warnings where no logger is configured, and
 * keeps a copy of the native library below the user's home. The native methods below it are public
 * and do none of that, so they are called directly; of the library's dependencies none is needed.
 * The copy lies in a new folder of {@code java.io.tmpdir} and is deleted as soon as it is loaded
 * (on Windows, which cannot, it stays).
 */
final class NativeTokenizers {
  private NativeTokenizers() {}

  /**
   * The native methods, ready for use.
   *
   * @throws IllegalStateException if there is no native library for this machine or it cannot be
   *     loaded
   */
  static TokenizersLibrary library() {
    if (Loaded.FAILURE.isPresent()) {
      throw new IllegalStateException(
          "the native tokenizer library cannot be loaded: " + Loaded.FAILURE.get());
    }
    return TokenizersLibrary.LIB;
  }

  private static final class Loaded {
    static final Optional<String> FAILURE = load();

    // JNI needs it: the file comes from the jar of the class whose methods it holds
    @SuppressWarnings("restricted")
    private static Optional<String> load() {
      try {
        Path folder = Files.createTempDirectory("sidefade-tokenizers");
        List<Path> copies = new ArrayList<>();
        try {
          for (String name : names()) {
            copies.add(copy(name, folder));
          }
          copies.forEach(c -> System.load(c.toString()));
        } finally {
          remove(folder, copies);
        }
        return Optional.empty();
      } catch (IOException | UnsatisfiedLinkError e) {
        return Optional.of(e.getMessage() + " (" + platform() + ")");
      }
    }

    private static Path copy(String name, Path folder) throws IOException {
      String resource = "/native/lib/" + platform() + "/cpu/" + name;
      try (InputStream in = TokenizersLibrary.class.getResourceAsStream(resource)) {
        if (in == null) {
          throw new IOException("the jar of the tokenizers holds no " + resource);
        }
        Path copy = folder.resolve(name);
        Files.copy(in, copy);
        return copy;
      }
    }

    private static void remove(Path folder, List<Path> copies) {
      List<Path> paths = new ArrayList<>(copies);
      paths.add(folder);
      for (Path path : paths) {
        try {
          Files.deleteIfExists(path);
        } catch (IOException e) {
          // a library in use cannot be deleted on Windows: the system cleans its temporary folder
          path.toFile().deleteOnExit();
        }
      }
    }

    /** The file names, those that others need first. */
    private static List<String> names() {
      String library = System.mapLibraryName("tokenizers");
      return system().equals("win")
          ? List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll", library)
          : List.of(library);
    }

    private static String platform() {
      String arch = System.getProperty("os.arch");
      String name =
          switch (arch) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "aarch64";
            default -> arch;
          };
      return system() + "-" + name;
    }

    private static String system() {
      String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
      if (os.startsWith("win")) {
        return "win";
      }
      return os.startsWith("mac") ? "osx" : "linux";
    }
  }
}

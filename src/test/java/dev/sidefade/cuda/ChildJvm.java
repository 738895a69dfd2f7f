package dev.sidefade.cuda;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A program in a Java process of its own: what concerns the driver as a whole happens once per
 * process.
 */
final class ChildJvm {
  private static final String ACCESS = "--enable-native-access=ALL-UNNAMED";

  private ChildJvm() {}

  /** What the program printed, on both of its streams, and how it ended. */
  record Result(int exit, String out) {}

  static Result run(Class<?> program, List<String> flags, Map<String, String> environment)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (flags.stream().noneMatch(flag -> flag.contains("native-access"))) {
      command.add(ACCESS);
    }
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xmx64m"));
    command.addAll(flags);
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            program.getName()));
    File out = Files.createTempFile("child", ".txt").toFile();
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out);
    builder.environment().putAll(environment);
    int exit = builder.start().waitFor();
    String printed = Files.readString(out.toPath(), StandardCharsets.UTF_8);
    Files.delete(out.toPath());
    return new Result(exit, printed);
  }

  /** The flags that name the emulated driver, its cuBLAS and its kernels. */
  static List<String> emulated() {
    List<String> flags = new ArrayList<>();
    for (String property :
        List.of(
            CudaLibrary.DRIVER_PROPERTY,
            CublasLibrary.PATH_PROPERTY,
            CudaModule.KERNELS_PROPERTY)) {
      flags.add("-D" + property + "=" + System.getProperty(property));
    }
    return flags;
  }
}

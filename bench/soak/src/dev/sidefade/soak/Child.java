package dev.sidefade.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A process with this program's class path, which leaves its temporary files in a folder. */
final class Child {
  private Child() {}

  /**
   * @param temporary a folder for what the JVM and native libraries unpack
   * @param jvm options of the JVM
   */
  static Process start(Path temporary, Path out, List<String> jvm, Class<?> main, String... args)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-Djava.io.tmpdir=" + temporary);
    command.addAll(jvm);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(args));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(out.toFile())
        .start();
  }

  /** The most bytes that a living process has had resident; -1 where the system does not say. */
  static long mostResident(long process) {
    Path status = Path.of("/proc", Long.toString(process), "status");
    try {
      for (String line : Files.readAllLines(status)) {
        if (line.startsWith("VmHWM:")) {
          return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
        }
      }
    } catch (IOException e) {
      // it has ended
    }
    return -1;
  }
}

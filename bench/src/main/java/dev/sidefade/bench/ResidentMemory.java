package dev.sidefade.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** Resident memory of this process, as Linux tells it; other systems tell nothing. */
final class ResidentMemory {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path RESET = Path.of("/proc/self/clear_refs");

  private ResidentMemory() {}

  /** Bytes that are resident now. */
  static OptionalLong now() throws IOException {
    return read("VmRSS:");
  }

  /** The most bytes that were resident at once since {@link #forgetPeak}. */
  static OptionalLong peak() throws IOException {
    return read("VmHWM:");
  }

  /** Lets the peak begin anew where the kernel permits that. */
  static void forgetPeak() throws IOException {
    if (Files.isWritable(RESET)) {
      Files.writeString(RESET, "5");
    }
  }

  private static OptionalLong read(String field) throws IOException {
    if (!Files.isReadable(STATUS)) {
      return OptionalLong.empty();
    }
    for (String line : Files.readAllLines(STATUS)) {
      if (line.startsWith(field)) {
        String kibibytes = line.substring(field.length()).replace("kB", "").strip();
        return OptionalLong.of(1024 * Long.parseLong(kibibytes));
      }
    }
    return OptionalLong.empty();
  }
}

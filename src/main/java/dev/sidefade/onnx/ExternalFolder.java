package dev.sidefade.onnx;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The folder of a model, in which its external data lies. Files are mapped when they are first
 * asked for and unmapped when nothing uses them any more. A path that leaves the folder is refused:
 * a model from elsewhere must not read any file of this machine.
 */
final class ExternalFolder {
  /** Stands for no folder at all: the model came from memory. */
  static final ExternalFolder NONE = new ExternalFolder(null);

  private final @Nullable Path folder;
  private final Map<Path, MemorySegment> mapped = new HashMap<>();

  /** {@code folder} is absolute, or null for none. */
  ExternalFolder(@Nullable Path folder) {
    this.folder = folder;
  }

  boolean exists() {
    return folder != null;
  }

  /**
   * {@code length} bytes of the file at {@code location}.
   *
   * @throws BadInputException if the path leaves the folder, or the file is missing or too short
   */
  synchronized MemorySegment bytes(String tensor, String location, long offset, long length) {
    try {
      Path file = resolve(tensor, location);
      checkLength(tensor, location, Files.size(file), offset, length);
      MemorySegment whole = mapped.get(file);
      if (whole == null) {
        whole = map(file);
        mapped.put(file, whole);
      }
      return whole.asSlice(offset, length);
    } catch (IOException e) {
      throw new UncheckedIOException("external data " + location + " cannot be read", e);
    }
  }

  /** Whether what lies at {@code location} is {@code other}. */
  boolean isSameFile(String tensor, String location, Path other) throws IOException {
    return folder != null
        && Files.exists(other)
        && Files.isSameFile(resolve(tensor, location), other);
  }

  /** As {@link #bytes} but reads nothing. */
  void check(String tensor, String location, long offset, long length) throws IOException {
    checkLength(tensor, location, Files.size(resolve(tensor, location)), offset, length);
  }

  private static void checkLength(
      String tensor, String location, long size, long offset, long length) {
    if (offset < 0 || offset > size || length > size - offset) {
      throw Refusal.of(
          "external data "
              + location
              + " has "
              + size
              + " bytes, but tensor "
              + tensor
              + " wants "
              + length
              + " from byte "
              + offset
              + "; copy the whole file again");
    }
  }

  private Path resolve(String tensor, String location) throws IOException {
    if (folder == null) {
      throw Refusal.of(
          "tensor "
              + tensor
              + " lies in the file "
              + location
              + ", which a model from memory cannot reach; read the model from its file");
    }
    Path file = plainPath(tensor, location);
    if (!Files.isRegularFile(file)) {
      throw Refusal.of(
          "external data "
              + location
              + " of tensor "
              + tensor
              + " is missing; put the file into "
              + folder);
    }
    Path real = file.toRealPath();
    if (!real.startsWith(folder.toRealPath())) {
      throw escapes(tensor, location);
    }
    return real;
  }

  private Path plainPath(String tensor, String location) {
    try {
      Path relative = Path.of(location);
      Path file = Objects.requireNonNull(folder).resolve(relative).normalize();
      if (location.isEmpty() || relative.isAbsolute() || !file.startsWith(folder.normalize())) {
        throw escapes(tensor, location);
      }
      return file;
    } catch (InvalidPathException e) {
      throw escapes(tensor, "(not a path)");
    }
  }

  private BadInputException escapes(String tensor, String location) {
    return Refusal.of(
        "external data "
            + location
            + " of tensor "
            + tensor
            + " leaves the model's folder "
            + folder
            + "; put the file beside the model");
  }

  /** A read-only view of a file that lives as long as something refers to it. */
  static MemorySegment map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel
          .map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto())
          .asReadOnly();
    }
  }
}

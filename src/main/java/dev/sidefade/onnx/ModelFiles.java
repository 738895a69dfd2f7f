package dev.sidefade.onnx;

import dev.sidefade.tensor.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Puts models into files, whole or not at all. */
final class ModelFiles {
  private ModelFiles() {}

  /** In one file if that fits, else in two. */
  static void write(OnnxModel model, Path file) throws IOException {
    try {
      boolean fits = new ModelWriter(null).model(model).size() <= Integer.MAX_VALUE;
      write(model, file, !fits);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  static void write(OnnxModel model, Path file, boolean externalData) throws IOException {
    try {
      if (externalData) {
        writeTwo(model, file);
      } else {
        writeOne(model, file);
      }
    } catch (UncheckedIOException e) {
      // external data of the source could not be read
      throw e.getCause();
    }
  }

  private static void writeOne(OnnxModel model, Path file) throws IOException {
    ProtoWriter message = new ModelWriter(null).model(model);
    checkSize(message, "write it with external data");
    AtomicFile.write(file, path -> writeTo(message, path));
  }

  private static void writeTwo(OnnxModel model, Path file) throws IOException {
    String dataName = file.getFileName() + ".data";
    ExternalDataWriter data = new ExternalDataWriter(dataName);
    ProtoWriter message = new ModelWriter(data).model(model);
    checkSize(message, "its structure alone is too large");
    AtomicFile.write(
        file,
        path -> {
          writeTo(message, path);
          // moved into place just before the model is
          AtomicFile.write(path.resolveSibling(dataName), data::writeTo);
        });
  }

  private static void checkSize(ProtoWriter message, String advice) {
    if (message.size() > Integer.MAX_VALUE) {
      throw Refusal.of(
          "the model has " + message.size() + " bytes, more than one file can hold; " + advice);
    }
  }

  private static void writeTo(ProtoWriter message, Path path) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            path,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      message.writeTo(channel);
    }
  }
}

package dev.sidefade.backbone;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.ort.BoundMemory;
import dev.sidefade.ort.BoundSession;
import dev.sidefade.ort.OneEnvironment;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Opens ONNX Runtime sessions over models in memory. */
final class Sessions {
  /**
   * Above this a model goes through files, for neither an array nor a protobuf message holds more
   * than 2 GB.
   */
  private static final long LARGEST_IN_MEMORY = 1_500_000_000L;

  private static final String NO_ROOM =
      "the model is too large for memory and cannot be written to the temporary folder";

  /** Opens a session over a file. */
  private interface Opening<S> {
    S of(Path file) throws OrtException;
  }

  private Sessions() {}

  /**
   * Options that all sessions share.
   *
   * @param threads threads that compute one operator; 0 leaves the choice to ONNX Runtime
   */
  static OrtSession.SessionOptions options(int threads) throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
    options.setIntraOpNumThreads(threads);
    options.setInterOpNumThreads(1);
    // spinning threads steal the cores from the side network's kernels
    options.addConfigEntry("session.intra_op.allow_spinning", "0");
    // grows without bound where batch sizes vary and sessions run from several threads
    options.setMemoryPatternOptimization(false);
    return options;
  }

  /**
   * A session, to be closed by the caller; {@code options} may be closed at once.
   *
   * @throws BadInputException if ONNX Runtime does not take the model
   */
  static OrtSession open(OnnxModel model, OrtSession.SessionOptions options) {
    return open(model, options, LARGEST_IN_MEMORY);
  }

  /**
   * As {@link #open(OnnxModel, OrtSession.SessionOptions)}, through files above {@code limit}
   * bytes.
   */
  static OrtSession open(OnnxModel model, OrtSession.SessionOptions options, long limit) {
    try {
      OrtEnvironment environment = OneEnvironment.get();
      return fits(model, limit)
          ? environment.createSession(model.toBytes(), options)
          : throughFiles(model, file -> environment.createSession(file.toString(), options));
    } catch (OrtException e) {
      throw new BadInputException(
          "ONNX Runtime cannot run the model: " + firstLine(e) + "; export the model again", e);
    } catch (IOException e) {
      throw new UncheckedIOException(NO_ROOM, e);
    }
  }

  /**
   * A session with the same options through the C API, to be closed by the caller.
   *
   * @throws dev.sidefade.ort.OrtFailure if ONNX Runtime does not take the model
   */
  static BoundSession openBound(OnnxModel model, int threads, BoundMemory memory) {
    return openBound(model, threads, memory, LARGEST_IN_MEMORY);
  }

  /** The same, through files above {@code limit} bytes. */
  static BoundSession openBound(OnnxModel model, int threads, BoundMemory memory, long limit) {
    try {
      return fits(model, limit)
          ? BoundSession.open(model.toBytes(), threads, memory)
          : throughFiles(model, file -> BoundSession.open(file, threads, memory));
    } catch (OrtException e) {
      throw new IllegalStateException("the C API throws none of these", e);
    } catch (IOException e) {
      throw new UncheckedIOException(NO_ROOM, e);
    }
  }

  private static boolean fits(OnnxModel model, long limit) {
    long bytes = 0;
    for (Initializer constant : model.graph().initializers().values()) {
      bytes += constant.type().bits() == 0 ? 0 : constant.byteSize();
    }
    return bytes <= limit;
  }

  static void close(OrtSession session) {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException("ONNX Runtime cannot close its session", e);
    }
  }

  /** Bytes that a tensor takes. */
  static long bytes(OnnxTensor tensor) {
    TensorInfo info = tensor.getInfo();
    return Math.multiplyExact(info.getNumElements(), info.type.size);
  }

  static String firstLine(Exception e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("no reason given");
  }

  private static <S> S throughFiles(OnnxModel model, Opening<S> opening)
      throws IOException, OrtException {
    Path folder = Files.createTempDirectory("sidefade-model");
    try {
      Path file = folder.resolve("model.onnx");
      model.write(file, true);
      return opening.of(file);
    } finally {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }
}

package dev.sidefade.export;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import dev.sidefade.ort.OneEnvironment;
import java.nio.file.Path;

/**
 * ONNX Runtime's own file format, which also its small builds for phones load. What it holds is the
 * graph after all of ONNX Runtime's optimisations, those for the processor of this machine
 * included.
 */
final class OrtFormat {
  private OrtFormat() {}

  /**
   * Writes what ONNX Runtime makes of a model.
   *
   * @param model a file in ONNX's format
   * @throws IllegalStateException if ONNX Runtime does not take the model or cannot write the file
   */
  static void convert(Path model, Path target) {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      // it warns of the optimisations for this machine, which the documentation does
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      options.setOptimizedModelFilePath(target.toString());
      options.addConfigEntry("session.save_model_format", "ORT");
      OneEnvironment.get().createSession(model.toString(), options).close();
    } catch (OrtException e) {
      throw new IllegalStateException(
          "ONNX Runtime cannot write "
              + model.getFileName()
              + " in its own format: "
              + e.getMessage(),
          e);
    }
  }
}

package dev.sidefade.cli;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtLoggingLevel;
import dev.sidefade.ort.OneEnvironment;

/** ONNX Runtime's own messages. */
final class OnnxRuntimeLog {
  private OnnxRuntimeLog() {}

  /**
   * Silences all but errors. To be called before anything else uses ONNX Runtime: its one
   * environment is made here.
   */
  static OrtEnvironment errorsOnly() {
    OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, "sidefade");
    return OneEnvironment.get();
  }
}

package dev.sidefade.export;

import dev.sidefade.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Map;

/** An exported file as its users run it, to measure what it answers. */
public final class ExportedModel implements AutoCloseable {
  private final OrtModel model;
  private final String output;

  private ExportedModel(OrtModel model, String output) {
    this.model = model;
    this.output = output;
  }

  /**
   * Opens a file in ONNX's or ONNX Runtime's format.
   *
   * @param file the model
   * @param threads threads that compute one operator; 0 leaves the choice to ONNX Runtime
   * @return the model, to be closed by the caller
   * @throws IllegalStateException if ONNX Runtime does not take it
   */
  public static ExportedModel open(Path file, int threads) {
    OrtModel model = OrtModel.open(file, threads);
    return new ExportedModel(model, model.firstOutput());
  }

  /**
   * Runs the model.
   *
   * @param inputs host tensors [examples, ...] by the names of the inputs
   * @param logits host tensor that is filled: [examples, classes], or [examples, tokens, classes]
   */
  public void run(Map<String, Tensor> inputs, Tensor logits) {
    try (OrtModel.Inputs fed = OrtModel.inputs(inputs)) {
      float[] values = model.output(fed, output);
      if (values.length != logits.size()) {
        throw new IllegalStateException(
            "the model returns " + values.length + " logits, but " + logits + " was expected");
      }
      MemorySegment.copy(values, 0, logits.segment(), ValueLayout.JAVA_FLOAT, 0, values.length);
    }
  }

  @Override
  public void close() {
    model.close();
  }
}

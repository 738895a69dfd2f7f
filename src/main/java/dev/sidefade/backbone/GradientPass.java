package dev.sidefade.backbone;

import ai.onnxruntime.OrtException;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.Tensor;
import java.util.Map;
import java.util.Set;

/** One way of getting gradients after a forward run; see {@link GradientMemory}. */
sealed interface GradientPass extends AutoCloseable permits StoredPass, StretchPass {
  /** What runs forward: it returns the trunk's outputs and {@link #kept}. */
  OnnxModel forward();

  /** Values that the forward run must return besides the trunk's outputs. */
  Set<String> kept();

  /**
   * Computes the gradients of all constants.
   *
   * @param dFinal gradient by what enters the final norm
   * @param gradients of the constants, under their names: overwritten
   */
  void run(ForwardRun forward, Tensor dFinal, Map<String, Tensor> gradients) throws OrtException;

  /**
   * Bytes that {@link #run} read of what the forward run left, and those that it kept itself
   * between the forward and the backward half of a part; of the last run.
   */
  long keptBytes();

  @Override
  void close();
}

package dev.sidefade.backbone;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/**
 * What a forward run leaves for the backward run.
 *
 * @param batch number of rows
 * @param rows tensors of the caller whose first dimension is the batch: the model's inputs and the
 *     trunk's outputs, by the names of their values
 * @param constants tensors of the caller with the tuned constants, by name
 * @param kept what ONNX Runtime holds; closed with this
 */
record ForwardRun(
    long batch, Map<String, Tensor> rows, Map<String, Tensor> constants, OrtSession.Result kept)
    implements AutoCloseable {

  /** A value that ONNX Runtime holds. */
  Optional<OnnxTensor> keptValue(String value) {
    return kept.get(value).map(OnnxTensor.class::cast);
  }

  /**
   * A handle on a value.
   *
   * @param from first row of tensors whose first dimension is the batch
   * @param to row behind the last one
   */
  OnnxTensor handle(NativeTensors natives, String value, long from, long to) throws OrtException {
    Tensor constant = constants.get(value);
    if (constant != null) {
      return natives.over(value, constant);
    }
    Tensor batched = rows.get(value);
    if (batched != null) {
      return natives.over(value, part(batched, from, to));
    }
    return keptValue(value)
        .orElseThrow(() -> new IllegalStateException("nothing was kept of " + value));
  }

  /** Rows of a tensor whose first dimension is the batch. */
  static Tensor part(Tensor tensor, long from, long to) {
    long[] dims = tensor.shape().toArray();
    long row = tensor.size() / dims[0];
    dims[0] = to - from;
    return tensor.slice(from * row, dims);
  }

  @Override
  public void close() {
    kept.close();
  }
}

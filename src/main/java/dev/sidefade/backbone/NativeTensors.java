package dev.sidefade.backbone;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.sidefade.ort.OneEnvironment;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * ONNX Runtime's handles on our tensors' memory, without a copy; closing them leaves the memory
 * alone.
 */
final class NativeTensors implements AutoCloseable {
  private final List<OnnxTensor> open = new ArrayList<>();

  /**
   * A handle on the memory of a host tensor of F32, I64 or I32, which must stay open as long as
   * this.
   */
  OnnxTensor over(String name, Tensor tensor) throws OrtException {
    if (tensor.bytes() > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          name
              + " takes "
              + tensor.bytes()
              + " bytes, and ONNX Runtime for Java takes 2 GB at most; use a"
              + " smaller batch");
    }
    ByteBuffer bytes = tensor.segment().asByteBuffer().order(ByteOrder.nativeOrder());
    long[] dims = tensor.shape().toArray();
    OrtEnvironment environment = OneEnvironment.get();
    OnnxTensor handle =
        switch (tensor.dtype()) {
          case DType.F32 -> OnnxTensor.createTensor(environment, bytes.asFloatBuffer(), dims);
          case DType.I64 -> OnnxTensor.createTensor(environment, bytes.asLongBuffer(), dims);
          case DType.I32 -> OnnxTensor.createTensor(environment, bytes.asIntBuffer(), dims);
          default ->
              throw new IllegalArgumentException(
                  name + " holds " + tensor.dtype() + ", but a backbone takes F32, I64 or I32");
        };
    open.add(handle);
    return handle;
  }

  /** A handle on each of some tensors, under the same names and in their order. */
  Map<String, OnnxTensor> over(Map<String, Tensor> tensors) throws OrtException {
    Map<String, OnnxTensor> handles = new LinkedHashMap<>();
    for (Map.Entry<String, Tensor> tensor : tensors.entrySet()) {
      handles.put(tensor.getKey(), over(tensor.getKey(), tensor.getValue()));
    }
    return handles;
  }

  /** A handle on each result, under the value's name. */
  Map<String, OnnxTensor> over(List<TrunkOutput> outputs, List<Tensor> results)
      throws OrtException {
    Map<String, OnnxTensor> handles = new LinkedHashMap<>();
    for (int i = 0; i < outputs.size(); i++) {
      String value = outputs.get(i).value();
      handles.put(value, over(value, results.get(i)));
    }
    return handles;
  }

  @Override
  public void close() {
    open.forEach(OnnxTensor::close);
  }
}

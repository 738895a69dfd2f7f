package dev.sidefade.backbone;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * ONNX Runtime's handles on our tensors' memory, without a copy; closing them leaves the memory
 * alone.
 */
final class NativeTensors implements AutoCloseable {
  private final List<OnnxTensor> open = new ArrayList<>();

  /**
   * A handle on the memory of a host tensor of F32 or I64, which must stay open as long as this.
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
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    OnnxTensor handle =
        switch (tensor.dtype()) {
          case DType.F32 -> OnnxTensor.createTensor(environment, bytes.asFloatBuffer(), dims);
          case DType.I64 -> OnnxTensor.createTensor(environment, bytes.asLongBuffer(), dims);
          default ->
              throw new IllegalArgumentException(
                  name + " holds " + tensor.dtype() + ", but a backbone takes F32 or I64");
        };
    open.add(handle);
    return handle;
  }

  @Override
  public void close() {
    open.forEach(OnnxTensor::close);
  }
}

package dev.sidefade.onnx.gradient;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Named values for ONNX Runtime, and what it computes from them. */
final class Feeds implements AutoCloseable {
  private final Map<String, OnnxTensor> values = new LinkedHashMap<>();
  private final List<AutoCloseable> open = new ArrayList<>();

  void put(String name, Tensor tensor) throws OrtException {
    long[] dims = tensor.shape().toArray();
    if (tensor.dtype() == DType.F32) {
      put(name, tensor.toFloats(), dims);
      return;
    }
    LongBuffer longs =
        tensor.segment().asByteBuffer().order(ByteOrder.nativeOrder()).asLongBuffer();
    add(name, OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), longs, dims));
  }

  void put(Initializer constant) throws OrtException {
    put(constant.name(), constant.floats(), constant.dims());
  }

  private void put(String name, float[] floats, long... dims) throws OrtException {
    FloatBuffer buffer = FloatBuffer.wrap(floats);
    add(name, OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), buffer, dims));
  }

  private void add(String name, OnnxTensor tensor) {
    values.put(name, tensor);
    open.add(tensor);
  }

  /** Runs a model with those values that it takes, and keeps what comes out among the values. */
  void run(OnnxModel model) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      try (OrtSession session = environment.createSession(model.toBytes(), options)) {
        Map<String, OnnxTensor> taken = new LinkedHashMap<>();
        for (String name : session.getInputNames()) {
          taken.put(name, value(name));
        }
        OrtSession.Result result = session.run(taken);
        open.add(result);
        for (Map.Entry<String, OnnxValue> output : result) {
          values.put(output.getKey(), (OnnxTensor) output.getValue());
        }
      }
    }
  }

  float[] floats(String name) {
    FloatBuffer buffer = value(name).getFloatBuffer();
    float[] floats = new float[buffer.remaining()];
    buffer.get(floats);
    return floats;
  }

  long[] dims(String name) {
    return value(name).getInfo().getShape();
  }

  private OnnxTensor value(String name) {
    OnnxTensor value = values.get(name);
    if (value == null) {
      throw new AssertionError("nothing is named " + name + " among " + values.keySet());
    }
    return value;
  }

  @Override
  public void close() throws OrtException {
    for (AutoCloseable closeable : open) {
      try {
        closeable.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}

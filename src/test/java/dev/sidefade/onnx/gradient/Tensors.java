package dev.sidefade.onnx.gradient;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxModel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Runs models in ONNX Runtime on tensors whose elements are doubles here, whatever they are there.
 */
final class Tensors {
  private Tensors() {}

  /** A tensor, row-major. */
  record Tensor(ElementType type, double[] values, long... dims) {
    Tensor as(ElementType other) {
      return new Tensor(other, values, dims);
    }

    OnnxTensor onnx() throws OrtException {
      ByteBuffer bytes =
          ByteBuffer.allocateDirect((int) type.bytes(values.length)).order(ByteOrder.nativeOrder());
      for (double value : values) {
        switch (type) {
          case FLOAT -> bytes.putFloat((float) value);
          case DOUBLE -> bytes.putDouble(value);
          case INT64 -> bytes.putLong((long) value);
          case BOOL -> bytes.put((byte) value);
          default -> throw new IllegalArgumentException("no test tensors of type " + type);
        }
      }
      return OnnxTensor.createTensor(
          OrtEnvironment.getEnvironment(),
          bytes.flip(),
          dims,
          OnnxJavaType.valueOf(type == ElementType.BOOL ? "BOOL" : type.name()));
    }

    static Tensor of(OnnxTensor tensor) {
      ByteBuffer bytes = tensor.getByteBuffer().order(ByteOrder.nativeOrder());
      ElementType type = ElementType.valueOf(tensor.getInfo().type.name());
      double[] values = new double[bytes.remaining() / (int) type.bytes(1)];
      for (int i = 0; i < values.length; i++) {
        values[i] =
            switch (type) {
              case FLOAT -> bytes.getFloat();
              case DOUBLE -> bytes.getDouble();
              case INT64 -> bytes.getLong();
              case BOOL -> bytes.get();
              default -> throw new IllegalArgumentException("no test tensors of type " + type);
            };
      }
      return new Tensor(type, values, tensor.getInfo().getShape());
    }

    @Override
    public String toString() {
      return type + Arrays.toString(dims) + Arrays.toString(values);
    }
  }

  /**
   * A session. {@code optimized} fuses nodes, of which some fusions take another epsilon for
   * elements of 64 bits.
   */
  static OrtSession open(OnnxModel model, boolean optimized) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      options.setIntraOpNumThreads(1);
      options.setOptimizationLevel(optimized ? OptLevel.ALL_OPT : OptLevel.NO_OPT);
      return OrtEnvironment.getEnvironment().createSession(model.toBytes(), options);
    }
  }

  /** Outputs by name in their order; feeds that the session does not take are left out. */
  static Map<String, Tensor> run(OrtSession session, Map<String, Tensor> feeds)
      throws OrtException {
    Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    try {
      for (String input : session.getInputNames()) {
        inputs.put(input, feeds.get(input).onnx());
      }
      Map<String, Tensor> outputs = new LinkedHashMap<>();
      try (OrtSession.Result result = session.run(inputs)) {
        for (Map.Entry<String, OnnxValue> output : result) {
          outputs.put(output.getKey(), Tensor.of((OnnxTensor) output.getValue()));
        }
      }
      return outputs;
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  static Map<String, Tensor> run(OnnxModel model, boolean optimized, Map<String, Tensor> feeds)
      throws OrtException {
    try (OrtSession session = open(model, optimized)) {
      return run(session, feeds);
    }
  }
}

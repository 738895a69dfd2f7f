package dev.sidefade.cpu;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.ort.OneEnvironment;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Through the Java API of ONNX Runtime: half a kilobyte of garbage a call, matrices below 2 GiB.
 */
final class JavaEngine implements MatrixEngine {
  private static final Set<String> NO_OUTPUTS = Set.of();

  private final OrtEnvironment environment = OneEnvironment.get();
  private final List<OrtSession> sessions = new ArrayList<>();
  private final int threads;

  JavaEngine(int threads) {
    this.threads = threads;
  }

  @Override
  public String describe() {
    return "ONNX Runtime's Java API";
  }

  @Override
  public Model load(byte[] onnx, List<String> inputs, List<String> outputs) {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setMemoryPatternOptimization(false);
      // between our own loops ONNX Runtime's threads must not hold a processor
      options.addConfigEntry("session.intra_op.allow_spinning", "0");
      OrtSession session = environment.createSession(onnx, options);
      sessions.add(session);
      return (in, out) -> new JavaCall(session, tensors(inputs, in), tensors(outputs, out));
    } catch (OrtException e) {
      throw failed(e);
    }
  }

  private Map<String, OnnxTensor> tensors(List<String> names, List<Matrix> matrices) {
    Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i++) {
      tensors.put(names.get(i), tensor(matrices.get(i)));
    }
    return tensors;
  }

  private OnnxTensor tensor(Matrix m) {
    if (m.bytes() > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "a matrix of "
              + m.bytes()
              + " bytes is over the 2 GiB of a Java buffer: lower the batch size");
    }
    FloatBuffer buffer =
        RawMemory.ALL
            .asSlice(m.address(), m.bytes())
            .asByteBuffer()
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    try {
      return OnnxTensor.createTensor(environment, buffer, m.dims());
    } catch (OrtException e) {
      throw failed(e);
    }
  }

  private record JavaCall(
      OrtSession session, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs)
      implements Call {
    @Override
    public void run() {
      try {
        session.run(inputs, NO_OUTPUTS, outputs).close();
      } catch (OrtException e) {
        throw failed(e);
      }
    }

    @Override
    public void close() {
      inputs.values().forEach(OnnxValue::close);
      outputs.values().forEach(OnnxValue::close);
    }
  }

  private static IllegalStateException failed(OrtException e) {
    return new IllegalStateException("ONNX Runtime failed on a matrix product", e);
  }

  @Override
  public void close() {
    for (OrtSession session : sessions) {
      try {
        session.close();
      } catch (OrtException e) {
        throw failed(e);
      }
    }
    sessions.clear();
  }
}

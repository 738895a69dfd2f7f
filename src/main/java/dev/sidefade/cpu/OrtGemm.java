package dev.sidefade.cpu;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Matrix products by one-node ONNX Runtime sessions: its MLAS is the fastest kept library for them that is there anyway
 * (measured: 90 GFLOP/s a core where a Vector API kernel reaches 62).
 *
 * <p>A product over known addresses is prepared once and kept, so that a training step, which meets the same buffers
 * again, allocates next to nothing. A prepared product holds addresses, not memory: it is only run with tensors that the
 * caller has just checked to be alive.
 */
final class OrtGemm implements AutoCloseable {
  private static final int MOST_PLANS = 4096;
  private static final Set<String> NO_OUTPUTS = Set.of();

  private record Variant(boolean transposeA, boolean transposeB, boolean bias) {}

  private record Key(
      long a, long b, long bias, long c, int m, int n, int k, boolean transposeA, boolean transposeB) {}

  private record Plan(
      OrtSession session, Map<String, OnnxTensor> inputs, Map<String, OnnxValue> outputs) {
    void close() {
      inputs.values().forEach(OnnxTensor::close);
      outputs.values().forEach(OnnxValue::close);
    }
  }

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final int threads;
  private final Map<Variant, OrtSession> sessions = new HashMap<>();
  private final Map<Key, Plan> plans = new HashMap<>();

  OrtGemm(int threads) {
    this.threads = threads;
  }

  /**
   * c[m, n] = op(a) op(b) + bias.
   *
   * @param a address of [m, k], or [k, m] when transposed
   * @param b address of [k, n], or [n, k] when transposed
   * @param bias address of [n], or 0
   */
  void multiply(
      long a, boolean transposeA, long b, boolean transposeB, long bias, long c, int m, int n, int k) {
    if (m == 0 || n == 0) {
      return;
    }
    Key key = new Key(a, b, bias, c, m, n, k, transposeA, transposeB);
    try {
      Plan plan = plans.get(key);
      if (plan == null) {
        plan = prepare(key);
        plans.put(key, plan);
      }
      plan.session().run(plan.inputs(), NO_OUTPUTS, plan.outputs()).close();
    } catch (OrtException e) {
      throw new IllegalStateException(
          "ONNX Runtime failed to multiply [" + m + ", " + k + "] by [" + k + ", " + n + "]", e);
    }
  }

  private Plan prepare(Key key) throws OrtException {
    if (plans.size() >= MOST_PLANS) {
      plans.values().forEach(Plan::close);
      plans.clear();
    }
    Variant variant = new Variant(key.transposeA(), key.transposeB(), key.bias() != 0);
    OrtSession session = sessions.get(variant);
    if (session == null) {
      session = open(variant);
      sessions.put(variant, session);
    }
    Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    inputs.put(
        "a",
        key.transposeA()
            ? tensor(key.a(), key.k(), key.m())
            : tensor(key.a(), key.m(), key.k()));
    inputs.put(
        "b",
        key.transposeB()
            ? tensor(key.b(), key.n(), key.k())
            : tensor(key.b(), key.k(), key.n()));
    if (key.bias() != 0) {
      inputs.put("bias", tensor(key.bias(), key.n()));
    }
    return new Plan(session, inputs, Map.of("c", tensor(key.c(), key.m(), key.n())));
  }

  private OnnxTensor tensor(long address, long... dims) throws OrtException {
    long bytes = 4;
    for (long d : dims) {
      bytes = Math.multiplyExact(bytes, d);
    }
    if (bytes > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "a matrix of " + bytes + " bytes is over the 2 GiB of a Java buffer: lower the batch size");
    }
    FloatBuffer buffer =
        RawMemory.ALL.asSlice(address, bytes).asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
    return OnnxTensor.createTensor(environment, buffer, dims);
  }

  private OrtSession open(Variant variant) throws OrtException {
    OnnxModel model = OnnxModel.create(8, 13);
    OnnxGraph graph = model.graph();
    graph.addInput("a", ElementType.FLOAT, "a0", "a1");
    graph.addInput("b", ElementType.FLOAT, "b0", "b1");
    List<String> inputs = new ArrayList<>(List.of("a", "b"));
    if (variant.bias()) {
      graph.addInput("bias", ElementType.FLOAT, "n");
      inputs.add("bias");
    }
    graph.addOutput("c", ElementType.FLOAT, "m", "n");
    graph.addNode(
        "Gemm",
        inputs,
        List.of("c"),
        Attribute.of("transA", variant.transposeA() ? 1L : 0L),
        Attribute.of("transB", variant.transposeB() ? 1L : 0L));
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.setMemoryPatternOptimization(false);
      // between our own loops ONNX Runtime's threads must not hold a processor
      options.addConfigEntry("session.intra_op.allow_spinning", "0");
      return environment.createSession(model.toBytes(), options);
    }
  }

  @Override
  public void close() {
    plans.values().forEach(Plan::close);
    plans.clear();
    for (OrtSession session : sessions.values()) {
      try {
        session.close();
      } catch (OrtException e) {
        throw new IllegalStateException("ONNX Runtime failed to close a session", e);
      }
    }
    sessions.clear();
  }
}

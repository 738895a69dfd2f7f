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
 * Matrix products by one-node ONNX Runtime sessions: its MLAS is the fastest kept library for them
 * that is there anyway (measured: 90 GFLOP/s a core where a Vector API kernel reaches 62).
 *
 * <p>A product over known addresses is prepared once and kept, so that a training step, which meets
 * the same buffers again, allocates next to nothing. A prepared product holds addresses, not
 * memory: it is only run with tensors that the caller has just checked to be alive.
 */
final class OrtGemm implements AutoCloseable {
  private static final int MOST_PLANS = 4096;
  private static final Set<String> NO_OUTPUTS = Set.of();

  /** Which session runs a product. */
  private sealed interface Variant {}

  private record Product(boolean transposeA, boolean transposeB, boolean bias) implements Variant {}

  private record LinearBackward() implements Variant {}

  /** Addresses and sizes of a prepared call; meaning as in the method that makes it. */
  private record Key(
      Variant variant, long a, long b, long c, long d, long e, int m, int n, int k) {}

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
      long a,
      boolean transposeA,
      long b,
      boolean transposeB,
      long bias,
      long c,
      int m,
      int n,
      int k) {
    if (m > 0 && n > 0) {
      run(new Key(new Product(transposeA, transposeB, bias != 0), a, b, c, bias, 0, m, n, k));
    }
  }

  /**
   * Both products of a linear layer's gradient in one call: dx[rows, in] = dy weight^T and
   * dWeight[in, out] = x^T dy.
   */
  void linearBackward(
      long x, long weight, long dy, long dx, long dWeight, int rows, int in, int out) {
    run(new Key(new LinearBackward(), x, weight, dx, dWeight, dy, rows, in, out));
  }

  private void run(Key key) {
    try {
      Plan plan = plans.get(key);
      if (plan == null) {
        plan = prepare(key);
        plans.put(key, plan);
      }
      plan.session().run(plan.inputs(), NO_OUTPUTS, plan.outputs()).close();
    } catch (OrtException e) {
      throw new IllegalStateException(
          "ONNX Runtime failed on a matrix product of sizes "
              + key.m()
              + ", "
              + key.n()
              + ", "
              + key.k(),
          e);
    }
  }

  private Plan prepare(Key key) throws OrtException {
    if (plans.size() >= MOST_PLANS) {
      plans.values().forEach(Plan::close);
      plans.clear();
    }
    OrtSession session = sessions.get(key.variant());
    if (session == null) {
      session = open(key.variant());
      sessions.put(key.variant(), session);
    }
    return switch (key.variant()) {
      case Product p -> prepare(key, p, session);
      case LinearBackward backward -> prepareBackward(key, session);
    };
  }

  private Plan prepare(Key key, Product p, OrtSession session) throws OrtException {
    int m = key.m();
    int n = key.n();
    int k = key.k();
    Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    inputs.put("a", p.transposeA() ? tensor(key.a(), k, m) : tensor(key.a(), m, k));
    inputs.put("b", p.transposeB() ? tensor(key.b(), n, k) : tensor(key.b(), k, n));
    if (p.bias()) {
      inputs.put("bias", tensor(key.d(), n));
    }
    return new Plan(session, inputs, Map.of("c", tensor(key.c(), m, n)));
  }

  private Plan prepareBackward(Key key, OrtSession session) throws OrtException {
    int rows = key.m();
    int in = key.n();
    int out = key.k();
    return new Plan(
        session,
        Map.of(
            "x", tensor(key.a(), rows, in),
            "weight", tensor(key.b(), in, out),
            "dy", tensor(key.e(), rows, out)),
        Map.of("dx", tensor(key.c(), rows, in), "dWeight", tensor(key.d(), in, out)));
  }

  private OnnxTensor tensor(long address, long... dims) throws OrtException {
    long bytes = 4;
    for (long d : dims) {
      bytes = Math.multiplyExact(bytes, d);
    }
    if (bytes > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "a matrix of "
              + bytes
              + " bytes is over the 2 GiB of a Java buffer: lower the batch size");
    }
    FloatBuffer buffer =
        RawMemory.ALL
            .asSlice(address, bytes)
            .asByteBuffer()
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    return OnnxTensor.createTensor(environment, buffer, dims);
  }

  private OrtSession open(Variant variant) throws OrtException {
    OnnxModel model =
        switch (variant) {
          case Product p -> productModel(p);
          case LinearBackward backward -> backwardModel();
        };
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.setMemoryPatternOptimization(false);
      // between our own loops ONNX Runtime's threads must not hold a processor
      options.addConfigEntry("session.intra_op.allow_spinning", "0");
      return environment.createSession(model.toBytes(), options);
    }
  }

  private static OnnxModel productModel(Product p) {
    OnnxModel model = OnnxModel.create(8, 13);
    OnnxGraph graph = model.graph();
    addMatrix(graph, "a");
    addMatrix(graph, "b");
    List<String> inputs = new ArrayList<>(List.of("a", "b"));
    if (p.bias()) {
      graph.addInput("bias", ElementType.FLOAT, "n");
      inputs.add("bias");
    }
    addGemm(graph, inputs, "c", p.transposeA(), p.transposeB());
    return model;
  }

  private static OnnxModel backwardModel() {
    OnnxModel model = OnnxModel.create(8, 13);
    OnnxGraph graph = model.graph();
    List.of("x", "weight", "dy").forEach(name -> addMatrix(graph, name));
    addGemm(graph, List.of("dy", "weight"), "dx", false, true);
    addGemm(graph, List.of("x", "dy"), "dWeight", true, false);
    return model;
  }

  private static void addMatrix(OnnxGraph graph, String name) {
    graph.addInput(name, ElementType.FLOAT, name + "_rows", name + "_columns");
  }

  private static void addGemm(
      OnnxGraph graph, List<String> inputs, String output, boolean transposeA, boolean transposeB) {
    graph.addOutput(output, ElementType.FLOAT, output + "_rows", output + "_columns");
    graph.addNode(
        "Gemm",
        inputs,
        List.of(output),
        Attribute.of("transA", transposeA ? 1L : 0L),
        Attribute.of("transB", transposeB ? 1L : 0L));
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

package dev.sidefade.cpu;

import dev.sidefade.cpu.MatrixEngine.Matrix;
import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

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

  /** Which session runs a product. */
  private sealed interface Variant {}

  private record Product(boolean transposeA, boolean transposeB, boolean bias) implements Variant {}

  private record LinearBackward() implements Variant {}

  /** Addresses and sizes of a prepared call; meaning as in the method that makes it. */
  private record Key(
      Variant variant, long a, long b, long c, long d, long e, int m, int n, int k) {}

  private final MatrixEngine engine;
  private final Map<Variant, MatrixEngine.Model> models = new HashMap<>();
  private final Map<Key, MatrixEngine.Call> plans = new HashMap<>();

  /** Products by this engine, which is closed with this. */
  OrtGemm(MatrixEngine engine) {
    this.engine = engine;
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
    MatrixEngine.Call plan = plans.get(key);
    if (plan == null) {
      plan = prepare(key);
      plans.put(key, plan);
    }
    plan.run();
  }

  private MatrixEngine.Call prepare(Key key) {
    if (plans.size() >= MOST_PLANS) {
      closePlans();
    }
    MatrixEngine.Model model = models.get(key.variant());
    if (model == null) {
      model = load(key.variant());
      models.put(key.variant(), model);
    }
    return switch (key.variant()) {
      case Product p -> prepare(key, p, model);
      case LinearBackward backward -> prepareBackward(key, model);
    };
  }

  private static MatrixEngine.Call prepare(Key key, Product p, MatrixEngine.Model model) {
    int m = key.m();
    int n = key.n();
    int k = key.k();
    List<Matrix> inputs = new ArrayList<>();
    inputs.add(p.transposeA() ? new Matrix(key.a(), k, m) : new Matrix(key.a(), m, k));
    inputs.add(p.transposeB() ? new Matrix(key.b(), n, k) : new Matrix(key.b(), k, n));
    if (p.bias()) {
      inputs.add(new Matrix(key.d(), n));
    }
    return model.bind(inputs, List.of(new Matrix(key.c(), m, n)));
  }

  private static MatrixEngine.Call prepareBackward(Key key, MatrixEngine.Model model) {
    int rows = key.m();
    int in = key.n();
    int out = key.k();
    return model.bind(
        List.of(
            new Matrix(key.a(), rows, in),
            new Matrix(key.b(), in, out),
            new Matrix(key.e(), rows, out)),
        List.of(new Matrix(key.c(), rows, in), new Matrix(key.d(), in, out)));
  }

  private MatrixEngine.Model load(Variant variant) {
    return switch (variant) {
      case Product p ->
          engine.load(
              productModel(p).toBytes(),
              p.bias() ? List.of("a", "b", "bias") : List.of("a", "b"),
              List.of("c"));
      case LinearBackward backward ->
          engine.load(
              backwardModel().toBytes(), List.of("x", "weight", "dy"), List.of("dx", "dWeight"));
    };
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

  private void closePlans() {
    plans.values().forEach(MatrixEngine.Call::close);
    plans.clear();
  }

  @Override
  public void close() {
    closePlans();
    engine.close();
  }
}

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
 * <p>Large products are cut into blocks of rows, which the device's own threads run side by side:
 * waking the threads of another pool for every product takes longer than many of them. Rows of a
 * result do not depend on where they are cut. A sum over rows is cut into a number of blocks that
 * follows from the shape alone, and the blocks' sums are added in order, so it does not depend on
 * the number of threads either.
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
      Variant variant, long a, long b, long c, long d, long e, long sums, int m, int n, int k) {}

  private final Engines engines;
  private final Workers workers;
  private final Memory memory;
  private final RowMath rows;
  private final Map<Variant, MatrixEngine.Model> alone = new HashMap<>();
  private final Map<Variant, MatrixEngine.Model> together = new HashMap<>();
  private final Map<Key, ProductParts> plans = new HashMap<>();

  /**
   * The same library twice; both are closed with the products.
   *
   * @param alone runs a product on the thread that asks
   * @param together runs a product on threads of its own: for large ones that cannot be cut
   */
  record Engines(MatrixEngine alone, MatrixEngine together) {}

  /** Products by these engines, on these threads, with scratch and sums of the device. */
  OrtGemm(Engines engines, Workers workers, Memory memory, RowMath rows) {
    this.engines = engines;
    this.workers = workers;
    this.memory = memory;
    this.rows = rows;
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
    if (m <= 0 || n <= 0) {
      return;
    }
    Product product = new Product(transposeA, transposeB, bias != 0);
    long mark = memory.mark();
    run(new Key(product, a, b, c, bias, 0, sums(product, k, m, n), m, n, k));
    memory.release(mark);
  }

  /**
   * Both products of a linear layer's gradient in one call: dx[rows, in] = dy weight^T and
   * dWeight[in, out] = x^T dy.
   */
  void linearBackward(
      long x, long weight, long dy, long dx, long dWeight, int rows, int in, int out) {
    LinearBackward both = new LinearBackward();
    long mark = memory.mark();
    run(new Key(both, x, weight, dx, dWeight, dy, sums(both, rows, in, out), rows, in, out));
    memory.release(mark);
  }

  /** Scratch for the sums of all blocks of rows but the first; 0 where there is one. */
  private long sums(Variant variant, int rows, int m, int n) {
    int parts = summed(variant) ? ProductParts.blocksOfSum(rows, m, n) : 1;
    return parts == 1 ? 0 : memory.take((parts - 1L) * m * n);
  }

  /** Whether it sums over rows of two tall matrices. */
  private static boolean summed(Variant variant) {
    return switch (variant) {
      // with B transposed too its columns would have to be cut
      case Product p -> p.transposeA() && !p.transposeB() && !p.bias();
      case LinearBackward backward -> true;
    };
  }

  private void run(Key key) {
    ProductParts plan = plans.get(key);
    if (plan == null) {
      if (plans.size() >= MOST_PLANS) {
        closePlans();
      }
      plan =
          switch (key.variant()) {
            case Product p -> prepare(key, p);
            case LinearBackward backward -> prepareBackward(key);
          };
      plans.put(key, plan);
    }
    plan.run(workers, rows);
  }

  private MatrixEngine.Model model(Variant variant, boolean cut) {
    Map<Variant, MatrixEngine.Model> models = cut ? alone : together;
    MatrixEngine.Model model = models.get(variant);
    if (model == null) {
      model = load(cut ? engines.alone() : engines.together(), variant);
      models.put(variant, model);
    }
    return model;
  }

  private ProductParts prepare(Key key, Product p) {
    if (summed(p)) {
      int parts = ProductParts.blocksOfSum(key.k(), key.m(), key.n());
      return summedParts(key, parts);
    }
    int parts =
        p.transposeA() ? 1 : ProductParts.blocksOfRows(key.m(), key.n(), key.k(), workers.count());
    MatrixEngine.Model model = model(p, isCut(key, parts));
    return new ProductParts(
        calls(parts, key.m(), (part, from, m) -> bind(model, key, p, 4L * from, m)));
  }

  /** Binds the call of a part to rows from one on. */
  @FunctionalInterface
  private interface Part {
    MatrixEngine.Call bind(int part, int from, int rows);
  }

  private static MatrixEngine.Call[] calls(int parts, int rows, Part part) {
    MatrixEngine.Call[] calls = new MatrixEngine.Call[parts];
    for (int i = 0; i < parts; i++) {
      int from = ProductParts.start(rows, parts, i);
      calls[i] = part.bind(i, from, ProductParts.start(rows, parts, i + 1) - from);
    }
    return calls;
  }

  /** Where a part of a sum of {@code size} floats goes: the first to where the sum will be. */
  private static long target(Key key, int part, long sum, long size) {
    return part == 0 ? sum : key.sums() + 4L * (part - 1) * size;
  }

  /** Rows of c from a byte-offset in rows on. */
  private static MatrixEngine.Call bind(
      MatrixEngine.Model model, Key key, Product p, long from, int m) {
    int n = key.n();
    int k = key.k();
    List<Matrix> inputs = new ArrayList<>();
    inputs.add(p.transposeA() ? new Matrix(key.a(), k, m) : new Matrix(key.a() + from * k, m, k));
    inputs.add(p.transposeB() ? new Matrix(key.b(), n, k) : new Matrix(key.b(), k, n));
    if (p.bias()) {
      inputs.add(new Matrix(key.d(), n));
    }
    return model.bind(inputs, List.of(new Matrix(key.c() + from * n, m, n)));
  }

  /** c[m, n] = a^T b, a [k, m], b [k, n], in blocks of the k rows. */
  private ProductParts summedParts(Key key, int parts) {
    int m = key.m();
    int n = key.n();
    long size = (long) m * n;
    MatrixEngine.Model model = model(key.variant(), isCut(key, parts));
    Part bind =
        (part, from, k) ->
            model.bind(
                List.of(
                    new Matrix(key.a() + 4L * from * m, k, m),
                    new Matrix(key.b() + 4L * from * n, k, n)),
                List.of(new Matrix(target(key, part, key.c(), size), m, n)));
    return new ProductParts(calls(parts, key.k(), bind), key.c(), key.sums(), size);
  }

  private ProductParts prepareBackward(Key key) {
    int in = key.n();
    int out = key.k();
    long size = (long) in * out;
    int parts = ProductParts.blocksOfSum(key.m(), in, out);
    MatrixEngine.Model model = model(key.variant(), isCut(key, parts));
    Part bind =
        (part, from, rows) ->
            model.bind(
                List.of(
                    new Matrix(key.a() + 4L * from * in, rows, in),
                    new Matrix(key.b(), in, out),
                    new Matrix(key.e() + 4L * from * out, rows, out)),
                List.of(
                    new Matrix(key.c() + 4L * from * in, rows, in),
                    new Matrix(target(key, part, key.d(), size), in, out)));
    return new ProductParts(calls(parts, key.m(), bind), key.d(), key.sums(), size);
  }

  /** Whether it runs on our threads: in parts, or because it is small. */
  private static boolean isCut(Key key, int parts) {
    return parts > 1 || ProductParts.isSmall(key.m(), key.n(), key.k());
  }

  private static MatrixEngine.Model load(MatrixEngine engine, Variant variant) {
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
    plans.values().forEach(ProductParts::close);
    plans.clear();
  }

  @Override
  public void close() {
    closePlans();
    engines.alone().close();
    engines.together().close();
  }
}

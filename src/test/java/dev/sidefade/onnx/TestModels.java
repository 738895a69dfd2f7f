package dev.sidefade.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/** Models for tests, and ONNX Runtime as the judge of them. */
final class TestModels {
  private static final long IR_VERSION = 8;
  private static final long OPSET = 17;

  private TestModels() {}

  /** y [N, 3] = Relu(x [N, 4] * w + b), with a name for every value and a little metadata. */
  static OnnxModel linear() {
    OnnxModel model = OnnxModel.create(IR_VERSION, OPSET);
    OnnxGraph graph = model.graph();
    graph.addInput("x", ElementType.FLOAT, "N", 4L);
    graph.addInitializer(Initializer.floats("w", randomFloats(1, 12), 4, 3));
    graph.addInitializer(Initializer.floats("b", randomFloats(2, 3), 3));
    graph.addNode("MatMul", List.of("x", "w"), List.of("product"));
    graph.addNode("Add", List.of("product", "b"), List.of("sum"));
    graph.addNode("Relu", List.of("sum"), List.of("y"));
    graph.addOutput("y", ElementType.FLOAT, "N", 3L);
    model.metadata().put("task", "a test");
    return model;
  }

  /**
   * {@link #linear} followed by an If whose branches use the outer values {@code sum} and {@code
   * scale}.
   */
  static OnnxModel branching() {
    OnnxModel model = linear();
    OnnxGraph graph = model.graph();
    graph.addInitializer(Initializer.floats("scale", new float[] {3}));
    graph.addInput("flag", ElementType.BOOL);
    OnnxGraph yes = new OnnxGraph("yes");
    yes.addNode("Mul", List.of("sum", "scale"), List.of("scaled"));
    yes.outputs().add(ValueInfo.untyped("scaled"));
    OnnxGraph no = new OnnxGraph("no");
    no.addNode("Neg", List.of("y"), List.of("negated"));
    no.outputs().add(ValueInfo.untyped("negated"));
    graph.addNode(
        "If",
        List.of("flag"),
        List.of("z"),
        Attribute.graph("then_branch", yes),
        Attribute.graph("else_branch", no));
    graph.outputs().clear();
    graph.addOutput("z", ElementType.FLOAT, "N", 3L);
    return model;
  }

  /** Every model that is shipped, for users or for tests. */
  static Stream<Path> shipped() {
    List<Path> models = new ArrayList<>();
    models.add(resource("/dev/sidefade/demo/vit28p7d128.onnx"));
    try (Stream<Path> files = Files.list(resource("/models"))) {
      files.filter(file -> file.toString().endsWith(".onnx")).sorted().forEach(models::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return models.stream();
  }

  private static Path resource(String name) {
    try {
      return Path.of(TestModels.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static float[] randomFloats(long seed, int count) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextFloat(-1, 1);
    }
    return values;
  }

  /**
   * Outputs by name as raw bytes, for inputs that depend on the seed and the names of the inputs
   * only.
   */
  static Map<String, byte[]> run(byte[] model, long seed) throws OrtException {
    try (OrtSession.SessionOptions options = options();
        OrtSession session = OrtEnvironment.getEnvironment().createSession(model, options)) {
      return run(session, Map.of(), seed);
    }
  }

  /** As {@link #run(byte[], long)}, with external data. */
  static Map<String, byte[]> run(Path model, long seed) throws OrtException {
    try (OrtSession.SessionOptions options = options();
        OrtSession session =
            OrtEnvironment.getEnvironment().createSession(model.toString(), options)) {
      return run(session, Map.of(), seed);
    }
  }

  /** As {@link #run(byte[], long)}, but with the given raw bytes for the inputs that are named. */
  static Map<String, byte[]> run(byte[] model, Map<String, byte[]> fed, long seed)
      throws OrtException {
    try (OrtSession.SessionOptions options = options();
        OrtSession session = OrtEnvironment.getEnvironment().createSession(model, options)) {
      return run(session, fed, seed);
    }
  }

  static void assertSameOutputs(Map<String, byte[]> expected, Map<String, byte[]> actual) {
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach((name, bytes) -> assertArrayEquals(bytes, actual.get(name), name));
  }

  static float[] floats(byte[] bytes) {
    float[] values = new float[bytes.length / 4];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  private static OrtSession.SessionOptions options() throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    // without optimisation nothing depends on how the constants are stored
    options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
    options.setIntraOpNumThreads(1);
    return options;
  }

  private static Map<String, byte[]> run(OrtSession session, Map<String, byte[]> fed, long seed)
      throws OrtException {
    Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    try {
      for (NodeInfo input : session.getInputInfo().values()) {
        TensorInfo info = (TensorInfo) input.getInfo();
        long[] shape = concrete(info);
        ByteBuffer bytes = content(info.type, shape, fed.get(input.getName()), seed);
        inputs.put(
            input.getName(),
            OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), bytes, shape, info.type));
      }
      Map<String, byte[]> outputs = new LinkedHashMap<>();
      try (OrtSession.Result result = session.run(inputs)) {
        for (Map.Entry<String, OnnxValue> output : result) {
          ByteBuffer buffer = ((OnnxTensor) output.getValue()).getByteBuffer();
          byte[] bytes = new byte[buffer.remaining()];
          buffer.get(bytes);
          outputs.put(output.getKey(), bytes);
        }
      }
      return outputs;
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  /** Two rows; other dynamic dimensions are 6. */
  private static long[] concrete(TensorInfo info) {
    long[] shape = info.getShape();
    for (int i = 0; i < shape.length; i++) {
      if (shape[i] < 0) {
        shape[i] = i == 0 ? 2 : 6;
      }
    }
    return shape;
  }

  private static ByteBuffer content(OnnxJavaType type, long[] shape, byte[] fed, long seed) {
    int count = 1;
    for (long dim : shape) {
      count = Math.toIntExact(count * dim);
    }
    ByteBuffer bytes = ByteBuffer.allocateDirect(count * type.size).order(ByteOrder.nativeOrder());
    if (fed != null) {
      bytes.put(fed);
      return bytes.flip();
    }
    Random random = new Random(seed);
    for (int i = 0; i < count; i++) {
      switch (type) {
        case FLOAT -> bytes.putFloat(random.nextFloat(-1, 1));
        case INT64 -> bytes.putLong(random.nextInt(2));
        case BOOL -> bytes.put((byte) random.nextInt(2));
        default -> throw new IllegalArgumentException("no content for " + type);
      }
    }
    return bytes.flip();
  }
}

package dev.sidefade.onnx.gradient;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import ai.onnxruntime.OrtException;
import dev.sidefade.backbone.Golden;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients of whole backbones are those of PyTorch's autograd. */
class GradientGoldenTest {
  private static final String REAL = "minilm_l6";

  /** One export and the golden file of its network. */
  record Export(String network, String model) {
    @Override
    public String toString() {
      return model;
    }
  }

  private static Path golden(String network) {
    return Golden.resource("/gradients/" + network + ".safetensors");
  }

  static List<Export> exports() throws IOException {
    List<Export> exports = new ArrayList<>();
    try (Arena arena = Arena.ofConfined();
        Stream<Path> files = Files.list(Golden.resource("/gradients"))) {
      for (Path file : files.sorted().toList()) {
        String network = file.getFileName().toString().replace(".safetensors", "");
        String models = Golden.read(file, arena).metadata().get("models");
        if (!network.equals(REAL)) {
          List.of(models.split(" ")).forEach(model -> exports.add(new Export(network, model)));
        }
      }
    }
    return exports;
  }

  @ParameterizedTest
  @MethodSource("exports")
  void ofOneGraph(Export export) throws IOException, OrtException {
    TunableModel tunable = tunable(export.model());
    try (Arena arena = Arena.ofConfined()) {
      Golden golden = Golden.read(golden(export.network()), arena);
      List<String> names = gradientNames(golden);
      assertTheGoldenFileIsComplete(tunable, names);
      GradientGraph gradients = differentiate(tunable, names);
      try (Feeds feeds = feeds(tunable, golden, 0, batch(golden))) {
        feeds.run(gradients.joint());
        assertGradients(golden, names, tunable, feeds);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("exports")
  void ofTwoGraphs(Export export) throws IOException, OrtException {
    TunableModel tunable = tunable(export.model());
    try (Arena arena = Arena.ofConfined()) {
      Golden golden = Golden.read(golden(export.network()), arena);
      assertTwoGraphs(tunable, golden, gradientNames(golden));
    }
  }

  /** What the last blocks' norms alone are tuned for: the graph stops before the other blocks. */
  @ParameterizedTest
  @ValueSource(
      strings = {"vit_timm_legacy14", "vit12_dynamo20", "bert_dynamo18", "minilm_legacy11"})
  void ofTheLastBlockAlone(String model) throws IOException, OrtException {
    TunableModel tunable = tunable(model);
    try (Arena arena = Arena.ofConfined()) {
      Golden golden = Golden.read(golden(networkOf(model)), arena);
      int blocks = tunable.structure().blocks();
      List<String> names =
          tunable.structure().norms().stream()
              .filter(norm -> norm.block() == blocks)
              .flatMap(n ->
                  Stream.of("norm." + n.position() + ".scale", "norm." + n.position() + ".bias"))
              .filter(tunable.constants()::containsKey)
              .toList();
      assertTrue(names.size() >= 2, names.toString());
      assertTwoGraphs(tunable, golden, names);
      GradientGraph whole = differentiate(tunable, gradientNames(golden));
      GradientGraph part = differentiate(tunable, names);
      int all = whole.backward().graph().nodes().size();
      int few = part.backward().graph().nodes().size();
      assertTrue(few < all / 2, few + " nodes of " + all);
      assertTrue(part.saved().size() < whole.saved().size());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"vit_timm_legacy17", "vit_timm_avg_fcnorm_dynamo20", "roberta_dynamo20"})
  void ofMicroBatchesAddUp(String model) throws IOException, OrtException {
    TunableModel tunable = tunable(model);
    try (Arena arena = Arena.ofConfined()) {
      Golden golden = Golden.read(golden(networkOf(model)), arena);
      List<String> names = gradientNames(golden);
      GradientGraph gradients = differentiate(tunable, names);
      try (Feeds first = feeds(tunable, golden, 0, 1);
          Feeds rest = feeds(tunable, golden, 1, batch(golden))) {
        first.run(gradients.joint());
        rest.run(gradients.joint());
        for (String name : names) {
          float[] sum = first.floats(GradientGraph.gradient(name));
          float[] more = rest.floats(GradientGraph.gradient(name));
          for (int i = 0; i < sum.length; i++) {
            sum[i] += more[i];
          }
          assertClose(expected(golden, tunable, name), sum, name);
        }
      }
    }
  }

  @Test
  void ofTheRealMiniLm() throws IOException, OrtException {
    String file = System.getProperty("sidefade.minilm");
    Assumptions.assumeTrue(
        file != null, "needs all-minilm-l6-v2.onnx, named by -Dsidefade.minilm=FILE");
    TunableModel tunable = new TunableModel(OnnxModel.read(Path.of(file)));
    assertEquals(7, tunable.structure().taps().size());
    assertEquals(13, tunable.structure().norms().size());
    try (Arena arena = Arena.ofConfined()) {
      Golden golden = Golden.read(golden(REAL), arena);
      List<String> names = gradientNames(golden);
      assertEquals(24, names.size());
      assertTwoGraphs(tunable, golden, names);
    }
  }

  private static TunableModel tunable(String model) throws IOException {
    return new TunableModel(OnnxModel.read(Golden.model(model + ".onnx")));
  }

  private static String networkOf(String model) throws IOException {
    return exports().stream()
        .filter(export -> export.model().equals(model))
        .findFirst()
        .orElseThrow()
        .network();
  }

  private static GradientGraph differentiate(TunableModel tunable, List<String> names) {
    return GradientGraph.of(
        tunable.model(), tunable.shapes(), names, List.of(tunable.finalInput()));
  }

  private static void assertTwoGraphs(TunableModel tunable, Golden golden, List<String> names)
      throws OrtException {
    GradientGraph gradients = differentiate(tunable, names);
    try (Feeds feeds = feeds(tunable, golden, 0, batch(golden))) {
      feeds.run(gradients.forward());
      float[] finalInput = feeds.floats(tunable.finalInput());
      assertClose(golden.get("final_input").toFloats(), finalInput, "final input");
      feeds.run(gradients.backward());
      assertGradients(golden, names, tunable, feeds);
    }
  }

  /** Norms: all but the final one. Linear layers: the file may hold only some. */
  private static void assertTheGoldenFileIsComplete(TunableModel tunable, List<String> names) {
    assertTrue(tunable.constants().keySet().containsAll(names), "unknown among " + names);
    Set<String> norms = new TreeSet<>(tunable.constants().keySet());
    norms.removeIf(name -> name.startsWith("linear"));
    assertTrue(names.containsAll(norms), norms + " in " + names);
  }

  private static List<String> gradientNames(Golden golden) {
    return golden.tensors().keySet().stream()
        .filter(name -> name.startsWith("norm.") || name.startsWith("linear."))
        .toList();
  }

  private static long batch(Golden golden) {
    return golden.get("seed").dim(0);
  }

  /** Rows of the inputs and of the seed, and the constants' present values. */
  private static Feeds feeds(TunableModel tunable, Golden golden, long from, long to)
      throws OrtException {
    Feeds feeds = new Feeds();
    for (var input : golden.inputs(from, to).entrySet()) {
      feeds.put(input.getKey(), input.getValue());
    }
    for (Initializer constant : tunable.constants().values()) {
      feeds.put(constant);
    }
    Tensor seed = Golden.rows(golden.get("seed"), from, to);
    feeds.put(GradientGraph.seed(tunable.finalInput()), seed);
    return feeds;
  }

  private static void assertGradients(
      Golden golden, List<String> names, TunableModel tunable, Feeds feeds) {
    for (String name : names) {
      String gradient = GradientGraph.gradient(name);
      assertArrayEquals(tunable.constants().get(name).dims(), feeds.dims(gradient), name);
      assertClose(expected(golden, tunable, name), feeds.floats(gradient), name);
    }
  }

  /** The golden gradient, stored as the model stores the constant. */
  private static float[] expected(Golden golden, TunableModel tunable, String name) {
    Tensor tensor = golden.get(name);
    float[] values = tensor.toFloats();
    if (!tunable.transposed(name)) {
      return values;
    }
    int rows = Math.toIntExact(tensor.dim(0));
    int columns = Math.toIntExact(tensor.dim(1));
    float[] turned = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      turned[i % columns * rows + i / columns] = values[i];
    }
    return turned;
  }

  /**
   * Within 1e-4 of the largest element. What is zero but for rounding, such as the gradient of a
   * bias of keys, which softmax does not see, must be below 1e-5; others are about 1 to 100.
   */
  private static void assertClose(float[] expected, float[] actual, String what) {
    assertEquals(expected.length, actual.length, what + ": size");
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      double difference = Math.abs((double) expected[i] - actual[i]);
      if (!(difference <= 1e-5 + 1e-4 * largest)) {
        fail(what + " element " + i + ": expected " + expected[i] + " but was " + actual[i]);
      }
    }
  }
}

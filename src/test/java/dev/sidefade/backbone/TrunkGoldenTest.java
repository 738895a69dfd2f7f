package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The residual stream that comes out of ONNX Runtime is the one that PyTorch computed. */
class TrunkGoldenTest {
  private static Stream<String> names() {
    return Fixture.names();
  }

  @ParameterizedTest
  @MethodSource("names")
  void tapsAreThoseOfPyTorch(String name) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model(name + ".onnx"));
        Trunk trunk = backbone.openTrunk(1)) {
      Golden golden = Golden.read(name, arena);
      List<Tensor> taps = Runs.run(trunk, golden.inputs(0, 3), 3, arena);
      for (int i = 0; i < backbone.taps().size(); i++) {
        Runs.assertClose(golden.get("tap." + i), taps.get(i), name + " tap " + i);
      }
      Tensor finalInput = taps.get(trunk.finalInput());
      Runs.assertClose(
          golden.get("final").toFloats(), normalised(finalInput, backbone), name + " final norm");
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void rowsDoNotDependOnTheBatch(String name) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model(name + ".onnx"));
        Trunk trunk = backbone.openTrunk(2)) {
      Golden golden = Golden.read(name, arena);
      List<Tensor> five = Runs.run(trunk, Runs.repeated(golden, 5, arena), 5, arena);
      for (long row = 0; row < 5; row++) {
        Map<String, Tensor> feeds = golden.inputs(row % 3, row % 3 + 1);
        List<Tensor> one = Runs.run(trunk, feeds, 1, arena);
        for (int i = 0; i < one.size(); i++) {
          Tensor same = Golden.rows(five.get(i), row, row + 1);
          Runs.assertClose(one.get(i), same, name + " row " + row + " output " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void logitsComeOutWhereThereIsAHead(String name) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model(name + ".onnx"))) {
      if (backbone.structure().head().isEmpty()) {
        return;
      }
      Golden golden = Golden.read(name, arena);
      Trunk trunk = backbone.openTrunk(TrunkSpec.of(1, List.of()).withLogits());
      List<Tensor> results = Runs.run(trunk, golden.inputs(0, 3), 3, arena);
      assertEquals(2, results.size());
      Runs.assertClose(golden.get("logits"), results.get(1), name + " logits");
    }
  }

  @Test
  void theShippedModelComputesWhatItComputedWhenItWasTrained() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.resource("/dev/sidefade/demo/vit28p7d128.onnx"))) {
      Golden golden = Golden.read("vit28_demo", arena);
      List<Integer> all = IntStream.range(0, 7).boxed().toList();
      Trunk trunk = backbone.openTrunk(TrunkSpec.of(2, all).withLogits());
      List<Tensor> results = Runs.run(trunk, golden.inputs(0, 2), 2, arena);
      for (int i = 0; i < 7; i++) {
        Runs.assertClose(golden.get("tap." + i), results.get(i), "tap " + i);
      }
      Runs.assertClose(golden.get("logits"), results.get(7), "logits");
      assertEquals(17, backbone.tokens());
      assertEquals(128, backbone.width(3));
      assertEquals("image", backbone.inputName());
      assertEquals(Preprocessing.standard(1, 28, 28), backbone.preprocessing());
      assertArrayEquals(new long[] {4, 17, 128}, trunk.outputs().getFirst().shape(4));
    }
  }

  private static float[] normalised(Tensor x, Backbone backbone) {
    float[] scale = backbone.finalNormScale();
    float[] bias = backbone.finalNormBias();
    float[] values = x.toFloats();
    int width = scale.length;
    for (int row = 0; row < values.length; row += width) {
      double mean = 0;
      double variance = 0;
      for (int i = 0; i < width; i++) {
        mean += values[row + i] / (double) width;
      }
      for (int i = 0; i < width; i++) {
        variance += (values[row + i] - mean) * (values[row + i] - mean) / width;
      }
      double factor = 1 / Math.sqrt(variance + backbone.finalNormEpsilon());
      for (int i = 0; i < width; i++) {
        values[row + i] = (float) ((values[row + i] - mean) * factor * scale[i] + bias[i]);
      }
    }
    return values;
  }
}

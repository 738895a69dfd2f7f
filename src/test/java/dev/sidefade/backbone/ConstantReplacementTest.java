package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Constants written into the graph do what they did when they were fed. */
class ConstantReplacementTest {
  private static Stream<String> names() {
    return Fixture.names();
  }

  @ParameterizedTest
  @MethodSource("names")
  void presentValuesChangeNoByte(String name) throws IOException {
    try (Backbone backbone = Backbone.load(Golden.model(name + ".onnx"))) {
      Map<String, float[]> values = new LinkedHashMap<>();
      for (TunableConstant constant : TunableConstants.of(backbone, Tuning.biases())) {
        values.put(constant.name(), constant.present().orElseThrow().floats());
      }
      for (LinearLayer layer : LinearFinder.find(backbone.model(), backbone.structure())) {
        values.put(layer.weightName(), ConstantReplacement.weight(backbone, layer.weightName()));
      }
      OnnxModel copy = backbone.model().copy();
      ConstantReplacement.replace(copy, backbone.structure(), values);
      assertSameNodes(backbone.model(), copy);
      Map<String, Initializer> before = backbone.model().graph().initializers();
      for (Initializer after : copy.graph().initializers().values()) {
        Initializer original = before.get(after.name());
        if (original != null && original.byteSize() > 0) {
          assertEquals(-1, original.data().mismatch(after.data()), after.name());
        }
      }
    }
  }

  private static void assertSameNodes(OnnxModel before, OnnxModel after) {
    List<String> types = before.graph().nodes().stream().map(OnnxNode::opType).toList();
    assertEquals(types, after.graph().nodes().stream().map(OnnxNode::opType).toList());
  }

  /** What a backbone computes with its constants replaced by others near them. */
  private static List<Tensor> changed(
      OnnxModel model, BackboneStructure structure, Golden golden, Arena arena) {
    OnnxModel copy = model.copy();
    Map<String, float[]> values = new LinkedHashMap<>();
    for (TunableConstant constant : TunableConstants.of(model, structure, Tuning.biases())) {
      values.put(constant.name(), near(constant.present().orElseThrow().floats(), 7));
    }
    for (LinearLayer layer : LinearFinder.find(model, structure)) {
      float[] weight = model.graph().initializers().get(layer.weight()).floats();
      float[] plain =
          layer.transposed() ? OwnConstant.transposed(weight, layer.out(), layer.in()) : weight;
      values.put(layer.weightName(), near(plain, layer.position()));
    }
    ConstantReplacement.replace(copy, structure, values);
    assertSameNodes(model, copy);
    List<Integer> taps = IntStream.rangeClosed(0, structure.blocks()).boxed().toList();
    try (Trunk trunk = Trunk.open(copy, structure, TrunkSpec.of(1, taps))) {
      return Runs.run(trunk, golden.inputs(0, 3), 3, arena);
    }
  }

  private static float[] near(float[] values, int seed) {
    float[] near = values.clone();
    for (int i = 0; i < near.length; i++) {
      near[i] += 0.1f * (float) (CounterRandom.uniform(seed, 0, i) - 0.5);
    }
    return near;
  }

  @Test
  void howWeightsAreStoredDoesNotMatter() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Golden golden = Golden.read("vit_timm_dynamo20", arena);
      OnnxModel plain = OnnxModel.read(Golden.model("vit_timm_dynamo20.onnx"));
      BackboneStructure structure = StructureFinder.find(plain);
      List<LinearLayer> layers = LinearFinder.find(plain, structure);
      List<Tensor> expected = changed(plain, structure, golden, arena);
      assertTrue(Runs.largestDifference(golden.get("tap.2"), expected.get(2)) > 1e-2);
      OnnxModel turned = plain.copy();
      Rewriting.behindTransposes(turned, layers);
      OnnxModel gemms = plain.copy();
      Rewriting.asGemms(gemms, layers, 10);
      for (OnnxModel other : List.of(turned, gemms)) {
        List<Tensor> actual = changed(other, structure, golden, arena);
        for (int i = 0; i < expected.size(); i++) {
          Runs.assertClose(expected.get(i), actual.get(i), "tap " + i);
        }
      }
    }
  }

  @Test
  void aSharedConstantChangesInOnePlaceOnly() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model("vit_timm_shared_legacy17.onnx"))) {
      Golden golden = Golden.read("vit_timm_shared_legacy17", arena);
      BackboneStructure structure = backbone.structure();
      Norm third = structure.norms().get(2);
      float[] scale = backbone.constant(third.scale());
      scale[5] = 3;
      OnnxModel copy = backbone.model().copy();
      ConstantReplacement.replace(copy, structure, Map.of(third.scaleInput(), scale));
      assertSameNodes(backbone.model(), copy);
      try (Trunk trunk = Trunk.open(copy, structure, TrunkSpec.of(1, List.of(0, 1, 2)))) {
        List<Tensor> taps = Runs.run(trunk, golden.inputs(0, 3), 3, arena);
        Runs.assertClose(golden.get("tap.1"), taps.get(1), "tap 1");
        assertTrue(Runs.largestDifference(golden.get("tap.2"), taps.get(2)) > 1e-3);
      }
    }
  }

  @Test
  void aWeightThatLayersShareChangesInOnePlaceOnly() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Golden golden = Golden.read("vit_timm_dynamo20", arena);
      OnnxModel model = OnnxModel.read(Golden.model("vit_timm_dynamo20.onnx"));
      BackboneStructure structure = StructureFinder.find(model);
      Rewriting.behindTransposes(model, LinearFinder.find(model, structure));
      // the last layer of both blocks reads one Transpose, as layers of ALBERT do
      List<OnnxNode> layers =
          LinearFinder.find(model, structure).stream()
              .map(layer -> model.graph().producerOf(layer.output()).orElseThrow())
              .toList();
      layers.get(7).inputs().set(1, layers.get(3).input(1));
      LinearLayer last = LinearFinder.find(model, structure).get(7);
      float[] stored = model.graph().initializers().get(last.weight()).floats();
      float[] weight = OwnConstant.transposed(stored, last.out(), last.in());
      weight[3] += 2;
      OnnxModel copy = model.copy();
      ConstantReplacement.replace(copy, structure, Map.of(last.weightName(), weight));
      assertSameNodes(model, copy);
      try (Trunk before = Trunk.open(model, structure, TrunkSpec.of(1, List.of(1, 2)));
          Trunk after = Trunk.open(copy, structure, TrunkSpec.of(1, List.of(1, 2)))) {
        List<Tensor> expected = Runs.run(before, golden.inputs(0, 3), 3, arena);
        List<Tensor> actual = Runs.run(after, golden.inputs(0, 3), 3, arena);
        Runs.assertClose(expected.get(0), actual.get(0), "tap 1");
        assertTrue(Runs.largestDifference(expected.get(1), actual.get(1)) > 1e-3);
      }
    }
  }

  @Test
  void lowRankChangesAreFoldedIn() {
    float[] weight = {1, 2, 3, 4, 5, 6};
    float[] merged =
        ConstantReplacement.merged(
            weight, new float[] {1, 0, 2, 3}, new float[] {1, 2, 3, 4, 5, 6}, 2);
    assertArrayEquals(new float[] {2, 4, 6, 4 + 14, 5 + 19, 6 + 24}, merged);
    assertThrows(
        IllegalArgumentException.class,
        () -> ConstantReplacement.merged(weight, new float[4], new float[4], 2));
  }

  @Test
  void mistakesAreNamed() throws IOException {
    try (Backbone vit = Backbone.load(Golden.model("vit_timm_dynamo20.onnx"))) {
      refused(vit, "sidefade.linear.99.weight", new float[4], "sidefade.linear.99.weight");
      refused(vit, "sidefade.norm.0.scale", new float[31], "31 values");
      refused(vit, "sidefade.linear.0.weight", new float[31], "has 3072");
      float[] broken = new float[32];
      broken[7] = Float.NaN;
      refused(vit, "sidefade.norm.0.bias", broken, "NaN");
      assertThrows(
          BadInputException.class, () -> ConstantReplacement.weight(vit, "blocks.0.norm1.weight"));
    }
  }

  private static void refused(Backbone backbone, String name, float[] values, String part) {
    OnnxModel copy = backbone.model().copy();
    Map<String, float[]> constants = Map.of(name, values);
    String message =
        assertThrows(
                BadInputException.class,
                () -> ConstantReplacement.replace(copy, backbone.structure(), constants))
            .getMessage();
    assertTrue(message.contains(part), message);
  }
}

package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The linear layers of the blocks are found, however they are written, and nothing else. */
class LinearFinderTest {
  private static Stream<Fixture> fixtures() {
    return Fixture.all().stream();
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void everyBlockHasItsLayers(Fixture fixture) throws IOException {
    OnnxModel model = OnnxModel.read(Golden.model(fixture.name() + ".onnx"));
    BackboneStructure structure = StructureFinder.find(model);
    List<LinearLayer> layers = LinearFinder.find(model, structure);
    boolean oneForAll = !fixture.text() && !fixture.name().startsWith("vit_hf");
    int perBlock = oneForAll ? 4 : 6;
    assertEquals(perBlock * fixture.blocks(), layers.size());
    for (int i = 0; i < layers.size(); i++) {
      LinearLayer layer = layers.get(i);
      assertEquals(i, layer.position());
      assertEquals(1 + i / perBlock, layer.block(), layer.toString());
      assertTrue(layer.bias().isPresent(), layer.toString());
      Initializer weight = model.graph().initializers().get(layer.weight());
      assertEquals(layer.in() * layer.out(), weight.size());
      assertEquals(
          layer.out(), model.graph().initializers().get(layer.bias().orElseThrow()).size());
    }
    long features = layers.stream().mapToLong(LinearLayer::out).limit(perBlock).sum();
    // queries, keys and values, projection, and the MLP there and back
    assertEquals(3 * 32 + 32 + 64 + 32, features);
    Set<String> weights = layers.stream().map(LinearLayer::weight).collect(Collectors.toSet());
    structure.head().ifPresent(head -> assertTrue(!weights.contains(head.weight())));
  }

  @Test
  void layersThatAreStoredTheOtherWayRoundAreFound() throws IOException {
    OnnxModel model = OnnxModel.read(Golden.model("vit_timm_dynamo20.onnx"));
    BackboneStructure structure = StructureFinder.find(model);
    List<LinearLayer> plain = LinearFinder.find(model, structure);
    Rewriting.behindTransposes(model, plain);
    List<LinearLayer> turned = LinearFinder.find(model, structure);
    assertEquals(plain.size(), turned.size());
    for (int i = 0; i < plain.size(); i++) {
      assertEquals(plain.get(i).in(), turned.get(i).in());
      assertEquals(plain.get(i).out(), turned.get(i).out());
      assertTrue(turned.get(i).transposed() && !plain.get(i).transposed());
      assertEquals(plain.get(i).bias(), turned.get(i).bias());
    }
  }

  @Test
  void gemmsAreFound() throws IOException {
    OnnxModel model = OnnxModel.read(Golden.model("vit_timm_dynamo20.onnx"));
    BackboneStructure structure = StructureFinder.find(model);
    List<LinearLayer> plain = LinearFinder.find(model, structure);
    Rewriting.asGemms(model, plain, 10);
    List<LinearLayer> gemms = LinearFinder.find(model, structure);
    assertEquals(plain.size(), gemms.size());
    for (int i = 0; i < plain.size(); i++) {
      assertTrue(gemms.get(i).transposed());
      assertEquals(plain.get(i).in(), gemms.get(i).in());
      assertEquals(plain.get(i).out(), gemms.get(i).out());
      assertEquals(plain.get(i).bias(), gemms.get(i).bias());
      assertEquals(plain.get(i).block(), gemms.get(i).block());
    }
  }

  @Test
  void whatIsNoPlainLayerIsLeftAlone() throws IOException {
    OnnxModel model = OnnxModel.read(Golden.model("vit_timm_dynamo20.onnx"));
    BackboneStructure structure = StructureFinder.find(model);
    List<LinearLayer> plain = LinearFinder.find(model, structure);
    Rewriting.asGemms(model, plain, 10);
    OnnxGraph graph = model.graph();
    List<OnnxNode> gemms =
        new ArrayList<>(graph.nodes().stream().filter(node -> node.is("Gemm")).toList());
    gemms.get(1).setAttribute(Attribute.of("alpha", 0.5f));
    gemms.get(2).setAttribute(Attribute.of("beta", 0f));
    List<LinearLayer> found = LinearFinder.find(model, structure);
    assertEquals(plain.size() - 2, found.size());
    assertEquals(plain.getFirst().weight() + ".turned", found.getFirst().weight());
    assertEquals(plain.get(3).weight() + ".turned", found.get(1).weight());
  }
}

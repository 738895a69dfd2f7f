package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Constants that are fed with every run take effect with every run. */
class TunedConstantsTest {
  private static Stream<String> names() {
    return Fixture.names();
  }

  /**
   * All norms that influence the taps and the final norm's input, which the final norm itself does
   * not.
   */
  private static List<String> normConstants(BackboneStructure structure) {
    List<String> names = new ArrayList<>();
    for (Norm norm : structure.norms()) {
      boolean behind = norm.block() > structure.blocks();
      if (!behind) {
        names.add(norm.scaleInput());
        names.add(norm.biasInput());
      }
    }
    return names;
  }

  private static TrunkSpec allTaps(BackboneStructure structure) {
    return TrunkSpec.of(1, IntStream.rangeClosed(0, structure.blocks()).boxed().toList());
  }

  @ParameterizedTest
  @MethodSource("names")
  void presentValuesChangeNothing(String name) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model(name + ".onnx"))) {
      Golden golden = Golden.read(name, arena);
      BackboneStructure structure = backbone.structure();
      Trunk trunk = backbone.openTrunk(allTaps(structure).withInputs(normConstants(structure)));
      Map<String, Tensor> feeds = new LinkedHashMap<>(golden.inputs(0, 3));
      feeds.putAll(Runs.constants(trunk, arena));
      List<Tensor> taps = Runs.run(trunk, feeds, 3, arena);
      for (int i = 0; i < structure.taps().size(); i++) {
        Runs.assertClose(golden.get("tap." + i), taps.get(i), name + " tap " + i);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void aChangedConstantChangesItsBlockAndNoneBefore(String name) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model(name + ".onnx"))) {
      Golden golden = Golden.read(name, arena);
      BackboneStructure structure = backbone.structure();
      Trunk trunk = backbone.openTrunk(allTaps(structure).withInputs(normConstants(structure)));
      for (Norm norm : structure.norms()) {
        if (norm.block() > structure.blocks()) {
          continue;
        }
        // a bias of keys shifts all scores of a query alike, which softmax does not see
        boolean ofKeys = norm.width() < structure.lastTap().width();
        List<String> constants =
            ofKeys ? List.of(norm.scaleInput()) : List.of(norm.scaleInput(), norm.biasInput());
        for (String constant : constants) {
          Map<String, Tensor> feeds = new LinkedHashMap<>(golden.inputs(0, 3));
          feeds.putAll(Runs.constants(trunk, arena));
          Tensor changed = feeds.get(constant);
          for (long i = 0; i < changed.size(); i++) {
            changed.set(i, changed.get(i) + (i % 3 == 0 ? 0.5f : -0.25f));
          }
          List<Tensor> taps = Runs.run(trunk, feeds, 3, arena);
          for (int i = 0; i < structure.taps().size(); i++) {
            double difference = Runs.largestDifference(golden.get("tap." + i), taps.get(i));
            boolean mayChange = i >= norm.block();
            String what = name + " tap " + i + " with another " + constant + ": " + difference;
            assertTrue(mayChange ? difference > 1e-3 : difference < 1e-4, what);
          }
        }
      }
    }
  }

  @Test
  void sharedConstantsGetACopyOfTheirOwn() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model("vit_timm_shared_legacy17.onnx"))) {
      Golden golden = Golden.read("vit_timm_shared_legacy17", arena);
      // the initializer that all norms share stands at the first one; only the third is to change
      String third = backbone.structure().norms().get(2).scaleInput();
      Trunk trunk =
          backbone.openTrunk(TrunkSpec.of(1, List.of(0, 1, 2)).withInputs(List.of(third)));
      Map<String, Tensor> feeds = new LinkedHashMap<>(golden.inputs(0, 3));
      Tensor scale = Runs.constants(trunk, arena).get(third);
      assertEquals(1.25f, scale.get(0));
      scale.set(5, 3f);
      feeds.put(third, scale);
      List<Tensor> taps = Runs.run(trunk, feeds, 3, arena);
      Runs.assertClose(golden.get("tap.1"), taps.get(1), "tap 1");
      assertTrue(Runs.largestDifference(golden.get("tap.2"), taps.get(2)) > 1e-3);
    }
  }

  @Test
  void theFinalNormAndTheHeadCanBeTuned() throws IOException {
    for (String name : List.of("vit_timm_legacy14", "vit_hf_dynamo20", "bert_dynamo18")) {
      try (Arena arena = Arena.ofConfined();
          Backbone backbone = Backbone.load(Golden.model(name + ".onnx"))) {
        Golden golden = Golden.read(name, arena);
        Norm last = backbone.structure().finalNorm().orElseThrow();
        List<String> constants =
            List.of(last.scaleInput(), last.biasInput(), Head.WEIGHT_INPUT, Head.BIAS_INPUT);
        Trunk trunk =
            backbone.openTrunk(TrunkSpec.of(1, List.of()).withLogits().withInputs(constants));
        assertEquals(constants, List.copyOf(trunk.constants().keySet()));
        assertArrayEquals(
            backbone.finalNormScale(), trunk.constants().get(last.scaleInput()).floats());
        Map<String, Tensor> feeds = new LinkedHashMap<>(golden.inputs(0, 3));
        feeds.putAll(Runs.constants(trunk, arena));
        Runs.assertClose(golden.get("logits"), Runs.run(trunk, feeds, 3, arena).get(1), name);
        for (String constant : constants) {
          Tensor tensor = feeds.get(constant);
          float before = tensor.get(1);
          tensor.set(1, before + 1);
          Tensor logits = Runs.run(trunk, feeds, 3, arena).get(1);
          assertTrue(Runs.largestDifference(golden.get("logits"), logits) > 1e-3, name + constant);
          tensor.set(1, before);
        }
      }
    }
  }

  @Test
  void initializersGoByTheirNames() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model("vit_timm_dynamo20.onnx"))) {
      Golden golden = Golden.read("vit_timm_dynamo20", arena);
      Trunk trunk =
          backbone.openTrunk(TrunkSpec.of(1, List.of(0, 2)).withInputs(List.of("pos_embed")));
      Map<String, Tensor> feeds = new LinkedHashMap<>(golden.inputs(0, 3));
      feeds.putAll(Runs.constants(trunk, arena));
      Tensor positions = feeds.get("pos_embed");
      positions.set(7, positions.get(7) + 2);
      Tensor embeddings = Runs.run(trunk, feeds, 3, arena).getFirst();
      assertEquals(golden.get("tap.0").get(7) + 2, embeddings.get(7), 1e-4);
      assertEquals(golden.get("tap.0").get(8), embeddings.get(8), 1e-4);
    }
  }

  @Test
  void whatCannotBeTunedIsRefused() throws IOException {
    try (Backbone backbone = Backbone.load(Golden.model("vit_timm_dynamo20.onnx"))) {
      TrunkSpec taps = TrunkSpec.of(1, List.of(2));
      String none = "sidefade.norm.99.scale";
      String message =
          assertThrows(
                  BadInputException.class, () -> backbone.openTrunk(taps.withInputs(List.of(none))))
              .getMessage();
      assertTrue(message.contains(none) && message.contains("sidefade.norm.4.bias"), message);
      String behind = backbone.structure().finalNorm().orElseThrow().scaleInput();
      message =
          assertThrows(
                  BadInputException.class,
                  () -> backbone.openTrunk(taps.withInputs(List.of(behind))))
              .getMessage();
      assertTrue(message.contains("does not influence"), message);
    }
  }
}

package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Shape;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What each tuning tunes. */
class TunableConstantsTest {
  private static Stream<Fixture> fixtures() {
    return Fixture.all().stream();
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void allNormsButTheFinalOne(Fixture fixture) throws IOException {
    try (Backbone backbone = Backbone.load(Golden.model(fixture.name() + ".onnx"))) {
      BackboneStructure structure = backbone.structure();
      List<TunableConstant> norms = TunableConstants.of(backbone, Tuning.norms());
      assertEquals(2 * (fixture.norms() - 1), norms.size());
      String last = structure.finalNorm().orElseThrow().scaleInput();
      assertTrue(norms.stream().noneMatch(constant -> constant.name().equals(last)));
      List<Integer> blocks = norms.stream().map(TunableConstant::block).toList();
      assertEquals(blocks.stream().sorted().toList(), blocks);
      assertEquals(fixture.text() ? 0 : 1, blocks.getFirst());
      for (TunableConstant constant : norms) {
        float[] present = constant.present().orElseThrow().floats();
        assertEquals(constant.shape(), Shape.of(present.length));
      }
      List<TunableConstant> ofLast = TunableConstants.of(backbone, Tuning.norms(1));
      assertFalse(ofLast.isEmpty());
      assertEquals(
          norms.stream().filter(c -> c.block() == structure.blocks()).map(c -> c.name()).toList(),
          ofLast.stream().map(TunableConstant::name).toList());
    }
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void biasesAndLowRankComeOnTop(Fixture fixture) throws IOException {
    try (Backbone backbone = Backbone.load(Golden.model(fixture.name() + ".onnx"))) {
      List<LinearLayer> layers = LinearFinder.find(backbone.model(), backbone.structure());
      int norms = TunableConstants.of(backbone, Tuning.norms()).size();
      List<TunableConstant> biases = TunableConstants.of(backbone, Tuning.biases());
      assertEquals(norms + layers.size(), biases.size());
      LinearLayer first = layers.getFirst();
      assertArrayEquals(
          backbone.constant(first.bias().orElseThrow()),
          biases.get(norms).present().orElseThrow().floats());
      List<TunableConstant> low = TunableConstants.of(backbone, Tuning.lowRank(3));
      assertEquals(norms + 2 * layers.size(), low.size());
      assertEquals(first.lowRankIn(), low.get(norms).name());
      assertEquals(Shape.of(first.in(), 3), low.get(norms).shape());
      assertEquals(TunableConstant.Kind.LOW_RANK_OUT, low.get(norms + 1).kind());
      assertEquals(Shape.of(3, first.out()), low.get(norms + 1).shape());
      assertTrue(low.get(norms).present().isEmpty());
      Tuning everything = new Tuning(true, true, 2, Tuning.ALL);
      assertEquals(norms + 3 * layers.size(), TunableConstants.of(backbone, everything).size());
    }
  }

  @Test
  void theLastBlocksOnly() throws IOException {
    try (Backbone vit = Backbone.load(Golden.model("vit_timm_legacy17.onnx"));
        Backbone bert = Backbone.load(Golden.model("bert_dynamo18.onnx"))) {
      assertEquals(8, TunableConstants.of(vit, Tuning.norms(2)).size());
      assertEquals(12, TunableConstants.of(vit, Tuning.norms(3)).size());
      // the second norm of the last block is the final one
      assertEquals(2, TunableConstants.of(bert, Tuning.norms(1)).size());
      // and that of the embeddings is part of no block
      assertEquals(10, TunableConstants.of(bert, Tuning.norms(3)).size());
      assertEquals(12, TunableConstants.of(bert, Tuning.norms()).size());
      assertTrue(
          TunableConstants.of(vit, Tuning.lowRank(2, 1)).stream().allMatch(c -> c.block() == 3));
    }
  }

  @Test
  void mistakesAreNamed() throws IOException {
    try (Backbone vit = Backbone.load(Golden.model("vit_timm_legacy17.onnx"))) {
      refused(() -> TunableConstants.of(vit, Tuning.norms(4)), "has 3");
      refused(() -> TunableConstants.of(vit, Tuning.lowRank(33)), "32 x 96");
      refused(() -> Tuning.lowRank(-1), "-1");
      refused(() -> Tuning.norms(0), "0");
      refused(() -> new Tuning(false, false, 0, 1), "nothing is tuned");
      refused(() -> GradientMemory.microBatch(0), "0 rows");
    }
  }

  private static void refused(Runnable run, String part) {
    String message = assertThrows(BadInputException.class, run::run).getMessage();
    assertTrue(message.contains(part), message);
  }
}

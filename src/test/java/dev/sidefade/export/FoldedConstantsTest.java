package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.LinearLayer;
import dev.sidefade.backbone.Norm;
import dev.sidefade.backbone.ReadOut;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Norms, biases and low-rank changes go into a backbone's constants without a trace. */
class FoldedConstantsTest {
  private static final int EXAMPLES = 6;

  @TempDir Path folder;

  private static Stream<String> names() {
    return Stream.concat(Fixtures.imagesAndTexts(), Stream.of("vit_timm_avg_fcnorm_dynamo20"));
  }

  @ParameterizedTest
  @MethodSource("names")
  void computesWhatTheChangesSpelledOutCompute(String name) throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model(name))) {
      boolean text = !backbone.takesImages();
      Pooling own =
          backbone.structure().readOut().kind() == ReadOut.Kind.MEAN || text
              ? Pooling.MEAN
              : Pooling.CLS;
      check(backbone, own, true, 3, name);
      check(backbone, own, false, 0, name);
    }
  }

  /** {@code rank} 0 for norms and biases only. */
  private void check(Backbone backbone, Pooling pooling, boolean withNorm, int rank, String name)
      throws IOException {
    Path spelledOut = folder.resolve("spelled_out.onnx");
    TunedModel tuned;
    try (TrainedTail trained = new TrainedTail(backbone, pooling, 3, withNorm, 4)) {
      tuned = TunedInside.of(backbone, trained.tail(), rank, 17);
    }
    TunedInside.byHand(backbone, tuned).write(spelledOut);
    byte[] before = backbone.model().toBytes();
    OnnxModel faded = FadedModel.build(backbone, tuned, Cards.of(backbone));
    assertArrayEquals(before, backbone.model().toBytes(), name + " was edited");
    try (Backbone changed = Backbone.load(spelledOut);
        TrainedTail trained = new TrainedTail(changed, pooling, 3, withNorm, 4);
        Arena arena = Arena.ofConfined()) {
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, EXAMPLES, 11, arena);
      Tensor logits = trained.logits(inputs, EXAMPLES, arena);
      Path target = folder.resolve("model.onnx");
      Export.writeVerified(faded, target, new Verification(inputs, logits));
      OnnxModel without =
          FadedModel.build(backbone, TunedModel.of(tuned.tail()), Cards.of(backbone));
      assertSameSizes(without, faded, name);
      assertThrows(
          IllegalStateException.class,
          () -> Export.writeVerified(without, target, new Verification(inputs, logits)));
    }
  }

  /** The same nodes, and constants of the same sizes. */
  private static void assertSameSizes(OnnxModel expected, OnnxModel actual, String name) {
    assertEquals(
        expected.graph().nodes().stream().map(OnnxNode::opType).toList(),
        actual.graph().nodes().stream().map(OnnxNode::opType).toList(),
        name);
    // constants that were shared are several now, which the nodes read in the same places
    for (int n = 0; n < expected.graph().nodes().size(); n++) {
      OnnxNode one = expected.graph().nodes().get(n);
      OnnxNode other = actual.graph().nodes().get(n);
      assertEquals(one.outputs(), other.outputs(), name);
      assertEquals(one.inputs().size(), other.inputs().size(), one.toString());
      for (int i = 0; i < one.inputs().size() && !one.is("Identity"); i++) {
        assertArrayEquals(dims(expected, one.input(i)), dims(actual, other.input(i)), name);
      }
    }
    for (String constant : actual.graph().initializers().keySet()) {
      assertFalse(actual.graph().usersOf(constant).isEmpty(), constant + " is dead in " + name);
    }
  }

  private static long[] dims(OnnxModel model, String value) {
    return GraphEdit.constantValue(model.graph(), value)
        .map(Initializer::dims)
        .orElseGet(() -> new long[] {-1});
  }

  @Test
  void theSameConstantsGiveTheSameBits() throws IOException {
    for (String name : List.of("vit_timm_shared_legacy17", "vit_hf_dynamo20", "bert_legacy14")) {
      try (Backbone backbone = Backbone.load(Fixtures.model(name));
          TrainedTail trained = new TrainedTail(backbone, Pooling.CLS, 3, true, 4);
          Arena arena = Arena.ofConfined()) {
        TunedModel tuned = TunedInside.of(backbone, trained.tail(), 2, 3);
        TunedModel nothing = unchanged(backbone, tuned);
        Path plain = folder.resolve("plain.onnx");
        Path same = folder.resolve("same.onnx");
        Export.write(FadedModel.build(backbone, trained.tuned(), Cards.of(backbone)), plain);
        OnnxModel faded = FadedModel.build(backbone, nothing, Cards.of(backbone));
        Export.write(faded, same);
        String output = faded.graph().outputs().getFirst().name();
        Map<String, Tensor> inputs = Fixtures.inputs(backbone, 3, 4, arena);
        try (OrtModel.Inputs fed = OrtModel.inputs(inputs);
            OrtModel one = OrtModel.open(plain, 1);
            OrtModel other = OrtModel.open(same, 1)) {
          assertArrayEquals(one.output(fed, output), other.output(fed, output), name);
        }
      }
    }
  }

  /** The constants' own values, and products with B zero. */
  private static TunedModel unchanged(Backbone backbone, TunedModel tuned) {
    Map<String, float[]> constants = new TreeMap<>();
    for (Norm norm : backbone.structure().norms()) {
      constants.put(norm.scaleInput(), backbone.constant(norm.scale()));
      norm.bias().ifPresent(bias -> constants.put(norm.biasInput(), backbone.constant(bias)));
    }
    for (LinearLayer layer : TunedInside.layers(backbone)) {
      layer.bias().ifPresent(bias -> constants.put(layer.biasName(), backbone.constant(bias)));
    }
    constants.keySet().retainAll(tuned.constants().keySet());
    Map<String, LowRank> lowRank = new TreeMap<>(tuned.lowRank());
    lowRank.replaceAll((name, change) ->
        new LowRank(
            change.a(), new float[change.b().length], change.rank(), change.in(), change.out()));
    return new TunedModel(tuned.tail(), constants, lowRank);
  }

  @Test
  void constantsOfAnotherBackboneAreRefused() throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model("vit_timm_dynamo20"));
        TrainedTail trained = new TrainedTail(backbone, Pooling.CLS, 3, true, 4)) {
      TunedTail tail = trained.tail();
      LinearLayer layer = TunedInside.layers(backbone).getFirst();
      int in = (int) layer.in();
      int out = (int) layer.out();
      List<TunedModel> others =
          List.of(
              vector(tail, "sidefade.norm.99.scale", new float[in]),
              vector(tail, "sidefade.norm.0.scale", new float[in + 1]),
              vector(tail, "sidefade.norm.0.bias", new float[0]),
              vector(tail, "sidefade.linear.99.bias", new float[out]),
              vector(tail, "sidefade.linear.0.bias", new float[out - 1]),
              change(tail, "sidefade.linear.99", in, out),
              change(tail, "sidefade.linear.0", in + 1, out),
              change(tail, "sidefade.linear.0", in, out + 1),
              change(tail, "sidefade.linear.0", out, in));
      for (TunedModel other : others) {
        String what = other.constants().keySet() + " " + other.lowRank().keySet();
        BadInputException refused =
            assertThrows(
                BadInputException.class,
                () -> FadedModel.build(backbone, other, Cards.of(backbone)),
                what);
        assertTrue(refused.getMessage().contains("sidefade."), refused.getMessage());
        assertFalse(refused.getMessage().contains("\n"), refused.getMessage());
      }
    }
  }

  @Test
  void theFinalNormIsGivenOnce() throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model("vit_timm_dynamo20"));
        TrainedTail trained = new TrainedTail(backbone, Pooling.CLS, 3, true, 4)) {
      Norm last = backbone.structure().finalNorm().orElseThrow();
      float[] values = new float[(int) last.width()];
      for (String name : List.of(last.scaleInput(), last.biasInput())) {
        TunedModel twice = vector(trained.tail(), name, values);
        assertThrows(
            BadInputException.class, () -> FadedModel.build(backbone, twice, Cards.of(backbone)));
      }
    }
  }

  private static TunedModel vector(TunedTail tail, String name, float[] values) {
    return new TunedModel(tail, Map.of(name, values), Map.of());
  }

  private static TunedModel change(TunedTail tail, String name, int in, int out) {
    float[] a = new float[in];
    float[] b = new float[out];
    Arrays.fill(a, 1);
    return new TunedModel(tail, Map.of(), Map.of(name, new LowRank(a, b, 1, in, out)));
  }
}

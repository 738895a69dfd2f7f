package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.Norm;
import dev.sidefade.backbone.Trunk;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import dev.sidefade.layers.Slab;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.side.BlockKind;
import dev.sidefade.side.SideActivations;
import dev.sidefade.side.SideConfig;
import dev.sidefade.side.SideNetwork;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Backbone and side network in one graph compute what the kernels compute over the backbone's taps.
 */
class KeptModelTest {
  private static final int CLASSES = 4;
  private static final int EXAMPLES = 6;

  @TempDir Path folder;

  private static Stream<Path> files() {
    List<String> names =
        List.of(
            "vit_timm_legacy14",
            "vit_timm_legacy17",
            "vit_timm_dynamo18",
            "vit_timm_dynamo20",
            "vit_timm_external_dynamo20",
            "vit_timm_layerscale_dynamo20",
            "vit_timm_avg_fcnorm_dynamo20",
            "deit_distilled_legacy17",
            "vit_hf_legacy14",
            "bert_legacy14",
            "bert_dynamo18",
            "bert_dynamo20",
            "roberta_dynamo20",
            "distilbert_legacy14",
            "minilm_legacy11");
    return Stream.concat(names.stream().map(Fixtures::model), Stream.of(Fixtures.demo()));
  }

  @ParameterizedTest
  @MethodSource("files")
  void computesWhatTheKernelsCompute(Path file) throws IOException {
    try (Backbone backbone = Backbone.load(file)) {
      List<Integer> all = IntStream.range(0, backbone.taps().size()).boxed().toList();
      List<Integer> ends = List.of(0, backbone.taps().size() - 1);
      check(backbone, BlockKind.TRANSFORMER, Pooling.CLS_MEAN, MaskPlacement.STATE, all);
      check(backbone, BlockKind.TRANSFORMER, Pooling.MEAN, MaskPlacement.INPUT, ends);
      check(backbone, BlockKind.ADAPTER, Pooling.CLS, MaskPlacement.INPUT, all);
      check(backbone, BlockKind.ADAPTER, Pooling.CLS_MEAN, MaskPlacement.STATE, ends);
      if (!backbone.takesImages()) {
        check(backbone, BlockKind.TRANSFORMER, Pooling.TOKENS, MaskPlacement.STATE, all);
        check(backbone, BlockKind.ADAPTER, Pooling.TOKENS, MaskPlacement.INPUT, ends);
      }
    }
  }

  private void check(
      Backbone backbone,
      BlockKind kind,
      Pooling pooling,
      MaskPlacement placement,
      List<Integer> taps)
      throws IOException {
    SideConfig config = config(backbone, kind, pooling, placement, taps);
    try (Device device = Device.open("cpu", 1);
        Parameters parameters = new Parameters();
        Arena arena = Arena.ofConfined()) {
      SideNetwork network = new SideNetwork(config, parameters);
      parameters.allocate(device, 7);
      jitter(parameters);
      byte[] before = backbone.model().toBytes();
      ModelCard card = Cards.of(backbone).withKind(ModelCard.Kind.KEPT);
      OnnxModel kept = KeptModel.build(backbone, Optional.empty(), config, taps, parameters, card);
      assertArrayEquals(before, backbone.model().toBytes());
      assertEquals(1, kept.graph().outputs().size());
      assertEndOfBackboneIsGone(backbone, kept);
      Path target = folder.resolve("kept.onnx");
      Export.write(kept, target);
      assertEquals(card, ModelCard.read(OnnxModel.read(target)).orElseThrow());
      String output = kept.graph().outputs().getFirst().name();
      try (OrtModel model = OrtModel.open(target, 1)) {
        for (int batch : new int[] {1, 5, EXAMPLES}) {
          Map<String, Tensor> inputs = Fixtures.inputs(backbone, batch, 3, arena);
          float[] expected = logits(backbone, network, taps, inputs, batch, device, arena);
          try (OrtModel.Inputs fed = OrtModel.inputs(inputs)) {
            float[] actual = model.output(fed, output);
            Tensor padded = pooling == Pooling.TOKENS ? Fixtures.valid(inputs, arena) : null;
            assertClose(expected, actual, padded, kind + " " + pooling + " " + batch);
          }
        }
      }
    }
  }

  /** The side network of a tuned backbone reads the taps of the tuned one. */
  @ParameterizedTest
  @ValueSource(strings = {"vit_timm_dynamo20", "bert_legacy14", "minilm_legacy11"})
  void readsTheTapsOfATunedBackbone(String name) throws IOException {
    Path spelledOut = folder.resolve("spelled_out.onnx");
    Path target = folder.resolve("kept.onnx");
    try (Backbone backbone = Backbone.load(Fixtures.model(name));
        TrainedTail trained = new TrainedTail(backbone, Pooling.CLS, 3, true, 4);
        Device device = Device.open("cpu", 1);
        Parameters parameters = new Parameters();
        Arena arena = Arena.ofConfined()) {
      TunedModel tuned = TunedInside.of(backbone, trained.tail(), 2, 6);
      TunedInside.byHand(backbone, tuned).write(spelledOut);
      List<Integer> taps = IntStream.range(0, backbone.taps().size()).boxed().toList();
      SideConfig config =
          config(backbone, BlockKind.TRANSFORMER, Pooling.CLS_MEAN, MaskPlacement.STATE, taps);
      SideNetwork network = new SideNetwork(config, parameters);
      parameters.allocate(device, 7);
      jitter(parameters);
      ModelCard card = Cards.of(backbone).withKind(ModelCard.Kind.KEPT);
      OnnxModel kept =
          KeptModel.build(backbone, Optional.of(tuned), config, taps, parameters, card);
      Export.write(kept, target);
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, EXAMPLES, 3, arena);
      try (Backbone changed = Backbone.load(spelledOut);
          OrtModel model = OrtModel.open(target, 1);
          OrtModel.Inputs fed = OrtModel.inputs(inputs)) {
        float[] expected = logits(changed, network, taps, inputs, EXAMPLES, device, arena);
        String output = kept.graph().outputs().getFirst().name();
        assertClose(expected, model.output(fed, output), null, name);
      }
    }
  }

  private static SideConfig config(
      Backbone backbone,
      BlockKind kind,
      Pooling pooling,
      MaskPlacement placement,
      List<Integer> taps) {
    List<Integer> widths = taps.stream().map(backbone::width).toList();
    return new SideConfig(kind, widths, 12, 3, 20, pooling, CLASSES, 1e-6f, 0.1f, placement);
  }

  /** Every parameter away from where it starts: nothing is zero, no gate is a half. */
  private static void jitter(Parameters parameters) {
    Random random = new Random(9);
    for (Parameter parameter : parameters.all()) {
      float size = parameter.name().equals("gates") ? 0.1f : 0.3f;
      Tensor value = parameter.value();
      for (long i = 0; i < value.size(); i++) {
        value.set(i, value.get(i) + size * (float) random.nextGaussian());
      }
    }
  }

  private static float[] logits(
      Backbone backbone,
      SideNetwork network,
      List<Integer> taps,
      Map<String, Tensor> inputs,
      int batch,
      Device device,
      Arena arena) {
    Trunk trunk = backbone.openTrunk(1, taps);
    List<Tensor> results = new ArrayList<>();
    trunk.outputs().stream()
        .map(output -> output.shape(batch, Fixtures.TEXT_TOKENS))
        .forEach(shape -> results.add(Fixtures.zeros(arena, DType.F32, shape)));
    trunk.run(inputs, batch, results);
    List<Tensor> rows =
        results.subList(0, taps.size()).stream()
            .map(tap -> tap.view(tap.shape().rows(), tap.dim(-1)))
            .toList();
    TokenLayout layout = Fixtures.layout(backbone, batch);
    long size = Slab.measure(slab -> new SideActivations(network, layout, slab));
    Tensor memory = Fixtures.zeros(arena, DType.F32, size);
    SideActivations activations = new SideActivations(network, layout, new Slab(memory));
    Tensor valid = Fixtures.valid(inputs, arena);
    network.forward(device.kernels(), rows, null, valid, activations);
    return activations.logits().toFloats();
  }

  /** Pre-norm: neither the final norm nor the head are needed for the taps. */
  private static void assertEndOfBackboneIsGone(Backbone backbone, OnnxModel kept) {
    Norm last = backbone.structure().finalNorm().orElseThrow();
    boolean isTap = backbone.taps().stream().anyMatch(tap -> tap.value().equals(last.output()));
    assertEquals(isTap, kept.graph().producerOf(last.output()).isPresent());
    backbone
        .structure()
        .head()
        .ifPresent(head ->
            assertTrue(!kept.graph().initializers().containsKey(head.weight()), head.weight()));
    List<OnnxNode> side =
        kept.graph().nodes().stream()
            .filter(node -> node.output(0).startsWith("sidefade.side."))
            .toList();
    assertTrue(side.size() > 10, "the side network is missing");
  }

  /** What comes out for padding is nobody's concern; {@code valid} is null where none does. */
  private static void assertClose(float[] expected, float[] actual, Tensor valid, String what) {
    assertEquals(expected.length, actual.length, what);
    double scale = 1;
    for (float value : expected) {
      scale = Math.max(scale, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      if (valid == null || valid.get(i / CLASSES) != 0) {
        assertEquals(expected[i], actual[i], 1e-5 * scale, what + " logit " + i);
      }
    }
  }

  @Test
  void tapsThatDoNotFitAreRefused() throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model("vit_timm_dynamo20"));
        Device device = Device.open("cpu", 1);
        Parameters parameters = new Parameters()) {
      SideConfig config =
          config(backbone, BlockKind.ADAPTER, Pooling.CLS, MaskPlacement.STATE, List.of(0, 1));
      new SideNetwork(config, parameters);
      parameters.allocate(device, 1);
      ModelCard card = Cards.of(backbone).withKind(ModelCard.Kind.KEPT);
      for (List<Integer> taps :
          List.of(List.of(0), List.of(0, 1, 2), List.of(0, 9), List.of(-1, 1))) {
        assertThrows(
            BadInputException.class,
            () -> KeptModel.build(backbone, Optional.empty(), config, taps, parameters, card),
            taps.toString());
      }
      SideConfig wider =
          new SideConfig(
              BlockKind.ADAPTER,
              List.of(8, 9),
              12,
              3,
              20,
              Pooling.CLS,
              CLASSES,
              1e-6f,
              0.1f,
              MaskPlacement.STATE);
      assertThrows(
          BadInputException.class,
          () ->
              KeptModel.build(backbone, Optional.empty(), wider, List.of(0, 1), parameters, card));
    }
  }
}

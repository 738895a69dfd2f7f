package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.DType;
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
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients through a whole backbone, against finite differences and each other. */
class TunedTrunkTest {
  private static final Tuning EVERYTHING = new Tuning(true, true, 2, Tuning.ALL);

  private static Stream<String> differentExports() {
    return Stream.of(
        "vit_timm_legacy14",
        "vit_timm_legacy17",
        "vit_timm_dynamo20",
        "vit_timm_layerscale_dynamo20",
        "vit_timm_avg_fcnorm_dynamo20",
        "vit_hf_dynamo20",
        "bert_legacy14",
        "bert_sdpa_legacy17",
        "bert_dynamo20",
        "roberta_dynamo20",
        "minilm_legacy11");
  }

  /** Every exporter and opset, every kind of model. */
  private static Stream<String> allKinds() {
    return Stream.concat(
        differentExports(),
        Stream.of(
            "vit_timm_shared_legacy17",
            "vit_timm_dynamo18",
            "vit_timm_eager_dynamo20",
            "vit_timm_avg_legacy14",
            "deit_distilled_legacy17",
            "vit_hf_model_legacy17",
            "bert_model_legacy14",
            "bert_dynamo18",
            "bert_eager_dynamo20",
            "roberta_legacy14",
            "distilbert_legacy17",
            "distilbert_dynamo20",
            "distilbert_model_legacy11"));
  }

  @ParameterizedTest
  @MethodSource("differentExports")
  void gradientsAreSlopes(String name) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model(name + ".onnx"));
        TunedRun run = new TunedRun(backbone, EVERYTHING, GradientMemory.STORED, arena)) {
      Map<String, Tensor> inputs = Golden.read(name, arena).inputs(0, 2);
      Map<String, Tensor> gradients = run.gradients(inputs);
      double all = 0;
      for (Tensor gradient : gradients.values()) {
        all = Math.max(all, TunedRun.norm(gradient));
      }
      for (TunableConstant constant : run.trunk.constants()) {
        Tensor gradient = gradients.get(constant.name());
        double length = TunedRun.norm(gradient);
        double[] along = new double[Math.toIntExact(gradient.size())];
        for (int i = 0; i < along.length; i++) {
          along[i] = length == 0 ? 1 : gradient.get(i) / length;
        }
        assertSlope(name, run, inputs, constant.name(), along, length, all);
        double[] across = new double[along.length];
        double expected = 0;
        for (int i = 0; i < across.length; i++) {
          across[i] = CounterRandom.normal(3, constant.block(), i) / Math.sqrt(across.length);
          expected += across[i] * gradient.get(i);
        }
        assertSlope(name, run, inputs, constant.name(), across, expected, all);
      }
    }
  }

  /** Within 1 % of the slope and a thousandth of the largest gradient, for rounding. */
  private static void assertSlope(
      String name,
      TunedRun run,
      Map<String, Tensor> inputs,
      String constant,
      double[] direction,
      double expected,
      double largest) {
    double coarse = run.slope(inputs, constant, direction, 2e-2);
    double fine = run.slope(inputs, constant, direction, 1e-2);
    double slope = (4 * fine - coarse) / 3;
    double tolerance = 1e-2 * Math.abs(expected) + 1e-3 * largest;
    assertEquals(expected, slope, tolerance, name + " " + constant);
  }

  @ParameterizedTest
  @MethodSource("allKinds")
  void allMemoriesGiveTheSameGradients(String name) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model(name + ".onnx"))) {
      Map<String, Tensor> inputs = Golden.read(name, arena).inputs(0, 3);
      Map<String, Tensor> expected = null;
      for (GradientMemory memory :
          List.of(GradientMemory.STORED, GradientMemory.TAPS, GradientMemory.microBatch(2))) {
        try (TunedRun run = new TunedRun(backbone, EVERYTHING, memory, arena)) {
          Map<String, Tensor> gradients = run.gradients(inputs);
          expected = expected == null ? gradients : expected;
          assertSame(name + " " + memory, expected, gradients);
          assertTrue(run.trunk.keptBytes() > 0);
          Map<String, Tensor> again = run.gradients(inputs);
          gradients.forEach((constant, gradient) ->
              assertArrayEquals(gradient.toFloats(), again.get(constant).toFloats(), constant));
        }
      }
    }
  }

  /** Within 2e-6 of the largest element of all. */
  private static void assertSame(
      String what, Map<String, Tensor> expected, Map<String, Tensor> actual) {
    assertEquals(expected.keySet(), actual.keySet());
    double largest = 0;
    for (Tensor tensor : expected.values()) {
      for (float value : tensor.toFloats()) {
        largest = Math.max(largest, Math.abs(value));
      }
    }
    for (String constant : expected.keySet()) {
      double difference = Runs.largestDifference(expected.get(constant), actual.get(constant));
      assertTrue(difference <= 2e-6 * largest, what + " " + constant + ": " + difference / largest);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "vit_timm_legacy14",
        "vit_timm_dynamo20",
        "vit_timm_avg_fcnorm_dynamo20",
        "bert_sdpa_legacy17",
        "minilm_legacy11"
      })
  void theLastBlocksOnly(String name) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model(name + ".onnx"))) {
      Map<String, Tensor> inputs = Golden.read(name, arena).inputs(0, 3);
      Tuning last = Tuning.biases(1);
      List<Integer> taps = IntStream.rangeClosed(0, backbone.structure().blocks()).boxed().toList();
      Map<String, Tensor> expected = null;
      for (GradientMemory memory :
          List.of(GradientMemory.STORED, GradientMemory.TAPS, GradientMemory.microBatch(1))) {
        for (List<Integer> selected : List.of(List.<Integer>of(), taps)) {
          TunedTrunkSpec spec = new TunedTrunkSpec(1, selected, last, memory);
          try (TunedRun run = new TunedRun(backbone, spec, arena)) {
            assertTrue(run.trunk.constants().stream().allMatch(c -> c.block() == taps.getLast()));
            Map<String, Tensor> gradients = run.gradients(inputs);
            expected = expected == null ? gradients : expected;
            assertSame(name + " " + memory + selected, expected, gradients);
          }
        }
      }
    }
  }

  /** Opset 11 exports have values of unknown rank in front of the block, too. */
  @ParameterizedTest
  @ValueSource(strings = {"minilm_legacy11", "distilbert_model_legacy11", "bert_legacy14"})
  void theLastBlockOfOldExports(String name) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model(name + ".onnx"))) {
      Map<String, Tensor> inputs = Golden.read(name, arena).inputs(0, 3);
      for (Tuning last : List.of(Tuning.norms(1), Tuning.lowRank(2, 1))) {
        Map<String, Tensor> expected = null;
        for (GradientMemory memory : List.of(GradientMemory.STORED, GradientMemory.TAPS)) {
          try (TunedRun run = new TunedRun(backbone, last, memory, arena)) {
            Map<String, Tensor> gradients = run.gradients(inputs);
            expected = expected == null ? gradients : expected;
            assertSame(name + " " + memory + last, expected, gradients);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("differentExports")
  void noChangeOfLowRankChangesNothing(String name) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model(name + ".onnx"))) {
      Map<String, Tensor> inputs = Golden.read(name, arena).inputs(0, 3);
      List<Integer> taps = IntStream.rangeClosed(0, backbone.structure().blocks()).boxed().toList();
      Trunk trunk = backbone.openTrunk(1);
      List<Tensor> expected = Runs.run(trunk, inputs, 3, arena);
      Tuning tuning = Tuning.lowRank(3);
      TunedTrunkSpec spec = new TunedTrunkSpec(1, taps, tuning, GradientMemory.STORED);
      try (TunedRun run = new TunedRun(backbone, spec, arena)) {
        assertEquals(trunk.outputs(), run.trunk.outputs());
        assertEquals(trunk.finalInput(), run.trunk.finalInput());
        for (TunableConstant constant : run.trunk.constants()) {
          Tensor tensor = run.constants.get(constant.name());
          constant.present().ifPresent(present -> tensor.setFloats(present.floats()));
          if (constant.kind() == TunableConstant.Kind.LOW_RANK_OUT) {
            tensor.zero();
          }
        }
        List<Tensor> actual = run.forward(inputs);
        for (int i = 0; i < expected.size(); i++) {
          assertTrue(Runs.largestDifference(expected.get(i), actual.get(i)) <= 4e-6, name + i);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("differentExports")
  void constantsWrittenIntoTheGraphDoTheSame(String name) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Golden.model(name + ".onnx"));
        TunedRun run = new TunedRun(backbone, EVERYTHING, GradientMemory.TAPS, arena)) {
      Map<String, Tensor> inputs = Golden.read(name, arena).inputs(0, 3);
      Map<String, float[]> values = new LinkedHashMap<>();
      for (TunableConstant constant : run.trunk.constants()) {
        if (!constant.lowRank()) {
          values.put(constant.name(), run.constants.get(constant.name()).toFloats());
        }
      }
      for (LinearLayer layer : LinearFinder.find(backbone.model(), backbone.structure())) {
        values.put(
            layer.weightName(),
            ConstantReplacement.merged(
                ConstantReplacement.weight(backbone, layer.weightName()),
                run.constants.get(layer.lowRankIn()).toFloats(),
                run.constants.get(layer.lowRankOut()).toFloats(),
                2));
      }
      OnnxModel copy = backbone.model().copy();
      ConstantReplacement.replace(copy, backbone.structure(), values);
      Tensor expected = run.forward(inputs).getFirst();
      try (Trunk trunk = Trunk.open(copy, backbone.structure(), TrunkSpec.of(1, List.of()))) {
        Tensor actual = Runs.run(trunk, inputs, 3, arena).getFirst();
        double largest = 1;
        for (float value : expected.toFloats()) {
          largest = Math.max(largest, Math.abs(value));
        }
        double difference = Runs.largestDifference(expected, actual);
        assertTrue(difference <= 1e-5 * largest, name + ": " + difference);
      }
    }
  }

  @Test
  void batchesAndTextsOfAllSizes() throws IOException {
    for (String name : List.of("vit_timm_dynamo20", "bert_sdpa_legacy17")) {
      try (Arena arena = Arena.ofConfined();
          Backbone backbone = Backbone.load(Golden.model(name + ".onnx"))) {
        Golden golden = Golden.read(name, arena);
        for (GradientMemory memory :
            List.of(GradientMemory.STORED, GradientMemory.TAPS, GradientMemory.microBatch(3))) {
          try (TunedRun used = new TunedRun(backbone, Tuning.lowRank(2), memory, arena)) {
            for (int batch : new int[] {7, 1, 4}) {
              Map<String, Tensor> inputs =
                  shorter(Runs.repeated(golden, batch, arena), 11 - batch, arena);
              Map<String, Tensor> gradients = used.gradients(inputs);
              try (TunedRun fresh = new TunedRun(backbone, Tuning.lowRank(2), memory, arena)) {
                Map<String, Tensor> expected = fresh.gradients(inputs);
                expected.forEach((constant, gradient) ->
                    assertArrayEquals(
                        gradient.toFloats(), gradients.get(constant).toFloats(), constant));
              }
            }
          }
        }
      }
    }
  }

  /** The first tokens of texts; images as they are. */
  private static Map<String, Tensor> shorter(Map<String, Tensor> inputs, int tokens, Arena arena) {
    Map<String, Tensor> cut = new LinkedHashMap<>();
    inputs.forEach((name, tensor) -> {
      if (tensor.dtype() != DType.I64 || tensor.dim(1) <= tokens) {
        cut.put(name, tensor);
        return;
      }
      Tensor first = Golden.zeros(arena, DType.I64, tensor.dim(0), tokens);
      for (long row = 0; row < tensor.dim(0); row++) {
        first
            .slice(row * tokens, tokens)
            .segment()
            .copyFrom(tensor.slice(row * tensor.dim(1), tokens).segment());
      }
      cut.put(name, first);
    });
    return cut;
  }
}

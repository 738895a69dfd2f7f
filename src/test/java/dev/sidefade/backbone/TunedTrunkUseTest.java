package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How tuned trunks treat mistakes, the caller's tensors and memory, and how they are cut. */
class TunedTrunkUseTest {
  private static final String NAME = "vit_timm_dynamo20";

  private static Backbone load(String name) throws IOException {
    return Backbone.load(Golden.model(name + ".onnx"));
  }

  @Test
  void mistakesAreNamed() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load(NAME);
        TunedRun run = new TunedRun(backbone, Tuning.norms(), GradientMemory.STORED, arena)) {
      Map<String, Tensor> inputs = Golden.read(NAME, arena).inputs(0, 3);
      TunedTrunk trunk = run.trunk;
      List<Tensor> results = run.results(inputs);
      Tensor seed = run.seed(results.getFirst());
      Map<String, Tensor> gradients = new HashMap<>(run.constants);
      assertThrows(IllegalStateException.class, () -> trunk.backward(seed, gradients));
      Map<String, Tensor> fewer = new HashMap<>(run.constants);
      Tensor removed = fewer.remove("sidefade.norm.1.scale");
      refused(() -> trunk.forward(inputs, fewer, 3, results), "sidefade.norm.1.scale");
      fewer.put("sidefade.norm.1.scale", removed.view(2, 16));
      refused(() -> trunk.forward(inputs, fewer, 3, results), "sidefade.norm.1.scale");
      refused(() -> trunk.forward(inputs, run.constants, 2, results), "batch of 2");
      refused(() -> trunk.forward(inputs, run.constants, 3, List.of()), "1 tensors, but 0");
      trunk.forwardForGradient(inputs, run.constants, 3, results);
      refused(() -> trunk.backward(seed.view(3, 320), gradients), "must be F32[3, 10, 32]");
      refused(() -> trunk.backward(seed, fewer), "sidefade.norm.1.scale");
      refused(() -> trunk.backward(seed, Map.of()), "there must be gradients of");
      Map<String, Tensor> fresh = run.gradients(inputs);
      assertEquals(run.constants.keySet(), fresh.keySet());
      assertThrows(IllegalStateException.class, () -> trunk.backward(seed, fresh));
      trunk.close();
      trunk.close();
      assertThrows(
          IllegalStateException.class, () -> trunk.forward(inputs, run.constants, 3, results));
      assertThrows(IllegalStateException.class, () -> trunk.backward(seed, fresh));
    }
  }

  @Test
  void nodesMayBeNamedAsTheirOutputs(@TempDir Path folder) throws IOException {
    OnnxModel model = OnnxModel.read(Golden.model(NAME + ".onnx"));
    model.graph().nodes().forEach(node -> node.setName(node.output(0)));
    Path renamed = folder.resolve("renamed.onnx");
    model.write(renamed, false);
    try (Arena arena = Arena.ofConfined();
        Backbone plain = load(NAME);
        Backbone backbone = Backbone.load(renamed);
        TunedRun expected = new TunedRun(plain, Tuning.lowRank(2), GradientMemory.STORED, arena);
        TunedRun run = new TunedRun(backbone, Tuning.lowRank(2), GradientMemory.STORED, arena)) {
      Map<String, Tensor> inputs = Golden.read(NAME, arena).inputs(0, 2);
      assertArrayEquals(
          expected.forward(inputs).getFirst().toFloats(),
          run.forward(inputs).getFirst().toFloats());
    }
  }

  private static void refused(Runnable run, String part) {
    String message = assertThrows(IllegalArgumentException.class, run::run).getMessage();
    assertTrue(message.contains(part), message);
  }

  @Test
  void anEvaluationInBetweenLeavesGradientsAlone() throws IOException {
    for (GradientMemory memory : List.of(GradientMemory.STORED, GradientMemory.TAPS)) {
      try (Arena arena = Arena.ofConfined();
          Backbone backbone = load(NAME);
          TunedRun run = new TunedRun(backbone, Tuning.norms(), memory, arena)) {
        Golden golden = Golden.read(NAME, arena);
        Map<String, Tensor> inputs = golden.inputs(0, 3);
        Map<String, Tensor> expected = run.gradients(inputs);
        List<Tensor> results = run.results(inputs);
        run.trunk.forwardForGradient(inputs, run.constants, 3, results);
        run.forward(golden.inputs(1, 2));
        Map<String, Tensor> gradients = new HashMap<>();
        expected.forEach((name, gradient) ->
            gradients.put(name, Golden.zeros(arena, DType.F32, gradient.shape().toArray())));
        run.trunk.backward(run.seed(results.getFirst()), gradients);
        expected.forEach((name, gradient) ->
            assertArrayEquals(gradient.toFloats(), gradients.get(name).toFloats(), name));
      }
    }
  }

  @Test
  void tapsKeepLessThanEverything() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load("vit_timm_legacy17")) {
      Map<String, Tensor> inputs = Golden.read("vit_timm_legacy17", arena).inputs(0, 3);
      long[] bytes = new long[3];
      List<GradientMemory> memories =
          List.of(GradientMemory.STORED, GradientMemory.TAPS, GradientMemory.microBatch(1));
      for (int i = 0; i < bytes.length; i++) {
        try (TunedRun run = new TunedRun(backbone, Tuning.norms(), memories.get(i), arena)) {
          assertEquals(0, run.trunk.keptBytes());
          run.gradients(inputs);
          bytes[i] = run.trunk.keptBytes();
        }
      }
      // three taps, and at least the outputs of a block's parts
      long tap = 3L * 10 * 32 * Float.BYTES;
      assertTrue(bytes[1] > 3 * tap + 4 * tap, "taps: " + bytes[1]);
      assertTrue(bytes[1] < bytes[0], bytes[1] + " and " + bytes[0]);
      assertTrue(3 * bytes[2] < 2 * bytes[0], bytes[2] + " and " + bytes[0]);
    }
  }

  @Test
  void aBlockTakesMasksFromTheInputsAndSizesFromTheForwardRun() throws IOException {
    try (Backbone bert = load("bert_legacy17")) {
      TunedTrunkSpec spec = new TunedTrunkSpec(1, List.of(), Tuning.biases(), GradientMemory.TAPS);
      TunedGraph tuned = TunedGraph.of(bert.model(), bert.structure(), spec);
      Stretch second = Stretch.between(tuned, Optional.of(tuned.tapRoot(1)), tuned.finalValue());
      assertTrue(second.standsAlone());
      assertEquals(Set.of("attention_mask"), second.modelInputs());
      assertFalse(second.sizes().isEmpty());
      for (TunableConstant constant : tuned.constants()) {
        assertEquals(constant.block() == 2, second.constants().contains(constant.name()));
      }
      Stretch embeddings = Stretch.between(tuned, Optional.empty(), tuned.tapRoot(0));
      assertEquals(Set.of("input_ids", "token_type_ids"), embeddings.modelInputs());
      assertEquals(2, embeddings.constants().size());
    }
  }

  @Test
  void blocksThatReachFurtherBackAreRefusedWhereTapsAreKept() throws IOException {
    try (Backbone backbone = load(NAME)) {
      OnnxModel model = backbone.model().copy();
      BackboneStructure structure = backbone.structure();
      String first = structure.taps().getFirst().value();
      String last = structure.lastTap().value();
      model.graph().producerOf(last).orElseThrow().outputs().set(0, "before");
      model.graph().addNode("Add", List.of("before", first), List.of(last));
      GraphEdit.topologicalSort(model.graph());
      TunedTrunkSpec spec = new TunedTrunkSpec(1, List.of(), Tuning.norms(), GradientMemory.TAPS);
      TunedGraph tuned = TunedGraph.of(model, structure, spec);
      try (GradientSessions sessions = new GradientSessions(1)) {
        String message =
            assertThrows(BadInputException.class, () -> StretchPass.blockByBlock(tuned, sessions))
                .getMessage();
        assertTrue(message.contains("block 2") && message.contains("micro-batches"), message);
        StretchPass.microBatches(tuned, 2, sessions).close();
        StoredPass.open(tuned, sessions).close();
      }
    }
  }

  @Test
  void nothingNativeIsLeftBehind() throws IOException {
    Assumptions.assumeTrue(Files.exists(Path.of("/proc/self/status")), "needs Linux to see memory");
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load(NAME);
        TunedRun stored = new TunedRun(backbone, Tuning.lowRank(2), GradientMemory.STORED, arena);
        TunedRun taps = new TunedRun(backbone, Tuning.lowRank(2), GradientMemory.TAPS, arena)) {
      Map<String, Tensor> inputs = Runs.repeated(Golden.read(NAME, arena), 64, arena);
      List<Tensor> results = stored.results(inputs);
      Tensor seed = stored.seed(results.getFirst());
      Map<String, Tensor> gradients = new HashMap<>();
      stored.constants.forEach((name, tensor) ->
          gradients.put(name, Golden.zeros(arena, DType.F32, tensor.shape().toArray())));
      long before = 0;
      for (int i = 0; i < 120; i++) {
        for (TunedRun run : List.of(stored, taps)) {
          run.trunk.forwardForGradient(inputs, run.constants, 64, results);
          // what is never used must go too
          if (i % 2 == 0) {
            run.trunk.backward(seed, gradients);
          }
        }
        before = i == 20 ? residentKilobytes() : before;
      }
      long grown = residentKilobytes() - before;
      // so much is kept from a run to the next: 100 times that would show
      assertTrue(stored.trunk.keptBytes() > 1_500_000, stored.trunk.keptBytes() + " bytes");
      assertTrue(grown < 80_000, "resident memory grew by " + grown + " kB");
    }
  }

  @Test
  void whatTrunksComputedInGoesWithThem() throws IOException {
    Assumptions.assumeTrue(Files.exists(Path.of("/proc/self/status")), "needs Linux to see memory");
    try (Backbone backbone = load(NAME)) {
      long before = 0;
      for (int i = 0; i < 40; i++) {
        try (Arena arena = Arena.ofConfined();
            TunedRun run =
                new TunedRun(backbone, Tuning.lowRank(2), GradientMemory.STORED, arena)) {
          Map<String, Tensor> inputs = Runs.repeated(Golden.read(NAME, arena), 64, arena);
          run.trunk.forwardForGradient(inputs, run.constants, 64, run.results(inputs));
        }
        before = i == 10 ? residentKilobytes() : before;
      }
      long grown = residentKilobytes() - before;
      assertTrue(grown < 40_000, "resident memory grew by " + grown + " kB over 30 trunks");
    }
  }

  private static long residentKilobytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS")) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("no VmRSS");
  }
}

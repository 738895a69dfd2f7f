package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** How trunks treat the caller's tensors, mistakes, threads and native memory. */
class TrunkTest {
  private static final String NAME = "vit_timm_dynamo20";

  private static Backbone load() throws IOException {
    return Backbone.load(Golden.model(NAME + ".onnx"));
  }

  @Test
  void outputsAreTheSelectedTapsThenWhatEntersTheFinalNorm() throws IOException {
    try (Backbone backbone = load()) {
      Trunk last = backbone.openTrunk(1, List.of(2, 0));
      assertEquals(2, last.outputs().size());
      assertEquals(0, last.finalInput());
      Trunk first = backbone.openTrunk(1, List.of(0));
      assertEquals(2, first.outputs().size());
      assertEquals(1, first.finalInput());
      assertEquals(backbone.taps().getLast().value(), first.outputs().get(1).value());
    }
    try (Backbone bert = Backbone.load(Golden.model("bert_dynamo18.onnx"))) {
      Trunk trunk = bert.openTrunk(1);
      assertEquals(5, trunk.outputs().size());
      assertEquals(4, trunk.finalInput());
      assertArrayEquals(new long[] {2, 7, 32}, trunk.outputs().get(4).shape(2, 7));
      assertThrows(IllegalStateException.class, () -> trunk.outputs().get(4).shape(2));
    }
    try (Backbone pooled = Backbone.load(Golden.model("vit_timm_avg_fcnorm_dynamo20.onnx"))) {
      Trunk trunk = pooled.openTrunk(1);
      assertArrayEquals(new long[] {2, 32}, trunk.outputs().get(trunk.finalInput()).shape(2));
    }
  }

  @Test
  void resultsAreWrittenInPlaceAndNowhereElse() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load()) {
      Golden golden = Golden.read(NAME, arena);
      Trunk trunk = backbone.openTrunk(1, List.of(1, 2));
      long row = 10 * 32;
      Tensor arenaTensor = Golden.zeros(arena, DType.F32, 4 * row);
      for (long i = 0; i < arenaTensor.size(); i++) {
        arenaTensor.set(i, -77);
      }
      Tensor one = arenaTensor.slice(row, 1, 10, 32);
      Tensor two = Golden.zeros(arena, DType.F32, 1, 10, 32);
      trunk.run(golden.inputs(2, 3).get("image"), 1, List.of(one, two));
      Runs.assertClose(Golden.rows(golden.get("tap.1"), 2, 3), one, "tap 1");
      Runs.assertClose(Golden.rows(golden.get("tap.2"), 2, 3), two, "tap 2");
      for (long i = 0; i < row; i++) {
        assertEquals(-77, arenaTensor.get(i));
        assertEquals(-77, arenaTensor.get(2 * row + i));
      }
    }
  }

  @Test
  void wrongTensorsAreNamed() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load();
        Backbone bert = Backbone.load(Golden.model("bert_dynamo20.onnx"))) {
      Golden golden = Golden.read(NAME, arena);
      Tensor images = golden.get("input.image");
      Trunk trunk = backbone.openTrunk(1, List.of(2));
      Tensor tap = Golden.zeros(arena, DType.F32, 3, 10, 32);
      Tensor ids = Golden.zeros(arena, DType.I64, 3, 11);
      refused(() -> trunk.run(images, 3, List.of()), "1 tensors, but 0");
      refused(() -> trunk.run(images, 2, List.of(tap)), "batch of 2");
      refused(() -> trunk.run(images, 3, List.of(Golden.rows(tap, 0, 2))), "result 0");
      refused(() -> trunk.run(images, 3, List.of(tap.view(3, 320))), "result 0");
      refused(
          () -> trunk.run(images, 3, List.of(Golden.zeros(arena, DType.I64, 3, 10, 32))),
          "result 0");
      refused(() -> trunk.run(Map.of(), 3, List.of(tap)), "[image]");
      refused(() -> trunk.run(Map.of("image", images, "more", tap), 3, List.of(tap)), "more");
      refused(() -> bert.openTrunk(1, List.of(2)).run(ids, 3, List.of(tap)), "several inputs");
      Map<String, Tensor> half = Map.of("image", Golden.zeros(arena, DType.F16, 3, 3, 24, 24));
      refused(() -> trunk.run(half, 3, List.of(tap)), "F16");
      assertThrows(
          IllegalStateException.class,
          () -> trunk.run(Golden.zeros(arena, DType.F32, 3, 3, 7, 24), 3, List.of(tap)));
      trunk.run(images, 3, List.of(tap));
      Runs.assertClose(golden.get("tap.2"), tap, "after mistakes");
    }
  }

  private static void refused(Runnable run, String part) {
    String message = assertThrows(IllegalArgumentException.class, run::run).getMessage();
    assertTrue(message.contains(part), message);
  }

  @Test
  void tapsThatDoNotExistAreRefused() throws IOException {
    try (Backbone backbone = load()) {
      for (List<Integer> taps : List.of(List.of(3), List.of(-1), List.of(1, 1))) {
        String message =
            assertThrows(BadInputException.class, () -> backbone.openTrunk(1, taps)).getMessage();
        assertTrue(message.contains("tap " + taps.getFirst()), message);
      }
    }
    try (Backbone headless = Backbone.load(Golden.model("bert_model_legacy14.onnx"))) {
      TrunkSpec spec = TrunkSpec.of(1, List.of(0)).withLogits();
      assertThrows(BadInputException.class, () -> headless.openTrunk(spec));
    }
  }

  @Test
  void aBackboneClosesItsTrunks() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Golden golden = Golden.read(NAME, arena);
      Trunk trunk;
      try (Backbone backbone = load()) {
        trunk = backbone.openTrunk(1);
        trunk.close();
        trunk.close();
        trunk = backbone.openTrunk(1);
      }
      Trunk closed = trunk;
      List<Tensor> results = Runs.results(trunk, golden.inputs(0, 3), 3, arena);
      assertThrows(IllegalStateException.class, () -> closed.run(golden.inputs(0, 3), 3, results));
    }
  }

  @Test
  void threadsMayShareATrunk() throws Exception {
    try (Arena arena = Arena.ofShared();
        Backbone backbone = load();
        ExecutorService threads = Executors.newFixedThreadPool(4)) {
      Golden golden = Golden.read(NAME, arena);
      Trunk trunk = backbone.openTrunk(1);
      List<Future<?>> runs = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        runs.add(
            threads.submit(() -> {
              for (int i = 0; i < 25; i++) {
                List<Tensor> taps = Runs.run(trunk, golden.inputs(0, 3), 3, arena);
                Runs.assertClose(golden.get("tap.2"), taps.get(2), "tap 2");
              }
            }));
      }
      for (Future<?> run : runs) {
        run.get();
      }
    }
  }

  @Test
  void nothingNativeIsLeftBehind() throws IOException {
    Assumptions.assumeTrue(Files.exists(Path.of("/proc/self/status")), "needs Linux to see memory");
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load()) {
      Golden golden = Golden.read(NAME, arena);
      Map<String, Tensor> feeds = golden.inputs(0, 3);
      long before = 0;
      for (int i = 0; i < 200; i++) {
        try (Trunk trunk =
            Trunk.open(backbone.model(), backbone.structure(), TrunkSpec.of(1, List.of(0, 1)))) {
          List<Tensor> results = Runs.results(trunk, feeds, 3, arena);
          for (int run = 0; run < 20; run++) {
            trunk.run(feeds, 3, results);
          }
        }
        before = i == 50 ? residentKilobytes() : before;
      }
      long grown = residentKilobytes() - before;
      // a session over this model takes about a megabyte: 149 that were left open would show
      assertTrue(grown < 80_000, "resident memory grew by " + grown + " kB");
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

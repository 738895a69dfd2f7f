package dev.sidefade.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.fuzz.Mutator;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever the bytes, the only answer to a bad model is one sentence. */
class HostileInputTest {
  @TempDir Path folder;

  @Test
  void everyTruncationIsRefusedOrAModel() throws IOException {
    byte[] whole = OnnxFuzz.sample();
    assertTrue(accepts(whole));
    int refused = 0;
    for (int length = 0; length < whole.length; length++) {
      refused += accepts(Arrays.copyOf(whole, length)) ? 0 : 1;
    }
    // only an end between two fields of the model itself can look whole
    assertTrue(refused > whole.length - 20, refused + " of " + whole.length);
  }

  @Test
  void mutationsAreRefusedOrModels() {
    Mutator mutator = new Mutator(List.of(OnnxFuzz.sample()), List.of());
    Random random = new Random(11);
    int accepted =
        assertTimeoutPreemptively(
            Duration.ofSeconds(60),
            () -> {
              int models = 0;
              for (int i = 0; i < 24_000; i++) {
                models += accepts(mutator.mutant(random)) ? 1 : 0;
              }
              return models;
            });
    // neither refuses all nor takes all: the mutations reach the inside of the model
    assertTrue(accepted > 1000 && accepted < 23_000, accepted + " mutants were accepted");
  }

  @Test
  void noiseIsRefused() {
    Random random = new Random(5);
    for (int i = 0; i < 2000; i++) {
      byte[] noise = new byte[1 + random.nextInt(300)];
      random.nextBytes(noise);
      assertThrows(BadInputException.class, () -> OnnxModel.parse(noise));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "PK\u0003\u0004", "{\"json\": true}", "\u0008\u0008", "<html></html>\n"})
  void otherFilesAreRefusedWithTheirName(String content) throws IOException {
    Path file = folder.resolve("other.onnx");
    Files.writeString(file, content);
    BadInputException refused = assertThrows(BadInputException.class, () -> OnnxModel.read(file));
    assertTrue(refused.getMessage().contains("other.onnx"), refused.getMessage());
    assertFalse(refused.getMessage().contains("\n"));
  }

  @Test
  void truncationIsReportedWithFileAndByte() throws IOException {
    byte[] whole = TestModels.linear().toBytes();
    Path file = folder.resolve("cut.onnx");
    Files.write(file, Arrays.copyOf(whole, 100));
    String message = assertThrows(BadInputException.class, () -> OnnxModel.read(file)).getMessage();
    assertTrue(message.contains("cut.onnx is not a complete ONNX model"), message);
    assertTrue(message.contains("at byte 12;"), message);
  }

  @Test
  void missingFilesAndFoldersAreRefused() {
    assertThrows(BadInputException.class, () -> OnnxModel.read(folder.resolve("none.onnx")));
    assertThrows(BadInputException.class, () -> OnnxModel.read(folder));
  }

  @Test
  void hugeShapesAllocateNothing() {
    for (long[] dims : new long[][] {{1L << 30}, {Long.MAX_VALUE, 2}, {-1}, {1L << 62, 0}}) {
      ProtoWriter tensor = new ProtoWriter();
      for (long dim : dims) {
        tensor.varint(1, dim);
      }
      tensor.varint(2, ElementType.FLOAT.code());
      tensor.float32(4, 1);
      assertThrows(BadInputException.class, () -> OnnxFuzz.parsed(tensor).floats());
    }
  }

  @Test
  void deepNestingIsRefused() {
    OnnxGraph graph = new OnnxGraph("innermost");
    for (int i = 0; i < 60; i++) {
      OnnxGraph outer = new OnnxGraph("outer");
      outer.addNode("If", List.of(), List.of("y"), Attribute.graph("then_branch", graph));
      graph = outer;
    }
    OnnxModel model = OnnxModel.create(8, 17);
    model.graph().addNode("If", List.of(), List.of("y"), Attribute.graph("then_branch", graph));
    byte[] bytes = model.toBytes();
    String message =
        assertThrows(BadInputException.class, () -> OnnxModel.parse(bytes)).getMessage();
    assertTrue(message.contains("nested"), message);
  }

  /** Reads a model and does everything to it that reads its content; false where it is refused. */
  private static boolean accepts(byte[] bytes) {
    OnnxModel model;
    try {
      model = OnnxModel.parse(bytes);
    } catch (BadInputException e) {
      assertFalse(e.getMessage().contains("\n"));
      return false;
    }
    refusable(() -> assertEquals(model.toBytes().length, model.copy().toBytes().length));
    OnnxGraph graph = model.graph();
    for (Initializer tensor : graph.initializers().values()) {
      refusable(tensor::floats);
      refusable(tensor::longs);
    }
    for (OnnxNode node : graph.nodes()) {
      for (String output : List.copyOf(node.outputs())) {
        refusable(() -> GraphEdit.constantValue(graph, output).ifPresent(Initializer::floats));
        graph.usersOf(output);
      }
    }
    refusable(() -> ModelCheck.check(model));
    refusable(() -> GraphEdit.topologicalSort(graph));
    refusable(() -> GraphEdit.extract(model, List.of("x", "flag"), List.of("z")));
    refusable(() -> GraphEdit.exposeOutputs(model, List.of("sum")));
    refusable(() -> GraphEdit.removeDeadNodes(graph));
    return true;
  }

  private static void refusable(Runnable use) {
    try {
      use.run();
    } catch (BadInputException e) {
      assertFalse(e.getMessage().isEmpty());
    }
  }
}

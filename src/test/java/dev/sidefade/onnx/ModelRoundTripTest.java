package dev.sidefade.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ModelRoundTripTest {
  @TempDir Path folder;

  static Stream<Path> models() {
    return TestModels.shipped();
  }

  @ParameterizedTest
  @MethodSource("models")
  void untouchedModelIsWrittenAsItWas(Path file) throws Exception {
    OnnxModel model = OnnxModel.read(file);
    ModelCheck.check(model);
    byte[] original = Files.readAllBytes(file);
    if (model.graph().initializers().values().stream().anyMatch(Initializer::external)) {
      byte[] selfContained = model.toBytes();
      assertArrayEquals(selfContained, OnnxModel.parse(selfContained).toBytes());
      TestModels.assertSameOutputs(TestModels.run(file, 5), TestModels.run(selfContained, 5));
      return;
    }
    assertArrayEquals(original, model.toBytes(), "every exporter writes canonical order");
    assertArrayEquals(original, model.copy().toBytes());
    assertArrayEquals(original, OnnxModel.parse(original).toBytes());
  }

  @ParameterizedTest
  @MethodSource("models")
  void encodedAnewAModelComputesTheSame(Path file) throws Exception {
    Map<String, byte[]> expected = TestModels.run(file, 7);
    OnnxModel model = OnnxModel.read(file);
    OnnxGraph graph = model.graph();
    for (Initializer tensor : List.copyOf(graph.initializers().values())) {
      GraphEdit.replaceInitializer(
          graph, Initializer.of(tensor.name(), tensor.type(), tensor.data(), tensor.dims()));
    }
    GraphEdit.topologicalSort(graph);
    ModelCheck.check(model);
    Path written = folder.resolve("again.onnx");
    model.write(written, true);

    TestModels.assertSameOutputs(expected, TestModels.run(written, 7));
    TestModels.assertSameOutputs(expected, TestModels.run(OnnxModel.read(written).toBytes(), 7));
  }

  @Test
  void builtModelSurvivesWritingAndReading() throws Exception {
    OnnxModel model = TestModels.branching();
    Path file = folder.resolve("model.onnx");
    model.write(file);
    OnnxModel again = OnnxModel.read(file);

    assertArrayEquals(model.toBytes(), again.toBytes());
    assertEquals(17, again.opset());
    assertEquals(Map.of("", 17L), again.opsets());
    assertEquals("sidefade", again.producer());
    assertEquals(Map.of("task", "a test"), again.metadata());
    assertEquals(
        List.of(new Dimension.Symbolic("N"), new Dimension.Static(4)),
        again.graph().inputs().getFirst().dims());
    assertEquals(List.of("w", "b", "scale"), List.copyOf(again.graph().initializers().keySet()));
    TestModels.assertSameOutputs(
        TestModels.run(model.toBytes(), 3), TestModels.run(again.toBytes(), 3));
  }

  @Test
  void attributesOfEveryKindSurvive() {
    OnnxModel model = OnnxModel.create(8, 17);
    OnnxNode node =
        model
            .graph()
            .addNode(
                "Anything",
                List.of("a", "", "c"),
                List.of("y"),
                Attribute.of("long", -5L),
                Attribute.of("float", -0.5f),
                Attribute.of("text", "täxt"),
                Attribute.ints("ints", 1, Long.MIN_VALUE, 1L << 40),
                Attribute.floats("floats", 1, Float.NaN),
                Attribute.strings("texts", "a", ""),
                Attribute.tensor("tensor", Initializer.longs("t", new long[] {4, 2}, 2)));
    node.setDomain("my.domain");
    OnnxNode again = OnnxModel.parse(model.toBytes()).graph().nodes().getFirst();

    assertEquals(-5, again.intAttribute("long").orElseThrow());
    assertEquals(-0.5, again.floatAttribute("float").orElseThrow());
    assertEquals("täxt", again.stringAttribute("text").orElseThrow());
    assertArrayEquals(
        new long[] {1, Long.MIN_VALUE, 1L << 40}, again.intsAttribute("ints").orElseThrow());
    assertEquals(
        new AttributeValue.OfFloats(List.of(1f, Float.NaN)),
        again.attribute("floats").orElseThrow().value());
    assertEquals(
        new AttributeValue.OfStrings(List.of("a", "")),
        again.attribute("texts").orElseThrow().value());
    assertArrayEquals(new long[] {4, 2}, again.tensorAttribute("tensor").orElseThrow().longs());
    assertEquals(List.of("a", "", "c"), again.inputs());
    assertEquals("my.domain", again.domain());
    assertTrue(again.intAttribute("text").isEmpty());
    assertTrue(again.stringAttribute("none").isEmpty());
    again.setAttribute(Attribute.of("long", 6L));
    assertEquals(6, again.intAttribute("long").orElseThrow());
  }

  @Test
  void editsOfACopyDoNotShow() throws IOException {
    OnnxModel model = TestModels.branching();
    byte[] before = model.toBytes();
    OnnxModel copy = model.copy();
    copy.metadata().put("task", "another");
    copy.setOpset("com.microsoft", 1);
    copy.graph().nodes().getFirst().inputs().set(0, "other");
    OnnxGraph nested = copy.graph().nodes().getLast().subgraphs().getFirst();
    nested.nodes().getFirst().setOpType("Sub");
    copy.graph().initializers().remove("b");
    copy.graph().outputs().clear();

    assertArrayEquals(before, model.toBytes());
    assertEquals(Map.of("", 17L, "com.microsoft", 1L), OnnxModel.parse(copy.toBytes()).opsets());
    assertEquals(
        "Sub",
        OnnxModel.parse(copy.toBytes())
            .graph()
            .nodes()
            .getLast()
            .subgraphs()
            .getFirst()
            .nodes()
            .getFirst()
            .opType());
  }

  @Test
  void failedWriteLeavesNothingBehind() throws IOException {
    Path directory = Files.createDirectory(folder.resolve("taken"));
    Files.createFile(directory.resolve("file"));
    assertThrows(IOException.class, () -> TestModels.linear().write(directory));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(directory), left.toList());
    }
    assertFalse(Files.exists(folder.resolve("taken.data")));
  }
}

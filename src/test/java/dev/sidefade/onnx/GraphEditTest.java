package dev.sidefade.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Every operation, judged by running its result in ONNX Runtime. */
class GraphEditTest {
  private static final long SEED = 9;

  private static Map<String, byte[]> run(OnnxModel model) throws Exception {
    ModelCheck.check(model);
    return TestModels.run(model.toBytes(), SEED);
  }

  private static Map<String, byte[]> run(OnnxModel model, Map<String, byte[]> fed)
      throws Exception {
    ModelCheck.check(model);
    return TestModels.run(model.toBytes(), fed, SEED);
  }

  private static byte[] bytes(Initializer tensor) {
    return tensor.data().toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void exposedValuesComeOutUntyped() throws Exception {
    OnnxModel model = TestModels.linear();
    byte[] y = run(model).get("y");
    GraphEdit.exposeOutputs(model, List.of("sum", "product", "y", "sum"));

    Map<String, byte[]> outputs = run(model);
    assertEquals(List.of("y", "sum", "product"), List.copyOf(outputs.keySet()));
    assertArrayEquals(y, outputs.get("y"));
    float[] sum = TestModels.floats(outputs.get("sum"));
    float[] product = TestModels.floats(outputs.get("product"));
    float[] bias = model.graph().initializers().get("b").floats();
    for (int i = 0; i < sum.length; i++) {
      assertEquals(product[i] + bias[i % 3], sum[i]);
    }
  }

  @Test
  void exposingNamesAllThatIsMissingAndChangesNothing() {
    OnnxModel model = TestModels.linear();
    String message =
        assertThrows(
                BadInputException.class,
                () -> GraphEdit.exposeOutputs(model, List.of("sum", "nope", "none")))
            .getMessage();
    assertTrue(message.contains("nope, none"), message);
    assertEquals(1, model.graph().outputs().size());
  }

  @Test
  void promotedConstantIsFedAndBack() throws Exception {
    OnnxModel model = TestModels.linear();
    byte[] expected = run(model).get("y");
    Initializer bias = GraphEdit.promoteToInput(model.graph(), "b");

    assertFalse(model.graph().initializers().containsKey("b"));
    assertEquals(List.of(new Dimension.Static(3)), model.graph().inputs().getLast().dims());
    assertArrayEquals(expected, run(model, Map.of("b", bytes(bias))).get("y"));
    Initializer other = Initializer.floats("b", new float[] {5, 5, 5}, 3);
    byte[] changed = run(model, Map.of("b", bytes(other))).get("y");
    assertFalse(Arrays.equals(expected, changed));

    GraphEdit.demoteToInitializer(model.graph(), other);
    assertEquals(1, model.graph().inputs().size());
    assertArrayEquals(changed, run(model).get("y"));
    assertThrows(BadInputException.class, () -> GraphEdit.promoteToInput(model.graph(), "product"));
  }

  @Test
  void demotingRefusesWhatDoesNotFit() {
    OnnxGraph graph = TestModels.linear().graph();
    GraphEdit.promoteToInput(graph, "b");
    for (Initializer wrong :
        List.of(
            Initializer.floats("b", new float[4], 4),
            Initializer.floats("b", new float[3], 1, 3),
            Initializer.longs("b", new long[3], 3),
            Initializer.floats("c", new float[3], 3))) {
      assertThrows(BadInputException.class, () -> GraphEdit.demoteToInitializer(graph, wrong));
    }
    assertEquals(2, graph.inputs().size());
  }

  @Test
  void replacedConstantsChangeValuesAndShapes() throws Exception {
    OnnxModel model = TestModels.linear();
    OnnxGraph graph = model.graph();
    GraphEdit.replaceInitializer(graph, Initializer.floats("w", new float[20], 4, 5));
    GraphEdit.replaceInitializer(graph, Initializer.floats("b", new float[] {1, 2, 3, 4, -5}, 5));
    graph.outputs().clear();
    graph.addOutput("y", ElementType.FLOAT, "N", 5L);

    float[] y = TestModels.floats(run(model).get("y"));
    assertArrayEquals(new float[] {1, 2, 3, 4, 0, 1, 2, 3, 4, 0}, y);
    assertEquals(List.of("w", "b"), List.copyOf(graph.initializers().keySet()));
    assertThrows(
        BadInputException.class,
        () -> GraphEdit.replaceInitializer(graph, Initializer.floats("v", new float[1])));
  }

  @Test
  void deadNodesGoAndCapturedOnesStay() throws Exception {
    OnnxModel model = TestModels.branching();
    OnnxGraph graph = model.graph();
    graph.addInitializer(Initializer.floats("unused", new float[3], 3));
    graph.addNode("Add", List.of("sum", "unused"), List.of("dead"));
    graph.addNode("Neg", List.of("dead"), List.of("deader"));
    graph.valueInfos().add(ValueInfo.of("dead", ElementType.FLOAT, "N", 3L));
    Map<String, byte[]> expected = run(model);
    GraphEdit.removeDeadNodes(graph);

    assertEquals(
        List.of("MatMul", "Add", "Relu", "If"),
        graph.nodes().stream().map(OnnxNode::opType).toList());
    assertEquals(Set.of("w", "b", "scale"), graph.initializers().keySet());
    assertTrue(graph.valueInfos().isEmpty());
    TestModels.assertSameOutputs(expected, run(model));
  }

  @Test
  void shuffledNodesAreSorted() throws Exception {
    for (int seed = 0; seed < 30; seed++) {
      OnnxModel model = TestModels.branching();
      Map<String, byte[]> expected = run(model);
      Collections.shuffle(model.graph().nodes(), new Random(seed));
      GraphEdit.topologicalSort(model.graph());
      TestModels.assertSameOutputs(expected, run(model));
    }
  }

  @Test
  void sortingLeavesOrderedNodesAloneAndNamesCycles() {
    OnnxGraph graph = TestModels.branching().graph();
    List<OnnxNode> before = List.copyOf(graph.nodes());
    GraphEdit.topologicalSort(graph);
    assertEquals(before, graph.nodes());

    graph.nodes().getFirst().inputs().set(0, "y");
    String message =
        assertThrows(BadInputException.class, () -> GraphEdit.topologicalSort(graph)).getMessage();
    assertTrue(message.startsWith("node product (MatMul) needs its own result"), message);
  }

  @Test
  void extractedPartComputesTheSame() throws Exception {
    OnnxModel model = TestModels.linear();
    model.graph().valueInfos().add(ValueInfo.of("product", ElementType.FLOAT, "N", 3L));
    OnnxModel whole = model.copy();
    GraphEdit.exposeOutputs(whole, List.of("product"));
    Map<String, byte[]> expected = run(whole);
    OnnxModel head = GraphEdit.extract(model, List.of("x"), List.of("product"));
    OnnxModel tail = GraphEdit.extract(model, List.of("product", "b"), List.of("y"));

    assertEquals(Set.of("w"), head.graph().initializers().keySet());
    assertArrayEquals(expected.get("product"), run(head).get("product"));
    assertEquals(2, tail.graph().nodes().size());
    assertTrue(tail.graph().initializers().isEmpty());
    byte[] bias = bytes(model.graph().initializers().get("b"));
    Map<String, byte[]> fed = Map.of("product", expected.get("product"), "b", bias);
    assertArrayEquals(expected.get("y"), run(tail, fed).get("y"));
    assertEquals(3, model.graph().nodes().size());
  }

  @Test
  void extractionFollowsNestedGraphs() throws Exception {
    OnnxModel model = TestModels.branching();
    model.graph().valueInfos().add(ValueInfo.of("sum", ElementType.FLOAT, "N", 3L));
    Map<String, byte[]> expected = run(model);
    OnnxModel all = GraphEdit.extract(model, List.of("x", "flag"), List.of("z"));
    TestModels.assertSameOutputs(expected, run(all));

    OnnxModel tail = GraphEdit.extract(model, List.of("sum", "flag"), List.of("z"));
    assertEquals(Set.of("scale"), tail.graph().initializers().keySet());
    run(tail);
  }

  @Test
  void extractionNamesWhatIsMissing() {
    OnnxModel model = TestModels.branching();
    String missing =
        assertThrows(
                BadInputException.class,
                () -> GraphEdit.extract(model, List.of("x", "here"), List.of("there")))
            .getMessage();
    assertTrue(missing.contains("here, there"), missing);
    String unfed =
        assertThrows(
                BadInputException.class,
                () -> GraphEdit.extract(model, List.of("sum"), List.of("z")))
            .getMessage();
    assertTrue(unfed.contains("also need") && unfed.contains("flag"), unfed);
  }

  @Test
  void extractionInsideANodeWithSeveralOutputs() throws Exception {
    OnnxModel model = OnnxModel.create(8, 17);
    OnnxGraph graph = model.graph();
    graph.addInput("x", ElementType.FLOAT, 2L, 4L);
    graph.addNode("Split", List.of("x"), List.of("a", "b"), Attribute.of("axis", 1L));
    graph.addNode("Add", List.of("a", "b"), List.of("y"));
    graph.addOutput("y", ElementType.FLOAT, 2L, 2L);
    graph.valueInfos().add(ValueInfo.of("a", ElementType.FLOAT, 2L, 2L));

    OnnxModel part = GraphEdit.extract(model, List.of("x", "a"), List.of("y"));
    float[] y = TestModels.floats(run(part, Map.of("a", new byte[16])).get("y"));
    GraphEdit.exposeOutputs(model, List.of("b"));
    assertArrayEquals(TestModels.floats(run(model).get("b")), y);
  }

  @Test
  void constantsAreFoundThroughIdentityAndConstantNodes() {
    OnnxGraph graph = TestModels.linear().graph();
    graph.addNode("Identity", List.of("b"), List.of("b1"));
    graph.addNode("Identity", List.of("b1"), List.of("b2"));
    graph.addNode("Constant", List.of(), List.of("f"), Attribute.of("value_float", 2.5f));
    graph.addNode("Constant", List.of(), List.of("i"), Attribute.of("value_int", 7L));
    graph.addNode("Constant", List.of(), List.of("l"), Attribute.ints("value_ints", 1, -1));
    graph.addNode("Constant", List.of(), List.of("fs"), Attribute.floats("value_floats", 1, 2));
    graph.addNode(
        "Constant",
        List.of(),
        List.of("t"),
        Attribute.tensor("value", Initializer.longs("", new long[] {3, 4}, 2)));
    graph.addNode("Identity", List.of("t"), List.of("t1"));
    graph.addNode("Identity", List.of("loop"), List.of("loop"));

    assertEquals("b", GraphEdit.resolveIdentity(graph, "b2"));
    assertEquals("loop", GraphEdit.resolveIdentity(graph, "loop"));
    Initializer bias = GraphEdit.constantValue(graph, "b2").orElseThrow();
    assertEquals("b2", bias.name());
    assertArrayEquals(graph.initializers().get("b").floats(), bias.floats());
    assertArrayEquals(
        new float[] {2.5f}, GraphEdit.constantValue(graph, "f").orElseThrow().floats());
    assertEquals(0, GraphEdit.constantValue(graph, "i").orElseThrow().dims().length);
    assertArrayEquals(
        new long[] {1, -1}, GraphEdit.constantValue(graph, "l").orElseThrow().longs());
    assertArrayEquals(
        new float[] {1, 2}, GraphEdit.constantValue(graph, "fs").orElseThrow().floats());
    assertArrayEquals(
        new long[] {3, 4}, GraphEdit.constantValue(graph, "t1").orElseThrow().longs());
    for (String computed : List.of("sum", "x", "nowhere", "loop")) {
      assertTrue(GraphEdit.constantValue(graph, computed).isEmpty(), computed);
    }
  }

  @Test
  void replacedUsesReachNestedGraphsAndOutputs() throws Exception {
    OnnxModel model = TestModels.branching();
    OnnxGraph graph = model.graph();
    OnnxNode doubled = new OnnxNode("double", "Add", List.of("sum", "sum"), List.of("twice"));
    graph.nodes().add(2, doubled);
    byte[] yes = {1};
    byte[] before = run(model, Map.of("flag", yes)).get("z");
    GraphEdit.replaceUses(graph, "sum", "twice");
    Collections.fill(doubled.inputs(), "sum");
    byte[] after = run(model, Map.of("flag", yes)).get("z");

    float[] once = TestModels.floats(before);
    float[] twice = TestModels.floats(after);
    for (int i = 0; i < once.length; i++) {
      assertEquals(2 * once[i], twice[i]);
    }
    assertEquals(List.of(doubled), graph.usersOf("sum"));
  }

  @Test
  void usersAndProducersFollowEdits() {
    OnnxGraph graph = TestModels.branching().graph();
    OnnxNode product = graph.nodes().get(0);
    OnnxNode add = graph.nodes().get(1);
    OnnxNode relu = graph.nodes().get(2);
    OnnxNode branch = graph.nodes().get(3);
    assertEquals(product, graph.producerOf("product").orElseThrow());
    assertEquals(List.of(relu, branch), graph.usersOf("sum"));
    assertEquals(List.of(branch), graph.usersOf("scale"));
    assertTrue(graph.producerOf("x").isEmpty());
    assertTrue(graph.usersOf("").isEmpty());

    relu.inputs().set(0, "product");
    assertEquals(List.of(add, relu), graph.usersOf("product"));
    relu.outputs().set(0, "renamed");
    assertEquals(relu, graph.producerOf("renamed").orElseThrow());
    assertTrue(graph.producerOf("y").isEmpty());
    OnnxNode nested = branch.subgraphs().getFirst().nodes().getFirst();
    nested.inputs().set(1, "b");
    assertEquals(List.of(add, branch), graph.usersOf("b"));
    graph.nodes().remove(branch);
    assertEquals(List.of(add), graph.usersOf("b"));
    add.inputs().clear();
    assertTrue(graph.usersOf("b").isEmpty());
  }

  @Test
  void nodeOfAnotherGraphMustBeCopied() {
    OnnxGraph graph = TestModels.linear().graph();
    graph.usersOf("x");
    OnnxGraph other = new OnnxGraph("other");
    other.nodes().add(graph.nodes().getFirst());
    assertThrows(IllegalArgumentException.class, () -> other.usersOf("x"));
    other.nodes().set(0, graph.nodes().getFirst().copy());
    assertEquals(1, other.usersOf("x").size());
  }

  @Test
  void uniqueNamesAreNeverTaken() {
    OnnxGraph graph = TestModels.branching().graph();
    assertEquals("fresh", graph.uniqueName("fresh"));
    assertEquals("fresh_1", graph.uniqueName("fresh"));
    for (String taken : List.of("x", "w", "sum", "z", "scaled")) {
      assertNotEquals(taken, graph.uniqueName(taken));
    }
  }

  @Test
  void largeGraphsAreFast() {
    OnnxModel model = OnnxModel.create(8, 17);
    OnnxGraph graph = model.graph();
    graph.addInput("v0", ElementType.FLOAT, 1L);
    int count = 5000;
    for (int i = 0; i < count; i++) {
      String output = graph.uniqueName("v" + (i + 1));
      graph.addNode("Relu", List.of("v" + i), List.of(output));
    }
    graph.addOutput("v" + count, ElementType.FLOAT, 1L);
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      assertEquals(1, graph.usersOf("v" + i).size());
    }
    GraphEdit.removeDeadNodes(graph);
    GraphEdit.topologicalSort(graph);
    ModelCheck.check(model);
    assertEquals(count, graph.nodes().size());
    // takes some 20 ms; an index per call would take minutes
    assertTrue(System.nanoTime() - start < 5_000_000_000L);
  }
}

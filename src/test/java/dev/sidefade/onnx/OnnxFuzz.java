package dev.sidefade.onnx;

import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.Mutator;
import dev.sidefade.fuzz.ProtoMutator;
import dev.sidefade.tensor.BadInputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.random.RandomGenerator;

/** Models from memory: read, written again, all tensors decoded, the graph searched and cut. */
public final class OnnxFuzz implements FuzzTarget {
  private final Mutator mutator = new Mutator(List.of(sample()), List.of("x", "sum", "w", "Add"));
  private final ProtoMutator structure = new ProtoMutator(mutator);

  /** A small model with nested graphs, tensors in typed lists and unknown types. */
  static byte[] sample() {
    OnnxModel model = TestModels.branching();
    OnnxGraph graph = model.graph();
    for (ElementType type : ElementType.values()) {
      ProtoWriter tensor = new ProtoWriter();
      tensor.varint(1, 2);
      tensor.varint(2, type.code());
      tensor.float32(4, 1.5f);
      tensor.varint(5, 3);
      tensor.varint(5, -1);
      tensor.varint(7, 1L << 40);
      tensor.string(8, "t" + type.code());
      graph.addInitializer(parsed(tensor));
    }
    graph.addNode("Constant", List.of(), List.of("c"), Attribute.floats("value_floats", 1, 2));
    graph.addNode("Identity", List.of("c"), List.of("same"));
    graph.valueInfos().add(ValueInfo.of("same", ElementType.FLOAT, 2L));
    return model.toBytes();
  }

  static Initializer parsed(ProtoWriter tensor) {
    return new TensorReader(ExternalFolder.NONE)
        .tensor(new ProtoReader("test", MemorySegment.ofArray(tensor.toBytes())));
  }

  @Override
  public String name() {
    return "onnx";
  }

  /** Half of them change in structure, with the lengths around mended. */
  @Override
  public byte[] mutant(RandomGenerator random) {
    if (random.nextBoolean()) {
      return mutator.mutant(random);
    }
    byte[] bytes = mutator.sample(random);
    for (int change = 1 + random.nextInt(4); change > 0; change--) {
      bytes = structure.changed(bytes, random);
    }
    return bytes;
  }

  @Override
  public void read(byte[] input) {
    use(OnnxModel.parse(input));
  }

  /** Everything that reads the content of a model; each of it may refuse. */
  static void use(OnnxModel model) {
    refusable(() -> {
      if (model.toBytes().length != model.copy().toBytes().length) {
        throw new IllegalStateException("the copy differs");
      }
    });
    OnnxGraph graph = model.graph();
    for (Initializer tensor : graph.initializers().values()) {
      refusable(tensor::floats);
      refusable(tensor::longs);
      refusable(() -> {
        if (tensor.data().byteSize() > 0) {
          tensor.data().get(ValueLayout.JAVA_BYTE, tensor.data().byteSize() - 1);
        }
      });
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
  }

  private static void refusable(Runnable use) {
    try {
      use.run();
    } catch (BadInputException e) {
      if (e.getMessage().isBlank() || e.getMessage().contains("\n")) {
        throw new IllegalStateException("no sentence: " + e.getMessage(), e);
      }
    }
  }
}

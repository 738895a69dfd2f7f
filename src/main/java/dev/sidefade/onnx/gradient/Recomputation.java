package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.Dimension;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides which forward values are kept for the backward graph and which it computes again from
 * these. What is cheap to compute again is not kept where that takes less memory; a value that
 * depends on parameters only is never kept.
 */
final class Recomputation {
  private static final Set<String> CHEAP =
      Set.of(
          "Abs",
          "Add",
          "And",
          "Cast",
          "CastLike",
          "Clip",
          "Concat",
          "ConstantOfShape",
          "Div",
          "Dropout",
          "Equal",
          "Erf",
          "Exp",
          "Expand",
          "Flatten",
          "Gather",
          "Gelu",
          "Greater",
          "GreaterOrEqual",
          "Identity",
          "IsInf",
          "IsNaN",
          "Less",
          "LessOrEqual",
          "Log",
          "Max",
          "Min",
          "Mul",
          "Neg",
          "Not",
          "Or",
          "Pow",
          "Range",
          "Reciprocal",
          "Relu",
          "Reshape",
          "Sigmoid",
          "Sign",
          "Slice",
          "Split",
          "Sqrt",
          "Squeeze",
          "Sub",
          "Sum",
          "Tanh",
          "Tile",
          "Transpose",
          "Trilu",
          "Unsqueeze",
          "Where",
          "Xor");

  /** Longest chain of nodes that is computed again for one value. */
  private static final int DEPTH = 24;

  /** Stands for a size that is not known when bytes are compared. */
  private static final long NOMINAL_SIZE = 64;

  private final ForwardValues values;
  private final Set<String> given = new HashSet<>();

  /** Values that depend on constants and parameters only. */
  private final Set<String> fixed = new HashSet<>();

  private final Set<String> outputs = new HashSet<>();
  private final boolean towardsSource;

  private final Set<String> saved = new LinkedHashSet<>();
  private final Set<OnnxNode> nodes = new HashSet<>();

  /** What the backward graph takes from the forward one, and the nodes that it repeats. */
  record Choice(Set<String> saved, Set<OnnxNode> nodes, long bytes) {}

  /**
   * @param towardsSource which of two values to keep that take the same memory, one computed from
   *     the other: the earlier one, from which more can be computed
   */
  private Recomputation(ForwardValues values, List<String> by, boolean towardsSource) {
    this.values = values;
    this.towardsSource = towardsSource;
    OnnxGraph graph = values.graph();
    given.addAll(graph.initializers().keySet());
    given.addAll(graph.sparseInitializers());
    fixed.addAll(given);
    graph.inputs().forEach(input -> given.add(input.name()));
    graph.outputs().forEach(output -> outputs.add(output.name()));
    graph.inputs().stream()
        .filter(input -> by.contains(input.name()) && isParameter(input))
        .forEach(input -> fixed.add(input.name()));
    for (OnnxNode node : graph.nodes()) {
      if (fixed.containsAll(Activity.uses(node)) && repeatable(node)) {
        fixed.addAll(node.outputs());
      }
    }
  }

  /**
   * The choice that keeps the fewest bytes.
   *
   * @param by values that are differentiated by
   * @param demanded values of the forward graph that gradients read
   */
  static Choice of(ForwardValues values, List<String> by, Collection<String> demanded) {
    Choice late = new Recomputation(values, by, false).choose(demanded);
    Choice early = new Recomputation(values, by, true).choose(demanded);
    return early.bytes() < late.bytes() ? early : late;
  }

  private Choice choose(Collection<String> demanded) {
    List<String> ordered = new ArrayList<>();
    for (OnnxNode node : values.graph().nodes()) {
      node.outputs().stream().filter(demanded::contains).forEach(ordered::add);
    }
    values.graph().nodes().forEach(node -> keepNormalized(node, demanded));
    for (String value : ordered) {
      saved.addAll(sources(value, DEPTH, new HashMap<>()));
    }
    Set<String> reached = new LinkedHashSet<>();
    List<String> open = new ArrayList<>(ordered);
    Set<String> seen = new HashSet<>();
    while (!open.isEmpty()) {
      String value = open.removeLast();
      if (!seen.add(value) || given.contains(value)) {
        continue;
      }
      if (saved.contains(value)) {
        reached.add(value);
      } else {
        OnnxNode producer = values.graph().producerOf(value).orElseThrow();
        nodes.add(producer);
        open.addAll(Activity.uses(producer));
      }
    }
    saved.retainAll(reached);
    long bytes =
        saved.stream().filter(value -> !outputs.contains(value)).mapToLong(this::bytes).sum();
    return new Choice(saved, nodes, bytes);
  }

  /**
   * Keeps what a norm normalises where mean and deviation are read. ONNX Runtime (1.29) fuses an
   * Add and the norm behind it unless the sum comes out of the graph, and then computes neither.
   */
  private void keepNormalized(OnnxNode node, Collection<String> demanded) {
    String normalized = node.input(0);
    boolean read = demanded.contains(node.output(1)) || demanded.contains(node.output(2));
    if (node.is("LayerNormalization")
        && read
        && !given.contains(normalized)
        && !fixed.contains(normalized)) {
      saved.add(normalized);
    }
  }

  /** Values to keep so that a value can be had: those that it is computed from, or itself. */
  private Set<String> sources(String value, int depth, Map<String, Set<String>> known) {
    Set<String> before = known.get(value);
    if (before != null) {
      return before;
    }
    Set<String> found = Set.of(value);
    if (given.contains(value) || fixed.contains(value)) {
      found = Set.of();
    } else if (depth > 0 && !saved.contains(value) && !isSmall(value)) {
      OnnxNode producer = values.graph().producerOf(value).orElseThrow();
      if (CHEAP.contains(producer.opType()) && repeatable(producer) && !readsTable(producer)) {
        Set<String> sources = new LinkedHashSet<>();
        for (String input : Activity.uses(producer)) {
          sources.addAll(sources(input, depth - 1, known));
        }
        found = better(value, sources) ? sources : found;
      }
    }
    known.put(value, found);
    return found;
  }

  private boolean better(String value, Set<String> sources) {
    long own = cost(value);
    long others = sources.stream().mapToLong(this::cost).sum();
    boolean oneSource = sources.stream().filter(source -> !isSmall(source)).count() == 1;
    // a little memory is not worth the time of computing again
    return others <= own / 4 * 3 || others == own && oneSource && towardsSource;
  }

  /** Looking up embeddings again would bring their table, which is large, to the backward graph. */
  private boolean readsTable(OnnxNode node) {
    return node.is("Gather") && given.contains(node.input(0)) && values.isFloat(node.input(0));
  }

  /** What keeping a value costs: nothing where it is kept or comes out anyway. */
  private long cost(String value) {
    return saved.contains(value) || outputs.contains(value) || isSmall(value) ? 0 : bytes(value);
  }

  /** Shapes, axes and the like. */
  private boolean isSmall(String value) {
    ElementType type = values.type(value);
    return (type == ElementType.INT64 || type == ElementType.INT32)
        && values.hasDims(value)
        && values.rank(value) <= 1;
  }

  private long bytes(String value) {
    if (!values.hasDims(value)) {
      return Long.MAX_VALUE / (1L << 20);
    }
    long count = 1;
    for (long dim : values.dims(value)) {
      count = Math.multiplyExact(count, dim < 0 ? NOMINAL_SIZE : dim);
    }
    // truth values are rather computed again than kept
    return Math.multiplyExact(count, values.type(value) == ElementType.DOUBLE ? 8L : 4L);
  }

  /** A matrix, vector or number of a size that does not depend on what is fed. */
  private static boolean isParameter(ValueInfo input) {
    return input.hasShape()
        && input.dims().size() <= 2
        && input.dims().stream().allMatch(Dimension.Static.class::isInstance);
  }

  private static boolean repeatable(OnnxNode node) {
    return node.subgraphs().isEmpty()
        && !node.opType().startsWith("Random")
        && !node.is("Bernoulli")
        && !node.is("Multinomial");
  }
}

package dev.sidefade.backbone;

import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The part of a tuned graph between one point of the residual stream and another. What it needs
 * besides (masks, say) is computed again from the model's inputs; sizes that were read off values
 * in front of it are carried over instead.
 *
 * @param from where it begins; empty for the model's inputs
 * @param to where it ends
 * @param modelInputs inputs of the model that it needs
 * @param constants tuned constants that work in it
 * @param sizes results of Shape and Size in front of it that it needs
 * @param stray taps in front of {@code from} that it also needs: with these it cannot stand alone
 */
record Stretch(
    Optional<String> from,
    String to,
    Set<String> modelInputs,
    Set<String> constants,
    Set<String> sizes,
    Set<String> stray) {

  /** Follows everything that {@code to} needs back to {@code from} or the model's inputs. */
  static Stretch between(TunedGraph tuned, Optional<String> from, String to) {
    Walk walk = new Walk(tuned, from);
    walk.backFrom(to);
    return new Stretch(from, to, walk.modelInputs, walk.constants, walk.sizes, walk.stray);
  }

  /** Whether it computes what the whole graph does when cut out of it. */
  boolean standsAlone() {
    return stray.isEmpty();
  }

  /** The model of this stretch; its one output is {@code to}. */
  OnnxModel cut(TunedGraph tuned) {
    OnnxModel whole = tuned.model().copy();
    List<ValueInfo> infos = whole.graph().valueInfos();
    List<String> inputs = new ArrayList<>();
    from.ifPresent(value -> {
      declare(infos, tuned.declaration(value, ElementType.FLOAT));
      inputs.add(value);
    });
    sizes.forEach(value -> declare(infos, tuned.declaration(value, ElementType.INT64)));
    inputs.addAll(modelInputs);
    inputs.addAll(sizes);
    inputs.addAll(constants);
    // an output is declared before what lies in between: it may lack a shape
    whole.graph().outputs().clear();
    return GraphEdit.extract(whole, inputs, List.of(to));
  }

  private static void declare(List<ValueInfo> infos, ValueInfo info) {
    infos.removeIf(other -> other.name().equals(info.name()));
    infos.add(info);
  }

  /** A walk back through the graph. */
  private static final class Walk {
    private final OnnxGraph graph;
    private final Optional<String> from;
    private final Set<String> tapsBefore;
    private final Set<String> tunable;
    private final Set<String> behindFrom;
    private final Set<String> modelInputs = new LinkedHashSet<>();
    private final Set<String> constants = new LinkedHashSet<>();
    private final Set<String> sizes = new LinkedHashSet<>();
    private final Set<String> stray = new LinkedHashSet<>();

    Walk(TunedGraph tuned, Optional<String> from) {
      this.graph = tuned.model().graph();
      this.from = from;
      this.tapsBefore = from.map(value -> tapsBefore(tuned, value)).orElse(Set.of());
      this.tunable =
          tuned.constants().stream().map(TunableConstant::name).collect(Collectors.toSet());
      this.behindFrom = from.map(this::behind).orElse(Set.of());
    }

    void backFrom(String to) {
      List<String> open = new ArrayList<>(List.of(to));
      Set<String> seen = new HashSet<>();
      while (!open.isEmpty()) {
        String value = open.removeLast();
        if (from.equals(Optional.of(value)) || !seen.add(value)) {
          continue;
        }
        if (tapsBefore.contains(value)) {
          stray.add(value);
          continue;
        }
        Optional<OnnxNode> node = graph.producerOf(value);
        if (node.isEmpty()) {
          addInput(value);
        } else if (isSizeInFront(node.get())) {
          sizes.add(value);
        } else {
          open.addAll(valuesUsedBy(node.get()));
        }
      }
    }

    private void addInput(String value) {
      if (tunable.contains(value)) {
        constants.add(value);
      } else if (isFed(value)) {
        modelInputs.add(value);
      }
    }

    /** Whether it is an input, and no constant that old exporters declare as one too. */
    private boolean isFed(String value) {
      return graph.fedInputs().stream().anyMatch(input -> input.name().equals(value));
    }

    /**
     * Whether a node reads the size of something that weights took part in before {@code from}: to
     * compute that again would be to compute blocks again.
     */
    private boolean isSizeInFront(OnnxNode node) {
      boolean reads = node.is("Shape") || node.is("Size");
      return reads
          && from.isPresent()
          && !node.input(0).equals(from.get())
          && !behindFrom.contains(node.input(0))
          && dependsOnWeights(node.input(0));
    }

    private boolean dependsOnWeights(String start) {
      List<String> open = new ArrayList<>(List.of(start));
      Set<String> seen = new HashSet<>();
      while (!open.isEmpty()) {
        String value = open.removeLast();
        Initializer constant = graph.initializers().get(value);
        boolean weight =
            constant != null && constant.type() == ElementType.FLOAT && constant.size() > 1;
        if (weight || tunable.contains(value)) {
          return true;
        }
        if (seen.add(value)) {
          graph.producerOf(value).ifPresent(node -> open.addAll(valuesUsedBy(node)));
        }
      }
      return false;
    }

    private Set<String> behind(String start) {
      Set<String> reached = new HashSet<>();
      List<String> open = new ArrayList<>(List.of(start));
      while (!open.isEmpty()) {
        for (OnnxNode user : graph.usersOf(open.removeLast())) {
          user.outputs().stream().filter(reached::add).forEach(open::add);
        }
      }
      return reached;
    }

    private static Set<String> tapsBefore(TunedGraph tuned, String from) {
      Set<String> before = new HashSet<>();
      for (int number = 0; number < tuned.structure().taps().size(); number++) {
        String tap = tuned.tapRoot(number);
        if (tap.equals(from)) {
          return before;
        }
        before.add(tap);
      }
      throw new IllegalArgumentException(from + " is no tap");
    }

    /** Inputs of a node and of those in graphs nested in it; names are the same inside. */
    private static List<String> valuesUsedBy(OnnxNode node) {
      List<String> used = new ArrayList<>(node.inputs());
      used.removeIf(String::isEmpty);
      for (OnnxGraph nested : node.subgraphs()) {
        nested.nodes().forEach(inner -> used.addAll(valuesUsedBy(inner)));
        nested.outputs().forEach(output -> used.add(output.name()));
      }
      return used;
    }
  }
}

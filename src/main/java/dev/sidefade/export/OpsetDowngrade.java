package dev.sidefade.export;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.Dimension;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.ModelCheck;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.tensor.BadInputException;
import java.util.List;
import java.util.Optional;

/**
 * A model in the operators of an older opset, for runtimes that know no newer one. Norms and GELUs
 * are written out as chains of older operators, which ONNX Runtime recognises and fuses again; what
 * moved between inputs and attributes is moved back. Anything else that is newer is refused.
 */
public final class OpsetDowngrade {
  /** The oldest opset that models are written in. */
  public static final long OLDEST = 13;

  private static final String PREFIX = "sidefade.opset.";

  private final OnnxGraph graph;
  private final NodeBuilder nodes;
  private final long target;

  private OpsetDowngrade(OnnxModel model, long target) {
    this.graph = model.graph();
    this.target = target;
    this.nodes = new NodeBuilder(model, PREFIX);
  }

  /**
   * The same model in an older opset; the one given is left as it is.
   *
   * @param model the model
   * @param target from 13 to the model's own
   * @return the other one
   * @throws BadInputException naming an operator that cannot be had in the older opset
   */
  public static OnnxModel of(OnnxModel model, long target) {
    if (target < OLDEST || target > model.opset()) {
      throw new BadInputException(
          "the model has opset "
              + model.opset()
              + " and was to have opset "
              + target
              + "; an opset can only go down, and not below "
              + OLDEST);
    }
    OnnxModel older = model.copy();
    if (target == model.opset()) {
      return older;
    }
    if (model.opset() > OpsetChanges.LATEST) {
      throw new BadInputException(
          "the model has opset "
              + model.opset()
              + ", but what changed is known up to opset "
              + OpsetChanges.LATEST
              + " only; export the backbone with that or an older one");
    }
    Weights.settleDefaults(older.graph());
    older.setOpset("", target);
    new OpsetDowngrade(older, target).convert();
    GraphEdit.topologicalSort(older.graph());
    GraphEdit.removeDeadNodes(older.graph());
    ModelCheck.check(older);
    return older;
  }

  private void convert() {
    for (OnnxNode node : List.copyOf(graph.nodes())) {
      node.subgraphs().forEach(this::checkNested);
      if (node.domain().isEmpty()) {
        convert(node);
      }
    }
  }

  private void convert(OnnxNode node) {
    switch (node.opType()) {
      case "Shape" -> {
        if (target < 15) {
          partOfShape(node);
        }
      }
      case "Reshape" -> {
        if (target < 14) {
          reshape(node);
        }
      }
      case "Split" -> {
        if (target < 18) {
          split(node);
        }
      }
      default -> others(node);
    }
  }

  private void others(OnnxNode node) {
    if (OpsetChanges.isNewer(node, target)) {
      throw newer(node, "is newer than that");
    }
    if (OpsetChanges.isWrittenOut(node, target)) {
      replace(node, node.is("Gelu") ? gelu(node) : layerNorm(node));
    }
    if (OpsetChanges.takesAxesAsInput(node, target)) {
      axes(node);
    }
    OpsetChanges.removeNeutral(node, target)
        .ifPresent(what -> {
          throw newer(node, "has " + what + ", which is newer than that");
        });
  }

  /** Nested graphs are taken where nothing in them may have to be converted. */
  private void checkNested(OnnxGraph nested) {
    for (OnnxNode node : nested.nodes()) {
      boolean asItIs =
          !OpsetChanges.isNewer(node, target)
              && !OpsetChanges.isWrittenOut(node, target)
              && !OpsetChanges.takesAxesAsInput(node, target)
              && !List.of("Shape", "Reshape", "Split").contains(node.opType())
              && OpsetChanges.removeNeutral(node, target).isEmpty();
      if (node.domain().isEmpty() && !asItIs) {
        throw newer(node, "stands in a nested graph, where nothing is converted");
      }
      node.subgraphs().forEach(this::checkNested);
    }
  }

  /** Makes a value take the name of what a node computed, and the node go. */
  private void replace(OnnxNode node, String value) {
    String output = node.output(0);
    graph.nodes().remove(node);
    OnnxNode last = graph.producerOf(value).orElseThrow();
    last.outputs().set(0, output);
  }

  /** The chain that PyTorch writes for opsets before 17. */
  private String layerNorm(OnnxNode node) {
    if (!node.output(1).isEmpty() || !node.output(2).isEmpty()) {
      throw newer(node, "hands out its mean or deviation, which older norms do not");
    }
    long axis = node.intAttribute("axis").orElse(-1);
    if (axis != -1) {
      int rank = graph.infoOf(node.input(0)).map(info -> info.dims().size()).orElse(0);
      if (axis != rank - 1) {
        throw newer(node, "normalises over more than the last axis, which is not converted");
      }
    }
    String x = node.input(0);
    float epsilon = (float) node.floatAttribute("epsilon").orElse(1e-5);
    String label = node.output(0);
    String mean = nodes.reduceMean(label + ".mean", x, -1, true);
    String centred = nodes.node("Sub", label + ".centred", List.of(x, mean));
    String squared = nodes.node("Pow", label + ".squared", List.of(centred, nodes.number(2)));
    String variance = nodes.reduceMean(label + ".variance", squared, -1, true);
    String shifted = nodes.add(label + ".shifted", variance, nodes.number(epsilon));
    String deviation = nodes.node("Sqrt", label + ".deviation", List.of(shifted));
    String normalised = nodes.node("Div", label + ".normalised", List.of(centred, deviation));
    String scaled = nodes.multiply(label + ".scaled", normalised, node.input(1));
    String shift = node.input(2);
    return shift.isEmpty() ? scaled : nodes.add(label + ".chain", scaled, shift);
  }

  private String gelu(OnnxNode node) {
    String x = node.input(0);
    String label = node.output(0);
    return switch (node.stringAttribute("approximate").orElse("none")) {
      case "none" -> nodes.gelu(label + ".chain", x);
      case "tanh" -> tanhGelu(label, x);
      default -> throw newer(node, "has an unknown approximation");
    };
  }

  /** x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). */
  private String tanhGelu(String label, String x) {
    String cube = nodes.node("Pow", label + ".cube", List.of(x, nodes.number(3)));
    String part = nodes.multiply(label + ".part", cube, nodes.number(0.044715f));
    String sum = nodes.add(label + ".sum", x, part);
    String factor = nodes.number((float) Math.sqrt(2 / Math.PI));
    String tanh =
        nodes.node("Tanh", label + ".tanh", List.of(nodes.multiply(label + ".in", sum, factor)));
    String shifted = nodes.add(label + ".shifted", tanh, nodes.number(1));
    String product = nodes.multiply(label + ".product", x, shifted);
    return nodes.multiply(label + ".chain", product, nodes.number(0.5f));
  }

  /** A part of a shape is cut out of the whole of it. */
  private void partOfShape(OnnxNode node) {
    long start = node.intAttribute("start").orElse(0);
    long end = node.intAttribute("end").orElse(Long.MAX_VALUE);
    node.removeAttribute("start");
    node.removeAttribute("end");
    if (start == 0 && end == Long.MAX_VALUE) {
      return;
    }
    String part = node.output(0);
    String whole = graph.uniqueName(PREFIX + part + ".whole");
    node.outputs().set(0, whole);
    List<String> inputs = List.of(whole, nodes.longs(start), nodes.longs(end), nodes.longs(0));
    graph.addNode("Slice", inputs, List.of(part));
  }

  /**
   * Without {@code allowzero} a 0 stands for the size that was there. Sizes that are computed are
   * those of examples and tokens, of which there are some.
   */
  private void reshape(OnnxNode node) {
    boolean zeroIsMeant =
        node.intAttribute("allowzero").orElse(0) != 0
            && GraphEdit.constantValue(graph, node.input(1))
                .filter(OpsetChanges::holdsZero)
                .isPresent();
    if (zeroIsMeant) {
      throw newer(node, "makes a tensor without elements, which is newer than that");
    }
    node.removeAttribute("allowzero");
  }

  /** Older splits without sizes make equal parts. */
  private void split(OnnxNode node) {
    long parts = node.intAttribute("num_outputs").orElse(0);
    node.removeAttribute("num_outputs");
    if (parts == 0) {
      return;
    }
    long axis = node.intAttribute("axis").orElse(0);
    List<Dimension> dims = graph.infoOf(node.input(0)).map(ValueInfo::dims).orElse(List.of());
    int place = (int) (axis < 0 ? axis + dims.size() : axis);
    boolean equal =
        place >= 0
            && place < dims.size()
            && dims.get(place) instanceof Dimension.Static(long size)
            && size % parts == 0;
    if (!equal) {
      throw newer(node, "makes parts that may differ in size, which is newer than that");
    }
  }

  private void axes(OnnxNode node) {
    boolean none = node.input(1).isEmpty();
    if (none && node.intAttribute("noop_with_empty_axes").orElse(0) != 0) {
      throw newer(node, "reduces nothing, which is newer than that");
    }
    node.removeAttribute("noop_with_empty_axes");
    if (!none) {
      Optional<Initializer> axes = GraphEdit.constantValue(graph, node.input(1));
      if (axes.isEmpty() || axes.get().size() == 0) {
        throw newer(node, "reduces over axes that are no constant, which is newer than that");
      }
      node.setAttribute(Attribute.ints("axes", axes.get().longs()));
    }
    while (node.inputs().size() > 1) {
      node.inputs().removeLast();
    }
  }

  private BadInputException newer(OnnxNode node, String why) {
    return new BadInputException(
        "the model cannot be written in opset "
            + target
            + ", for its operator "
            + node.opType()
            + (node.name().isEmpty() ? "" : " (" + node.name() + ")")
            + " "
            + why
            + "; take a later opset, up to the backbone's own");
  }
}

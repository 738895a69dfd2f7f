package dev.sidefade.backbone;

import dev.sidefade.onnx.Dimension;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.ModelCheck;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.tensor.BadInputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds out what a backbone's graph is made of, from how its nodes hang together and not from their
 * names.
 */
public final class StructureFinder {
  private static final Set<String> QUANTISED =
      Set.of(
          "QuantizeLinear",
          "DynamicQuantizeLinear",
          "MatMulInteger",
          "ConvInteger",
          "QLinearMatMul",
          "QLinearConv");

  private final GraphView view;
  private final Map<String, long[]> shapes;

  private StructureFinder(OnnxGraph graph, Map<String, long[]> shapes) {
    this.view = new GraphView(graph);
    this.shapes = shapes;
  }

  /**
   * Searches a model for everything, taps too.
   *
   * @param model the model
   * @return what was found
   * @throws BadInputException as {@link #find(OnnxModel, Optional)}, or if no taps are found
   */
  public static BackboneStructure find(OnnxModel model) {
    return find(model, Optional.empty());
  }

  /**
   * Searches a model.
   *
   * @param model the model
   * @param named taps named by hand, which take the place of the search for them
   * @return what was found
   * @throws BadInputException if the graph was optimised or quantised, if it is not a transformer
   *     as PyTorch exports it, or if a named tap does not exist
   */
  public static BackboneStructure find(OnnxModel model, Optional<NamedTaps> named) {
    refuseOptimised(model.graph());
    ModelCheck.check(model);
    GraphView view = new GraphView(model.graph());
    List<Norm> norms = new NormFinder(view).find().stream().map(NormFinder.Found::norm).toList();
    if (norms.isEmpty()) {
      refuseHalf(model.graph());
    }
    ResidualStream.Stream stream =
        named.isPresent()
            ? namedStream(view, norms, named.get())
            : new ResidualStream(view, norms).find();
    Map<String, long[]> shapes = ShapeInference.infer(model);
    return new StructureFinder(model.graph(), shapes).describe(stream, norms, named);
  }

  private BackboneStructure describe(
      ResidualStream.Stream stream, List<Norm> unplaced, Optional<NamedTaps> named) {
    Map<OnnxNode, Integer> blocks = blocks(stream.taps());
    List<Norm> norms = unplaced.stream().map(norm -> placed(norm, stream, blocks)).toList();
    List<BackboneStructure.Tap> taps =
        stream.taps().stream().map(value -> tap(value, norms)).toList();
    BackboneStructure.Tap last = taps.getLast();
    Optional<Norm> finalNorm = finalNorm(stream, norms, named);
    String tokens = finalNorm.map(Norm::output).orElse(last.value());
    ReadOutFinder.Found end = new ReadOutFinder(view, norms, last.tokens()).find(tokens);
    return new BackboneStructure(
        stream.kind(),
        taps,
        norms,
        finalNorm.or(end::norm),
        end.readOut(),
        end.head(),
        inputs(),
        grid(taps.getFirst(), blocks));
  }

  private static void refuseOptimised(OnnxGraph graph) {
    for (OnnxNode node : graph.nodes()) {
      if (!node.domain().isEmpty() && !node.domain().startsWith("pkg.")) {
        throw new BadInputException(
            node
                + " is an operator of "
                + node.domain()
                + ", so the graph has been optimised for one runtime; use the unoptimised export"
                + " (what torch.onnx.export writes, before ONNX Runtime or optimum optimise it)");
      }
      if (QUANTISED.contains(node.opType())) {
        throw new BadInputException(
            node
                + " shows that the model is quantised; use the float32 export, quantising comes"
                + " last");
      }
    }
  }

  private static void refuseHalf(OnnxGraph graph) {
    for (Initializer constant : graph.initializers().values()) {
      if (constant.type() == ElementType.FLOAT16 || constant.type() == ElementType.BFLOAT16) {
        throw new BadInputException(
            "the backbone computes in "
                + constant.type()
                + " (as with "
                + constant.name()
                + "), but it must be in float32: use the float32 export, smaller types come last");
      }
    }
  }

  private static ResidualStream.Stream namedStream(
      GraphView view, List<Norm> norms, NamedTaps named) {
    List<String> all = new ArrayList<>(named.values());
    named.finalNorm().ifPresent(all::add);
    for (String value : all) {
      boolean exists = view.graph().producerOf(value).isPresent();
      if (!exists) {
        throw new BadInputException(
            "the tap \""
                + value
                + "\" named beside the model is not a value that its graph computes;"
                + " correct the key \"taps\", or remove it so that taps are searched");
      }
    }
    String last = named.blocks().getLast();
    return new ResidualStream.Stream(ResidualStream.kindOf(view, norms, last), named.values());
  }

  /** Pre-norm: what normalises the last tap. Post-norm: what made the last tap. */
  private Optional<Norm> finalNorm(
      ResidualStream.Stream stream, List<Norm> norms, Optional<NamedTaps> named) {
    String last = stream.taps().getLast();
    Optional<String> byHand = named.flatMap(NamedTaps::finalNorm);
    if (byHand.isPresent()) {
      return Optional.of(finalNormByHand(norms, byHand.get()));
    }
    boolean preNorm = stream.kind() == BackboneStructure.Kind.PRE_NORM;
    return norms.stream()
        .filter(norm -> view.same(preNorm ? norm.input() : norm.output(), last))
        .findFirst();
  }

  private Norm finalNormByHand(List<Norm> norms, String value) {
    return norms.stream()
        .filter(norm -> view.same(norm.output(), value))
        .findFirst()
        .orElseThrow(() ->
            new BadInputException(
                "the final norm \""
                    + value
                    + "\" named beside the model is not what a layer norm"
                    + " returns; correct the key \"taps.final_norm\" or remove it"));
  }

  /** The block that each node belongs to: the first tap that depends on it. */
  private Map<OnnxNode, Integer> blocks(List<String> taps) {
    Map<OnnxNode, Integer> blocks = new HashMap<>();
    for (int block = 0; block < taps.size(); block++) {
      List<String> open = new ArrayList<>(List.of(taps.get(block)));
      while (!open.isEmpty()) {
        Optional<OnnxNode> node = view.graph().producerOf(open.removeLast());
        if (node.isPresent() && blocks.putIfAbsent(node.get(), block) == null) {
          open.addAll(node.get().inputs());
        }
      }
    }
    return blocks;
  }

  private Norm placed(Norm norm, ResidualStream.Stream stream, Map<OnnxNode, Integer> blocks) {
    OnnxNode node = view.graph().producerOf(norm.output()).orElseThrow();
    return norm.inBlock(blocks.getOrDefault(node, stream.taps().size()));
  }

  private BackboneStructure.Tap tap(String value, List<Norm> norms) {
    long[] shape = shapes.getOrDefault(value, new long[0]);
    if (shape.length != 0 && shape.length != 3) {
      throw new BadInputException(
          "the tap "
              + value
              + " has "
              + shape.length
              + " dimensions, but batch, tokens and features were expected; name the taps by hand");
    }
    long width = shape.length == 3 ? shape[2] : -1;
    if (width < 1) {
      width =
          norms.stream()
              .filter(norm -> view.same(norm.input(), value) || view.same(norm.output(), value))
              .mapToLong(Norm::width)
              .findFirst()
              .orElseThrow(() ->
                  new BadInputException(
                      "the width of the tap "
                          + value
                          + " is unknown; export the model with static feature dimensions"));
    }
    return new BackboneStructure.Tap(
        value, shape.length == 3 ? shape[1] : -1, Math.toIntExact(width));
  }

  private List<InputSpec> inputs() {
    List<InputSpec> inputs = new ArrayList<>();
    for (ValueInfo input : view.graph().fedInputs()) {
      List<Long> dims = input.dims().stream().map(StructureFinder::size).toList();
      inputs.add(new InputSpec(input.name(), input.type(), dims));
    }
    return inputs;
  }

  private static long size(Dimension dim) {
    return dim instanceof Dimension.Static(long size) ? size : -1L;
  }

  /** From the last convolution of the embeddings, which cuts the image into patches. */
  private Optional<TokenGrid> grid(
      BackboneStructure.Tap embeddings, Map<OnnxNode, Integer> blocks) {
    TokenGrid grid = null;
    for (OnnxNode node : view.graph().nodes()) {
      long[] shape = shapes.getOrDefault(node.output(0), new long[0]);
      boolean patches = node.is("Conv") && blocks.getOrDefault(node, -1) == 0 && shape.length == 4;
      if (patches && shape[2] > 0 && shape[3] > 0 && embeddings.tokens() > 0) {
        long prefix = embeddings.tokens() - Math.multiplyExact(shape[2], shape[3]);
        grid = prefix >= 0 ? new TokenGrid(shape[2], shape[3], prefix) : grid;
      }
    }
    return Optional.ofNullable(grid);
  }
}

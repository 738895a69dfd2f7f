package dev.sidefade.backbone;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the linear layers of the encoder blocks: MatMul with a constant matrix on the right, or
 * Gemm. Embeddings, pooler and head are none of them, for no block depends on the latter and tap 0
 * does on the former.
 */
public final class LinearFinder {
  private final GraphView view;
  private final Map<OnnxNode, Integer> blocks;

  LinearFinder(GraphView view, BackboneStructure structure) {
    this.view = view;
    this.blocks = blocks(view, structure);
  }

  /**
   * A linear layer and where its constants go in.
   *
   * @param node the MatMul or Gemm, which takes the weight at input 1
   * @param biasUser node that takes the bias, at input {@code biasIndex}; null where there is no
   *     bias
   */
  record Found(LinearLayer layer, OnnxNode node, @Nullable OnnxNode biasUser, int biasIndex) {}

  /** A constant matrix behind a value: where it is stored, and whether the other way round. */
  private record Matrix(Initializer stored, boolean turned) {}

  /**
   * {@return the linear layers of a whole backbone's blocks, in the order of execution}
   *
   * @param model the model
   * @param structure what its graph is made of
   */
  public static List<LinearLayer> find(OnnxModel model, BackboneStructure structure) {
    return new LinearFinder(new GraphView(model.graph()), structure)
        .find().stream().map(Found::layer).toList();
  }

  List<Found> find() {
    List<Found> found = new ArrayList<>();
    for (OnnxNode node : view.graph().nodes()) {
      if (blocks.getOrDefault(node, 0) > 0) {
        layer(node, found.size()).ifPresent(found::add);
      }
    }
    return found;
  }

  private Optional<Found> layer(OnnxNode node, int position) {
    boolean gemm = node.is("Gemm");
    if (!node.is("MatMul") && !(gemm && isPlain(node))) {
      return Optional.empty();
    }
    Optional<Matrix> matrix = matrix(node.input(1));
    if (matrix.isEmpty()) {
      return Optional.empty();
    }
    boolean transposed =
        matrix.get().turned() != (gemm && node.intAttribute("transB").orElse(0) == 1);
    long[] dims = matrix.get().stored().dims();
    long out = dims[transposed ? 0 : 1];
    OnnxNode biasUser = gemm && isVector(node.input(2), out) ? node : null;
    int biasIndex = 2;
    if (biasUser == null && (!gemm || node.input(2).isEmpty())) {
      biasUser = addOf(node, out).orElse(null);
      biasIndex = biasUser != null && isVector(biasUser.input(0), out) ? 0 : 1;
    }
    LinearLayer layer =
        new LinearLayer(
            position,
            Objects.requireNonNull(blocks.get(node)),
            node.input(0),
            node.output(0),
            matrix.get().stored().name(),
            transposed,
            dims[transposed ? 1 : 0],
            out,
            biasUser == null
                ? Optional.empty()
                : Optional.of(view.root(biasUser.input(biasIndex))));
    return Optional.of(new Found(layer, node, biasUser, biasIndex));
  }

  /** Whether a Gemm is {@code x W + bias} and nothing else. */
  private static boolean isPlain(OnnxNode gemm) {
    return gemm.intAttribute("transA").orElse(0) == 0
        && gemm.floatAttribute("alpha").orElse(1) == 1
        && gemm.floatAttribute("beta").orElse(1) == 1;
  }

  private Optional<Matrix> matrix(String value) {
    boolean turned = false;
    String source = value;
    Optional<OnnxNode> transpose = view.producer(source, "Transpose");
    while (transpose.filter(LinearFinder::swapsTwo).isPresent()) {
      turned = !turned;
      source = transpose.get().input(0);
      transpose = view.producer(source, "Transpose");
    }
    boolean turn = turned;
    return view.weight(source)
        .filter(constant -> constant.dims().length == 2)
        .map(constant -> new Matrix(constant, turn));
  }

  /** Whether a Transpose turns a matrix; without an attribute it reverses the dimensions. */
  static boolean swapsTwo(OnnxNode transpose) {
    return transpose
        .intsAttribute("perm")
        .map(order -> Arrays.equals(order, new long[] {1, 0}))
        .orElse(true);
  }

  /** The node that puts a constant vector onto what another returns, if nobody else uses that. */
  private Optional<OnnxNode> addOf(OnnxNode node, long width) {
    List<OnnxNode> users = view.users(node.output(0));
    return users.size() == 1 && !view.isOutput(node.output(0))
        ? Optional.of(users.getFirst())
            .filter(add -> add.is("Add"))
            .filter(add -> isVector(add.input(0), width) || isVector(add.input(1), width))
        : Optional.empty();
  }

  private boolean isVector(String value, long width) {
    return view.weight(value)
        .filter(constant -> constant.dims().length == 1 && constant.size() == width)
        .isPresent();
  }

  /** The block that each node belongs to: the first tap that depends on it. */
  private static Map<OnnxNode, Integer> blocks(GraphView view, BackboneStructure structure) {
    Map<OnnxNode, Integer> blocks = new HashMap<>();
    for (int block = 0; block < structure.taps().size(); block++) {
      List<String> open = new ArrayList<>(List.of(structure.taps().get(block).value()));
      while (!open.isEmpty()) {
        Optional<OnnxNode> node = view.graph().producerOf(open.removeLast());
        if (node.isPresent() && blocks.putIfAbsent(node.get(), block) == null) {
          open.addAll(node.get().inputs());
        }
      }
    }
    return blocks;
  }
}

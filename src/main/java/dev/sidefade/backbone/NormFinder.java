package dev.sidefade.backbone;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Finds layer norms, written as one node or as a chain. */
final class NormFinder {
  private final GraphView view;

  NormFinder(GraphView view) {
    this.view = view;
  }

  /**
   * A norm and where its constants go in.
   *
   * @param scaleUser node that takes the scale, at input {@code scaleIndex}
   * @param biasUser node that takes the bias, at input {@code biasIndex}; null where there is no
   *     bias
   */
  record Found(
      Norm norm, OnnxNode scaleUser, int scaleIndex, @Nullable OnnxNode biasUser, int biasIndex) {}

  /** All norms in the order of the graph; their blocks are not known yet (-1). */
  List<Found> find() {
    List<Found> found = new ArrayList<>();
    for (OnnxNode node : view.graph().nodes()) {
      int position = found.size();
      if (node.is("LayerNormalization")) {
        operator(node, position).ifPresent(found::add);
      } else if (node.is("Div")) {
        decomposed(node, position).ifPresent(found::add);
      }
    }
    return found;
  }

  private Optional<Found> operator(OnnxNode node, int position) {
    Optional<Initializer> scale = vector(node.input(1));
    if (scale.isEmpty()) {
      return Optional.empty();
    }
    boolean biased = !node.input(2).isEmpty();
    Norm norm =
        new Norm(
            position,
            -1,
            Norm.Form.OPERATOR,
            node.input(0),
            node.output(0),
            view.root(node.input(1)),
            biased ? Optional.of(view.root(node.input(2))) : Optional.empty(),
            (float) node.floatAttribute("epsilon").orElse(1e-5f),
            (int) node.intAttribute("axis").orElse(-1),
            scale.get().size());
    return Optional.of(new Found(norm, node, 1, biased ? node : null, 2));
  }

  /** Reads the chain backwards and forwards from {@code centred / sqrt(variance + epsilon)}. */
  private Optional<Found> decomposed(OnnxNode div, int position) {
    Optional<OnnxNode> centred = view.producer(div.input(0), "Sub");
    Optional<OnnxNode> shifted =
        view.producer(div.input(1), "Sqrt").flatMap(sqrt -> view.producer(sqrt.input(0), "Add"));
    if (centred.isEmpty() || shifted.isEmpty() || !isCentred(centred.get())) {
      return Optional.empty();
    }
    int epsilonIndex = view.number(shifted.get().input(1)).isPresent() ? 1 : 0;
    Optional<Float> epsilon = view.number(shifted.get().input(epsilonIndex));
    if (epsilon.isEmpty() || !isVariance(shifted.get().input(1 - epsilonIndex), centred.get())) {
      return Optional.empty();
    }
    return scaled(div, position, centred.get().input(0), epsilon.get());
  }

  private Optional<Found> scaled(OnnxNode div, int position, String input, float epsilon) {
    List<OnnxNode> users = view.users(div.output(0));
    if (users.size() != 1 || !users.getFirst().is("Mul")) {
      return Optional.empty();
    }
    OnnxNode mul = users.getFirst();
    int scaleIndex = constantIndex(mul);
    Optional<Initializer> scale = vector(mul.input(scaleIndex));
    if (scale.isEmpty()) {
      return Optional.empty();
    }
    List<OnnxNode> after = view.users(mul.output(0));
    OnnxNode add = after.size() == 1 && after.getFirst().is("Add") ? after.getFirst() : null;
    int biasIndex = add == null ? 0 : constantIndex(add);
    if (add != null && vector(add.input(biasIndex)).isEmpty()) {
      add = null;
    }
    Norm norm =
        new Norm(
            position,
            -1,
            Norm.Form.DECOMPOSED,
            input,
            add == null ? mul.output(0) : add.output(0),
            view.root(mul.input(scaleIndex)),
            add == null ? Optional.empty() : Optional.of(view.root(add.input(biasIndex))),
            epsilon,
            -1,
            scale.get().size());
    return Optional.of(new Found(norm, mul, scaleIndex, add, biasIndex));
  }

  /** {@code x - mean(x)} over the innermost dimension. */
  private boolean isCentred(OnnxNode sub) {
    return view.producer(sub.input(1), "ReduceMean")
        .filter(mean -> view.same(mean.input(0), sub.input(0)) && overInnermost(mean))
        .isPresent();
  }

  /** {@code mean(centred^2)}; some exporters compute the centred value twice. */
  private boolean isVariance(String value, OnnxNode centred) {
    return view.producer(value, "ReduceMean")
        .filter(this::overInnermost)
        .flatMap(mean -> view.producer(mean.input(0)))
        .filter(square -> isSquareOf(square, centred))
        .isPresent();
  }

  private boolean isSquareOf(OnnxNode square, OnnxNode centred) {
    boolean power =
        square.is("Pow") && view.number(square.input(1)).filter(p -> p == 2).isPresent();
    boolean product = square.is("Mul") && view.same(square.input(0), square.input(1));
    if (!power && !product) {
      return false;
    }
    Optional<OnnxNode> base = view.producer(square.input(0), "Sub");
    return base.filter(
            sub -> sub == centred || (isCentred(sub) && view.same(sub.input(0), centred.input(0))))
        .isPresent();
  }

  private boolean overInnermost(OnnxNode mean) {
    return view.axes(mean)
            .filter(axes -> axes.length == 1 && (axes[0] == -1 || axes[0] == 2))
            .isPresent()
        && mean.intAttribute("keepdims").orElse(1) == 1;
  }

  private int constantIndex(OnnxNode node) {
    return vector(node.input(1)).isPresent() ? 1 : 0;
  }

  /** A constant of one dimension: scale and bias of a norm over the innermost dimension. */
  private Optional<Initializer> vector(String value) {
    return view.weight(value).filter(initializer -> initializer.dims().length == 1);
  }
}

package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.tensor.BadInputException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The gradients of some outputs of a model by some of its inputs, as graphs: the sum over the
 * outputs of the output's Jacobian, transposed, times a seed, which is the gradient of whatever is
 * computed from that output. Exact but for rounding; made of plain operators of the model's own
 * opset.
 *
 * <p>Two graphs, so that a loss can be computed between them: run {@link #forward}, compute the
 * loss and its gradients by the outputs, feed these as seeds with the {@link #saved} values to
 * {@link #backward}. Or {@link #joint}, where the seeds are known beforehand.
 */
public final class GradientGraph {
  private static final long LOWEST_OPSET = 11;

  private final OnnxModel forward;
  private final OnnxModel backward;
  private final OnnxModel joint;
  private final List<String> saved;
  private final List<String> backwardInputs;

  GradientGraph(
      OnnxModel forward,
      OnnxModel backward,
      OnnxModel joint,
      List<String> saved,
      List<String> backwardInputs) {
    this.forward = forward;
    this.backward = backward;
    this.joint = joint;
    this.saved = List.copyOf(saved);
    this.backwardInputs = List.copyOf(backwardInputs);
  }

  /**
   * Differentiates a model.
   *
   * @param forward a model of opset 11 or later, which is left as it is. Constants to differentiate
   *     by must already be graph inputs ({@link GraphEdit#promoteToInput}).
   * @param shapes shapes of the values that nodes compute, outermost first, -1 for a size that
   *     depends on what is fed; those of inputs and initializers are taken from the model. A size
   *     that is not known on both sides of a broadcast is taken to be the same on both.
   * @param by graph inputs whose gradients are wanted, of a floating-point type
   * @param of graph outputs whose gradients are given, of a floating-point type
   * @return the models of the gradient
   * @throws BadInputException naming a node between them that has no gradient, or a value that is
   *     missing, of another type or not connected
   */
  public static GradientGraph of(
      OnnxModel forward, Map<String, long[]> shapes, List<String> by, List<String> of) {
    if (forward.opset() < LOWEST_OPSET) {
      throw new BadInputException(
          "the model is of opset "
              + forward.opset()
              + ", but gradients need 11 or later; export it again with a later one");
    }
    OnnxModel model = forward.copy();
    GraphEdit.topologicalSort(model.graph());
    ForwardValues values = new ForwardValues(model.graph(), shapes);
    checkNamed(by, "input", model.graph().inputs(), values);
    checkNamed(of, "output", model.graph().outputs(), values);
    checkFree(by, of, values);
    Activity activity = new Activity(values, by, of);
    for (String value : by) {
      if (!activity.active(value)) {
        throw new BadInputException(
            "there is no gradient by the input "
                + value
                + ", for it has no influence on "
                + String.join(", ", of)
                + "; leave it out");
      }
    }
    GradientBuilder builder = new GradientBuilder(values, model.opset());
    differentiate(builder, activity, by, of);
    return new GraphParts(model, builder, by, of).gradientGraph();
  }

  /**
   * {@return the model that computes what the original does: all its outputs in their order, then
   * those of {@link #saved} that are not among them} Inputs are those of the original.
   */
  public OnnxModel forward() {
    return forward;
  }

  /**
   * {@return the model that computes the gradients, in the order in which they were asked for}
   * Inputs are the {@link #saved} values, the seeds in the order of the outputs, and the {@link
   * #backwardInputs}.
   */
  public OnnxModel backward() {
    return backward;
  }

  /**
   * {@return the model that does both: inputs are those of the original, then the seeds; outputs
   * only the gradients}
   */
  public OnnxModel joint() {
    return joint;
  }

  /**
   * {@return values that {@link #forward} computes and {@link #backward} reads: activations, and
   * shapes as short lists of int64} What is cheap to compute again is not among them.
   */
  public List<String> saved() {
    return saved;
  }

  /** {@return inputs of the original that {@link #backward} takes too} */
  public List<String> backwardInputs() {
    return backwardInputs;
  }

  /**
   * {@return name of the input that takes the gradient of an output, of that output's shape}
   *
   * @param value name of the value
   */
  public static String seed(String value) {
    return "sidefade.seed." + value;
  }

  /**
   * {@return name of the output that holds the gradient by an input, of that input's shape}
   *
   * @param value name of the value
   */
  public static String gradient(String value) {
    return "sidefade.gradient." + value;
  }

  private static void differentiate(
      GradientBuilder builder, Activity activity, List<String> by, List<String> of) {
    Adjoints adjoints = new Adjoints(builder);
    of.stream()
        .filter(activity::active)
        .forEach(value -> adjoints.add(value, new Contribution.Full(seed(value))));
    for (OnnxNode node : builder.values().graph().nodes().reversed()) {
      if (node.outputs().stream().noneMatch(activity::active)) {
        continue;
      }
      List<String> gradients = new ArrayList<>();
      node.outputs().forEach(output -> gradients.add(adjoints.take(output).orElse(null)));
      if (gradients.stream().allMatch(Objects::isNull)) {
        // what uses it has given its gradients to what it is computed from
        continue;
      }
      GradientRule rule =
          GradientRules.of(node)
              .orElseThrow(() ->
                  GradientContext.refusal(
                      node, activity, "there is no rule for the operator " + node.opType()));
      rule.apply(new GradientContext(node, gradients, builder, activity, adjoints));
    }
    for (String value : by) {
      String gradient = adjoints.take(value).orElseThrow();
      builder.emit("Identity", List.of(gradient), gradient(value));
    }
  }

  private static void checkNamed(
      List<String> names, String what, Collection<ValueInfo> infos, ForwardValues values) {
    if (names.isEmpty()) {
      throw new BadInputException("no " + what + " to differentiate is named; name at least one");
    }
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (infos.stream().noneMatch(info -> info.name().equals(name))) {
        throw new BadInputException(
            "the model has no "
                + what
                + " named "
                + name
                + " to differentiate; look at the names of its "
                + what
                + "s");
      }
      if (!values.isFloat(name)) {
        throw new BadInputException(
            "the "
                + what
                + " "
                + name
                + " is of type "
                + values.type(name)
                + " and has no gradient; name one of a floating-point type");
      }
      if (!seen.add(name)) {
        throw new BadInputException("the " + what + " " + name + " is named twice; name it once");
      }
    }
  }

  private static void checkFree(List<String> by, List<String> of, ForwardValues values) {
    Set<String> names = values.names();
    List<String> wanted = new ArrayList<>();
    by.forEach(value -> wanted.add(gradient(value)));
    of.forEach(value -> wanted.add(seed(value)));
    for (String name : wanted) {
      if (names.contains(name)) {
        throw new BadInputException(
            "the model has a value named "
                + name
                + ", a name that its gradients need; give that value another name");
      }
    }
  }
}

package dev.sidefade.backbone;

import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.BadInputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the residual stream: additions of a value and of something computed from it through linear
 * layers. Those whose branch holds a softmax are attention; a block is one of them and the next one
 * without.
 */
final class ResidualStream {
  private static final String ADVICE =
      "; name the taps by hand under \"taps\": {\"embed\": .., \"blocks\": [..], \"final_norm\":"
          + " ..} in a JSON file of the same name beside the model";
  private static final int LINEAR = 1;
  private static final int ATTENTION = 2;

  private final GraphView view;
  private final List<Norm> norms;
  private final Map<OnnxNode, Integer> order = new HashMap<>();

  /**
   * What norms take and give: the stream runs through these. An attention mask that is added in
   * every block would look like a stream otherwise, for the scores of a block depend on the mask of
   * the one before.
   */
  private final Set<String> normed = new HashSet<>();

  ResidualStream(GraphView view, List<Norm> norms) {
    this.view = view;
    this.norms = norms;
    view.graph().nodes().forEach(node -> order.put(node, order.size()));
    for (Norm norm : norms) {
      normed.add(view.root(norm.input()));
      normed.add(view.root(norm.output()));
    }
  }

  /** The stream of a backbone: kind, what enters the first block, what every block returns. */
  record Stream(BackboneStructure.Kind kind, List<String> taps) {}

  /** {@code output = skip + branch(skip)}. */
  private record Residual(String skip, String output, boolean attention) {}

  /**
   * The stream.
   *
   * @throws BadInputException if there is none; the message says what was searched and what was
   *     found instead
   */
  Stream find() {
    List<Residual> residuals = residuals();
    if (residuals.size() < 2 || norms.isEmpty()) {
      throw nothingFound(residuals);
    }
    BackboneStructure.Kind kind = kind(residuals);
    List<String> taps = new ArrayList<>();
    taps.add(residuals.getFirst().skip());
    int next = 0;
    while (next + 1 < residuals.size() && isBlock(kind, residuals, next)) {
      taps.add(handedOn(kind, residuals.get(next + 1)).orElseThrow());
      next += 2;
    }
    boolean attentionLeft = residuals.stream().skip(next).anyMatch(Residual::attention);
    if (next == 0 || attentionLeft) {
      throw new BadInputException(
          "the residual stream breaks after block "
              + next / 2
              + ", at "
              + residuals.get(next).output()
              + ": blocks of one attention and one MLP, each added to its own input, were searched,"
              + " and the additions found are "
              + pattern(residuals)
              + " (A attention, M other)"
              + ADVICE);
    }
    return new Stream(kind, taps);
  }

  /** The kind of a stream whose taps were named by hand. */
  static BackboneStructure.Kind kindOf(GraphView view, List<Norm> norms, String lastTap) {
    boolean normed = norms.stream().anyMatch(norm -> view.same(norm.output(), lastTap));
    return normed ? BackboneStructure.Kind.POST_NORM : BackboneStructure.Kind.PRE_NORM;
  }

  private boolean isBlock(BackboneStructure.Kind kind, List<Residual> residuals, int at) {
    Residual attention = residuals.get(at);
    Residual mlp = residuals.get(at + 1);
    boolean follows = at == 0 || continues(kind, residuals.get(at - 1), attention);
    return follows
        && attention.attention()
        && !mlp.attention()
        && continues(kind, attention, mlp)
        && handedOn(kind, mlp).isPresent();
  }

  private boolean continues(BackboneStructure.Kind kind, Residual first, Residual second) {
    return handedOn(kind, first).filter(value -> view.same(value, second.skip())).isPresent();
  }

  /** What a residual hands to the next one: its sum, or in a post-norm stream the norm of it. */
  private Optional<String> handedOn(BackboneStructure.Kind kind, Residual residual) {
    if (kind == BackboneStructure.Kind.PRE_NORM) {
      return Optional.of(residual.output());
    }
    return norms.stream()
        .filter(norm -> view.same(norm.input(), residual.output()))
        .map(Norm::output)
        .findFirst();
  }

  private BackboneStructure.Kind kind(List<Residual> residuals) {
    boolean direct = view.same(residuals.get(0).output(), residuals.get(1).skip());
    return direct ? BackboneStructure.Kind.PRE_NORM : BackboneStructure.Kind.POST_NORM;
  }

  /**
   * All residual additions from the first attention on: a convolutional stem may have some before.
   */
  private List<Residual> residuals() {
    List<Residual> residuals = new ArrayList<>();
    for (OnnxNode node : view.graph().nodes()) {
      if (node.is("Add")) {
        residual(node, 0)
            .or(() -> residual(node, 1))
            .filter(found -> found.attention() || !residuals.isEmpty())
            .ifPresent(residuals::add);
      }
    }
    return residuals;
  }

  private Optional<Residual> residual(OnnxNode add, int skipIndex) {
    String skip = view.root(add.input(skipIndex));
    String branch = view.root(add.input(1 - skipIndex));
    if (skip.equals(branch) || !normed.contains(skip)) {
      return Optional.empty();
    }
    int passed = passedBetween(skip, branch);
    boolean linear = (passed & LINEAR) != 0;
    return linear
        ? Optional.of(new Residual(skip, add.output(0), (passed & ATTENTION) != 0))
        : Optional.empty();
  }

  /** What lies on the ways from one value to another, as bits; 0 where there is no way. */
  private int passedBetween(String from, String to) {
    Optional<OnnxNode> last = view.graph().producerOf(to);
    if (last.isEmpty()) {
      return 0;
    }
    int first =
        view.graph()
            .producerOf(from)
            .map(node -> Objects.requireNonNull(order.get(node)) + 1)
            .orElse(0);
    Map<String, Integer> passed = new HashMap<>();
    passed.put(from, 0);
    for (int i = first; i <= Objects.requireNonNull(order.get(last.get())); i++) {
      follow(view.graph().nodes().get(i), passed);
    }
    return passed.getOrDefault(to, 0);
  }

  private static void follow(OnnxNode node, Map<String, Integer> passed) {
    int bits = -1;
    for (String input : node.inputs()) {
      Integer before = passed.get(input);
      if (before != null) {
        bits = bits < 0 ? before : bits | before;
      }
    }
    // shapes carry no features: what depends on a value through Shape alone does not depend on it
    if (bits < 0 || node.is("Shape")) {
      return;
    }
    int all = bits | bitsOf(node);
    node.outputs().forEach(output -> passed.put(output, all));
  }

  private static int bitsOf(OnnxNode node) {
    if (node.is("Attention")) {
      return LINEAR | ATTENTION;
    }
    if (node.is("Softmax")) {
      return ATTENTION;
    }
    boolean linear = node.is("MatMul") || node.is("Gemm") || node.is("Conv") || node.is("Einsum");
    return linear ? LINEAR : 0;
  }

  private BadInputException nothingFound(List<Residual> residuals) {
    boolean convolutional =
        norms.isEmpty()
            && view.graph().nodes().stream().filter(node -> node.is("Conv")).count() > 1;
    if (convolutional) {
      return new BadInputException(
          "this looks like a convolutional network (convolutions, no layer norm), and only"
              + " transformers are supported: ViT, DeiT or BERT as torch.onnx exports them");
    }
    return new BadInputException(
        "no taps were found: the search was for blocks of attention and MLP, each added to its own"
            + " input, with layer norms, and found "
            + norms.size()
            + " layer norms and "
            + residuals.size()
            + " such additions"
            + ADVICE);
  }

  private static String pattern(List<Residual> residuals) {
    StringBuilder letters = new StringBuilder();
    residuals.stream().limit(40).forEach(r -> letters.append(r.attention() ? 'A' : 'M'));
    return letters.toString();
  }
}

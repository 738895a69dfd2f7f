package dev.sidefade.backbone;

import static dev.sidefade.backbone.ReadOut.Kind.CLS;
import static dev.sidefade.backbone.ReadOut.Kind.MEAN;
import static dev.sidefade.backbone.ReadOut.Kind.NONE;
import static dev.sidefade.backbone.ReadOut.Kind.POOLER;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Follows the tokens from the last block to the outputs: how they are pooled, normalised and
 * classified.
 */
final class ReadOutFinder {
  private final GraphView view;
  private final List<Norm> norms;
  private final long tokens;
  private final List<Found> found = new ArrayList<>();

  /** {@code tokens} is the number of tokens, or -1 where it is not known. */
  ReadOutFinder(GraphView view, List<Norm> norms, long tokens) {
    this.view = view;
    this.norms = norms;
    this.tokens = tokens;
  }

  /** What lies behind the last block; {@code norm} is one that stands behind the pooling. */
  record Found(ReadOut readOut, Optional<Head> head, Optional<Norm> norm) {
    private int worth() {
      int kind =
          switch (readOut.kind()) {
            case NONE -> 0;
            case CLS, MEAN -> 1;
            case POOLER -> 2;
          };
      return kind + (head.isPresent() ? 4 : 0);
    }
  }

  /** The best that leads on from {@code tokens}, [batch, tokens, width]. */
  Found find(String stream) {
    found.clear();
    found.add(
        new Found(
            new ReadOut(NONE, Optional.empty(), 0, false), Optional.empty(), Optional.empty()));
    fromTokens(stream, 0);
    Found best = found.getFirst();
    for (Found one : found) {
      best = one.worth() > best.worth() ? one : best;
    }
    return best;
  }

  private void fromTokens(String stream, long skipped) {
    for (OnnxNode user : view.users(stream)) {
      long[] range = tokenSlice(user).orElse(null);
      if (isFirstToken(user) && skipped == 0) {
        pooled(user.output(0), new Pool(CLS, 0, null));
      } else if (user.is("ReduceMean") && overTokens(user)) {
        pooled(user.output(0), new Pool(MEAN, skipped, null));
      } else if (range != null && range[0] >= 1 && reachesEnd(range[1])) {
        fromTokens(user.output(0), skipped + range[0]);
      }
    }
  }

  /**
   * How a vector came about; {@code norm} is the one that it went through since pooling, or null.
   */
  private record Pool(ReadOut.Kind kind, long skipped, @Nullable Norm norm) {}

  /** One vector for each example. */
  private void pooled(String value, Pool pool) {
    add(pool, value, null);
    norms.stream()
        .filter(norm -> pool.norm() == null && view.same(norm.input(), value))
        .forEach(norm -> pooled(norm.output(), new Pool(pool.kind(), pool.skipped(), norm)));
    for (OnnxNode user : view.users(value)) {
      if (user.is("Squeeze") || user.is("Flatten") || user.is("Reshape")) {
        pooled(user.output(0), pool);
      }
      linear(user, value).ifPresent(layer -> classified(layer, pool));
    }
  }

  private void classified(Head layer, Pool pool) {
    if (view.isOutput(layer.output())) {
      add(pool, layer.input(), layer);
    }
    for (OnnxNode user : view.users(layer.output())) {
      // DistilBERT's classifier has a ReLU where the others have a tanh
      boolean activated = user.is("Tanh") || user.is("Relu");
      if (activated && pool.kind() == CLS) {
        pooled(user.output(0), new Pool(POOLER, 0, pool.norm()));
      }
    }
  }

  private void add(Pool pool, String value, @Nullable Head head) {
    ReadOut readOut =
        new ReadOut(pool.kind(), Optional.of(value), pool.skipped(), pool.norm() != null);
    found.add(new Found(readOut, Optional.ofNullable(head), Optional.ofNullable(pool.norm())));
  }

  /** A linear layer with constant weights, as Gemm or as MatMul with or without Add. */
  private Optional<Head> linear(OnnxNode node, String input) {
    if (node.is("Gemm") && view.same(node.input(0), input)) {
      return gemm(node, input);
    }
    if (!node.is("MatMul") || !view.same(node.input(0), input)) {
      return Optional.empty();
    }
    Optional<Initializer> weight = matrix(node.input(1));
    if (weight.isEmpty()) {
      return Optional.empty();
    }
    List<OnnxNode> users = view.users(node.output(0));
    OnnxNode add = users.size() == 1 && users.getFirst().is("Add") ? users.getFirst() : null;
    String bias = add == null ? "" : add.input(view.weight(add.input(1)).isPresent() ? 1 : 0);
    boolean biased = add != null && view.weight(bias).isPresent();
    String output = add != null && biased ? add.output(0) : node.output(0);
    return Optional.of(head(input, weight.get(), biased ? bias : "", false, output));
  }

  private Optional<Head> gemm(OnnxNode node, String input) {
    boolean plain =
        node.floatAttribute("alpha").orElse(1) == 1
            && node.floatAttribute("beta").orElse(1) == 1
            && node.intAttribute("transA").orElse(0) == 0;
    Optional<Initializer> weight = matrix(node.input(1));
    boolean constantBias = node.input(2).isEmpty() || view.weight(node.input(2)).isPresent();
    if (!plain || weight.isEmpty() || !constantBias) {
      return Optional.empty();
    }
    boolean transposed = node.intAttribute("transB").orElse(0) == 1;
    return Optional.of(head(input, weight.get(), node.input(2), transposed, node.output(0)));
  }

  private Head head(
      String input, Initializer weight, String bias, boolean transposed, String output) {
    long[] dims = weight.dims();
    return new Head(
        input,
        weight.name(),
        bias.isEmpty() ? Optional.empty() : Optional.of(view.root(bias)),
        transposed,
        output,
        dims[transposed ? 1 : 0],
        dims[transposed ? 0 : 1]);
  }

  private Optional<Initializer> matrix(String value) {
    return view.weight(value).filter(initializer -> initializer.dims().length == 2);
  }

  private boolean isFirstToken(OnnxNode node) {
    if (node.is("Gather") && node.intAttribute("axis").orElse(0) == 1) {
      return view.integers(node.input(1)).filter(i -> i.length == 1 && i[0] == 0).isPresent();
    }
    return tokenSlice(node).filter(range -> range[0] == 0 && range[1] == 1).isPresent();
  }

  /** Exporters write "to the end" as a huge number, or as the number of tokens. */
  private boolean reachesEnd(long end) {
    return end > Integer.MAX_VALUE - 1L || end == tokens;
  }

  /** Start and end of a slice over tokens with step 1. */
  private Optional<long[]> tokenSlice(OnnxNode node) {
    if (!node.is("Slice")) {
      return Optional.empty();
    }
    long[] none = {};
    long[] starts = view.integers(node.input(1)).orElse(none);
    long[] ends = view.integers(node.input(2)).orElse(none);
    long[] axes = view.integers(node.input(3)).orElse(none);
    boolean plain =
        node.input(4).isEmpty()
            || view.integers(node.input(4)).filter(s -> s.length == 1 && s[0] == 1).isPresent();
    boolean tokens = axes.length == 1 && axes[0] == 1 && starts.length == 1 && ends.length == 1;
    return plain && tokens ? Optional.of(new long[] {starts[0], ends[0]}) : Optional.empty();
  }

  private boolean overTokens(OnnxNode mean) {
    return view.axes(mean).filter(a -> a.length == 1 && (a[0] == 1 || a[0] == -2)).isPresent();
  }
}

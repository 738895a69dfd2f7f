package dev.sidefade.export;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.backbone.InputSpec;
import dev.sidefade.backbone.ReadOut;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.Attribute;
import dev.sidefade.tensor.BadInputException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Writes the pooling of tokens as nodes. */
final class TokenPooling {
  private final NodeBuilder nodes;
  private final Pooling pooling;
  private final long prefix;
  private final Optional<String> mask;

  private TokenPooling(NodeBuilder nodes, Pooling pooling, long prefix, Optional<String> mask) {
    this.nodes = nodes;
    this.pooling = pooling;
    this.prefix = prefix;
    this.mask = mask;
  }

  /**
   * The pooling of tokens [batch, tokens, D] into [batch, D * parts]; tokens that are not pooled
   * stay as they are.
   *
   * @throws BadInputException if a mean is wanted of a text model that does not say which tokens
   *     are padding
   */
  static String build(NodeBuilder nodes, Backbone backbone, Pooling pooling, String tokens) {
    Optional<String> mask = maskInput(backbone.structure());
    boolean mean = pooling == Pooling.MEAN || pooling == Pooling.CLS_MEAN;
    if (mean && mask.isEmpty() && !backbone.takesImages()) {
      throw new BadInputException(
          "the read-out "
              + pooling.name().toLowerCase(Locale.ROOT).replace('_', '+')
              + " needs an attention mask to leave out padding, but the backbone has no such input;"
              + " use the read-out cls");
    }
    long prefix = prefixTokens(backbone.structure());
    return new TokenPooling(nodes, pooling, prefix, mask).build(tokens);
  }

  /** How many leading tokens are no part of a mean. */
  static long prefixTokens(BackboneStructure structure) {
    if (structure.grid().isPresent()) {
      return structure.grid().get().prefixTokens();
    }
    ReadOut readOut = structure.readOut();
    return readOut.kind() == ReadOut.Kind.MEAN ? readOut.skippedTokens() : 0;
  }

  /**
   * The input [batch, tokens] that is 0 for padding; nothing but its name tells it from token
   * types.
   */
  static Optional<String> maskInput(BackboneStructure structure) {
    return structure.inputs().stream()
        .filter(input -> input.isInteger() && input.dims().size() == 2)
        .map(InputSpec::name)
        .filter(TokenPooling::isMask)
        .findFirst();
  }

  static boolean isMask(String input) {
    return input.toLowerCase(Locale.ROOT).contains("mask");
  }

  private String build(String tokens) {
    return switch (pooling) {
      case CLS -> first(tokens);
      case MEAN -> mean(tokens);
      case CLS_MEAN ->
          nodes.node(
              "Concat", "cls_mean", List.of(first(tokens), mean(tokens)), Attribute.of("axis", 1L));
      case TOKENS -> tokens;
    };
  }

  private String first(String tokens) {
    return nodes.at("cls", tokens, 0, 1);
  }

  private String mean(String tokens) {
    String counted = prefix == 0 ? tokens : nodes.from("patches", tokens, prefix, 1);
    if (mask.isEmpty()) {
      return nodes.reduceMean("mean", counted, 1, false);
    }
    String valid = floatMask(nodes, mask.get());
    valid = prefix == 0 ? valid : nodes.from("valid.patches", valid, prefix, 1);
    String perToken = nodes.unsqueeze("valid.per_token", valid, 2);
    String masked = nodes.multiply("masked", counted, perToken);
    String sum = nodes.reduceSum("sum", masked, 1, false);
    String count = nodes.reduceSum("valid.count", valid, 1, true);
    // nothing but padding has the mean 0, not NaN
    String divisor = nodes.node("Max", "valid.divisor", List.of(count, nodes.number(1)));
    return nodes.node("Div", "mean", List.of(sum, divisor));
  }

  /** [batch, tokens], 1 = token, 0 = padding. */
  static String floatMask(NodeBuilder nodes, String mask) {
    return nodes.node("Cast", "valid", List.of(mask), Attribute.of("to", 1L));
  }
}

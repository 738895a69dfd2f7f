package dev.sidefade.backbone;

import java.util.Optional;

/**
 * One layer normalisation of a backbone over the innermost dimension: {@code (x - mean) /
 * sqrt(variance + epsilon) * scale + bias}.
 *
 * @param position its number among all norms of the graph, from 0, in the order of execution
 * @param block 0 when the embeddings depend on it, l when it is part of block l, the number of
 *     blocks plus 1 when it comes after the last one
 * @param form how the graph writes it
 * @param input value that is normalised
 * @param output value that comes out
 * @param scale value that holds the scale, [width]: the initializer itself, behind any Identity
 * @param bias value that holds the bias, [width], where there is one
 * @param epsilon what is added to the variance
 * @param axis first dimension that is normalised, as the graph writes it; it is always the
 *     innermost
 * @param width number of elements that are normalised together
 */
public record Norm(
    int position,
    int block,
    Form form,
    String input,
    String output,
    String scale,
    Optional<String> bias,
    float epsilon,
    int axis,
    long width) {

  /** How a graph writes a layer normalisation. */
  public enum Form {
    /** One {@code LayerNormalization} node (opset 17 and later). */
    OPERATOR,
    /** A chain of ReduceMean, Sub, Pow, ReduceMean, Add, Sqrt, Div, Mul, Add. */
    DECOMPOSED
  }

  /** {@return name under which the scale can be made an input of a {@link Trunk}} */
  public String scaleInput() {
    return "sidefade.norm." + position + ".scale";
  }

  /** {@return name under which the bias can be made an input of a {@link Trunk}} */
  public String biasInput() {
    return "sidefade.norm." + position + ".bias";
  }

  Norm inBlock(int number) {
    return new Norm(position, number, form, input, output, scale, bias, epsilon, axis, width);
  }
}

package dev.sidefade.layers;

import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * From token features to logits: pool(layerNorm(x)) weight + bias. N is the number of rows that the
 * pooling leaves, {@link Pooling#rows}: the batch, or every token.
 */
public final class ReadOut {
  /**
   * What the forward pass keeps, and memory of the backward pass.
   *
   * @param mean [rows]
   * @param rstd [rows]
   * @param normalized [rows, D]; its gradient takes its place in the backward pass
   * @param pooled [N, D * parts]
   * @param logits [N, C]
   * @param dPooled [N, D * parts]
   */
  public record State(
      Tensor mean, Tensor rstd, Tensor normalized, Tensor pooled, Tensor logits, Tensor dPooled) {}

  private final int width;
  private final int classes;
  private final float epsilon;
  private final Pooling pooling;
  private final boolean normLearns;
  private final Parameter gamma;
  private final Parameter beta;
  private final Parameter weight;
  private final Parameter bias;

  /**
   * Declares {@code norm.gamma}, {@code norm.beta} [width], {@code head.weight} [width * parts,
   * classes] and {@code head.bias} [classes].
   *
   * @param parameters the set that the parameters are declared in
   * @param normRole role of the norm's parameters
   * @param headRole role of the output layer's parameters
   * @param width features of a token
   * @param pooling how tokens become one row
   * @param classes number of classes
   * @param epsilon added to variances
   * @param normLearns whether the norm's gradient is wanted; otherwise it stays zero
   * @param scale how the norm's scale starts
   * @param shift how the norm's shift starts
   */
  public ReadOut(
      Parameters parameters,
      Parameter.Role normRole,
      Parameter.Role headRole,
      int width,
      Pooling pooling,
      int classes,
      float epsilon,
      boolean normLearns,
      Initializer scale,
      Initializer shift) {
    this.width = width;
    this.classes = classes;
    this.epsilon = epsilon;
    this.pooling = pooling;
    this.normLearns = normLearns;
    gamma = parameters.add("norm.gamma", normRole, false, scale, width);
    beta = parameters.add("norm.beta", normRole, false, shift, width);
    long pooledWidth = (long) width * pooling.parts();
    weight =
        parameters.add(
            "head.weight", headRole, true, Initializer.fanIn(pooledWidth), pooledWidth, classes);
    bias = parameters.add("head.bias", headRole, false, Initializer.constant(0), classes);
  }

  /**
   * {@return memory of both passes}
   *
   * @param slab memory that the pieces are taken from
   * @param layout how the rows are arranged
   */
  public State state(Slab slab, TokenLayout layout) {
    long pooledWidth = (long) width * pooling.parts();
    long pooledRows = pooling.rows(layout);
    return new State(
        slab.take(layout.rows()),
        slab.take(layout.rows()),
        slab.take(layout.rows(), width),
        slab.take(pooledRows, pooledWidth),
        slab.take(pooledRows, classes),
        slab.take(pooledRows, pooledWidth));
  }

  /**
   * x [rows, width] to {@code state.logits()} [N, classes].
   *
   * @param kernels the operations of the device
   * @param x [rows, width]
   * @param layout how the rows are arranged
   * @param valid 1 = token, 0 = padding; null when all are tokens
   * @param s memory of both passes
   */
  public void forward(
      Kernels kernels, Tensor x, TokenLayout layout, @Nullable Tensor valid, State s) {
    kernels.layerNorm(x, gamma.value(), beta.value(), epsilon, s.normalized(), s.mean(), s.rstd());
    kernels.pool(s.normalized(), layout, pooling, valid, s.pooled());
    kernels.linear(s.pooled(), weight.value(), bias.value(), s.logits());
  }

  /** Adds to the gradient by the normalised tokens before it goes through the norm. */
  @FunctionalInterface
  public interface NormalizedGradient {
    /**
     * Adds to the gradient by the normalised tokens.
     *
     * @param gradient [rows, width] by the output of the norm, added to
     */
    void addTo(Tensor gradient);
  }

  /**
   * Writes the parameters' gradients.
   *
   * @param kernels the operations of the device
   * @param x [rows, width]
   * @param layout how the rows are arranged
   * @param valid 1 = token, 0 = padding; null when all are tokens
   * @param s memory of both passes
   * @param dLogits [N, classes]
   * @param extra a loss on the normalised tokens, already computed; null when there is none
   * @param dx [rows, width], written; null when x is a constant
   */
  public void backward(
      Kernels kernels,
      Tensor x,
      TokenLayout layout,
      @Nullable Tensor valid,
      State s,
      Tensor dLogits,
      @Nullable NormalizedGradient extra,
      @Nullable Tensor dx) {
    kernels.linearBackward(
        s.pooled(), weight.value(), dLogits, s.dPooled(), weight.gradient(), bias.gradient());
    if (!normLearns && dx == null) {
      return;
    }
    kernels.poolBackward(s.dPooled(), layout, pooling, valid, s.normalized());
    if (extra != null) {
      extra.addTo(s.normalized());
    }
    kernels.layerNormBackward(
        x,
        gamma.value(),
        s.mean(),
        s.rstd(),
        s.normalized(),
        dx,
        false,
        gamma.gradient(),
        beta.gradient());
  }

  /**
   * {@return [classes] logits' bias and [width * parts, classes] weight, scale and shift: what an
   * export writes}
   */
  public Parameter weight() {
    return weight;
  }

  /** {@return [classes]} */
  public Parameter bias() {
    return bias;
  }

  /** {@return [width]} */
  public Parameter gamma() {
    return gamma;
  }

  /** {@return [width]} */
  public Parameter beta() {
    return beta;
  }
}

package dev.sidefade.layers;

import dev.sidefade.kernels.AdapterState;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A pre-norm transformer block: y = x + attention(layerNorm(x) Wqkv) Wproj, then an {@link
 * AdapterBlock} on y as its MLP.
 */
public final class TransformerBlock {
  /**
   * What the forward pass keeps for the backward pass.
   *
   * @param mean [rows] of the first layer norm
   * @param rstd [rows] of the first layer norm
   * @param normalized [rows, D]
   * @param qkv [rows, 3 D]
   * @param attended [rows, D]
   * @param middle [rows, D] the sum after attention
   * @param mlp of the second half
   */
  public record State(
      Tensor mean,
      Tensor rstd,
      Tensor normalized,
      Tensor qkv,
      Tensor attended,
      Tensor middle,
      AdapterState mlp) {}

  /**
   * Memory of a backward pass; blocks of one width share it.
   *
   * @param narrow [rows, D]
   * @param wide [rows, 3 D]
   */
  public record Scratch(Tensor narrow, Tensor wide) {}

  private final int width;
  private final int heads;
  private final float epsilon;
  private final Parameter gamma;
  private final Parameter beta;
  private final Parameter qkvWeight;
  private final Parameter qkvBias;
  private final Parameter projectionWeight;
  private final Parameter projectionBias;
  private final AdapterBlock mlp;

  /**
   * Declares the parameters under {@code prefix}: norm1, qkv, proj, norm2, fc1, fc2.
   *
   * @param parameters the set that the parameters are declared in
   * @param prefix what the names begin with
   * @param width features of a token, D
   * @param heads number of attention heads, which divides the width
   * @param hidden width of the feed-forward part
   * @param epsilon added to variances
   */
  public TransformerBlock(
      Parameters parameters, String prefix, int width, int heads, int hidden, float epsilon) {
    if (heads < 1 || width % heads != 0) {
      throw new BadInputException(
          "a side width of "
              + width
              + " cannot be divided by "
              + heads
              + " heads: choose a width that is a multiple of the number of heads");
    }
    this.width = width;
    this.heads = heads;
    this.epsilon = epsilon;
    Parameter.Role role = Parameter.Role.SIDE;
    gamma = parameters.add(prefix + "norm1.gamma", role, false, Initializer.constant(1), width);
    beta = parameters.add(prefix + "norm1.beta", role, false, Initializer.constant(0), width);
    qkvWeight =
        parameters.add(
            prefix + "qkv.weight", role, true, Initializer.fanIn(width), width, 3L * width);
    qkvBias = parameters.add(prefix + "qkv.bias", role, false, Initializer.constant(0), 3L * width);
    projectionWeight =
        parameters.add(prefix + "proj.weight", role, true, Initializer.fanIn(width), width, width);
    projectionBias =
        parameters.add(prefix + "proj.bias", role, false, Initializer.constant(0), width);
    mlp = new AdapterBlock(parameters, prefix, "norm2", width, hidden, epsilon);
  }

  /**
   * {@return memory of the forward pass}
   *
   * @param slab memory that the pieces are taken from
   * @param layout how the rows are arranged
   */
  public State state(Slab slab, TokenLayout layout) {
    long rows = layout.rows();
    return new State(
        slab.take(rows),
        slab.take(rows),
        slab.take(rows, width),
        slab.take(rows, 3L * width),
        slab.take(rows, width),
        slab.take(rows, width),
        mlp.state(slab, rows));
  }

  /**
   * {@return memory of the backward pass}
   *
   * @param slab memory that the pieces are taken from
   * @param layout how the rows are arranged
   */
  public Scratch scratch(Slab slab, TokenLayout layout) {
    return new Scratch(slab.take(layout.rows(), width), slab.take(layout.rows(), 3L * width));
  }

  /**
   * x [rows, D] to z [rows, D].
   *
   * @param kernels the operations of the device
   * @param x [rows, D]
   * @param layout how the rows are arranged
   * @param valid [rows] or null, see {@link Kernels#attention}
   * @param s memory of the forward pass
   * @param z [rows, D], written
   */
  public void forward(
      Kernels kernels, Tensor x, TokenLayout layout, @Nullable Tensor valid, State s, Tensor z) {
    kernels.layerNorm(x, gamma.value(), beta.value(), epsilon, s.normalized(), s.mean(), s.rstd());
    kernels.linear(s.normalized(), qkvWeight.value(), qkvBias.value(), s.qkv());
    kernels.attention(s.qkv(), layout, heads, valid, s.attended());
    kernels.linear(s.attended(), projectionWeight.value(), projectionBias.value(), s.middle());
    kernels.add(x, s.middle());
    mlp.forward(kernels, s.middle(), s.mlp(), z);
  }

  /**
   * Turns {@code gradient} by z into the gradient by x, in place, and writes the parameters'
   * gradients.
   *
   * @param kernels the operations of the device
   * @param x [rows, D]
   * @param layout how the rows are arranged
   * @param valid [rows] or null, see {@link Kernels#attention}
   * @param s memory of the forward pass
   * @param scratch memory of the backward pass
   * @param gradient [rows, D], changed
   */
  public void backward(
      Kernels kernels,
      Tensor x,
      TokenLayout layout,
      @Nullable Tensor valid,
      State s,
      Scratch scratch,
      Tensor gradient) {
    mlp.backward(kernels, s.middle(), s.mlp(), gradient);
    kernels.linearBackward(
        s.attended(),
        projectionWeight.value(),
        gradient,
        scratch.narrow(),
        projectionWeight.gradient(),
        projectionBias.gradient());
    kernels.attentionBackward(s.qkv(), layout, heads, valid, scratch.narrow(), scratch.wide());
    kernels.linearBackward(
        s.normalized(),
        qkvWeight.value(),
        scratch.wide(),
        scratch.narrow(),
        qkvWeight.gradient(),
        qkvBias.gradient());
    kernels.layerNormBackward(
        x,
        gamma.value(),
        s.mean(),
        s.rstd(),
        scratch.narrow(),
        gradient,
        true,
        gamma.gradient(),
        beta.gradient());
  }
}

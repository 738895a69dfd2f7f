package dev.sidefade.layers;

import dev.sidefade.kernels.AdapterState;
import dev.sidefade.kernels.AdapterWeights;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.tensor.Tensor;

/**
 * z = x + gelu(layerNorm(x) w1 + b1) w2 + b2 per token; w2 starts at zero, so the block starts as
 * the identity.
 */
public final class AdapterBlock {
  private final int width;
  private final int hidden;
  private final float epsilon;
  private final Parameter gamma;
  private final Parameter beta;
  private final Parameter w1;
  private final Parameter b1;
  private final Parameter w2;
  private final Parameter b2;

  @SuppressWarnings("NullAway.Init")
  private AdapterWeights values;

  @SuppressWarnings("NullAway.Init")
  private AdapterWeights gradients;

  /**
   * Declares the parameters under {@code prefix}: {@code NORM.gamma}, {@code NORM.beta}, {@code
   * fc1.weight} [width, hidden], {@code fc1.bias}, {@code fc2.weight} [hidden, width], {@code
   * fc2.bias}.
   *
   * @param parameters the set that the parameters are declared in
   * @param prefix what the names begin with
   * @param normName name of the layer norm below the prefix
   * @param width of the rows
   * @param hidden width between the two layers
   * @param epsilon added to variances
   */
  public AdapterBlock(
      Parameters parameters, String prefix, String normName, int width, int hidden, float epsilon) {
    this.width = width;
    this.hidden = hidden;
    this.epsilon = epsilon;
    Parameter.Role role = Parameter.Role.SIDE;
    gamma =
        parameters.add(prefix + normName + ".gamma", role, false, Initializer.constant(1), width);
    beta = parameters.add(prefix + normName + ".beta", role, false, Initializer.constant(0), width);
    w1 = parameters.add(prefix + "fc1.weight", role, true, Initializer.fanIn(width), width, hidden);
    b1 = parameters.add(prefix + "fc1.bias", role, false, Initializer.constant(0), hidden);
    w2 = parameters.add(prefix + "fc2.weight", role, true, Initializer.constant(0), hidden, width);
    b2 = parameters.add(prefix + "fc2.bias", role, false, Initializer.constant(0), width);
  }

  /**
   * {@return memory of the forward pass for so many rows}
   *
   * @param slab memory that the pieces are taken from
   * @param rows number of rows
   */
  public AdapterState state(Slab slab, long rows) {
    return new AdapterState(
        slab.take(rows),
        slab.take(rows),
        slab.take(rows, width),
        slab.take(rows, hidden),
        slab.take(rows, hidden));
  }

  /**
   * x [rows, width] to z [rows, width].
   *
   * @param kernels the operations of the device
   * @param x [rows, width]
   * @param state memory of the forward pass
   * @param z [rows, width], written
   */
  public void forward(Kernels kernels, Tensor x, AdapterState state, Tensor z) {
    kernels.adapter(x, values(), epsilon, state, z);
  }

  /**
   * Turns {@code gradient} by z into the gradient by x, in place, and writes the parameters'
   * gradients.
   *
   * @param kernels the operations of the device
   * @param x [rows, width]
   * @param state memory of the forward pass
   * @param gradient [rows, width], changed
   */
  public void backward(Kernels kernels, Tensor x, AdapterState state, Tensor gradient) {
    kernels.adapterBackward(x, values(), state, gradient, gradient, gradients());
  }

  private AdapterWeights values() {
    if (values == null) {
      values =
          new AdapterWeights(
              gamma.value(), beta.value(), w1.value(), b1.value(), w2.value(), b2.value());
    }
    return values;
  }

  private AdapterWeights gradients() {
    if (gradients == null) {
      gradients =
          new AdapterWeights(
              gamma.gradient(),
              beta.gradient(),
              w1.gradient(),
              b1.gradient(),
              w2.gradient(),
              b2.gradient());
    }
    return gradients;
  }
}

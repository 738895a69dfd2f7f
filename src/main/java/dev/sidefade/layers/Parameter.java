package dev.sidefade.layers;

import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;

/**
 * One named trainable tensor. Its value and gradient are views of the {@link Parameters} that it
 * belongs to.
 */
public final class Parameter {
  /** Which learning rate a parameter follows. */
  public enum Role {
    /** Weights and biases of the side network and of the feature path. */
    SIDE,
    /** The backbone's new output layer. */
    HEAD,
    /** Scales and shifts of the backbone's layer norms. */
    NORM,
    /** Biases of the backbone. */
    BIAS,
    /** Low-rank deltas of the backbone's weights. */
    LOW_RANK
  }

  private final String name;
  private final Shape shape;
  private final Role role;
  private final boolean decay;
  private final Initializer initializer;

  @SuppressWarnings("NullAway.Init")
  private Tensor value;

  @SuppressWarnings("NullAway.Init")
  private Tensor gradient;

  Parameter(String name, Shape shape, Role role, boolean decay, Initializer initializer) {
    this.name = name;
    this.shape = shape;
    this.role = role;
    this.decay = decay;
    this.initializer = initializer;
  }

  void bind(Tensor boundValue, Tensor boundGradient) {
    value = boundValue;
    gradient = boundGradient;
  }

  /** {@return unique name within its set, parts separated by dots: "blocks.3.qkv.weight"} */
  public String name() {
    return name;
  }

  /** {@return dimensions} */
  public Shape shape() {
    return shape;
  }

  /** {@return which learning rate it follows} */
  public Role role() {
    return role;
  }

  /** {@return whether weight decay applies: not to biases, norms, gates and mask tokens} */
  public boolean decay() {
    return decay;
  }

  Initializer initializer() {
    return initializer;
  }

  /** {@return current value} */
  public Tensor value() {
    return value;
  }

  /** {@return gradient, written by the backward pass} */
  public Tensor gradient() {
    return gradient;
  }
}

package dev.sidefade.backbone;

import java.util.Optional;

/**
 * The classifier at the end of a backbone: {@code logits = features W + bias}.
 *
 * @param input value with the features, [batch, width]
 * @param weight initializer of W
 * @param bias initializer of the bias, [classes], where there is one
 * @param transposed whether the weight is stored as [classes, width] rather than [width, classes]
 * @param output value with the logits, [batch, classes]: an output of the model, or what becomes
 *     one through Identity
 * @param width number of features
 * @param classes number of classes
 */
public record Head(
    String input,
    String weight,
    Optional<String> bias,
    boolean transposed,
    String output,
    long width,
    long classes) {

  /** Name under which W can be made an input of a {@link Trunk}. */
  public static final String WEIGHT_INPUT = "sidefade.head.weight";

  /** Name under which the bias can be made an input of a {@link Trunk}. */
  public static final String BIAS_INPUT = "sidefade.head.bias";
}

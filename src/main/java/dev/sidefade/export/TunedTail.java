package dev.sidefade.export;

import dev.sidefade.kernels.Pooling;
import dev.sidefade.layers.Parameters;
import dev.sidefade.tensor.BadInputException;
import java.util.Optional;

/**
 * What training made of a backbone's end: logits = pool(norm(tokens)) weight + bias. The arrays are
 * not copied and must not be changed afterwards.
 *
 * @param pooling how the tokens become one row
 * @param normScale [D] scale of the final norm; empty when the norm stays as it was
 * @param normShift [D] shift of the final norm; there exactly when the scale is
 * @param headWeight [D * parts, classes], row-major, from input to output
 * @param headBias [classes]
 * @param classes number of logits
 */
public record TunedTail(
    Pooling pooling,
    Optional<float[]> normScale,
    Optional<float[]> normShift,
    float[] headWeight,
    float[] headBias,
    int classes) {

  /**
   * Checks lengths against each other and that all values are finite.
   *
   * @throws BadInputException naming what does not fit
   */
  public TunedTail {
    if (classes < 1 || headBias.length != classes) {
      throw new BadInputException(
          "the head has a bias of "
              + headBias.length
              + " values for "
              + classes
              + " classes; one value for each class is expected");
    }
    int perToken = classes * pooling.parts();
    if (headWeight.length == 0 || headWeight.length % perToken != 0) {
      throw new BadInputException(
          "the head has "
              + headWeight.length
              + " weights, which is no multiple of "
              + classes
              + " classes for the read-out "
              + pooling
              + "; train it again");
    }
    if (normScale.isPresent() != normShift.isPresent()) {
      throw new BadInputException(
          "the final norm must be given with scale and shift or not at all; give both");
    }
    int width = headWeight.length / perToken;
    normScale.ifPresent(scale -> check("the scale of the final norm", scale, width));
    normShift.ifPresent(shift -> check("the shift of the final norm", shift, width));
    check("the weight of the head", headWeight, headWeight.length);
    check("the bias of the head", headBias, classes);
  }

  /**
   * {@return a tail whose final norm stays as it was}
   *
   * @param pooling how tokens become one row
   * @param weight [width * parts, classes] of the output layer
   * @param bias [classes] of the output layer
   */
  public static TunedTail head(Pooling pooling, float[] weight, float[] bias) {
    return new TunedTail(pooling, Optional.empty(), Optional.empty(), weight, bias, bias.length);
  }

  /**
   * {@return the present values of {@code norm.gamma}, {@code norm.beta}, {@code head.weight} and
   * {@code head.bias}, copied}
   *
   * @param pooling how tokens become one row
   * @param parameters of the tail
   * @param withNorm whether the norm was tuned
   */
  public static TunedTail of(Pooling pooling, Parameters parameters, boolean withNorm) {
    float[] bias = values(parameters, "head.bias");
    return new TunedTail(
        pooling,
        withNorm ? Optional.of(values(parameters, "norm.gamma")) : Optional.empty(),
        withNorm ? Optional.of(values(parameters, "norm.beta")) : Optional.empty(),
        values(parameters, "head.weight"),
        bias,
        bias.length);
  }

  /** {@return number of features of a token, D} */
  public int width() {
    return headWeight.length / (classes * pooling.parts());
  }

  private static float[] values(Parameters parameters, String name) {
    return parameters.get(name).value().toFloats();
  }

  /** Refuses another number of values, and values that are not finite. */
  static void check(String what, float[] values, int length) {
    if (values.length != length) {
      throw new BadInputException(
          what
              + " has "
              + values.length
              + " values where "
              + length
              + " are expected; train it again");
    }
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new BadInputException(
            what + " holds " + value + "; train again with a smaller learning rate");
      }
    }
  }
}

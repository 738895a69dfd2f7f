package dev.sidefade.distill;

import dev.sidefade.kernels.Kernels;
import dev.sidefade.layers.Initializer;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import dev.sidefade.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The side network teaches the backbone: the backbone's normalised last features, through a
 * low-rank alignment, imitate the side network's last state, which is a constant here. The gradient
 * goes to the backbone's last layer norm, the only one outside the frozen graph.
 */
public final class ReverseFeaturePath {
  private final float weight;
  private final Parameter down;
  private final Parameter up;

  /**
   * Declares {@code reverse.down} [tapWidth, rank] and {@code reverse.up} [rank, sideWidth].
   *
   * @param parameters the set that the parameters are declared in
   * @param tapWidth features of a token in the backbone
   * @param sideWidth features of a token in the side network
   * @param rank columns of the first factor of a low-rank map, at least 1
   * @param weight factor of the loss
   */
  public ReverseFeaturePath(
      Parameters parameters, int tapWidth, int sideWidth, int rank, float weight) {
    this.weight = weight;
    Initializer start = Initializer.normal(FeaturePath.ALIGNMENT_DEVIATION);
    Parameter.Role role = Parameter.Role.SIDE;
    down = parameters.add("reverse.down", role, true, start, tapWidth, rank);
    up = parameters.add("reverse.up", role, true, start, rank, sideWidth);
  }

  /**
   * Adds the gradient by the backbone's normalised features.
   *
   * @param kernels the operations of the device
   * @param normalized [rows, D_B] output of the backbone's last layer norm
   * @param valid [rows] or null
   * @param state Z_L [rows, D_S], a constant
   * @param loss [1], written
   * @param gradient [rows, D_B], added to
   */
  public void addTo(
      Kernels kernels,
      Tensor normalized,
      @Nullable Tensor valid,
      Tensor state,
      Tensor loss,
      Tensor gradient) {
    kernels.featureMatching(
        normalized,
        down.value(),
        up.value(),
        state,
        valid,
        weight,
        false,
        loss,
        gradient,
        down.gradient(),
        up.gradient());
  }
}

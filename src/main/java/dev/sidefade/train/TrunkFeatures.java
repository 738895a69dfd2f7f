package dev.sidefade.train;

import dev.sidefade.backbone.Trunk;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The frozen features of one batch: what the trunk returned.
 *
 * @param taps [batch * tokens, width] of the taps that the side network reads
 * @param last [batch * tokens, width] what enters the backbone's last norm; often the last tap
 *     itself
 */
public record TrunkFeatures(List<Tensor> taps, Tensor last) {
  /** Arranges the outputs of a trunk, each [batch, tokens, width] or [batch, width], as rows. */
  public static TrunkFeatures of(Trunk trunk, int taps, List<Tensor> outputs) {
    List<Tensor> rows = new ArrayList<>();
    for (Tensor output : outputs) {
      rows.add(output.view(output.shape().rows(), output.dim(-1)));
    }
    return new TrunkFeatures(List.copyOf(rows.subList(0, taps)), rows.get(trunk.finalInput()));
  }
}

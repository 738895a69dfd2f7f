package dev.sidefade.train;

import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The features of one batch: what the trunk returned. Flags are 1 for a token and 0 for padding.
 *
 * @param taps [batch * tokens, width] of the taps that the side network reads
 * @param last [batch * tokens, width] what enters the backbone's last norm; often the last tap
 *     itself
 * @param tokens of each example at the taps, padding included
 * @param valid [batch * tokens] flags of the taps; null when all are tokens
 * @param lastValid flags of the rows of {@code last}; null when all are tokens, or pooled already
 */
public record TrunkFeatures(
    List<Tensor> taps,
    Tensor last,
    int tokens,
    @Nullable Tensor valid,
    @Nullable Tensor lastValid) {
  /**
   * Arranges the outputs of a trunk, each [batch, tokens, width] or [batch, width], as rows.
   *
   * @param source what computed them
   * @param taps how many outputs are taps
   * @param outputs taps and what enters the last norm
   * @param valid [rows], 1 = token, 0 = padding; null when all are tokens
   * @return the features
   */
  public static TrunkFeatures of(
      FeatureSource source, int taps, List<Tensor> outputs, @Nullable Tensor valid) {
    List<Tensor> rows = new ArrayList<>();
    int tokens = 1;
    for (int i = 0; i < outputs.size(); i++) {
      Tensor output = outputs.get(i);
      if (source.outputs().get(i).perToken()) {
        tokens = Math.toIntExact(output.dim(1));
      }
      rows.add(output.view(output.shape().rows(), output.dim(-1)));
    }
    Tensor last = rows.get(source.finalInput());
    boolean perToken = valid != null && last.shape().rows() == valid.size();
    return new TrunkFeatures(
        List.copyOf(rows.subList(0, taps)), last, tokens, valid, perToken ? valid : null);
  }

  /** The arrangement of the tokens at the taps. */
  TokenLayout layout(TokenLayout largest, int batch) {
    return largest.with(batch, tokens);
  }

  /**
   * The arrangement of the rows that enter the last norm: one for each example where the backbone
   * pools before it.
   */
  TokenLayout lastLayout(TokenLayout largest, int batch) {
    int length = Math.toIntExact(last.shape().rows()) / batch;
    return largest.with(batch, length);
  }
}

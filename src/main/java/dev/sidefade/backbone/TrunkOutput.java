package dev.sidefade.backbone;

import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * One output of a {@link Trunk}.
 *
 * @param value name of the value
 * @param perToken whether it is [batch, tokens, width] rather than [batch, width]
 * @param tokens number of tokens; -1 where it depends on the input
 * @param width number of features, or of classes
 */
public record TrunkOutput(String value, boolean perToken, long tokens, long width) {

  /**
   * {@return shape for a batch; {@code sequence} is the number of tokens where that depends on the
   * input}
   *
   * @param batch number of examples
   * @param sequence number of tokens where it is free
   */
  public long[] shape(long batch, long sequence) {
    return perToken
        ? new long[] {batch, tokens < 0 ? sequence : tokens, width}
        : new long[] {batch, width};
  }

  /**
   * {@return shape for a batch of a model whose number of tokens is fixed}
   *
   * @param batch number of examples
   */
  public long[] shape(long batch) {
    if (perToken && tokens < 0) {
      throw new IllegalStateException("the number of tokens of " + value + " depends on the input");
    }
    return shape(batch, tokens);
  }

  boolean fits(Tensor tensor, long batch) {
    long sequence = tensor.shape().rank() == 3 ? tensor.dim(1) : -1;
    return tensor.dtype() == DType.F32
        && (!perToken || sequence > 0)
        && tensor.shape().equals(Shape.of(shape(batch, sequence)));
  }

  static List<TrunkOutput> of(BackboneStructure structure, TrunkSpec spec) {
    List<TrunkOutput> outputs = new ArrayList<>();
    for (int number : spec.taps()) {
      if (number < 0 || number >= structure.taps().size()) {
        throw new BadInputException(
            "there is no tap "
                + number
                + ": the backbone has taps 0 (embeddings) to "
                + structure.blocks()
                + " (last block)");
      }
      TrunkOutput tap = ofTap(structure.taps().get(number));
      if (outputs.contains(tap)) {
        throw new BadInputException("tap " + number + " is named twice; name each tap once");
      }
      outputs.add(tap);
    }
    TrunkOutput last = finalInput(structure);
    if (!outputs.contains(last)) {
      outputs.add(last);
    }
    if (spec.logits()) {
      Head head =
          structure
              .head()
              .orElseThrow(
                  () -> new BadInputException("the backbone has no head, so it has no logits"));
      outputs.add(new TrunkOutput(head.output(), false, -1, head.classes()));
    }
    return List.copyOf(outputs);
  }

  static int finalInput(BackboneStructure structure, List<TrunkOutput> outputs) {
    return outputs.indexOf(finalInput(structure));
  }

  private static TrunkOutput finalInput(BackboneStructure structure) {
    BackboneStructure.Tap last = structure.lastTap();
    if (structure.finalNorm().isEmpty()) {
      return ofTap(last);
    }
    Norm norm = structure.finalNorm().get();
    boolean pooled = structure.readOut().beforeNorm();
    return norm.input().equals(last.value())
        ? ofTap(last)
        : new TrunkOutput(norm.input(), !pooled, pooled ? -1 : last.tokens(), norm.width());
  }

  private static TrunkOutput ofTap(BackboneStructure.Tap tap) {
    return new TrunkOutput(tap.value(), true, tap.tokens(), tap.width());
  }
}

package dev.sidefade.distill;

import dev.sidefade.tensor.BadInputException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The feature path from the backbone to the side network.
 *
 * @param shallow taps whose features are imitated directly
 * @param deep taps whose features are generated from masked tokens
 * @param rank d of the low-rank alignment
 * @param imitationWeight w_lo
 * @param generationWeight w_hi
 * @param generationRatio lambda, share of tokens removed
 * @param grid whether the tokens are patches on a grid (convolutional generator) or a sequence
 *     (self-attention)
 * @param standardize whether targets go through a layer norm without parameters
 */
public record FeatureConfig(
    List<Integer> shallow,
    List<Integer> deep,
    int rank,
    float imitationWeight,
    float generationWeight,
    float generationRatio,
    boolean grid,
    boolean standardize) {
  /** Refuses taps that are named twice and values that cannot work. */
  public FeatureConfig {
    shallow = List.copyOf(shallow);
    deep = List.copyOf(deep);
    Set<Integer> both = new HashSet<>(shallow);
    both.retainAll(deep);
    if (!both.isEmpty()) {
      throw new BadInputException(
          "taps " + both + " are both shallow and deep: give each to one of the two lists");
    }
    for (List<Integer> taps : List.of(shallow, deep)) {
      if (new HashSet<>(taps).size() != taps.size()) {
        throw new BadInputException(
            "a tap is named twice among those to distil, " + taps + ": name each tap once");
      }
    }
    if (!(imitationWeight >= 0 && generationWeight >= 0)) {
      throw new BadInputException(
          "the weights of imitation and generation must not be negative, got "
              + imitationWeight
              + " and "
              + generationWeight);
    }
    if (rank < 1) {
      throw new BadInputException("the rank of the alignment must be positive, got " + rank);
    }
    if (!(generationRatio > 0 && generationRatio <= 1)) {
      throw new BadInputException("the generation ratio must be in (0, 1], got " + generationRatio);
    }
  }
}

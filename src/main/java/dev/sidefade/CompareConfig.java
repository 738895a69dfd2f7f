package dev.sidefade;

import dev.sidefade.tensor.BadInputException;
import java.util.HashSet;
import java.util.List;

/**
 * What {@link Comparison} compares.
 *
 * @param shared settings of all runs; its folder takes the comparison, its seed is not used
 * @param seeds of the runs of every variant
 * @param variants what is run with every seed
 */
public record CompareConfig(AdaptConfig shared, List<Long> seeds, List<CompareVariant> variants) {
  /** Refuses an empty list and one that names something twice. */
  public CompareConfig {
    seeds = List.copyOf(seeds);
    variants = List.copyOf(variants);
    if (seeds.isEmpty() || new HashSet<>(seeds).size() < seeds.size()) {
      throw new BadInputException(
          "the seeds of a comparison must be one or more and all different, got " + seeds);
    }
    if (variants.isEmpty() || new HashSet<>(variants).size() < variants.size()) {
      throw new BadInputException(
          "the variants of a comparison must be one or more and all different, got "
              + variants.stream().map(CompareVariant::text).toList());
    }
    for (CompareVariant variant : variants) {
      if (!variant.suits(shared.task())) {
        throw new BadInputException(
            "the variant "
                + variant.text()
                + " smooths labels, which numbers do not have: leave it"
                + " out for a regression");
      }
    }
  }

  /**
   * {@return all variants that suit the task}
   *
   * @param shared what all runs have in common
   * @param seeds one or more, all different
   */
  public static CompareConfig of(AdaptConfig shared, List<Long> seeds) {
    return new CompareConfig(shared, seeds, CompareVariant.all(shared.task()));
  }
}

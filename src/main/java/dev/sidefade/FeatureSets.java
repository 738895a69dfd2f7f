package dev.sidefade;

import dev.sidefade.train.ExampleSet;
import dev.sidefade.train.FeatureCache;
import dev.sidefade.train.FeatureFeed;
import dev.sidefade.train.FeatureSource;
import dev.sidefade.train.PairedFeatures;
import java.io.IOException;
import java.util.Optional;

/**
 * Features of the training, validation and test examples.
 *
 * @param source what computes, in evaluation, what enters the backbone's last norm
 * @param sideSource what computes the taps of the side network
 */
record FeatureSets(
    FeatureSource source,
    FeatureSource sideSource,
    FeatureFeed train,
    FeatureFeed validation,
    Optional<FeatureFeed> test) {
  /** Makes features of one set of examples. */
  @FunctionalInterface
  interface Maker {
    FeatureFeed of(String what, ExampleSet examples) throws IOException;
  }

  /**
   * All sets by one maker, but the training examples by another.
   *
   * @param trained the training examples that are used
   */
  static FeatureSets of(
      FeatureSource source, AdaptationData data, ExampleSet trained, Maker training, Maker others)
      throws IOException {
    return new FeatureSets(
        source,
        source,
        training.of("training", trained),
        others.of("validation", data.validation()),
        data.test().isPresent()
            ? Optional.of(others.of("test", data.test().get()))
            : Optional.empty());
  }

  /** These taps beside what another backbone computes at the end. */
  FeatureSets beside(FeatureSets learning) {
    return new FeatureSets(
        learning.source(),
        sideSource,
        new PairedFeatures(train, learning.train()),
        new PairedFeatures(validation, learning.validation()),
        test.map(feed -> new PairedFeatures(feed, learning.test().orElseThrow())));
  }

  /** Bytes of the cached features of the training examples; empty where they are live. */
  Optional<Long> cachedBytes() {
    return train instanceof FeatureCache cache ? Optional.of(cache.bytes()) : Optional.empty();
  }
}

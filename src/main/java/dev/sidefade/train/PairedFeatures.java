package dev.sidefade.train;

/**
 * The frozen backbone's taps for the side network beside what the backbone with its present
 * constants computes. So the side network has its own view of the examples, and what it says does
 * not move with the backbone that it teaches.
 *
 * @param frozen whose taps are taken
 * @param learning whose last features are taken
 */
public record PairedFeatures(FeatureFeed frozen, FeatureFeed learning) implements FeatureFeed {
  @Override
  public int size() {
    return learning.size();
  }

  @Override
  public int[] walk() {
    return learning.walk();
  }

  @Override
  public void start(long epoch, int[] order, int rows) {
    frozen.start(epoch, order, rows);
    learning.start(epoch, order, rows);
  }

  @Override
  public Batch next() {
    Batch own = frozen.next();
    Batch present = learning.next();
    TrunkFeatures features = present.features();
    return new Batch(
        new TrunkFeatures(
            own.features().taps(),
            features.last(),
            own.features().tokens(),
            own.features().valid(),
            features.lastValid()),
        present.examples(),
        present.targets(),
        present.said());
  }

  @Override
  public void close() {
    frozen.close();
    learning.close();
  }
}

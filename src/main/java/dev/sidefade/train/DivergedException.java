package dev.sidefade.train;

/** A loss or a gradient became NaN or infinite; a checkpoint written before is good. */
public final class DivergedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * A training that cannot go on.
   *
   * @param term name of the loss or gradient
   * @param step from 1
   * @param value what it was
   */
  public DivergedException(String term, long step, double value) {
    super(
        "training diverged at step "
            + step
            + ": "
            + term
            + " is "
            + value
            + "; what was saved before stays as it is: lower the learning rate and start again");
  }
}

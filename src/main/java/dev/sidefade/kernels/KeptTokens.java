package dev.sidefade.kernels;

/** How many tokens a random mask leaves. */
public final class KeptTokens {
  private KeptTokens() {}

  /**
   * {@return {@code floor(count * (1 - ratio))}, for the ratio that was meant: as a float, 0.1 is a
   * little more than a tenth, and would remove two of ten}
   *
   * @param count tokens that may be removed
   * @param ratio share to remove, in [0, 1]
   */
  public static int of(int count, float ratio) {
    double error = Math.ulp(ratio) / 2;
    return (int) Math.floor(count * Math.min(1, 1 - (double) ratio + error));
  }
}

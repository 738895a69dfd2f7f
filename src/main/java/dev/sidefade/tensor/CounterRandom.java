package dev.sidefade.tensor;

/**
 * Counter-based random numbers: a value is a pure function of (seed, stream, index), so that draws
 * need no state, do not depend on the order or the number of threads, and every device can compute
 * the same ones.
 *
 * <p>The mixing is the finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
 * number generators", 2014), applied to each of the three words in turn.
 */
public final class CounterRandom {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private CounterRandom() {}

  /**
   * {@return 64 random bits}
   *
   * @param seed of the run
   * @param stream one for each use
   * @param index of the number in its stream
   */
  public static long bits(long seed, long stream, long index) {
    long x = mix(seed + GOLDEN);
    x = mix(x + stream * GOLDEN + GOLDEN);
    return mix(x + index * GOLDEN + GOLDEN);
  }

  /**
   * {@return uniform on [0, 1), a multiple of 2^-24.}
   *
   * @param seed of the run
   * @param stream one for each use
   * @param index of the number in its stream
   */
  public static float uniform(long seed, long stream, long index) {
    return (bits(seed, stream, index) >>> 40) * 0x1p-24f;
  }

  /**
   * {@return uniform integer in [0, bound); the bias is below bound / 2^63.}
   *
   * @param bound at least 1
   * @param seed of the run
   * @param stream one for each use
   * @param index of the number in its stream
   */
  public static int below(int bound, long seed, long stream, long index) {
    return (int) Math.unsignedMultiplyHigh(bits(seed, stream, index), bound);
  }

  /**
   * {@return standard normal, by the Box-Muller transform of two uniforms}
   *
   * @param seed of the run
   * @param stream one for each use
   * @param index of the number in its stream
   */
  public static float normal(long seed, long stream, long index) {
    double u = ((bits(seed, stream, 2 * index) >>> 11) + 1) * 0x1p-53;
    double v = (bits(seed, stream, 2 * index + 1) >>> 11) * 0x1p-53;
    // StrictMath: the same bits on every machine
    return (float)
        (StrictMath.sqrt(-2 * StrictMath.log(u)) * StrictMath.cos(2 * StrictMath.PI * v));
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}

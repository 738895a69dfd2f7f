package dev.sidefade.backbone;

import java.util.List;

/**
 * What a {@link Trunk} is to compute.
 *
 * @param threads threads that compute one operator; 0 leaves the choice to ONNX Runtime
 * @param taps numbers of the taps that come out, 0 being the embeddings
 * @param logits whether the output of the original head comes out too
 * @param inputs constants that are fed with every run instead of being fixed: {@link
 *     Norm#scaleInput}, {@link Head#WEIGHT_INPUT} and the like, or names of initializers
 */
public record TrunkSpec(int threads, List<Integer> taps, boolean logits, List<String> inputs) {
  /** Copies the lists; refuses a negative number of threads. */
  public TrunkSpec {
    if (threads < 0) {
      throw new IllegalArgumentException("threads must be 0 or more, not " + threads);
    }
    taps = List.copyOf(taps);
    inputs = List.copyOf(inputs);
  }

  /**
   * {@return some taps, nothing tuned, no logits}
   *
   * @param threads that compute one operator; 0 leaves the choice to ONNX Runtime
   * @param taps numbers of the taps, 0 being the embeddings
   */
  public static TrunkSpec of(int threads, List<Integer> taps) {
    return new TrunkSpec(threads, taps, false, List.of());
  }

  /** {@return the same with the output of the original head} */
  public TrunkSpec withLogits() {
    return new TrunkSpec(threads, taps, true, inputs);
  }

  /**
   * {@return the same with constants that are fed with every run}
   *
   * @param constants names of the constants
   */
  public TrunkSpec withInputs(List<String> constants) {
    return new TrunkSpec(threads, taps, logits, constants);
  }
}

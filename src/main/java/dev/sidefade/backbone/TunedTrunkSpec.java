package dev.sidefade.backbone;

import java.util.List;

/**
 * What a {@link TunedTrunk} is to compute.
 *
 * @param threads threads that compute one operator; 0 leaves the choice to ONNX Runtime
 * @param taps numbers of the taps that come out, 0 being the embeddings
 * @param tuning which constants are fed with every run and get gradients
 * @param memory what is kept for the backward run
 */
public record TunedTrunkSpec(
    int threads, List<Integer> taps, Tuning tuning, GradientMemory memory) {
  /** Copies the list; refuses a negative number of threads. */
  public TunedTrunkSpec {
    if (threads < 0) {
      throw new IllegalArgumentException("threads must be 0 or more, not " + threads);
    }
    taps = List.copyOf(taps);
  }
}

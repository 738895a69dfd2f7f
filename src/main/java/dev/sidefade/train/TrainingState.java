package dev.sidefade.train;

import dev.sidefade.layers.Parameters;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How far a training is, beside the parameters. */
public final class TrainingState {
  /**
   * The parameters of the best epoch so far, kept when training may stop early.
   *
   * @param epoch from 1
   * @param score its validation score
   * @param tail flat values; empty when there is none
   * @param side likewise
   */
  public record Best(int epoch, double score, float[] tail, float[] side) {
    static Best of(int epoch, double score, Optional<BackboneTail> tail, Optional<SidePart> side) {
      return new Best(
          epoch,
          score,
          tail.map(t -> t.parameters().values().toFloats()).orElse(new float[0]),
          side.map(s -> s.parameters().values().toFloats()).orElse(new float[0]));
    }

    void restore(Optional<BackboneTail> to, Optional<SidePart> toSide) {
      to.map(BackboneTail::parameters).ifPresent(p -> restore(p, tail));
      toSide.map(SidePart::parameters).ifPresent(p -> restore(p, side));
    }

    private static void restore(Parameters parameters, float[] values) {
      parameters.values().setFloats(values);
    }
  }

  private final List<EpochRecord> history = new ArrayList<>();
  private @Nullable Best best;
  private boolean stopped;

  /** The state before the first epoch. */
  public TrainingState() {}

  /** {@return number of epochs that are over} */
  public int epochsDone() {
    return history.size();
  }

  /** {@return all epochs that are over} */
  public List<EpochRecord> history() {
    return List.copyOf(history);
  }

  /** {@return the best epoch, when training may stop early} */
  public Optional<Best> best() {
    return Optional.ofNullable(best);
  }

  /** {@return whether patience ran out} */
  public boolean stopped() {
    return stopped;
  }

  void add(EpochRecord epoch) {
    history.add(epoch);
  }

  void setBest(Best newBest) {
    best = newBest;
  }

  void stop() {
    stopped = true;
  }
}

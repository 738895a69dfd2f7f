package dev.sidefade.train;

import dev.sidefade.distill.Direction;
import dev.sidefade.kernels.Device;
import dev.sidefade.layers.Parameter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Runs epochs: batches in their order, validation after every epoch, early stop, checkpoints. All
 * that a later epoch needs is in {@link TrainingState} and the parameters, so a resumed run ends
 * with the same bytes as one that was never stopped.
 */
public final class Trainer {
  /**
   * How long and how often.
   *
   * @param epochs at most
   * @param patience epochs without a better validation score after which training stops; 0 = never
   * @param order of the examples
   * @param answers what the logits stand for, which decides the score
   */
  public record Plan(int epochs, int patience, EpochOrder order, Answers answers) {}

  /** Hears of progress. */
  public interface Listener {
    /**
     * A step is done.
     *
     * @param step from 1
     * @param loss of the step
     */
    void stepDone(long step, double loss);

    /**
     * An epoch is done.
     *
     * @param epoch its losses and scores
     */
    void epochDone(EpochRecord epoch);
  }

  /** Saves the state after an epoch. */
  @FunctionalInterface
  public interface Saver {
    /**
     * Keeps a state that a later run can go on from.
     *
     * @param state after an epoch
     * @throws IOException if it cannot be written; the training ends
     */
    void save(TrainingState state) throws IOException;
  }

  private final Device device;
  private final PathSettings settings;
  private final Plan plan;
  private final DualPath path;
  private final Optional<BackboneTail> tail;
  private final Optional<SidePart> side;
  private final FeatureFeed train;
  private final Optional<? extends FeatureFeed> validation;

  /**
   * Trains {@code tail} and {@code side} through {@code path} on the rows of {@code train}.
   *
   * @param device where tensors live and what computes
   * @param settings losses, temperature and which path runs
   * @param plan epochs, batches and learning rates
   * @param path the step
   * @param tail the tail, if it learns
   * @param side the side network, if there is one
   * @param train examples to learn from
   * @param validation examples to choose by
   */
  public Trainer(
      Device device,
      PathSettings settings,
      Plan plan,
      DualPath path,
      Optional<BackboneTail> tail,
      Optional<SidePart> side,
      FeatureFeed train,
      Optional<? extends FeatureFeed> validation) {
    this.device = device;
    this.settings = settings;
    this.plan = plan;
    this.path = path;
    this.tail = tail;
    this.side = side;
    this.train = train;
    this.validation = validation;
  }

  /**
   * Trains from {@code state} to the end.
   *
   * @param state how far the training is
   * @param listener hears of steps and epochs
   * @param saver keeps states
   * @throws DivergedException if a loss or gradient is not finite
   * @throws IOException if a state cannot be saved
   */
  public void run(TrainingState state, Listener listener, Saver saver) throws IOException {
    while (state.epochsDone() < plan.epochs() && !state.stopped()) {
      boolean sideTeaches = settings.logits() == Direction.SIDE_TO_BACKBONE;
      long scored = validation.map(FeatureFeed::size).orElse(1);
      path.setKlWeight(
          settings.klWeight().next(state.history(), plan.epochs(), sideTeaches, scored));
      EpochRecord epoch = epoch(state.epochsDone(), listener);
      state.add(epoch);
      followBest(state, epoch);
      saver.save(state);
      listener.epochDone(epoch);
    }
    if (plan.patience() > 0) {
      state
          .best()
          .filter(best -> !Double.isNaN(best.score()))
          .ifPresent(best -> best.restore(tail, side));
    }
  }

  private void followBest(TrainingState state, EpochRecord epoch) {
    if (plan.patience() == 0 || !backboneHadItsTurn(epoch)) {
      return;
    }
    // what ships decides: the backbone's path, or the side network where the backbone is left alone
    double score = tail.isPresent() ? epoch.validationFaded() : epoch.validationSide();
    if (state.best().isEmpty() || isBetter(score, state.best().get().score())) {
      state.setBest(TrainingState.Best.of(epoch.epoch(), score, tail, side));
    } else if (epoch.epoch() - state.best().get().epoch() >= plan.patience()
        && !Double.isNaN(state.best().get().score())) {
      // while no score was a number nothing is known about the epochs
      state.stop();
    }
  }

  /** While the side network learns ahead the backbone is as it was: its scores say nothing. */
  private boolean backboneHadItsTurn(EpochRecord epoch) {
    long steps = Math.multiplyExact((long) epoch.epoch(), plan.order().steps());
    return tail.isEmpty() || steps > settings.firstTurn(side.isPresent());
  }

  /** A score that is no number, as of a regression that says the same of all, is worse than any. */
  static boolean isBetter(double score, double than) {
    return Double.isNaN(than) ? !Double.isNaN(score) : score > than;
  }

  private EpochRecord epoch(int epoch, Listener listener) {
    long start = System.nanoTime();
    EpochOrder order = plan.order();
    train.start(epoch, order.epoch(epoch), order.rows());
    StepLosses losses = new StepLosses();
    long first = (long) epoch * order.steps();
    for (int i = 0; i < order.steps(); i++) {
      // the device may still be busy with the step before while the next batch is made
      FeatureFeed.Batch batch = train.next();
      finish(first + i, losses, listener);
      path.start(batch, first + i);
    }
    finish(first + order.steps(), losses, listener);
    long last = first + order.steps() - 1;
    double masked =
        settings.maskSchedule().ratio(settings.maskRatio(), last, settings.schedule().total());
    return new EpochRecord(
        epoch + 1,
        losses.means(),
        validationScore(tail.map(this::tailNetwork)),
        validationScore(side.map(this::sideNetwork)),
        settings.schedule().factor(last),
        gates(),
        1 - masked,
        (System.nanoTime() - start) / 1e9);
  }

  /**
   * @param steps that are done; of the last one nothing is known yet
   */
  private void finish(long steps, StepLosses losses, Listener listener) {
    if (path.settle(losses)) {
      double total = losses.means().values().stream().mapToDouble(v -> v).sum();
      listener.stepDone(steps, total);
    }
  }

  private double validationScore(Optional<Outcome.Network> network) {
    if (network.isEmpty() || validation.isEmpty()) {
      return Double.NaN;
    }
    return Outcome.of(validation.get(), plan.order().rows(), plan.answers(), network.get()).score();
  }

  private Outcome.Network tailNetwork(BackboneTail part) {
    return (features, batch) -> part.forward(device.kernels(), features, batch);
  }

  private Outcome.Network sideNetwork(SidePart part) {
    return (features, batch) -> part.forward(device.kernels(), features, batch);
  }

  private List<Double> gates() {
    List<Double> gates = new ArrayList<>();
    side.ifPresent(part -> {
      Parameter a = part.network().gates();
      float tau = part.network().config().tau();
      for (float value : a.value().toFloats()) {
        gates.add(1 / (1 + Math.exp(-value / tau)));
      }
    });
    return gates;
  }
}

package dev.sidefade.train;

import dev.sidefade.distill.Direction;
import dev.sidefade.distill.ReverseFeaturePath;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import dev.sidefade.side.SideNetwork;
import dev.sidefade.tensor.Tensor;
import java.util.Optional;

/**
 * One step of masked dual path distillation (method.md, f): both networks see the batch, the side
 * network is updated, and every so many steps the backbone's tail. Either part may be missing.
 */
public final class DualPath implements AutoCloseable {
  /**
   * Streams of random numbers that one step may use: taps of the feature path, then the ladder's
   * mask.
   */
  private static final long STREAMS_PER_STEP = 4096;

  private final Kernels kernels;
  private final PathSettings settings;
  private final Optional<BackboneTail> tail;
  private final Optional<SidePart> side;
  private final Optional<ReverseFeaturePath> reverse;
  private final Tensor losses;
  private final Tensor dTail;
  private final Tensor dNormalized;

  /**
   * @param reverse the feature path from the side network, its parameters declared with the tail's
   * @param rows largest batch
   */
  public DualPath(
      Device device,
      PathSettings settings,
      Optional<BackboneTail> tail,
      Optional<SidePart> side,
      Optional<ReverseFeaturePath> reverse,
      int rows) {
    this.kernels = device.kernels();
    this.settings = settings;
    this.tail = tail;
    this.side = side;
    this.reverse = reverse;
    losses = device.allocate(3);
    dTail = device.allocate(rows, tail.map(t -> t.config().classes()).orElse(1));
    dNormalized =
        device.allocate(
            reverse.isPresent()
                ? Math.multiplyExact(
                    (long) rows * tail.orElseThrow().config().layout().tokens(),
                    tail.orElseThrow().config().width())
                : 1);
  }

  /**
   * Learns from one batch.
   *
   * @param step from 0
   * @param means is told the loss terms
   */
  void step(FeatureFeed.Batch batch, long step, StepLosses means) {
    int n = batch.size();
    TrunkFeatures trunk = batch.features();
    Tensor keep = side.isPresent() ? ladderMask(side.get().plan(n), step) : null;
    Tensor tailLogits = tail.isPresent() ? tail.get().forward(kernels, trunk.last(), n) : null;
    Tensor sideLogits = side.isPresent() ? sideForward(side.get(), trunk, n, keep) : null;
    boolean backboneTurn = tail.isPresent() && step % settings.backboneEvery() == 0;
    // gradients of both before either is updated: each learns from what the other said about this
    // batch
    if (backboneTurn) {
      tailBackward(tail.get(), batch, tailLogits, sideLogits, step, means);
    }
    if (side.isPresent()) {
      sideBackward(side.get(), batch, tailLogits, sideLogits, keep, step, means);
    }
    if (backboneTurn) {
      long updates = step / settings.backboneEvery() + 1;
      update(tail.get().parameters(), "the backbone's gradient", step, updates);
    }
    if (side.isPresent()) {
      update(side.get().parameters(), "the side network's gradient", step, step + 1);
    }
  }

  private Tensor sideForward(SidePart part, TrunkFeatures trunk, int batch, Tensor keep) {
    SidePart.Plan plan = part.plan(batch);
    part.network().forward(kernels, trunk.taps(), keep, null, plan.activations());
    return plan.activations().logits();
  }

  /** [rows] 1 = kept, 0 = masked; null when nothing is masked at this step. */
  private Tensor ladderMask(SidePart.Plan plan, long step) {
    float ratio =
        settings.maskSchedule().ratio(settings.maskRatio(), step, settings.schedule().total());
    if (ratio <= 0) {
      return null;
    }
    long stream = step * STREAMS_PER_STEP + STREAMS_PER_STEP - 1;
    kernels.drawMask(
        settings.seed(), stream, ratio, plan.activations().layout(), null, plan.keep());
    kernels.invertMask(plan.keep());
    return plan.keep();
  }

  private void sideBackward(
      SidePart part,
      FeatureFeed.Batch batch,
      Tensor tailLogits,
      Tensor sideLogits,
      Tensor keep,
      long step,
      StepLosses means) {
    SidePart.Plan plan = part.plan(batch.size());
    boolean taught = settings.logits() == Direction.BACKBONE_TO_SIDE && tailLogits != null;
    kernels.logitDistillation(
        sideLogits,
        taught ? tailLogits : null,
        batch.labels(),
        distillation(taught),
        losses.slice(0, 2),
        plan.dLogits());
    means.add("side_ce", losses.get(0), step + 1);
    if (taught) {
      means.add("side_kl", losses.get(1), step + 1);
    }
    TrunkFeatures trunk = batch.features();
    SideNetwork.StateGradient onStates =
        part.features().isEmpty()
            ? SideNetwork.StateGradient.NONE
            : (tap, state, gradient) ->
                part.features()
                    .get()
                    .addTo(
                        kernels,
                        tap,
                        trunk.taps().get(tap),
                        null,
                        state,
                        gradient,
                        plan.features(),
                        settings.seed(),
                        step * STREAMS_PER_STEP + tap);
    part.network()
        .backward(kernels, trunk.taps(), keep, null, plan.activations(), plan.dLogits(), onStates);
    if (part.features().isPresent()) {
      means.add("imitation", plan.features().imitationLoss(), step + 1);
      means.add("generation", plan.features().generationLoss(), step + 1);
    }
  }

  private void tailBackward(
      BackboneTail part,
      FeatureFeed.Batch batch,
      Tensor tailLogits,
      Tensor sideLogits,
      long step,
      StepLosses means) {
    int n = batch.size();
    boolean taught = settings.logits() == Direction.SIDE_TO_BACKBONE && sideLogits != null;
    Tensor gradient = dTail.slice(0, n, part.config().classes());
    kernels.logitDistillation(
        tailLogits,
        taught ? sideLogits : null,
        batch.labels(),
        distillation(taught),
        losses.slice(0, 2),
        gradient);
    means.add("backbone_ce", losses.get(0), step + 1);
    if (taught) {
      means.add("backbone_kl", losses.get(1), step + 1);
    }
    Tensor onNormalized = reverse.isPresent() ? reverseGradient(part, n, step, means) : null;
    part.backward(
        kernels,
        batch.features().last(),
        n,
        gradient,
        onNormalized == null ? null : dn -> kernels.add(onNormalized, dn));
  }

  private Tensor reverseGradient(BackboneTail part, int batch, long step, StepLosses means) {
    Tensor normalized = part.normalized(batch);
    Tensor gradient = dNormalized.slice(0, normalized.shape().toArray());
    gradient.zero();
    SidePart s = side.orElseThrow();
    Tensor state = s.plan(batch).activations().state(s.network().config().blocks());
    reverse.orElseThrow().addTo(kernels, normalized, null, state, losses.slice(2, 1), gradient);
    means.add("reverse_imitation", losses.get(2), step + 1);
    return gradient;
  }

  private Distillation distillation(boolean taught) {
    return new Distillation(
        settings.temperature(), taught ? settings.klWeight() : 0, 1, settings.labelSmoothing());
  }

  /**
   * @param updates number of this update of these parameters, from 1
   */
  private void update(Parameters parameters, String gradient, long step, long updates) {
    float factor = (float) settings.schedule().factor(step);
    parameters.update(
        kernels, settings.clipNorm(), role -> factor * rate(role), settings.weightDecay(), updates);
    float clip = parameters.clip().get(0);
    if (!Float.isFinite(clip)) {
      throw new DivergedException(gradient, step + 1, clip);
    }
  }

  private float rate(Parameter.Role role) {
    return switch (role) {
      case SIDE -> settings.rateSide();
      case HEAD -> settings.rateHead();
      case NORM -> settings.rateNorm();
    };
  }

  @Override
  public void close() {
    losses.close();
    dTail.close();
    dNormalized.close();
  }
}

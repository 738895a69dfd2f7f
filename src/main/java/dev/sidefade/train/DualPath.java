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
 * network is updated, and every so many steps the backbone's tail with the constants inside the
 * backbone. Either part may be missing.
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
  private final Optional<InnerConstants> inner;
  private final Teacher teacher;
  private final Tensor losses;
  private final Tensor dTail;
  private final Tensor dNormalized;
  private final Tensor dLast;
  private float klWeight;

  /**
   * @param reverse the feature path from the side network, its parameters declared with the tail's
   * @param inner what learns inside the backbone, its parameters declared with the tail's; the
   *     batches must then come from its {@link InnerConstants#training}
   * @param rows largest batch
   */
  public DualPath(
      Device device,
      PathSettings settings,
      Optional<BackboneTail> tail,
      Optional<SidePart> side,
      Optional<ReverseFeaturePath> reverse,
      Optional<InnerConstants> inner,
      int rows) {
    this.kernels = device.kernels();
    this.settings = settings;
    this.tail = tail;
    this.side = side;
    this.reverse = reverse;
    this.inner = inner;
    klWeight = settings.klWeight().auto() ? 0 : settings.klWeight().value();
    losses = device.allocate(3);
    long classes = tail.map(t -> (long) t.config().classes()).orElse(1L);
    long logits = tail.map(t -> (long) t.logitRows(rows)).orElse((long) rows);
    teacher = new Teacher(device, settings.klRows(), logits, classes);
    dTail = device.allocate(logits, classes);
    long features =
        tail.map(t -> Math.multiplyExact((long) t.rows(rows), t.config().width())).orElse(1L);
    dNormalized = device.allocate(reverse.isPresent() ? features : 1);
    dLast = device.allocate(inner.isPresent() ? features : 1);
  }

  /** Factor of the logit path from now on. */
  void setKlWeight(float weight) {
    klWeight = weight;
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
    Tensor keep = side.isPresent() ? ladderMask(side.get().plan(trunk, n), trunk, step) : null;
    Tensor tailLogits = tail.isPresent() ? tail.get().forward(kernels, trunk, n) : null;
    Tensor spoken = averageTeaches() ? side.get().averageForward(kernels, trunk, n) : null;
    Tensor sideLogits = side.isPresent() ? sideForward(side.get(), trunk, n, keep) : null;
    boolean backboneTurn =
        tail.isPresent()
            && step % settings.backboneEvery() == 0
            && (side.isEmpty() || step >= settings.sideAhead());
    // gradients of both before either is updated: each learns from what the other said about this
    // batch
    if (backboneTurn) {
      tailBackward(
          tail.get(), batch, tailLogits, spoken == null ? sideLogits : spoken, step, means);
    }
    if (side.isPresent()) {
      sideBackward(side.get(), batch, tailLogits, sideLogits, keep, step, means);
    }
    if (backboneTurn) {
      long first = side.isEmpty() ? 0 : settings.sideAhead();
      long every = settings.backboneEvery();
      long updates = step / every - Math.ceilDiv(first, every) + 1;
      update(tail.get().parameters(), "the backbone's gradient", step, updates);
    }
    if (side.isPresent()) {
      update(side.get().parameters(), "the side network's gradient", step, step + 1);
    }
    if (averageTeaches()) {
      side.get().follow(settings.teacherAverage());
    }
  }

  private boolean averageTeaches() {
    return settings.teacherAverage() > 0
        && settings.logits() == Direction.SIDE_TO_BACKBONE
        && side.isPresent();
  }

  private Tensor sideForward(SidePart part, TrunkFeatures trunk, int batch, Tensor keep) {
    SidePart.Plan plan = part.plan(trunk, batch);
    part.network().forward(kernels, trunk.taps(), keep, trunk.valid(), plan.activations());
    return plan.activations().logits();
  }

  /** [rows] 1 = kept, 0 = masked; null when nothing is masked at this step. */
  private Tensor ladderMask(SidePart.Plan plan, TrunkFeatures trunk, long step) {
    float ratio =
        settings.maskSchedule().ratio(settings.maskRatio(), step, settings.schedule().total());
    if (ratio <= 0) {
      return null;
    }
    long stream = step * STREAMS_PER_STEP + STREAMS_PER_STEP - 1;
    kernels.drawMask(
        settings.seed(), stream, ratio, plan.activations().layout(), trunk.valid(), plan.keep());
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
    TrunkFeatures trunk = batch.features();
    SidePart.Plan plan = part.plan(trunk, batch.size());
    boolean taught = settings.logits() == Direction.BACKBONE_TO_SIDE && tailLogits != null;
    loss(sideLogits, taught ? tailLogits : null, batch.targets(), plan.dLogits());
    means.add("side_ce", losses.get(0), step + 1);
    if (taught) {
      means.add("side_kl", losses.get(1), step + 1);
    }
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
                        trunk.valid(),
                        state,
                        gradient,
                        plan.features(),
                        settings.seed(),
                        step * STREAMS_PER_STEP + tap);
    part.network()
        .backward(
            kernels,
            trunk.taps(),
            keep,
            trunk.valid(),
            plan.activations(),
            plan.dLogits(),
            onStates);
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
    TrunkFeatures trunk = batch.features();
    Tensor gradient = dTail.slice(0, tailLogits.shape().toArray());
    loss(tailLogits, taught ? sideLogits : null, batch.targets(), gradient);
    means.add("backbone_ce", losses.get(0), step + 1);
    if (taught) {
      means.add("backbone_kl", losses.get(1), step + 1);
    }
    Tensor onNormalized = reverse.isPresent() ? reverseGradient(part, trunk, n, step, means) : null;
    Tensor last = trunk.last();
    Tensor toLast = inner.isPresent() ? dLast.slice(0, last.shape().toArray()) : null;
    part.backward(
        kernels,
        trunk,
        n,
        gradient,
        onNormalized == null ? null : dn -> kernels.add(onNormalized, dn),
        toLast);
    inner.ifPresent(constants -> constants.backward(toLast, n));
  }

  private Tensor reverseGradient(
      BackboneTail part, TrunkFeatures trunk, int batch, long step, StepLosses means) {
    Tensor normalized = part.normalized(trunk, batch);
    Tensor gradient = dNormalized.slice(0, normalized.shape().toArray());
    gradient.zero();
    SidePart s = side.orElseThrow();
    Tensor state = s.plan(trunk, batch).activations().state(s.network().config().blocks());
    reverse
        .orElseThrow()
        .addTo(kernels, normalized, trunk.lastValid(), state, losses.slice(2, 1), gradient);
    means.add("reverse_imitation", losses.get(2), step + 1);
    return gradient;
  }

  /**
   * Both terms into {@code losses} and the gradient by the student's logits.
   *
   * @param other the teacher's logits; null when there is none
   */
  private void loss(Tensor student, Tensor other, Targets targets, Tensor dStudent) {
    float weight = other == null ? 0 : klWeight;
    Tensor both = losses.slice(0, 2);
    Tensor said = other == null ? null : teacher.speak(other, student, targets);
    if (settings.task() == Task.REGRESSION) {
      kernels.regression(student, said, targets.values(), weight, both, dStudent);
      return;
    }
    Distillation distillation =
        new Distillation(settings.temperature(), weight, 1, settings.labelSmoothing());
    kernels.logitDistillation(student, said, targets.labels(), distillation, both, dStudent);
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
      case NORM, BIAS -> settings.rateNorm();
      case LOW_RANK -> settings.rateLowRank();
    };
  }

  @Override
  public void close() {
    losses.close();
    dTail.close();
    dNormalized.close();
    dLast.close();
    teacher.close();
  }
}

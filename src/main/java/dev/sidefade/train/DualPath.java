package dev.sidefade.train;

import dev.sidefade.distill.Direction;
import dev.sidefade.distill.FeaturePath;
import dev.sidefade.distill.ReverseFeaturePath;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import dev.sidefade.side.SideNetwork;
import dev.sidefade.tensor.Closer;
import dev.sidefade.tensor.Tensor;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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

  /** Numbers that a step reports, beside one for each tap: three pairs of losses, two of clips. */
  private static final long OWN_SLOTS = 10;

  private final Device device;
  private final Kernels kernels;
  private final PathSettings settings;
  private final Optional<BackboneTail> tail;
  private final Optional<SidePart> side;
  private final Optional<ReverseFeaturePath> reverse;
  private final Optional<InnerConstants> inner;
  private final Optional<SelfTeacher> self;
  private final Closer own = new Closer();
  private final Teacher teacher;
  private final StepReport report;
  private final Tensor dTail;
  private final Tensor dNormalized;
  private final Tensor dLast;
  private final HostMirror host = new HostMirror();
  private float klWeight;

  /**
   * A step over networks that share a device.
   *
   * @param tail the tail, if it learns
   * @param device where tensors live and what computes
   * @param settings losses, temperature and which path runs
   * @param side the side network, if there is one
   * @param reverse the feature path from the side network, its parameters declared with the tail's
   * @param inner what learns inside the backbone, its parameters declared with the tail's; the
   *     batches must then come from its {@link InnerConstants#training}
   * @param self the backbone's own mean, if it teaches; it must speak in the batches
   * @param rows largest batch
   */
  public DualPath(
      Device device,
      PathSettings settings,
      Optional<BackboneTail> tail,
      Optional<SidePart> side,
      Optional<ReverseFeaturePath> reverse,
      Optional<InnerConstants> inner,
      Optional<SelfTeacher> self,
      int rows) {
    this.device = device;
    this.kernels = device.kernels();
    this.settings = settings;
    this.tail = tail;
    this.side = side;
    this.reverse = reverse;
    this.inner = inner;
    this.self = self;
    klWeight = settings.klWeight().rule() != KlWeight.Rule.FIXED ? 0 : settings.klWeight().value();
    long taps = side.map(s -> (long) s.network().config().tapWidths().size()).orElse(0L);
    long classes = tail.map(t -> (long) t.config().classes()).orElse(1L);
    long logits = tail.map(t -> (long) t.logitRows(rows)).orElse((long) rows);
    long features =
        tail.map(t -> Math.multiplyExact((long) t.rows(rows), t.config().width())).orElse(1L);
    report = own.make(() -> new StepReport(device, OWN_SLOTS + taps));
    teacher = own.make(() -> new Teacher(device, settings.klRows(), logits, classes));
    dTail = own.make(() -> device.allocate(logits, classes));
    dNormalized = own.make(() -> device.allocate(reverse.isPresent() ? features : 1));
    dLast = own.make(() -> device.allocate(inner.isPresent() ? features : 1));
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
   * @throws DivergedException if a loss or gradient is not finite
   */
  void step(FeatureFeed.Batch batch, long step, StepLosses means) {
    start(batch, step);
    settle(means);
  }

  /**
   * Waits for the step that was started last and tells {@code means} its loss terms.
   *
   * @return whether there was one that was not settled yet
   * @throws DivergedException if a loss or gradient is not finite
   */
  boolean settle(StepLosses means) {
    return report.read(means);
  }

  /** Everything that decides which operations a step has, and on which tensors. */
  private record Shape(
      DualPath path,
      int examples,
      int tokens,
      long features,
      boolean backboneTurn,
      boolean masked,
      boolean taught) {}

  /** A step on its way; what its forward passes left. */
  private static final class Step {
    private final FeatureFeed.Batch batch;
    private final TrunkFeatures trunk;
    private final int examples;
    private final long number;
    private final boolean backboneTurn;
    private @Nullable Tensor keep;
    private @Nullable Tensor tailLogits;
    private @Nullable Tensor sideLogits;

    /** What teaches the backbone: the side network, its running mean, or the backbone's own. */
    private @Nullable Tensor spoken;

    Step(FeatureFeed.Batch batch, long number, boolean backboneTurn) {
      this.batch = batch;
      this.trunk = batch.features();
      this.examples = batch.size();
      this.number = number;
      this.backboneTurn = backboneTurn;
    }
  }

  /**
   * Starts to learn from one batch, whose features stay as they are until {@link #settle}.
   *
   * @param number of the step, from 0
   */
  void start(FeatureFeed.Batch batch, long number) {
    boolean backboneTurn =
        tail.isPresent()
            && number % settings.backboneEvery() == 0
            && number >= settings.firstTurn(side.isPresent());
    Step step = new Step(batch, number, backboneTurn);
    TrunkFeatures trunk = step.trunk;
    Shape shape =
        new Shape(
            this,
            step.examples,
            trunk.tokens(),
            trunk.last().address(),
            backboneTurn,
            masks(number),
            taught(step));
    report.begin(number + 1);
    StepParts parts = new StepParts(device, shape);
    if (taught(step) && !teacher.choosesByLogits()) {
      parts.host(() -> teacher.choose(null, batch.targets(), logitRows(step)));
    }
    parts.device(() -> forward(step));
    if (taught(step) && teacher.choosesByLogits()) {
      parts.host(() -> teacher.choose(teacherOf(step), batch.targets(), logitRows(step)));
    }
    // gradients of both before either is updated: each learns from what the other said about this
    // batch
    parts.device(() -> backward(step));
    if (backboneTurn && inner.isPresent()) {
      parts.host(() -> inner.get().backward(onHost(toLast(step)), step.examples));
    }
    parts.device(() -> update(step));
    parts.run();
  }

  /** Whether one network's logits teach the other at this step. */
  private boolean taught(Step step) {
    return switch (settings.logits()) {
      case OFF -> false;
      case BACKBONE_TO_SIDE -> backboneTeaches(step);
      case SIDE_TO_BACKBONE ->
          step.backboneTurn && (self.isPresent() ? step.batch.said() != null : side.isPresent());
    };
  }

  /** While the side network learns ahead, the backbone has nothing to say. */
  private boolean backboneTeaches(Step step) {
    return settings.logits() == Direction.BACKBONE_TO_SIDE
        && side.isPresent()
        && tail.isPresent()
        && step.number >= settings.firstTurn(true);
  }

  private @Nullable Tensor teacherOf(Step step) {
    return settings.logits() == Direction.SIDE_TO_BACKBONE ? step.spoken : step.tailLogits;
  }

  private int logitRows(Step step) {
    int labels = step.batch.targets().labels().length;
    return labels > 0 ? labels : step.examples;
  }

  private void forward(Step step) {
    int n = step.examples;
    TrunkFeatures trunk = step.trunk;
    side.ifPresent(part -> step.keep = ladderMask(part.plan(trunk, n), trunk, step.number));
    tail.ifPresent(part -> step.tailLogits = part.forward(kernels, trunk, n));
    Tensor mean = averageTeaches() ? side.get().averageForward(kernels, trunk, n) : null;
    side.ifPresent(part -> step.sideLogits = sideForward(part, trunk, n, step.keep));
    step.spoken = self.isPresent() ? step.batch.said() : mean == null ? step.sideLogits : mean;
  }

  private void backward(Step step) {
    if (step.backboneTurn) {
      tailBackward(tail.get(), step);
    }
    side.ifPresent(part -> sideBackward(part, step));
  }

  private void update(Step step) {
    if (step.backboneTurn) {
      long turns = step.number - settings.firstTurn(side.isPresent());
      long updates = turns / settings.backboneEvery() + 1;
      update(tail.get().parameters(), "the backbone's gradient", step.number, updates);
    }
    side.ifPresent(part ->
        update(part.parameters(), "the side network's gradient", step.number, step.number + 1));
    if (averageTeaches()) {
      side.get().average().orElseThrow().follow(kernels);
    }
    self.ifPresent(teacher -> teacher.mean().follow(kernels));
  }

  private boolean averageTeaches() {
    return settings.sideAverage() > 0 && side.isPresent();
  }

  private Tensor sideForward(SidePart part, TrunkFeatures trunk, int batch, @Nullable Tensor keep) {
    SidePart.Plan plan = part.plan(trunk, batch);
    part.network().forward(kernels, trunk.taps(), keep, trunk.valid(), plan.activations());
    return plan.activations().logits();
  }

  private float maskRatio(long step) {
    return settings.maskSchedule().ratio(settings.maskRatio(), step, settings.schedule().total());
  }

  private boolean masks(long step) {
    return side.isPresent() && maskRatio(step) > 0;
  }

  /** [rows] 1 = kept, 0 = masked; null when nothing is masked at this step. */
  private @Nullable Tensor ladderMask(SidePart.Plan plan, TrunkFeatures trunk, long step) {
    if (!masks(step)) {
      return null;
    }
    long stream = step * STREAMS_PER_STEP + STREAMS_PER_STEP - 1;
    kernels.drawMask(
        settings.seed(),
        stream,
        maskRatio(step),
        plan.activations().layout(),
        trunk.valid(),
        plan.keep());
    kernels.invertMask(plan.keep());
    return plan.keep();
  }

  private void sideBackward(SidePart part, Step step) {
    TrunkFeatures trunk = step.trunk;
    SidePart.Plan plan = part.plan(trunk, step.examples);
    boolean taught = backboneTeaches(step);
    Tensor said = taught ? step.tailLogits : null;
    int losses =
        loss(Objects.requireNonNull(step.sideLogits), said, step.batch.targets(), plan.dLogits());
    report.term("side_ce", losses);
    if (taught && klWeight > 0) {
      report.term("side_kl", losses + 1);
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
                        Objects.requireNonNull(plan.features()),
                        settings.seed(),
                        step.number * STREAMS_PER_STEP + tap);
    part.network()
        .backward(
            kernels,
            trunk.taps(),
            step.keep,
            trunk.valid(),
            plan.activations(),
            plan.dLogits(),
            onStates);
    if (part.features().isPresent()) {
      reportFeatures(Objects.requireNonNull(plan.features()));
    }
  }

  private void reportFeatures(FeaturePath.Activations features) {
    Tensor losses = features.losses();
    int count = Math.toIntExact(losses.size());
    int first = report.take(count);
    report.slots(first, count).copyFrom(losses);
    report.term("imitation", all -> features.imitationLoss(all, first));
    report.term("generation", all -> features.generationLoss(all, first));
  }

  private void tailBackward(BackboneTail part, Step step) {
    boolean taught = settings.logits() == Direction.SIDE_TO_BACKBONE && step.spoken != null;
    Tensor logits = Objects.requireNonNull(step.tailLogits);
    Tensor gradient = dTail.slice(0, logits.shape().toArray());
    int losses = loss(logits, taught ? step.spoken : null, step.batch.targets(), gradient);
    report.term("backbone_ce", losses);
    if (taught && klWeight > 0) {
      report.term("backbone_kl", losses + 1);
    }
    Tensor onNormalized = reverse.isPresent() ? reverseGradient(part, step) : null;
    part.backward(
        kernels,
        step.trunk,
        step.examples,
        gradient,
        onNormalized == null ? null : dn -> kernels.add(onNormalized, dn),
        inner.isPresent() ? toLast(step) : null);
  }

  /** Where the gradient goes by what enters the last norm. */
  private Tensor toLast(Step step) {
    return dLast.slice(0, step.trunk.last().shape().toArray());
  }

  private Tensor onHost(Tensor gradient) {
    if (gradient.onHost()) {
      return gradient;
    }
    Tensor copy = host.of(dLast).slice(0, gradient.shape().toArray());
    copy.copyFrom(gradient);
    return copy;
  }

  private Tensor reverseGradient(BackboneTail part, Step step) {
    Tensor normalized = part.normalized(step.trunk, step.examples);
    Tensor gradient = dNormalized.slice(0, normalized.shape().toArray());
    gradient.zero();
    SidePart s = side.orElseThrow();
    SidePart.Plan plan = s.plan(step.trunk, step.examples);
    Tensor state = plan.activations().state(s.network().config().blocks());
    int loss = report.take(1);
    reverse
        .orElseThrow()
        .addTo(kernels, normalized, step.trunk.lastValid(), state, report.slots(loss, 1), gradient);
    report.term("reverse_imitation", loss);
    return gradient;
  }

  /**
   * Both terms and the gradient by the student's logits.
   *
   * @param other the teacher's logits; null when there is none
   * @return the first of the two slots of the report that the terms are in
   */
  private int loss(Tensor student, @Nullable Tensor other, Targets targets, Tensor dStudent) {
    float weight = other == null ? 0 : klWeight;
    int first = report.take(2);
    Tensor both = report.slots(first, 2);
    Tensor said = other == null ? null : teacher.speak(other, student);
    if (settings.task() == Task.REGRESSION) {
      kernels.regression(student, said, targets.values(), weight, both, dStudent);
      return first;
    }
    Distillation distillation =
        new Distillation(settings.temperature(), weight, 1, settings.labelSmoothing());
    kernels.logitDistillation(student, said, targets.labels(), distillation, both, dStudent);
    return first;
  }

  /**
   * @param updates number of this update of these parameters, from 1
   */
  private void update(Parameters parameters, String gradient, long step, long updates) {
    float factor = (float) settings.schedule().factor(step);
    parameters.update(
        kernels, settings.clipNorm(), role -> factor * rate(role), settings.weightDecay(), updates);
    int clip = report.take(2);
    report.slots(clip, 2).copyFrom(parameters.clip());
    report.finite(gradient, clip);
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
    own.close();
  }
}

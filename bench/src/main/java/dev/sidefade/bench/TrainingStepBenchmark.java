package dev.sidefade.bench;

import dev.sidefade.bench.tables.Workload;
import dev.sidefade.distill.FeatureConfig;
import dev.sidefade.distill.FeaturePath;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.layers.Parameters;
import dev.sidefade.layers.Slab;
import dev.sidefade.side.BlockKind;
import dev.sidefade.side.SideActivations;
import dev.sidefade.side.SideConfig;
import dev.sidefade.side.SideNetwork;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One training step of the side network from taps in memory: forward, losses, backward, clipping,
 * AdamW. The same step as {@code peers/training_step.py} takes in PyTorch. Warms up for longer than
 * single operations: at B a second has five steps, and HotSpot compiles for the first thirty.
 */
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
public class TrainingStepBenchmark extends OnWorkload {
  /** With imitation and masked generation, or with logits alone. */
  @Param({"false", "true"})
  public boolean features;

  private final Distillation distillation = new Distillation(2, 1, 1, 0);
  private final Parameters parameters = new Parameters();
  private final List<Tensor> taps = new ArrayList<>();
  private SideNetwork network;
  private SideActivations activations;
  private SideNetwork.StateGradient losses;
  private Tensor teacher;
  private Tensor loss;
  private Tensor dLogits;
  private int[] labels;
  private long step;

  /** For {@link TrainingStepRun}: memory counts from here. */
  Consumer<Device> whenTapsAreThere = device -> {};

  @Override
  void prepare(int rows, int tapWidth, int width) {
    for (int t = 0; t < work.taps(); t++) {
      taps.add(random(rows, tapWidth));
    }
    whenTapsAreThere.accept(opened);
    SideConfig config =
        new SideConfig(
            BlockKind.TRANSFORMER,
            Collections.nCopies(work.taps(), tapWidth),
            width,
            work.heads(),
            work.hidden(),
            Pooling.CLS_MEAN,
            Workload.CLASSES,
            1e-6f,
            0.1f,
            MaskPlacement.STATE);
    network = new SideNetwork(config, parameters);
    FeaturePath path = features ? new FeaturePath(featureConfig(), config, parameters) : null;
    parameters.allocate(opened, 1);
    activations =
        new SideActivations(network, layout, slab(s -> new SideActivations(network, layout, s)));
    losses = path == null ? SideNetwork.StateGradient.NONE : stateLosses(path);
    teacher = random(work.batch(), Workload.CLASSES);
    loss = zeros(2);
    dLogits = zeros(work.batch(), Workload.CLASSES);
    labels = new int[work.batch()];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = i % Workload.CLASSES;
    }
  }

  private FeatureConfig featureConfig() {
    // texts have no grid that a generator could fill
    List<Integer> deep = work.grid() == 0 ? List.of() : List.of(work.taps() - 2, work.taps() - 1);
    return new FeatureConfig(List.of(1, 2), deep, Workload.RANK, 4.5f, 0.23f, 0.5f, true, false);
  }

  private SideNetwork.StateGradient stateLosses(FeaturePath path) {
    FeaturePath.Activations memory =
        path.activations(layout, slab(s -> path.activations(layout, s)));
    return (tap, state, gradient) ->
        path.addTo(
            kernels,
            tap,
            taps.get(tap),
            null,
            state,
            gradient,
            memory,
            1,
            step * work.taps() + tap);
  }

  private Slab slab(Consumer<Slab> plan) {
    return new Slab(zeros(Slab.measure(plan)));
  }

  /** The whole step. */
  @Benchmark
  public void step() {
    step++;
    network.forward(kernels, taps, null, null, activations);
    kernels.logitDistillation(activations.logits(), teacher, labels, distillation, loss, dLogits);
    network.backward(kernels, taps, null, null, activations, dLogits, losses);
    parameters.update(kernels, 1, role -> 1e-3f, 0.01f, step);
  }

  float crossEntropy() {
    return loss.get(0);
  }

  /** A step that diverged would have been timed on NaNs. */
  @Override
  void finish() {
    float crossEntropy = crossEntropy();
    parameters.close();
    if (!Float.isFinite(crossEntropy)) {
      throw new IllegalStateException("the loss became " + crossEntropy);
    }
  }
}

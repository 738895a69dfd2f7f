package dev.sidefade.distill;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.Parameters;
import dev.sidefade.layers.Slab;
import dev.sidefade.side.SideActivations;
import dev.sidefade.side.SideConfig;
import dev.sidefade.side.SideNetwork;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One training step of a side network with a feature path, on inputs that a test chooses; the
 * removed tokens are given.
 */
final class SideStep implements AutoCloseable {
  /**
   * What a step sees.
   *
   * @param taps [rows, width of the tap], one per tap
   * @param keep [rows], or null
   * @param valid [rows], or null
   * @param removed [rows], or null to draw them
   * @param teacher [N, classes], N rows being left by the pooling
   * @param labels [N]
   */
  record Inputs(
      float[][] taps,
      float[] keep,
      float[] valid,
      float[] removed,
      float[] teacher,
      int[] labels) {}

  final Parameters parameters = new Parameters();
  final SideActivations activations;
  private final Device device;
  private final SideNetwork network;
  private final FeatureConfig config;
  private final FeaturePath path;
  private final FeaturePath.Activations features;
  private final Distillation weights;
  private final Inputs inputs;
  private final List<Tensor> owned = new ArrayList<>();
  private final List<Tensor> taps = new ArrayList<>();
  private final Tensor keep;
  private final Tensor valid;
  private final Tensor removed;
  private final Tensor teacher;
  private final Tensor dLogits;
  private final Tensor losses;

  SideStep(
      Device device,
      SideConfig side,
      FeatureConfig config,
      TokenLayout layout,
      Distillation weights,
      Inputs inputs) {
    this.device = device;
    this.config = config;
    this.weights = weights;
    this.inputs = inputs;
    network = new SideNetwork(side, parameters);
    path = new FeaturePath(config, side, parameters);
    parameters.allocate(device, 11);
    Slab activationSlab =
        new Slab(owned(Slab.measure(slab -> new SideActivations(network, layout, slab))));
    activations = new SideActivations(network, layout, activationSlab);
    Slab featureSlab = new Slab(owned(Slab.measure(slab -> path.activations(layout, slab))));
    features = path.activations(layout, featureSlab);
    for (float[] tap : inputs.taps()) {
      taps.add(filled(tap, layout.rows(), tap.length / layout.rows()));
    }
    keep = filled(inputs.keep(), layout.rows());
    valid = filled(inputs.valid(), layout.rows());
    removed = filled(inputs.removed(), layout.rows());
    int logits = side.pooling().rows(layout);
    teacher = filled(inputs.teacher(), logits, side.classes());
    dLogits = owned(logits, side.classes());
    losses = owned(2);
  }

  private Tensor owned(long... dims) {
    Tensor tensor = device.allocate(dims);
    owned.add(tensor);
    return tensor;
  }

  private Tensor filled(float[] values, long... dims) {
    if (values == null) {
      return null;
    }
    Tensor tensor = owned(dims);
    tensor.setFloats(values);
    return tensor;
  }

  /** Forward and backward pass. */
  void run() {
    network.forward(device.kernels(), taps, keep, valid, activations);
    device
        .kernels()
        .logitDistillation(
            activations.logits(), teacher, inputs.labels(), weights, losses, dLogits);
    network.backward(
        device.kernels(), taps, keep, valid, activations, dLogits, this::addFeatureLoss);
  }

  private void addFeatureLoss(int tap, Tensor state, Tensor gradient) {
    Tensor h = taps.get(tap);
    if (config.deep().contains(tap) && removed != null) {
      features.removed().copyFrom(removed);
      path.generate(device.kernels(), tap, h, valid, state, gradient, features);
    } else {
      path.addTo(device.kernels(), tap, h, valid, state, gradient, features, 5, tap);
    }
  }

  /** Terms by name, and their weighted sum; the logit path's ones computed again in double. */
  Map<String, Double> losses() {
    Map<String, Double> terms = new LinkedHashMap<>();
    float[] logits = activations.logits().toFloats();
    double ce = DoubleLosses.crossEntropy(logits, inputs.labels(), weights.labelSmoothing());
    double kl =
        DoubleLosses.divergence(inputs.teacher(), logits, inputs.labels(), weights.temperature());
    terms.put("cross_entropy", ce);
    terms.put("divergence", kl);
    float[] alignments = features.losses().toFloats();
    double imitation = features.imitationLoss(alignments, 0);
    double generation = features.generationLoss(alignments, 0);
    terms.put("imitation", imitation);
    terms.put("generation", generation);
    terms.put("total", weights.ceWeight() * ce + weights.klWeight() * kl + imitation + generation);
    return terms;
  }

  /** Cross-entropy and divergence as the kernel computed them. */
  float[] kernelLosses() {
    return losses.toFloats();
  }

  @Override
  public void close() {
    owned.forEach(Tensor::close);
    parameters.close();
  }
}

package dev.sidefade.train;

import dev.sidefade.distill.FeatureConfig;
import dev.sidefade.distill.FeaturePath;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.Parameters;
import dev.sidefade.layers.Slab;
import dev.sidefade.side.SideActivations;
import dev.sidefade.side.SideConfig;
import dev.sidefade.side.SideNetwork;
import dev.sidefade.tensor.Closer;
import dev.sidefade.tensor.Tensor;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The side network with its feature path, parameters and the memory of a step. */
public final class SidePart implements AutoCloseable {
  /** Memory for one layout of a batch. */
  record Plan(
      SideActivations activations,
      FeaturePath.@Nullable Activations features,
      Tensor keep,
      Tensor dLogits) {}

  private final Closer own = new Closer();
  private final SideNetwork network;
  private final Optional<FeaturePath> features;
  private final Parameters parameters = new Parameters();
  private final Tensor memory;

  /** Running mean of the parameters, where it teaches. */
  private final Optional<RunningMean> average;

  private final TokenLayout layout;
  private final Plans<Plan> plans;

  /**
   * Declares and allocates the parameters.
   *
   * @param config shape of the side network
   * @param features the feature path from the backbone, if it is on
   * @param layout of the tokens, for the largest batch
   * @param device where tensors live and what computes
   * @param seed what the random numbers follow from
   * @param decay of a running mean of the parameters that teaches in their place; 0 = none is kept
   */
  public SidePart(
      SideConfig config,
      Optional<FeatureConfig> features,
      TokenLayout layout,
      Device device,
      long seed,
      float decay) {
    network = new SideNetwork(config, parameters);
    this.features = features.map(f -> new FeaturePath(f, config, parameters));
    this.layout = layout;
    long logits = Math.multiplyExact(config.pooling().rows(layout), config.classes());
    own.make(() -> parameters.allocate(device, seed));
    average =
        decay > 0
            ? Optional.of(own.make(() -> new RunningMean(device, parameters, decay, logits)))
            : Optional.empty();
    memory = own.make(() -> device.allocate(Slab.measure(slab -> plan(slab, layout))));
    plans = new Plans<>(l -> plan(new Slab(memory), l));
  }

  private Plan plan(Slab slab, TokenLayout layout) {
    return new Plan(
        new SideActivations(network, layout, slab),
        features.map(f -> f.activations(layout, slab)).orElse(null),
        slab.take(layout.rows()),
        slab.take(network.config().pooling().rows(layout), network.config().classes()));
  }

  /** {@return the network} */
  public SideNetwork network() {
    return network;
  }

  /** {@return its parameters, those of the feature path included} */
  public Parameters parameters() {
    return parameters;
  }

  /** {@return number of scalars of the network alone, which a kept model carries} */
  public long networkParameters() {
    return parameters.all().stream()
        .filter(p -> !p.name().startsWith("align.") && !p.name().startsWith("generator."))
        .mapToLong(p -> p.shape().size())
        .sum();
  }

  Optional<FeaturePath> features() {
    return features;
  }

  Plan plan(TrunkFeatures trunk, int batch) {
    return plans.of(trunk.layout(layout, batch));
  }

  /**
   * {@return logits [batch, classes], or [batch * tokens, classes], with nothing masked}
   *
   * @param kernels the operations of the device
   * @param trunk features of a batch
   * @param batch number of examples
   */
  public Tensor forward(Kernels kernels, TrunkFeatures trunk, int batch) {
    Plan plan = plan(trunk, batch);
    network.forward(kernels, trunk.taps(), null, trunk.valid(), plan.activations());
    return plan.activations().logits();
  }

  /** Running mean of the parameters, where it is kept. */
  Optional<RunningMean> average() {
    return average;
  }

  /** Logits of the running mean; what {@link #forward} left of this batch is overwritten. */
  Tensor averageForward(Kernels kernels, TrunkFeatures trunk, int batch) {
    return average.orElseThrow().speak(() -> forward(kernels, trunk, batch));
  }

  @Override
  public void close() {
    own.close();
  }
}

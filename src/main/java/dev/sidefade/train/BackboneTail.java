package dev.sidefade.train;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.Initializer;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import dev.sidefade.layers.ReadOut;
import dev.sidefade.layers.Slab;
import dev.sidefade.tensor.Closer;
import dev.sidefade.tensor.Tensor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What is tuned of the backbone: its last layer norm and a new output layer, on the frozen trunk's
 * features.
 */
public final class BackboneTail implements AutoCloseable {
  /**
   * Shape of the tail.
   *
   * @param width of the trunk's features
   * @param pooling of the tokens
   * @param layout of the tokens that enter the last norm, for the largest batch
   * @param classes of the output layer
   * @param epsilon of the last norm
   * @param tuneNorm whether the last norm learns
   * @param scale [width] of the pretrained norm
   * @param shift [width] of the pretrained norm
   */
  public record Config(
      int width,
      Pooling pooling,
      TokenLayout layout,
      int classes,
      float epsilon,
      boolean tuneNorm,
      float[] scale,
      float[] shift) {}

  private final Closer own = new Closer();
  private final Config config;
  private final Parameters parameters = new Parameters();
  private final ReadOut readOut;
  private final Tensor memory;
  private final Plans<ReadOut.State> plans;

  /**
   * Declares and allocates the parameters.
   *
   * @param config shape of the tail
   * @param device where tensors live and what computes
   * @param seed what the random numbers follow from
   * @param extra declares further parameters that learn with the tail
   */
  public BackboneTail(Config config, Device device, long seed, Consumer<Parameters> extra) {
    this.config = config;
    readOut =
        new ReadOut(
            parameters,
            Parameter.Role.NORM,
            Parameter.Role.HEAD,
            config.width(),
            config.pooling(),
            config.classes(),
            config.epsilon(),
            config.tuneNorm(),
            Initializer.values(config.scale()),
            Initializer.values(config.shift()));
    extra.accept(parameters);
    own.make(() -> parameters.allocate(device, seed));
    memory =
        own.make(() -> device.allocate(Slab.measure(slab -> readOut.state(slab, config.layout()))));
    plans = new Plans<>(layout -> readOut.state(new Slab(memory), layout));
  }

  /** {@return its shape} */
  public Config config() {
    return config;
  }

  /** {@return its parameters: norm, head, and the extra ones} */
  public Parameters parameters() {
    return parameters;
  }

  /** {@return last norm and output layer} */
  public ReadOut readOut() {
    return readOut;
  }

  /** Rows that enter the last norm, for a batch of the largest layout. */
  int rows(int batch) {
    return config.layout().withBatch(batch).rows();
  }

  /** Rows of logits of a batch of the largest layout. */
  int logitRows(int batch) {
    return config.pooling().rows(config.layout().withBatch(batch));
  }

  private ReadOut.State state(TrunkFeatures trunk, int batch) {
    return plans.of(trunk.lastLayout(config.layout(), batch));
  }

  /**
   * {@return logits [batch, classes], or [batch * tokens, classes], of what enters the last norm}
   *
   * @param kernels the operations of the device
   * @param trunk features of a batch
   * @param batch number of examples
   */
  public Tensor forward(Kernels kernels, TrunkFeatures trunk, int batch) {
    ReadOut.State state = state(trunk, batch);
    TokenLayout layout = trunk.lastLayout(config.layout(), batch);
    readOut.forward(kernels, trunk.last(), layout, trunk.lastValid(), state);
    return state.logits();
  }

  /** [rows, width] output of the last norm, after {@link #forward}. */
  Tensor normalized(TrunkFeatures trunk, int batch) {
    return state(trunk, batch).normalized();
  }

  /**
   * Writes the gradients of norm and head.
   *
   * @param extra may be null
   * @param dLast [rows, width] gradient by what enters the last norm, written; null when it is not
   *     wanted
   */
  void backward(
      Kernels kernels,
      TrunkFeatures trunk,
      int batch,
      Tensor dLogits,
      ReadOut.@Nullable NormalizedGradient extra,
      @Nullable Tensor dLast) {
    readOut.backward(
        kernels,
        trunk.last(),
        trunk.lastLayout(config.layout(), batch),
        trunk.lastValid(),
        state(trunk, batch),
        dLogits,
        extra,
        dLast);
  }

  @Override
  public void close() {
    own.close();
  }
}

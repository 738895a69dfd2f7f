package dev.sidefade.side;

import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.Initializer;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import dev.sidefade.layers.ReadOut;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Forward and backward pass of the side network (method.md, a): U_l = H_l W_l + b_l; Z_0 = U_0; X_l
 * = Z_{l-1} + c_l (U_l - Z_{l-1}); Z_l = block_l(X_l); logits = pool(LN(Z_L)) W + b.
 *
 * <p>Owns no memory: parameters are declared into a {@link Parameters}, activations come as {@link
 * SideActivations}.
 */
public final class SideNetwork {
  private final SideConfig config;
  private final List<Parameter> ladderWeights = new ArrayList<>();
  private final List<Parameter> ladderBiases = new ArrayList<>();
  private final Parameter gates;
  private final List<SideBlock> blocks = new ArrayList<>();
  private final ReadOut readOut;

  /**
   * Declares the network's parameters: ladder.L, gates, blocks.L, norm, head.
   *
   * @param config shape of the network
   * @param parameters the set that the parameters are declared in
   */
  public SideNetwork(SideConfig config, Parameters parameters) {
    this.config = config;
    int width = config.width();
    for (int l = 0; l <= config.blocks(); l++) {
      int in = config.tapWidths().get(l);
      ladderWeights.add(
          parameters.add(
              "ladder." + l + ".weight",
              Parameter.Role.SIDE,
              true,
              Initializer.fanIn(in),
              in,
              width));
      ladderBiases.add(
          parameters.add(
              "ladder." + l + ".bias", Parameter.Role.SIDE, false, Initializer.constant(0), width));
    }
    gates =
        parameters.add(
            "gates", Parameter.Role.SIDE, false, Initializer.constant(0), config.blocks());
    for (int l = 1; l <= config.blocks(); l++) {
      blocks.add(SideBlock.of(config, parameters, "blocks." + l + "."));
    }
    readOut =
        new ReadOut(
            parameters,
            Parameter.Role.SIDE,
            Parameter.Role.SIDE,
            width,
            config.pooling(),
            config.classes(),
            config.epsilon(),
            true,
            Initializer.constant(1),
            Initializer.constant(0));
  }

  /** {@return its shape} */
  public SideConfig config() {
    return config;
  }

  /** {@return [L] raw gate values a_l, before the sigmoid} */
  public Parameter gates() {
    return gates;
  }

  List<SideBlock> blocks() {
    return blocks;
  }

  ReadOut readOut() {
    return readOut;
  }

  /**
   * Computes all states and the logits, {@code a.logits()} [N, classes] with N = {@code
   * config.pooling().rows(layout)}.
   *
   * @param kernels the operations of the device
   * @param taps H_0 .. H_L, each [rows, tap width]
   * @param keep [rows], 1 = kept, 0 = masked; null when nothing is masked
   * @param valid [rows], 1 = token, 0 = padding; null when all are tokens. Padding has no influence
   *     on logits of tokens and on gradients as long as its features are finite: they are read, and
   *     multiplied by 0
   * @param a memory of a step
   */
  public void forward(
      Kernels kernels,
      List<Tensor> taps,
      @Nullable Tensor keep,
      @Nullable Tensor valid,
      SideActivations a) {
    if (taps.size() != config.tapWidths().size()) {
      throw new IllegalArgumentException(
          taps.size() + " taps for a side network of " + config.tapWidths().size());
    }
    TokenLayout layout = a.layout();
    kernels.ladderCoefficients(
        gates.value(), config.tau(), config.placement(), keep, a.coefficients());
    project(kernels, taps.getFirst(), 0, null, a.state(0));
    for (int l = 1; l <= config.blocks(); l++) {
      project(kernels, taps.get(l), l, a.coefficients(l), a.projected(l));
      kernels.ladderMix(a.state(l - 1), a.projected(l), a.coefficients(l), a.mixed(l));
      blocks.get(l - 1).forward(kernels, a.mixed(l), layout, valid, a.blockState(l), a.state(l));
    }
    readOut.forward(kernels, a.state(config.blocks()), layout, valid, a.readOut());
  }

  private void project(Kernels kernels, Tensor tap, int l, @Nullable Tensor c, Tensor u) {
    kernels.ladderProject(tap, ladderWeights.get(l).value(), ladderBiases.get(l).value(), c, u);
  }

  /** Adds the gradient of a loss on state Z_l to {@code gradient} [rows, D_S]. */
  @FunctionalInterface
  public interface StateGradient {
    /** No loss on the states. */
    StateGradient NONE = (tap, state, gradient) -> {};

    /**
     * Adds the gradient of a loss on a state.
     *
     * @param tap behind which the state is, from 0
     * @param state [rows, D_S]
     * @param gradient [rows, D_S] by the state, added to
     */
    void addTo(int tap, Tensor state, Tensor gradient);
  }

  /**
   * Writes the gradients of all parameters; to be called after {@link #forward} with the same
   * arguments.
   *
   * @param kernels the operations of the device
   * @param taps features of the backbone, [rows, D_B] each
   * @param keep [rows], 1 = kept, 0 = masked; null when nothing is masked
   * @param valid [rows], 1 = token, 0 = padding; null when all are tokens
   * @param a memory of a step
   * @param dLogits [N, classes]
   * @param losses is asked for every state from the last to the first
   */
  public void backward(
      Kernels kernels,
      List<Tensor> taps,
      @Nullable Tensor keep,
      @Nullable Tensor valid,
      SideActivations a,
      Tensor dLogits,
      StateGradient losses) {
    int last = config.blocks();
    Tensor gradient = a.gradient();
    readOut.backward(
        kernels, a.state(last), a.layout(), valid, a.readOut(), dLogits, null, gradient);
    for (int l = last; l >= 1; l--) {
      losses.addTo(l, a.state(l), gradient);
      blocks
          .get(l - 1)
          .backward(kernels, a.mixed(l), a.layout(), valid, a.blockState(l), a.scratch(), gradient);
      Tensor dProjected = a.dProjected();
      kernels.ladderMixBackward(
          gradient,
          a.state(l - 1),
          a.projected(l),
          a.coefficients(l),
          gradient,
          dProjected,
          a.dCoefficients(l));
      kernels.ladderProjectBackward(
          taps.get(l),
          dProjected,
          a.coefficients(l),
          ladderWeights.get(l).gradient(),
          ladderBiases.get(l).gradient());
    }
    losses.addTo(0, a.state(0), gradient);
    kernels.ladderProjectBackward(
        taps.getFirst(),
        gradient,
        null,
        ladderWeights.getFirst().gradient(),
        ladderBiases.getFirst().gradient());
    kernels.ladderCoefficientsBackward(
        gates.value(), config.tau(), config.placement(), keep, a.dCoefficients(), gates.gradient());
  }
}

package dev.sidefade.distill;

import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.Initializer;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import dev.sidefade.layers.Slab;
import dev.sidefade.layers.TransformerBlock;
import dev.sidefade.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Fills in removed tokens from the ones around them, at the side width. It must mix tokens: a
 * token-wise map sees a constant at a removed place.
 */
sealed interface Generator {
  /** Memory of both passes; generators of one kind and width share it. */
  sealed interface State {
    /** [rows, D] the generated features. */
    Tensor output();
  }

  static Generator of(Parameters parameters, String prefix, boolean grid, int width, int heads) {
    return grid
        ? new Conv(parameters, prefix, width)
        : new Sequence(
            new TransformerBlock(parameters, prefix + "block.", width, heads, 2 * width, 1e-6f),
            width);
  }

  State state(Slab slab, TokenLayout layout);

  void forward(Kernels kernels, Tensor x, TokenLayout layout, @Nullable Tensor valid, State state);

  /** Turns {@code gradient} by the output into the gradient by x, in place. */
  void backward(
      Kernels kernels,
      Tensor x,
      TokenLayout layout,
      @Nullable Tensor valid,
      State state,
      Tensor gradient);

  /** conv3x3 - ReLU - conv3x3 over the patch grid. */
  final class Conv implements Generator {
    private final int width;
    private final Parameter weight1;
    private final Parameter bias1;
    private final Parameter weight2;
    private final Parameter bias2;

    /** Memory of both passes. */
    record ConvState(Tensor hidden, Tensor output, Tensor dHidden) implements State {}

    Conv(Parameters parameters, String prefix, int width) {
      this.width = width;
      Parameter.Role role = Parameter.Role.SIDE;
      long in = 9L * width;
      weight1 =
          parameters.add(prefix + "conv1.weight", role, true, Initializer.fanIn(in), in, width);
      bias1 = parameters.add(prefix + "conv1.bias", role, false, Initializer.constant(0), width);
      weight2 =
          parameters.add(prefix + "conv2.weight", role, true, Initializer.fanIn(in), in, width);
      bias2 = parameters.add(prefix + "conv2.bias", role, false, Initializer.constant(0), width);
    }

    @Override
    public State state(Slab slab, TokenLayout layout) {
      return new ConvState(
          slab.take(layout.rows(), width),
          slab.take(layout.rows(), width),
          slab.take(layout.rows(), width));
    }

    @Override
    public void forward(
        Kernels kernels, Tensor x, TokenLayout layout, @Nullable Tensor valid, State state) {
      ConvState s = (ConvState) state;
      kernels.conv3x3(x, layout, weight1.value(), bias1.value(), s.hidden());
      kernels.relu(s.hidden(), s.hidden());
      kernels.conv3x3(s.hidden(), layout, weight2.value(), bias2.value(), s.output());
    }

    @Override
    public void backward(
        Kernels kernels,
        Tensor x,
        TokenLayout layout,
        @Nullable Tensor valid,
        State state,
        Tensor gradient) {
      ConvState s = (ConvState) state;
      kernels.conv3x3Backward(
          s.hidden(),
          layout,
          weight2.value(),
          gradient,
          s.dHidden(),
          weight2.gradient(),
          bias2.gradient());
      kernels.reluBackward(s.hidden(), s.dHidden(), s.dHidden());
      kernels.conv3x3Backward(
          x, layout, weight1.value(), s.dHidden(), gradient, weight1.gradient(), bias1.gradient());
    }
  }

  /** One pre-norm self-attention block. */
  record Sequence(TransformerBlock block, int width) implements Generator {
    /** Memory of both passes. */
    record SequenceState(
        TransformerBlock.State block, TransformerBlock.Scratch scratch, Tensor output)
        implements State {}

    @Override
    public State state(Slab slab, TokenLayout layout) {
      return new SequenceState(
          block.state(slab, layout), block.scratch(slab, layout), slab.take(layout.rows(), width));
    }

    @Override
    public void forward(
        Kernels kernels, Tensor x, TokenLayout layout, @Nullable Tensor valid, State state) {
      SequenceState s = (SequenceState) state;
      block.forward(kernels, x, layout, valid, s.block(), s.output());
    }

    @Override
    public void backward(
        Kernels kernels,
        Tensor x,
        TokenLayout layout,
        @Nullable Tensor valid,
        State state,
        Tensor gradient) {
      SequenceState s = (SequenceState) state;
      block.backward(kernels, x, layout, valid, s.block(), s.scratch(), gradient);
    }
  }
}

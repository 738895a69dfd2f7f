package dev.sidefade.side;

import dev.sidefade.kernels.AdapterState;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.AdapterBlock;
import dev.sidefade.layers.Parameters;
import dev.sidefade.layers.Slab;
import dev.sidefade.layers.TransformerBlock;
import dev.sidefade.tensor.Tensor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One block of the side network, of either kind. */
sealed interface SideBlock {
  /** What a block keeps from its forward pass. */
  sealed interface State {}

  /** Of a transformer block. */
  record TransformerState(TransformerBlock.State state) implements State {}

  /** Of an adapter block. */
  record TokenWiseState(AdapterState state) implements State {}

  static SideBlock of(SideConfig config, Parameters parameters, String prefix) {
    return switch (config.kind()) {
      case TRANSFORMER ->
          new Transformer(
              new TransformerBlock(
                  parameters,
                  prefix,
                  config.width(),
                  config.heads(),
                  config.hidden(),
                  config.epsilon()));
      case ADAPTER ->
          new TokenWise(
              new AdapterBlock(
                  parameters, prefix, "norm", config.width(), config.hidden(), config.epsilon()));
    };
  }

  State state(Slab slab, TokenLayout layout);

  /** Memory of a backward pass, shared by all blocks; null where none is needed. */
  TransformerBlock.@Nullable Scratch scratch(Slab slab, TokenLayout layout);

  void forward(
      Kernels kernels, Tensor x, TokenLayout layout, @Nullable Tensor valid, State state, Tensor z);

  /** Turns {@code gradient} by z into the gradient by x, in place. */
  void backward(
      Kernels kernels,
      Tensor x,
      TokenLayout layout,
      @Nullable Tensor valid,
      State state,
      TransformerBlock.@Nullable Scratch scratch,
      Tensor gradient);

  /** Self-attention and MLP. */
  record Transformer(TransformerBlock block) implements SideBlock {
    @Override
    public State state(Slab slab, TokenLayout layout) {
      return new TransformerState(block.state(slab, layout));
    }

    @Override
    public TransformerBlock.@Nullable Scratch scratch(Slab slab, TokenLayout layout) {
      return block.scratch(slab, layout);
    }

    @Override
    public void forward(
        Kernels kernels,
        Tensor x,
        TokenLayout layout,
        @Nullable Tensor valid,
        State state,
        Tensor z) {
      block.forward(kernels, x, layout, valid, ((TransformerState) state).state(), z);
    }

    @Override
    public void backward(
        Kernels kernels,
        Tensor x,
        TokenLayout layout,
        @Nullable Tensor valid,
        State state,
        TransformerBlock.@Nullable Scratch scratch,
        Tensor gradient) {
      TransformerBlock.State s = ((TransformerState) state).state();
      block.backward(kernels, x, layout, valid, s, Objects.requireNonNull(scratch), gradient);
    }
  }

  /** Bottleneck per token. */
  record TokenWise(AdapterBlock block) implements SideBlock {
    @Override
    public State state(Slab slab, TokenLayout layout) {
      return new TokenWiseState(block.state(slab, layout.rows()));
    }

    @Override
    public TransformerBlock.@Nullable Scratch scratch(Slab slab, TokenLayout layout) {
      return null;
    }

    @Override
    public void forward(
        Kernels kernels,
        Tensor x,
        TokenLayout layout,
        @Nullable Tensor valid,
        State state,
        Tensor z) {
      block.forward(kernels, x, ((TokenWiseState) state).state(), z);
    }

    @Override
    public void backward(
        Kernels kernels,
        Tensor x,
        TokenLayout layout,
        @Nullable Tensor valid,
        State state,
        TransformerBlock.@Nullable Scratch scratch,
        Tensor gradient) {
      block.backward(kernels, x, ((TokenWiseState) state).state(), gradient);
    }
  }
}

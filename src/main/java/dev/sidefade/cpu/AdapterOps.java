package dev.sidefade.cpu;

import dev.sidefade.kernels.AdapterState;
import dev.sidefade.kernels.AdapterWeights;
import dev.sidefade.tensor.Tensor;

/** The token-wise side block. */
final class AdapterOps {
  private final Context context;
  private final LinearOps linear;
  private final TokenOps tokens;

  AdapterOps(Context context, LinearOps linear, TokenOps tokens) {
    this.context = context;
    this.linear = linear;
    this.tokens = tokens;
  }

  void forward(Tensor x, AdapterWeights w, float epsilon, AdapterState state, Tensor z) {
    tokens.layerNorm(
        x, w.gamma(), w.beta(), epsilon, state.normalized(), state.mean(), state.rstd());
    linear.linear(state.normalized(), w.w1(), w.b1(), state.hidden());
    tokens.gelu(state.hidden(), state.activated());
    linear.linear(state.activated(), w.w2(), w.b2(), z);
    linear.add(x, z);
  }

  void backward(
      Tensor x,
      AdapterWeights w,
      AdapterState state,
      Tensor dz,
      Tensor dx,
      AdapterWeights gradients) {
    int rows = Checks.rows(x);
    int width = Checks.width(x);
    int hidden = Checks.width(state.hidden());
    Checks.vector("beta of adapter", w.beta(), width);
    Checks.vector("b1 of adapter", w.b1(), hidden);
    Checks.vector("b2 of adapter", w.b2(), width);
    long dOut = Checks.matrix("dz of adapter", dz, rows, width);
    long dIn = Checks.matrix("dx of adapter", dx, rows, width);
    Memory memory = context.memory();
    long mark = memory.mark();
    Tensor dHidden = Scratch.tensor(memory, rows, hidden);
    linear.linearBackward(state.activated(), w.w2(), dz, dHidden, gradients.w2(), gradients.b2());
    tokens.geluBackward(state.hidden(), dHidden, dHidden);
    Tensor dNormalized = Scratch.tensor(memory, rows, width);
    linear.linearBackward(
        state.normalized(), w.w1(), dHidden, dNormalized, gradients.w1(), gradients.b1());
    if (dIn != dOut) {
      RawMemory.copy(dOut, dIn, (long) rows * width);
    }
    tokens.layerNormBackward(
        x,
        w.gamma(),
        state.mean(),
        state.rstd(),
        dNormalized,
        dx,
        true,
        gradients.gamma(),
        gradients.beta());
    memory.release(mark);
  }
}

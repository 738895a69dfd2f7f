package dev.sidefade.cpu;

import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;

/** Layer norm, activations and pooling: each row on its own. */
final class TokenOps {
  /** Elements of the GELU's gradient that are computed at a time. */
  private static final int DERIVATIVE_BLOCK = 2048;

  private final Context context;

  TokenOps(Context context) {
    this.context = context;
  }

  void layerNorm(
      Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y, Tensor mean, Tensor rstd) {
    int count = Checks.rows(x);
    int width = Checks.width(x);
    normalizeRows(
        Checks.matrix("x of layerNorm", x, count, width),
        Checks.vector("gamma of layerNorm", gamma, width),
        Checks.vector("beta of layerNorm", beta, width),
        epsilon,
        Checks.matrix("y of layerNorm", y, count, width),
        Checks.vector("mean of layerNorm", mean, count),
        Checks.vector("rstd of layerNorm", rstd, count),
        count,
        width);
  }

  private void normalizeRows(
      long x,
      long gamma,
      long beta,
      float epsilon,
      long y,
      long mean,
      long rstd,
      int count,
      int width) {
    RowMath math = context.rows();
    context.overRows(
        count,
        (from, to) -> {
          long at = 4L * from * width;
          math.layerNorm(
              x + at,
              gamma,
              beta,
              epsilon,
              y + at,
              mean + 4L * from,
              rstd + 4L * from,
              to - from,
              width);
        });
  }

  void layerNormBackward(
      Tensor x,
      Tensor gamma,
      Tensor mean,
      Tensor rstd,
      Tensor dy,
      Tensor dx,
      boolean addToDx,
      Tensor dGamma,
      Tensor dBeta) {
    int count = Checks.rows(x);
    int width = Checks.width(x);
    long in = Checks.matrix("x of layerNorm", x, count, width);
    long scale = Checks.vector("gamma of layerNorm", gamma, width);
    long means = Checks.vector("mean of layerNorm", mean, count);
    long rstds = Checks.vector("rstd of layerNorm", rstd, count);
    long dOut = Checks.matrix("dy of layerNorm", dy, count, width);
    long dIn = dx == null ? 0 : Checks.matrix("dx of layerNorm", dx, count, width);
    long toGamma = Checks.vector("dGamma of layerNorm", dGamma, width);
    long toBeta = Checks.vector("dBeta of layerNorm", dBeta, width);
    RowMath math = context.rows();
    Memory memory = context.memory();
    long mark = memory.mark();
    int blocks = Context.blocks(count);
    long gammas = memory.take((long) blocks * width);
    long betas = memory.take((long) blocks * width);
    long sums = memory.take(2L * count);
    context.overRows(
        count,
        (from, to) -> {
          long partial = 4L * (from / Context.ROW_BLOCK) * width;
          RawMemory.zero(gammas + partial, width);
          RawMemory.zero(betas + partial, width);
          for (int r = from; r < to; r++) {
            long at = 4L * r * width;
            math.normalizeBackward(
                in + at,
                RawMemory.get(means + 4L * r),
                RawMemory.get(rstds + 4L * r),
                scale,
                dOut + at,
                gammas + partial,
                betas + partial,
                sums + 8L * r,
                width);
          }
        });
    context.sumBlocks(gammas, blocks, width, toGamma);
    context.sumBlocks(betas, blocks, width, toBeta);
    if (dIn != 0) {
      InputGradient gradient = addToDx ? math::addInputGradient : math::writeInputGradient;
      context.overRows(
          count,
          (from, to) -> {
            for (int r = from; r < to; r++) {
              long at = 4L * r * width;
              gradient.row(
                  in + at,
                  RawMemory.get(means + 4L * r),
                  RawMemory.get(rstds + 4L * r),
                  scale,
                  dOut + at,
                  sums + 8L * r,
                  dIn + at,
                  width);
            }
          });
    }
    memory.release(mark);
  }

  /** {@link RowMath#writeInputGradient} or {@link RowMath#addInputGradient}. */
  @FunctionalInterface
  private interface InputGradient {
    void row(long x, float mean, float rstd, long gamma, long dy, long sums, long dx, int n);
  }

  void gelu(Tensor x, Tensor y) {
    long in = Checks.address("x of gelu", x);
    long out = Checks.vector("y of gelu", y, x.size());
    context.overElements(x.size(), (at, n) -> context.rows().gelu(in + 4 * at, out + 4 * at, n));
  }

  void geluBackward(Tensor x, Tensor dy, Tensor dx) {
    long in = Checks.address("x of gelu", x);
    long dOut = Checks.vector("dy of gelu", dy, x.size());
    long dIn = Checks.vector("dx of gelu", dx, x.size());
    // the derivative goes through scratch that stays in the cache: dx may be dy
    long size = x.size();
    int tasks = Math.toIntExact((size + DERIVATIVE_BLOCK - 1) / DERIVATIVE_BLOCK);
    Memory memory = context.memory();
    long mark = memory.mark();
    long scratch = memory.take((long) DERIVATIVE_BLOCK * context.workers().count());
    context
        .workers()
        .run(
            tasks,
            (task, worker) -> {
              long at = 4L * task * DERIVATIVE_BLOCK;
              int n = (int) Math.min(DERIVATIVE_BLOCK, size - at / 4);
              long derivative = scratch + 4L * worker * DERIVATIVE_BLOCK;
              context.rows().geluDerivative(in + at, derivative, n);
              context.rows().multiply(dOut + at, derivative, n);
              RawMemory.copy(derivative, dIn + at, n);
            });
    memory.release(mark);
  }

  void relu(Tensor x, Tensor y) {
    long in = Checks.address("x of relu", x);
    long out = Checks.vector("y of relu", y, x.size());
    context.overElements(x.size(), (at, n) -> context.rows().relu(in + 4 * at, out + 4 * at, n));
  }

  void reluBackward(Tensor y, Tensor dy, Tensor dx) {
    long out = Checks.address("y of relu", y);
    long dOut = Checks.vector("dy of relu", dy, y.size());
    long dIn = Checks.vector("dx of relu", dx, y.size());
    context.overElements(
        y.size(),
        (at, n) -> context.rows().reluBackward(out + 4 * at, dOut + 4 * at, dIn + 4 * at, n));
  }

  void pool(Tensor x, TokenLayout layout, Pooling pooling, Tensor valid, Tensor y) {
    int width = Checks.width(x);
    int outWidth = width * pooling.parts();
    long in = Checks.matrix("x of pool", x, layout.rows(), width);
    long out = Checks.matrix("y of pool", y, pooling.rows(layout), outWidth);
    long tokens = Checks.vectorOrNull("valid of pool", valid, layout.rows());
    if (pooling == Pooling.TOKENS) {
      copyValid(in, tokens, out, layout.rows(), width);
      return;
    }
    RowMath math = context.rows();
    context.over(
        layout.batch(),
        1,
        (sample, end) -> {
          long target = out + 4L * sample * outWidth;
          long first = 4L * sample * layout.tokens();
          if (pooling != Pooling.MEAN) {
            RawMemory.copy(in + first * width, target, width);
            target += 4L * width;
          }
          if (pooling != Pooling.CLS) {
            RawMemory.zero(target, width);
            int counted = 0;
            for (int t = layout.prefix(); t < layout.tokens(); t++) {
              if (isValid(tokens, first + 4L * t)) {
                math.add(in + (first + 4L * t) * width, target, width);
                counted++;
              }
            }
            math.scale(counted == 0 ? 0 : 1f / counted, target, target, width);
          }
        });
  }

  /** Rows of tokens as they are, rows of padding as zeros. */
  private void copyValid(long from, long tokens, long to, int rows, int width) {
    context.overRows(
        rows,
        (first, end) -> {
          for (int r = first; r < end; r++) {
            long at = 4L * r * width;
            if (isValid(tokens, 4L * r)) {
              RawMemory.copy(from + at, to + at, width);
            } else {
              RawMemory.zero(to + at, width);
            }
          }
        });
  }

  private static boolean isValid(long tokens, long offset) {
    return tokens == 0 || RawMemory.get(tokens + offset) != 0;
  }

  void poolBackward(Tensor dy, TokenLayout layout, Pooling pooling, Tensor valid, Tensor dx) {
    int width = Checks.width(dx);
    int outWidth = width * pooling.parts();
    long dIn = Checks.matrix("dx of pool", dx, layout.rows(), width);
    long dOut = Checks.matrix("dy of pool", dy, pooling.rows(layout), outWidth);
    long tokens = Checks.vectorOrNull("valid of pool", valid, layout.rows());
    if (pooling == Pooling.TOKENS) {
      copyValid(dOut, tokens, dIn, layout.rows(), width);
      return;
    }
    context.over(
        layout.batch(),
        1,
        (sample, end) -> {
          long first = 4L * sample * layout.tokens();
          RawMemory.zero(dIn + first * width, (long) layout.tokens() * width);
          long source = dOut + 4L * sample * outWidth;
          if (pooling != Pooling.CLS) {
            long means = source + (pooling == Pooling.CLS_MEAN ? 4L * width : 0);
            spreadMean(means, layout, tokens, first, dIn, width);
          }
          if (pooling != Pooling.MEAN) {
            context.rows().add(source, dIn + first * width, width);
          }
        });
  }

  private void spreadMean(
      long means, TokenLayout layout, long tokens, long first, long dIn, int width) {
    int counted = 0;
    for (int t = layout.prefix(); t < layout.tokens(); t++) {
      counted += isValid(tokens, first + 4L * t) ? 1 : 0;
    }
    for (int t = layout.prefix(); t < layout.tokens(); t++) {
      if (isValid(tokens, first + 4L * t)) {
        context.rows().scale(1f / counted, means, dIn + (first + 4L * t) * width, width);
      }
    }
  }
}

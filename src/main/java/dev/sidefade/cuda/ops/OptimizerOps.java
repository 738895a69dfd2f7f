package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.kernels.OptimizerGroup;
import dev.sidefade.tensor.Tensor;

/** Gradient clipping and AdamW over one flat vector ({@code kernels/adamw.cu}). */
final class OptimizerOps {
  /** Elements of a slot of the gradient's norm: a multiple of this, and at least eight times. */
  private static final int SLOT_UNIT = 1024;

  private static final int LEAST_UNITS = 8;
  private static final int MOST_SLOTS = 1024;

  private final Context context;
  private final CudaKernel squares;
  private final CudaKernel clip;
  private final CudaKernel adamw;

  /** What all runs of an update share. */
  private record Factors(
      float beta1, float beta2, float epsilon, double correction1, float rootScale) {}

  OptimizerOps(Context context) {
    this.context = context;
    squares = context.kernel("adamw", "gradient_squares");
    clip = context.kernel("adamw", "gradient_clip");
    adamw = context.kernel("adamw", "adamw");
  }

  void clip(Tensor gradient, float maxNorm, Tensor clipFactor) {
    long g = Checks.address("gradient", gradient);
    long out = Checks.vector("clip", clipFactor, 2);
    long count = gradient.size();
    long units = (count + (long) SLOT_UNIT * MOST_SLOTS - 1) / ((long) SLOT_UNIT * MOST_SLOTS);
    long size = SLOT_UNIT * Math.max(LEAST_UNITS, units);
    int slots = Math.toIntExact((count + size - 1) / size);
    int mark = context.scratch().mark();
    long sums = context.scratch().take(4L * slots);
    if (slots > 0) {
      context
          .launch(squares)
          .address(g)
          .int64(count)
          .int64(size)
          .address(sums)
          .on(slots, 1, 1, 256, 0);
    }
    context
        .launch(clip)
        .address(sums)
        .int32(slots)
        .float32(maxNorm)
        .address(out)
        .on(1, 1, 1, 256, 0);
    context.scratch().release(mark);
  }

  void adamw(
      Tensor parameters,
      Tensor gradient,
      Tensor m,
      Tensor v,
      OptimizerGroup[] groups,
      float beta1,
      float beta2,
      float epsilon,
      long step,
      Tensor clipFactor) {
    long size = parameters.size();
    long p = Checks.address("parameters of adamw", parameters);
    long g = Checks.vector("gradient of adamw", gradient, size);
    long first = Checks.vector("m of adamw", m, size);
    long second = Checks.vector("v of adamw", v, size);
    long factor = Checks.vector("clip of adamw", clipFactor, 2);
    if (step < 1) {
      throw new IllegalArgumentException("steps of adamw count from 1, got " + step);
    }
    for (OptimizerGroup group : groups) {
      group.requireWithin(size);
    }
    double correction1 = 1 - Math.pow(beta1, step);
    float rootScale = (float) (1 / Math.sqrt(1 - Math.pow(beta2, step)));
    Factors factors = new Factors(beta1, beta2, epsilon, correction1, rootScale);
    for (int from = 0; from < groups.length; ) {
      int end = endOfAscent(groups, from);
      long runs = send(groups, from, end, factors);
      if (size > 0) {
        context
            .launch(adamw)
            .address(p)
            .address(g)
            .address(first)
            .address(second)
            .int64(size)
            .address(runs)
            .int32(end - from)
            .address(factor)
            .on(LinearOps.elementBlocks(size), 1, 1, 256, 0);
      }
      from = end;
    }
  }

  /**
   * The groups from {@code from} on that ascend without overlap, which is all of them in practice:
   * one launch updates them. What follows comes in another launch, after it.
   */
  private static int endOfAscent(OptimizerGroup[] groups, int from) {
    int end = from + 1;
    while (end < groups.length
        && groups[end].from() >= groups[end - 1].from() + groups[end - 1].count()) {
      end++;
    }
    return end;
  }

  private long send(OptimizerGroup[] groups, int from, int end, Factors factors) {
    HostValues values = context.values().begin(24L * (end - from) + 16);
    for (int i = from; i < end; i++) {
      values.putLong(groups[i].from());
    }
    for (int i = from; i < end; i++) {
      values.putLong(groups[i].from() + groups[i].count());
    }
    for (int i = from; i < end; i++) {
      values.putFloat((float) (groups[i].learningRate() / factors.correction1()));
    }
    for (int i = from; i < end; i++) {
      values.putFloat(groups[i].learningRate() * groups[i].weightDecay());
    }
    return values
        .putFloat(factors.beta1())
        .putFloat(factors.beta2())
        .putFloat(factors.epsilon())
        .putFloat(factors.rootScale())
        .send();
  }
}

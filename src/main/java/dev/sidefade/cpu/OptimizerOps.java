package dev.sidefade.cpu;

import dev.sidefade.kernels.OptimizerGroup;
import dev.sidefade.tensor.Tensor;

/** Gradient clipping and AdamW over one flat vector. */
final class OptimizerOps {
  private final Context context;

  OptimizerOps(Context context) {
    this.context = context;
  }

  void clip(Tensor gradient, float maxNorm, Tensor clip) {
    long g = Checks.address("gradient", gradient);
    long out = Checks.vector("clip", clip, 2);
    long count = gradient.size();
    int blocks = Math.toIntExact((count + Context.ELEMENT_BLOCK - 1) / Context.ELEMENT_BLOCK);
    long mark = context.memory().mark();
    long partial = context.memory().take(blocks);
    context.overElements(
        count,
        (at, n) ->
            RawMemory.set(
                partial + 4 * (at / Context.ELEMENT_BLOCK),
                context.rows().sumOfSquares(g + 4 * at, n)));
    double sum = 0;
    for (int b = 0; b < blocks; b++) {
      sum += RawMemory.get(partial + 4L * b);
    }
    context.memory().release(mark);
    double norm = Math.sqrt(sum);
    float factor = maxNorm > 0 && norm > maxNorm ? (float) (maxNorm / norm) : 1f;
    RawMemory.set(out, Double.isFinite(norm) ? factor : Float.NaN);
    RawMemory.set(out + 4, (float) norm);
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
      Tensor clip) {
    long size = parameters.size();
    long p = Checks.address("parameters of adamw", parameters);
    long g = Checks.vector("gradient of adamw", gradient, size);
    long first = Checks.vector("m of adamw", m, size);
    long second = Checks.vector("v of adamw", v, size);
    float factor = RawMemory.get(Checks.vector("clip of adamw", clip, 2));
    if (step < 1) {
      throw new IllegalArgumentException("steps of adamw count from 1, got " + step);
    }
    double correction1 = 1 - Math.pow(beta1, step);
    double rootScale = 1 / Math.sqrt(1 - Math.pow(beta2, step));
    for (OptimizerGroup group : groups) {
      group.requireWithin(size);
      RowMath.AdamFactors factors =
          new RowMath.AdamFactors(
              beta1,
              beta2,
              factor,
              (float) (group.learningRate() / correction1),
              (float) rootScale,
              epsilon,
              group.learningRate() * group.weightDecay());
      long base = 4 * group.from();
      context.overElements(
          group.count(),
          (at, n) -> {
            long o = base + 4 * at;
            context.rows().adamw(p + o, g + o, first + o, second + o, n, factors);
          });
    }
  }
}

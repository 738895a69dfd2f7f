package dev.sidefade.cpu;

import dev.sidefade.kernels.KeptTokens;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;

/** Which tokens are removed, and what stands in their place. */
final class MaskOps {
  private final Context context;

  MaskOps(Context context) {
    this.context = context;
  }

  void draw(long seed, long stream, float ratio, TokenLayout layout, Tensor valid, Tensor removed) {
    long tokens = Checks.vectorOrNull("valid of drawMask", valid, layout.rows());
    long out = Checks.vector("removed of drawMask", removed, layout.rows());
    if (!(ratio >= 0 && ratio <= 1)) {
      throw new IllegalArgumentException("mask ratio must be in [0, 1], got " + ratio);
    }
    RawMemory.zero(out, layout.rows());
    long[] order = new long[layout.tokens()];
    for (int b = 0; b < layout.batch(); b++) {
      int first = b * layout.tokens();
      int count = 0;
      for (int t = layout.prefix(); t < layout.tokens(); t++) {
        if (tokens == 0 || RawMemory.get(tokens + 4L * (first + t)) != 0) {
          // 24 bits of noise over the index: sorts by noise, ties by index
          long noise = (long) (CounterRandom.uniform(seed, stream, first + t) * 0x1p24f);
          order[count++] = noise << 32 | t;
        }
      }
      Arrays.sort(order, 0, count);
      int kept = KeptTokens.of(count, ratio);
      for (int i = kept; i < count; i++) {
        RawMemory.set(out + 4L * (first + (int) order[i]), 1f);
      }
    }
  }

  void invert(Tensor mask) {
    long m = Checks.address("mask", mask);
    for (long i = 0; i < mask.size(); i++) {
      RawMemory.set(m + 4 * i, 1 - RawMemory.get(m + 4 * i));
    }
  }

  void insert(Tensor x, Tensor removed, Tensor maskToken, Tensor y) {
    int count = Checks.rows(x);
    int width = Checks.width(x);
    long in = Checks.matrix("x of insertMaskToken", x, count, width);
    long gone = Checks.vector("removed of insertMaskToken", removed, count);
    long token = Checks.vector("maskToken", maskToken, width);
    long out = Checks.matrix("y of insertMaskToken", y, count, width);
    context.overRows(
        count,
        (from, to) -> {
          for (int r = from; r < to; r++) {
            long at = 4L * r * width;
            boolean isGone = RawMemory.get(gone + 4L * r) != 0;
            RawMemory.copy(isGone ? token : in + at, out + at, width);
          }
        });
  }

  void insertBackward(Tensor dy, Tensor removed, Tensor dx, Tensor dMaskToken) {
    int count = Checks.rows(dy);
    int width = Checks.width(dy);
    long dOut = Checks.matrix("dy of insertMaskToken", dy, count, width);
    long gone = Checks.vector("removed of insertMaskToken", removed, count);
    long dIn = Checks.matrix("dx of insertMaskToken", dx, count, width);
    long token = Checks.vector("dMaskToken", dMaskToken, width);
    long mark = context.memory().mark();
    int blocks = Context.blocks(count);
    long partial = context.memory().take((long) blocks * width);
    context.overRows(
        count,
        (from, to) -> {
          long sums = partial + 4L * (from / Context.ROW_BLOCK) * width;
          RawMemory.zero(sums, width);
          for (int r = from; r < to; r++) {
            long at = 4L * r * width;
            boolean isGone = RawMemory.get(gone + 4L * r) != 0;
            context.rows().add(dOut + at, isGone ? sums : dIn + at, width);
          }
        });
    context.sumBlocks(partial, blocks, width, token);
    context.memory().release(mark);
  }
}

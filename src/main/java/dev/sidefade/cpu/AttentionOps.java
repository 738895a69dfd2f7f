package dev.sidefade.cpu;

import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;

/** Multi-head self-attention over small heads, one task per sample and head. */
final class AttentionOps {
  private final Context context;

  AttentionOps(Context context) {
    this.context = context;
  }

  void forward(Tensor qkv, TokenLayout layout, int heads, Tensor valid, Tensor out) {
    int width = Checks.width(out);
    long in = Checks.matrix("qkv of attention", qkv, layout.rows(), 3L * width);
    long target = Checks.matrix("out of attention", out, layout.rows(), width);
    long tokens = Checks.vectorOrNull("valid of attention", valid, layout.rows());
    int headWidth = headWidth(width, heads);
    Memory memory = context.memory();
    long mark = memory.mark();
    AttentionHead[] scratch = scratch(layout, headWidth, false);
    context
        .workers()
        .run(
            layout.batch() * heads,
            (task, worker) -> {
              int sample = task / heads;
              AttentionHead head = scratch[worker];
              long firstRow = (long) sample * layout.tokens();
              head.select(tokens, firstRow, layout.tokens());
              long column = 4L * (task % heads) * headWidth;
              head.load(in + column, 12L * width, 4L * width);
              head.forward();
              head.storeOut(target + column, 4L * width);
            });
    memory.release(mark);
  }

  void backward(Tensor qkv, TokenLayout layout, int heads, Tensor valid, Tensor dOut, Tensor dQkv) {
    int width = Checks.width(dOut);
    long in = Checks.matrix("qkv of attention", qkv, layout.rows(), 3L * width);
    long gradient = Checks.matrix("dOut of attention", dOut, layout.rows(), width);
    long target = Checks.matrix("dQkv of attention", dQkv, layout.rows(), 3L * width);
    long tokens = Checks.vectorOrNull("valid of attention", valid, layout.rows());
    int headWidth = headWidth(width, heads);
    Memory memory = context.memory();
    long mark = memory.mark();
    AttentionHead[] scratch = scratch(layout, headWidth, true);
    context
        .workers()
        .run(
            layout.batch() * heads,
            (task, worker) -> {
              int sample = task / heads;
              AttentionHead head = scratch[worker];
              long firstRow = (long) sample * layout.tokens();
              head.select(tokens, firstRow, layout.tokens());
              long column = 4L * (task % heads) * headWidth;
              head.load(in + column, 12L * width, 4L * width);
              head.loadGradient(gradient + column, 4L * width);
              head.backward();
              head.storeGradients(target + column, 12L * width, 4L * width);
            });
    memory.release(mark);
  }

  private AttentionHead[] scratch(TokenLayout layout, int headWidth, boolean backward) {
    AttentionHead[] scratch = new AttentionHead[context.workers().count()];
    for (int i = 0; i < scratch.length; i++) {
      scratch[i] =
          new AttentionHead(context.rows(), context.memory(), layout.tokens(), headWidth, backward);
    }
    return scratch;
  }

  private static int headWidth(int width, int heads) {
    if (heads < 1 || width % heads != 0) {
      throw new IllegalArgumentException(
          "width " + width + " is not a multiple of " + heads + " heads");
    }
    return width / heads;
  }
}

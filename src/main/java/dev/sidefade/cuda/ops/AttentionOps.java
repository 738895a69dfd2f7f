package dev.sidefade.cuda.ops;

import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;

/**
 * Multi-head self-attention over small heads ({@code kernels/attention.cu}): one launch forward,
 * two backward, all tensors of one type of F32, F16 and BF16.
 */
final class AttentionOps {
  private static final String FILE = "attention";

  /** What the kernels are made for; a head takes the first that holds it. */
  private static final int[] WIDTHS = {4, 8, 16, 24, 32, 64, 128};

  /** Lanes that share a token, and most threads of a block, by width. */
  private static final int[] LANES = {1, 1, 1, 2, 2, 4, 8};

  private static final int[] THREADS = {64, 64, 64, 128, 128, 128, 256};

  private static final int WARP = 32;
  private static final int STATISTICS_BYTES = 16;

  private final Context context;
  private final TypedKernel[] forward;
  private final TypedKernel[] byQueries;
  private final TypedKernel[] byKeys;

  AttentionOps(Context context) {
    this.context = context;
    forward = kernels("attention_");
    byQueries = kernels("attention_backward_queries_");
    byKeys = kernels("attention_backward_keys_");
  }

  private TypedKernel[] kernels(String name) {
    TypedKernel[] kernels = new TypedKernel[WIDTHS.length];
    for (int size = 0; size < WIDTHS.length; size++) {
      kernels[size] = new TypedKernel(context, FILE, name + WIDTHS[size] + "_", "");
    }
    return kernels;
  }

  void forward(Tensor qkv, TokenLayout layout, int heads, Tensor valid, Tensor out) {
    int width = Checks.width(out);
    long in = Checks.features("qkv of attention", qkv, layout.rows(), 3L * width);
    long target = Checks.features("out of attention", out, layout.rows(), width);
    long tokens = Checks.vectorOrNull("valid of attention", valid, layout.rows());
    sameType("out of attention", out, qkv);
    int headWidth = headWidth(width, heads);
    int size = size(headWidth);
    Launch launch =
        context.launch(forward[size].of(qkv.dtype())).address(in).address(tokens).address(target);
    start(launch, layout, heads, headWidth, size);
  }

  void backward(Tensor qkv, TokenLayout layout, int heads, Tensor valid, Tensor dOut, Tensor dQkv) {
    int width = Checks.width(dOut);
    long in = Checks.features("qkv of attention", qkv, layout.rows(), 3L * width);
    long gradient = Checks.features("dOut of attention", dOut, layout.rows(), width);
    long target = Checks.features("dQkv of attention", dQkv, layout.rows(), 3L * width);
    long tokens = Checks.vectorOrNull("valid of attention", valid, layout.rows());
    sameType("dOut of attention", dOut, qkv);
    sameType("dQkv of attention", dQkv, qkv);
    int headWidth = headWidth(width, heads);
    int size = size(headWidth);
    int mark = context.scratch().mark();
    long statistics = context.scratch().take((long) STATISTICS_BYTES * layout.rows() * heads);
    Launch queries =
        context
            .launch(byQueries[size].of(qkv.dtype()))
            .address(in)
            .address(tokens)
            .address(gradient)
            .address(target)
            .address(statistics);
    start(queries, layout, heads, headWidth, size);
    Launch keys =
        context
            .launch(byKeys[size].of(qkv.dtype()))
            .address(in)
            .address(tokens)
            .address(gradient)
            .address(target)
            .address(statistics);
    start(keys, layout, heads, headWidth, size);
    context.scratch().release(mark);
  }

  /** Adds the shape that all kernels end with; one block per head and tile of tokens. */
  private static void start(Launch launch, TokenLayout layout, int heads, int headWidth, int size) {
    int warps = (Math.min(layout.tokens(), THREADS[size]) * LANES[size] + WARP - 1) / WARP;
    int threads = Math.min(warps * WARP, THREADS[size]);
    int tokensOfBlock = threads / LANES[size];
    launch
        .int32(layout.tokens())
        .int32(heads)
        .int32(headWidth)
        .float32((float) (1 / Math.sqrt(headWidth)))
        .on(
            (long) layout.batch() * heads,
            (layout.tokens() + tokensOfBlock - 1) / tokensOfBlock,
            1,
            threads,
            0);
  }

  private static int size(int headWidth) {
    for (int i = 0; i < WIDTHS.length; i++) {
      if (headWidth <= WIDTHS[i]) {
        return i;
      }
    }
    throw new IllegalArgumentException(
        "heads of attention are "
            + headWidth
            + " wide, at most "
            + WIDTHS[WIDTHS.length - 1]
            + " on CUDA: use more heads");
  }

  private static int headWidth(int width, int heads) {
    if (heads < 1 || width % heads != 0) {
      throw new IllegalArgumentException(
          "width " + width + " is not a multiple of " + heads + " heads");
    }
    return width / heads;
  }

  private static void sameType(String what, Tensor t, Tensor qkv) {
    if (t.dtype() != qkv.dtype()) {
      throw new IllegalArgumentException(
          what + " holds " + t.dtype() + ", expected " + qkv.dtype() + " as qkv does");
    }
  }
}

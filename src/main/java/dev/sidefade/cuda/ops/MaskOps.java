package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.kernels.KeptTokens;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;

/** Which tokens are removed, and what stands in their place ({@code kernels/mask.cu}). */
final class MaskOps {
  private static final int CHUNK = 4;
  private static final int THREADS = 256;

  private final Context context;
  private final ColumnSums columnSums;
  private final CudaKernel draw;
  private final CudaKernel invert;
  private final CudaKernel insert;
  private final CudaKernel insertBackward;

  MaskOps(Context context) {
    this.context = context;
    columnSums = new ColumnSums(context);
    draw = context.kernel("mask", "draw_mask");
    invert = context.kernel("mask", "invert_mask");
    insert = context.kernel("mask", "insert_mask_token");
    insertBackward = context.kernel("mask", "insert_mask_token_backward");
  }

  void draw(long seed, long stream, float ratio, TokenLayout layout, Tensor valid, Tensor removed) {
    long tokens = Checks.vectorOrNull("valid of drawMask", valid, layout.rows());
    long out = Checks.vector("removed of drawMask", removed, layout.rows());
    if (!(ratio >= 0 && ratio <= 1)) {
      throw new IllegalArgumentException("mask ratio must be in [0, 1], got " + ratio);
    }
    int most = layout.tokens() - layout.prefix();
    HostValues values = context.values().begin(16 + 4L * (most + 1));
    values.putLong(seed).putLong(stream);
    for (int count = 0; count <= most; count++) {
      values.putInt(KeptTokens.of(count, ratio));
    }
    long sent = values.send();
    context
        .launch(draw)
        .address(sent)
        .address(tokens)
        .int32(layout.tokens())
        .int32(layout.prefix())
        .address(out)
        .on(layout.batch(), (layout.tokens() + THREADS - 1) / THREADS, 1, THREADS, 0);
  }

  void invert(Tensor mask) {
    long m = Checks.address("mask", mask);
    if (mask.size() > 0) {
      context
          .launch(invert)
          .address(m)
          .int64(mask.size())
          .on((mask.size() + THREADS - 1) / THREADS, 1, 1, THREADS, 0);
    }
  }

  void insert(Tensor x, Tensor removed, Tensor maskToken, Tensor y) {
    int rows = Checks.rows(x);
    int width = Checks.width(x);
    long in = Checks.matrix("x of insertMaskToken", x, rows, width);
    long gone = Checks.vector("removed of insertMaskToken", removed, rows);
    long token = Checks.vector("maskToken", maskToken, width);
    long out = Checks.matrix("y of insertMaskToken", y, rows, width);
    if (rows == 0 || width == 0) {
      return;
    }
    int rowsOfBlock = RowBlocks.rowsOfBlock(width, CHUNK);
    context
        .launch(insert)
        .address(in)
        .address(gone)
        .address(token)
        .address(out)
        .int64(rows)
        .int32(width)
        .int32(rowsOfBlock)
        .on(RowBlocks.blocks(rows, rowsOfBlock), 1, 1, RowBlocks.THREADS, 0);
  }

  void insertBackward(Tensor dy, Tensor removed, Tensor dx, Tensor dMaskToken) {
    int rows = Checks.rows(dy);
    int width = Checks.width(dy);
    long dOut = Checks.matrix("dy of insertMaskToken", dy, rows, width);
    long gone = Checks.vector("removed of insertMaskToken", removed, rows);
    long dIn = Checks.matrix("dx of insertMaskToken", dx, rows, width);
    long token = Checks.vector("dMaskToken", dMaskToken, width);
    if (rows == 0 || width == 0) {
      context.zero(token, 4L * width);
      return;
    }
    int slots = ColumnSums.slots(rows);
    int mark = context.scratch().mark();
    long sums = slots == 1 ? token : context.scratch().take(4L * slots * width);
    context
        .launch(insertBackward)
        .address(dOut)
        .address(gone)
        .address(dIn)
        .int64(rows)
        .int32(width)
        .int32(ColumnSums.rowsOfSlot(rows))
        .address(sums)
        .on(slots, ColumnSums.columnBlocks(width), 1, THREADS, 0);
    if (slots > 1) {
      columnSums.sumSlots(sums, slots, width, token);
    }
    context.scratch().release(mark);
  }
}

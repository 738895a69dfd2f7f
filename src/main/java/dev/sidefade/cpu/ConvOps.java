package dev.sidefade.cpu;

import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;

/**
 * 3 x 3 convolution over the patch grid as a matrix product of gathered neighbourhoods (im2col).
 */
final class ConvOps {
  private static final int TAPS = 9;

  private final Context context;
  private final LinearOps linear;

  ConvOps(Context context, LinearOps linear) {
    this.context = context;
    this.linear = linear;
  }

  void forward(Tensor x, TokenLayout layout, Tensor weight, Tensor bias, Tensor y) {
    int patches = patches(layout);
    int in = Checks.width(x);
    int out = Checks.width(y);
    long source = Checks.matrix("x of conv3x3", x, layout.rows(), in);
    long target = Checks.matrix("y of conv3x3", y, layout.rows(), out);
    long w = Checks.exact("weight of conv3x3", weight, (long) TAPS * in, out);
    long b = Checks.vector("bias of conv3x3", bias, out);
    Memory memory = context.memory();
    long mark = memory.mark();
    int rows = layout.batch() * patches;
    long columns = neighbourhoods(source, layout, in);
    long compact = memory.take((long) rows * out);
    linear.multiply(columns, false, w, false, b, compact, rows, out, TAPS * in);
    context.over(
        layout.batch(),
        1,
        (sample, end) -> {
          long sampleOut = target + 4L * sample * layout.tokens() * out;
          RawMemory.zero(sampleOut, (long) layout.prefix() * out);
          RawMemory.copy(
              compact + 4L * sample * patches * out,
              sampleOut + 4L * layout.prefix() * out,
              (long) patches * out);
        });
    memory.release(mark);
  }

  void backward(
      Tensor x,
      TokenLayout layout,
      Tensor weight,
      Tensor dy,
      Tensor dx,
      Tensor dWeight,
      Tensor dBias) {
    int patches = patches(layout);
    int in = Checks.width(x);
    int out = Checks.width(dy);
    long source = Checks.matrix("x of conv3x3", x, layout.rows(), in);
    long dOut = Checks.matrix("dy of conv3x3", dy, layout.rows(), out);
    long w = Checks.exact("weight of conv3x3", weight, (long) TAPS * in, out);
    long toWeight = Checks.exact("dWeight of conv3x3", dWeight, (long) TAPS * in, out);
    long toBias = Checks.vector("dBias of conv3x3", dBias, out);
    Memory memory = context.memory();
    long mark = memory.mark();
    int rows = layout.batch() * patches;
    long gradient = memory.take((long) rows * out);
    for (int b = 0; b < layout.batch(); b++) {
      RawMemory.copy(
          dOut + 4L * (b * layout.tokens() + layout.prefix()) * out,
          gradient + 4L * b * patches * out,
          (long) patches * out);
    }
    long columns = neighbourhoods(source, layout, in);
    linear.weightGradient(columns, gradient, rows, TAPS * in, out, toWeight, toBias);
    if (dx != null) {
      long dIn = Checks.matrix("dx of conv3x3", dx, layout.rows(), in);
      linear.multiply(gradient, false, w, true, 0, columns, rows, TAPS * in, out);
      scatterNeighbourhoods(columns, layout, in, dIn);
    }
    memory.release(mark);
  }

  private static int patches(TokenLayout layout) {
    if (layout.gridHeight() == 0) {
      throw new IllegalArgumentException(
          "conv3x3 needs tokens on a grid: use the sequence generator for these");
    }
    return layout.gridHeight() * layout.gridWidth();
  }

  /** [batch * patches, 9 width]: for each patch its 3 x 3 neighbourhood, zeros outside the grid. */
  private long neighbourhoods(long x, TokenLayout layout, int width) {
    int patches = patches(layout);
    long columns = context.memory().take((long) layout.batch() * patches * TAPS * width);
    context.over(
        layout.batch(),
        1,
        (sample, end) ->
            overNeighbours(
                layout,
                (patch, tap, neighbour) -> {
                  long to = columns + 4L * (((long) sample * patches + patch) * TAPS + tap) * width;
                  if (neighbour < 0) {
                    RawMemory.zero(to, width);
                  } else {
                    RawMemory.copy(x + 4L * patchRow(layout, sample, neighbour) * width, to, width);
                  }
                }));
    return columns;
  }

  private void scatterNeighbourhoods(long columns, TokenLayout layout, int width, long dx) {
    int patches = patches(layout);
    context.over(
        layout.batch(),
        1,
        (sample, end) -> {
          RawMemory.zero(
              dx + 4L * sample * layout.tokens() * width, (long) layout.tokens() * width);
          overNeighbours(
              layout,
              (patch, tap, neighbour) -> {
                if (neighbour >= 0) {
                  context
                      .rows()
                      .add(
                          columns + 4L * (((long) sample * patches + patch) * TAPS + tap) * width,
                          dx + 4L * patchRow(layout, sample, neighbour) * width,
                          width);
                }
              });
        });
  }

  private static long patchRow(TokenLayout layout, int sample, int patch) {
    return (long) sample * layout.tokens() + layout.prefix() + patch;
  }

  @FunctionalInterface
  private interface Neighbour {
    void accept(int patch, int tap, int neighbour);
  }

  private static void overNeighbours(TokenLayout layout, Neighbour body) {
    int height = layout.gridHeight();
    int width = layout.gridWidth();
    for (int row = 0; row < height; row++) {
      for (int column = 0; column < width; column++) {
        for (int tap = 0; tap < TAPS; tap++) {
          int r = row + tap / 3 - 1;
          int c = column + tap % 3 - 1;
          boolean inside = r >= 0 && r < height && c >= 0 && c < width;
          body.accept(row * width + column, tap, inside ? r * width + c : -1);
        }
      }
    }
  }
}

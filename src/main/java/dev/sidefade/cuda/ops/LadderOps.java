package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.tensor.Tensor;

/**
 * The ladder: gated and masked way from the backbone's features into the side network ({@code
 * kernels/ladder.cu}).
 */
final class LadderOps {
  private static final String FILE = "ladder";
  private static final int THREADS = 256;
  private static final int ROWS_OF_BLOCK = 8;

  private final Context context;
  private final LadderProjection projection;
  private final CudaKernel coefficients;
  private final CudaKernel coefficientsBackward;
  private final CudaKernel mix;
  private final CudaKernel mixBackward;

  LadderOps(Context context) {
    this.context = context;
    projection = new LadderProjection(context);
    coefficients = context.kernel(FILE, "ladder_coefficients");
    coefficientsBackward = context.kernel(FILE, "ladder_coefficients_backward");
    mix = context.kernel(FILE, "ladder_mix");
    mixBackward = context.kernel(FILE, "ladder_mix_backward");
  }

  void coefficients(Tensor gates, float tau, MaskPlacement placement, Tensor keep, Tensor c) {
    int taps = Math.toIntExact(gates.size());
    int rows = Checks.width(c);
    long g = Checks.vector("gates of ladder", gates, taps);
    long out = Checks.matrix("c of ladder", c, taps, rows);
    long kept = Checks.vectorOrNull("keep of ladder", keep, rows);
    if (taps == 0 || rows == 0) {
      return;
    }
    context
        .launch(coefficients)
        .address(g)
        .address(kept)
        .address(out)
        .float32(tau)
        .int32(placement == MaskPlacement.STATE ? 1 : 0)
        .int32(rows)
        .on((rows + THREADS - 1L) / THREADS, taps, 1, THREADS, 0);
  }

  void coefficientsBackward(
      Tensor gates, float tau, MaskPlacement placement, Tensor keep, Tensor dc, Tensor dGates) {
    int taps = Math.toIntExact(gates.size());
    int rows = Checks.width(dc);
    long g = Checks.vector("gates of ladder", gates, taps);
    long gradient = Checks.matrix("dc of ladder", dc, taps, rows);
    long kept = Checks.vectorOrNull("keep of ladder", keep, rows);
    long target = Checks.vector("dGates of ladder", dGates, taps);
    if (taps == 0) {
      return;
    }
    context
        .launch(coefficientsBackward)
        .address(g)
        .address(kept)
        .address(gradient)
        .address(target)
        .float32(tau)
        .int32(rows)
        .on(taps, 1, 1, THREADS, 0);
  }

  void project(Tensor h, Tensor weight, Tensor bias, Tensor c, Tensor u) {
    projection.forward(h, weight, bias, c, u);
  }

  void projectBackward(Tensor h, Tensor du, Tensor c, Tensor dWeight, Tensor dBias) {
    projection.backward(h, du, c, dWeight, dBias);
  }

  void mix(Tensor z, Tensor u, Tensor c, Tensor x) {
    int rows = Checks.rows(z);
    int width = Checks.width(z);
    long state = Checks.matrix("z of ladder", z, rows, width);
    long projected = Checks.matrix("u of ladder", u, rows, width);
    long weights = Checks.vector("c of ladder", c, rows);
    long out = Checks.matrix("x of ladder", x, rows, width);
    if (rows == 0 || width == 0) {
      return;
    }
    context
        .launch(mix)
        .address(state)
        .address(projected)
        .address(weights)
        .address(out)
        .int32(rows)
        .int32(width)
        .on((rows + ROWS_OF_BLOCK - 1L) / ROWS_OF_BLOCK, 1, 1, THREADS, 0);
  }

  void mixBackward(Tensor dx, Tensor z, Tensor u, Tensor c, Tensor dz, Tensor du, Tensor dc) {
    int rows = Checks.rows(z);
    int width = Checks.width(z);
    long gradient = Checks.matrix("dx of ladder", dx, rows, width);
    long state = Checks.matrix("z of ladder", z, rows, width);
    long projected = Checks.matrix("u of ladder", u, rows, width);
    long weights = Checks.vector("c of ladder", c, rows);
    long toZ = Checks.matrix("dz of ladder", dz, rows, width);
    long toU = Checks.matrix("du of ladder", du, rows, width);
    long toC = Checks.vector("dc of ladder", dc, rows);
    if (rows == 0) {
      return;
    }
    context
        .launch(mixBackward)
        .address(gradient)
        .address(state)
        .address(projected)
        .address(weights)
        .address(toZ)
        .address(toU)
        .address(toC)
        .int32(rows)
        .int32(width)
        .on((rows + ROWS_OF_BLOCK - 1L) / ROWS_OF_BLOCK, 1, 1, THREADS, 0);
  }
}

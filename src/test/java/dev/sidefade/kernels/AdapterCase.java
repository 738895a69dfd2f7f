package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.sidefade.tensor.Tensor;

/** One shape of the adapter. */
final class AdapterCase {
  private final Lab lab;
  private final int rows;
  private final int width;
  private final int hidden;
  private final String what;
  private final float[] x;
  private final float[][] parameters;

  AdapterCase(Lab lab, int rows, int width, int hidden, boolean zeroOutput) {
    this.lab = lab;
    this.rows = rows;
    this.width = width;
    this.hidden = hidden;
    this.what = "adapter " + rows + "x" + width + "x" + hidden + " ";
    this.x = Data.normal(1, rows * width);
    this.parameters =
        new float[][] {
          Data.normal(2, width),
          Data.normal(3, width),
          Data.normal(4, width * hidden, 1 / Math.sqrt(width)),
          Data.normal(5, hidden),
          zeroOutput ? new float[hidden * width] : Data.normal(6, hidden * width),
          zeroOutput ? new float[width] : Data.normal(7, width)
        };
  }

  void run() {
    float epsilon = 1e-3f;
    AdapterReference.Weights wide =
        new AdapterReference.Weights(
            Data.widen(parameters[0]),
            Data.widen(parameters[1]),
            Data.widen(parameters[2]),
            Data.widen(parameters[3]),
            Data.widen(parameters[4]),
            Data.widen(parameters[5]));
    var want = AdapterReference.forward(Data.widen(x), wide, epsilon, width, hidden);
    Tensor tx = lab.in(x, rows, width);
    AdapterWeights weights =
        new AdapterWeights(
            lab.in(parameters[0], width),
            lab.in(parameters[1], width),
            lab.in(parameters[2], width, hidden),
            lab.in(parameters[3], hidden),
            lab.in(parameters[4], hidden, width),
            lab.in(parameters[5], width));
    AdapterState state =
        new AdapterState(
            lab.out(rows),
            lab.out(rows),
            lab.out(rows, width),
            lab.out(rows, hidden),
            lab.out(rows, hidden));
    Tensor z = lab.out(rows, width);
    lab.kernels().adapter(tx, weights, epsilon, state, z);
    // errors of the mean grow by rstd, at most 32 with this epsilon
    double gain = 4 * Math.max(1, Data.largest(want.norm().rstd()));
    near("z", z, want.z(), hidden + width, gain);
    near("mean", state.mean(), want.norm().mean(), width, 4);
    near("rstd", state.rstd(), want.norm().rstd(), width, gain);
    near("normalized", state.normalized(), want.norm().y(), width, gain);
    near("hidden", state.hidden(), want.hidden(), width, gain);
    near("activated", state.activated(), want.activated(), width, gain);
    backward(
        tx,
        weights,
        state,
        AdapterReference.backward(Data.widen(x), wide, want, Data.widen(dz()), width, hidden),
        gain);
    lab.finish();
  }

  private float[] dz() {
    return Data.normal(8, rows * width);
  }

  private void backward(
      Tensor tx,
      AdapterWeights weights,
      AdapterState state,
      AdapterReference.Gradients want,
      double gain) {
    Tensor dx = lab.out(rows, width);
    AdapterWeights gradients = gradients();
    lab.kernels().adapterBackward(tx, weights, state, lab.in(dz(), rows, width), dx, gradients);
    near("dx", dx, want.dx(), width + hidden, gain);
    near("dGamma", gradients.gamma(), want.weights().gamma(), rows + hidden, gain);
    near("dBeta", gradients.beta(), want.weights().beta(), rows + hidden, gain);
    near("dW1", gradients.w1(), want.weights().w1(), rows + width, gain);
    near("dB1", gradients.b1(), want.weights().b1(), rows + width, gain);
    near("dW2", gradients.w2(), want.weights().w2(), rows, gain);
    near("dB2", gradients.b2(), want.weights().b2(), rows, gain);

    Tensor same = lab.inOut(dz(), rows, width);
    AdapterWeights again = gradients();
    lab.kernels().adapterBackward(tx, weights, state, same, same, again);
    assertArrayEquals(lab.read(dx), lab.read(same), what + "dx in place of dz");
    assertArrayEquals(lab.read(gradients.w2()), lab.read(again.w2()), what + "dW2 when dx is dz");
    assertArrayEquals(
        lab.read(gradients.gamma()), lab.read(again.gamma()), what + "dGamma when dx is dz");
  }

  private AdapterWeights gradients() {
    return new AdapterWeights(
        lab.out(width),
        lab.out(width),
        lab.out(width, hidden),
        lab.out(hidden),
        lab.out(hidden, width),
        lab.out(width));
  }

  private void near(String name, Tensor got, double[] want, int terms, double gain) {
    Close.near(what + name, lab.read(got), want, terms, gain * Math.max(1, Data.largest(want)));
  }
}

package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The references' gradients are derivatives of their forward passes. The contracts lean on this.
 */
class ReferenceTest {
  private static final int ROWS = 6;
  private static final int WIDTH = 5;

  private static double[] random(long seed, int count) {
    return Data.widen(Data.normal(seed, count));
  }

  @Test
  void errorFunction() {
    // Abramowitz and Stegun, table 7.1
    assertEquals(0.1124629160, ActivationReference.erf(0.1), 1e-10);
    assertEquals(0.8427007929, ActivationReference.erf(1), 1e-10);
    assertEquals(-0.9953222650, ActivationReference.erf(-2), 1e-10);
    assertEquals(1 - 1.541725790e-8, ActivationReference.erf(4), 1e-13);
  }

  @Test
  void gelu() {
    double[] x = random(1, 20);
    double[] dy = random(2, 20);
    Slope.check(
        "gelu",
        x,
        ActivationReference.geluBackward(x, dy),
        () -> Data.dot(dy, ActivationReference.gelu(x)));
  }

  @Test
  void linear() {
    double[] x = random(1, ROWS * WIDTH);
    double[] weight = random(2, WIDTH * 4);
    double[] bias = random(3, 4);
    double[] dy = random(4, ROWS * 4);
    LinearReference.Gradients g = LinearReference.backward(x, weight, dy, ROWS, WIDTH, 4);
    java.util.function.DoubleSupplier loss =
        () -> Data.dot(dy, LinearReference.linear(x, weight, bias, ROWS, WIDTH, 4));
    Slope.check("dx", x, g.dx(), loss);
    Slope.check("dWeight", weight, g.dWeight(), loss);
    Slope.check("dBias", bias, g.dBias(), loss);
  }

  @Test
  void transposedProducts() {
    double[] a = {1, 2, 3, 4, 5, 6};
    double[] b = {7, 8, 9, 10, 11, 12};
    double[] want = {58, 64, 139, 154};
    assertArrayEquals(want, LinearReference.gemm(a, false, b, false, 2, 3, 2));
    double[] at = {1, 4, 2, 5, 3, 6};
    double[] bt = {7, 9, 11, 8, 10, 12};
    assertArrayEquals(want, LinearReference.gemm(at, true, b, false, 2, 3, 2));
    assertArrayEquals(want, LinearReference.gemm(a, false, bt, true, 2, 3, 2));
    assertArrayEquals(want, LinearReference.gemm(at, true, bt, true, 2, 3, 2));
  }

  @Test
  void layerNorm() {
    double[] x = random(1, ROWS * WIDTH);
    double[] gamma = random(2, WIDTH);
    double[] beta = random(3, WIDTH);
    double[] dy = random(4, ROWS * WIDTH);
    LayerNormReference.Forward f = LayerNormReference.forward(x, gamma, beta, 1e-6, WIDTH);
    LayerNormReference.Gradients g =
        LayerNormReference.backward(x, gamma, f.mean(), f.rstd(), dy, WIDTH);
    java.util.function.DoubleSupplier loss =
        () -> Data.dot(dy, LayerNormReference.forward(x, gamma, beta, 1e-6, WIDTH).y());
    Slope.check("dx", x, g.dx(), loss);
    Slope.check("dGamma", gamma, g.dGamma(), loss);
    Slope.check("dBeta", beta, g.dBeta(), loss);
  }

  @ParameterizedTest
  @EnumSource
  void ladderCoefficients(MaskPlacement placement) {
    double[] gates = Data.widen(Data.normal(1, 3, 0.1));
    double[] keep = {1, 0, 1, 1};
    for (double[] mask : new double[][] {keep, null}) {
      double[] dc = random(2, 12);
      Slope.check(
          "dGates " + placement,
          gates,
          LadderReference.coefficientsBackward(gates, 0.1, mask, dc, 4),
          () -> Data.dot(dc, LadderReference.coefficients(gates, 0.1, placement, mask, 4)));
    }
  }

  @Test
  void ladderMix() {
    double[] z = random(1, ROWS * WIDTH);
    double[] u = random(2, ROWS * WIDTH);
    double[] c = {0.25, 0.5, 0.9, 0.1, 0.3, 0.7};
    double[] dx = random(3, ROWS * WIDTH);
    LadderReference.MixGradients g = LadderReference.mixBackward(dx, z, u, c, WIDTH);
    java.util.function.DoubleSupplier loss =
        () -> Data.dot(dx, LadderReference.mix(z, u, c, WIDTH));
    Slope.check("dz", z, g.dz(), loss);
    Slope.check("du", u, g.du(), loss);
    Slope.check("dc", c, g.dc(), loss);
  }

  @Test
  void adapter() {
    int bottleneck = 3;
    double[] x = random(1, ROWS * WIDTH);
    AdapterReference.Weights w =
        new AdapterReference.Weights(
            random(2, WIDTH),
            random(3, WIDTH),
            random(4, WIDTH * bottleneck),
            random(5, bottleneck),
            random(6, bottleneck * WIDTH),
            random(7, WIDTH));
    double[] dz = random(8, ROWS * WIDTH);
    AdapterReference.Gradients g =
        AdapterReference.backward(
            x, w, AdapterReference.forward(x, w, 1e-6, WIDTH, bottleneck), dz, WIDTH, bottleneck);
    java.util.function.DoubleSupplier loss =
        () -> Data.dot(dz, AdapterReference.forward(x, w, 1e-6, WIDTH, bottleneck).z());
    Slope.check("dx", x, g.dx(), loss);
    Slope.check("dGamma", w.gamma(), g.weights().gamma(), loss);
    Slope.check("dBeta", w.beta(), g.weights().beta(), loss);
    Slope.check("dW1", w.w1(), g.weights().w1(), loss);
    Slope.check("dB1", w.b1(), g.weights().b1(), loss);
    Slope.check("dW2", w.w2(), g.weights().w2(), loss);
    Slope.check("dB2", w.b2(), g.weights().b2(), loss);
  }

  @Test
  void attention() {
    double[] qkv = random(1, 2 * 5 * 3 * 6);
    double[] dOut = random(2, 2 * 5 * 6);
    double[] padded = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0};
    for (double[] valid : new double[][] {null, padded}) {
      Slope.check(
          "dQkv",
          qkv,
          AttentionReference.backward(qkv, 2, 5, 2, 6, valid, dOut),
          () -> Data.dot(dOut, AttentionReference.forward(qkv, 2, 5, 2, 6, valid)));
    }
  }

  @ParameterizedTest
  @EnumSource
  void pool(Pooling pooling) {
    TokenLayout layout = new TokenLayout(2, 5, 1, 0, 0);
    double[] x = random(1, 10 * 3);
    double[] dy = random(2, pooling.rows(layout) * 3 * pooling.parts());
    double[] padded = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0};
    for (double[] valid : new double[][] {null, padded}) {
      Slope.check(
          "dx",
          x,
          PoolReference.backward(dy, layout, pooling, valid, 3),
          () -> Data.dot(dy, PoolReference.forward(x, layout, pooling, valid, 3)));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void featureMatching(boolean standardize) {
    double[] z = random(1, ROWS * WIDTH);
    double[] down = random(2, WIDTH * 3);
    double[] up = random(3, 3 * 7);
    double[] h = random(4, ROWS * 7);
    double[] some = {1, 0, 1, 1, 0, 1};
    for (double[] v : new double[][] {null, some}) {
      java.util.function.Supplier<FeatureMatchingReference.Result> run =
          () ->
              FeatureMatchingReference.run(z, down, up, h, v, 0.7, standardize, ROWS, WIDTH, 3, 7);
      FeatureMatchingReference.Result r = run.get();
      Slope.check("dz", z, r.dz(), () -> run.get().loss());
      Slope.check("dDown", down, r.dDown(), () -> run.get().loss());
      Slope.check("dUp", up, r.dUp(), () -> run.get().loss());
    }
  }

  @Test
  void conv() {
    TokenLayout layout = new TokenLayout(2, 7, 1, 2, 3);
    double[] x = random(1, 14 * 2);
    double[] weight = random(2, 9 * 2 * 3);
    double[] bias = random(3, 3);
    double[] dy = random(4, 14 * 3);
    ConvReference.Gradients g = ConvReference.backward(x, layout, weight, dy, 2, 3);
    java.util.function.DoubleSupplier loss =
        () -> Data.dot(dy, ConvReference.forward(x, layout, weight, bias, 2, 3));
    Slope.check("dx", x, g.dx(), loss);
    Slope.check("dWeight", weight, g.dWeight(), loss);
    Slope.check("dBias", bias, g.dBias(), loss);
  }

  @Test
  void convolutionIsCorrelationInReadingOrder() {
    // one channel, weights 1..9: the centre of a 3x3 grid of 100s digits sees weight 5
    TokenLayout layout = new TokenLayout(1, 9, 0, 3, 3);
    double[] x = new double[9];
    x[1] = 1;
    double[] weight = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    double[] want = {6, 5, 4, 3, 2, 1, 0, 0, 0};
    assertArrayEquals(want, ConvReference.forward(x, layout, weight, new double[1], 1, 1));
  }

  @ParameterizedTest
  @ValueSource(floats = {1, 2, 3.5f})
  void distillation(float temperature) {
    double[] student = random(1, 5 * 5);
    double[] teacher = random(2, 5 * 5);
    int[] labels = {2, -1, 0, Kernels.PADDING, 4};
    Distillation d = new Distillation(temperature, 0.7f, 1.3f, 0.1f);
    java.util.function.DoubleSupplier loss =
        () -> {
          var r = DistillationReference.run(student, teacher, labels, d, 5);
          return d.ceWeight() * r.crossEntropy() + d.klWeight() * r.divergence();
        };
    Slope.check(
        "dStudent",
        student,
        DistillationReference.run(student, teacher, labels, d, 5).dStudent(),
        loss);
  }

  @Test
  void regression() {
    double[] student = random(1, 4);
    float[] targets = {0.5f, Float.NaN, -2, 1};
    for (double[] teacher : new double[][] {null, random(2, 4)}) {
      Slope.check(
          "dStudent",
          student,
          RegressionReference.run(student, teacher, targets, 0.7).dStudent(),
          () -> {
            RegressionReference.Result r = RegressionReference.run(student, teacher, targets, 0.7);
            return r.labelLoss() + 0.7 * r.teacherLoss();
          });
    }
  }
}

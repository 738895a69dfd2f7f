package dev.sidefade.layers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The read-out against the same in double, its gradients against finite differences of that. */
class ReadOutTest {
  private static final int WIDTH = 7;
  private static final int CLASSES = 3;
  private static final float EPSILON = 1e-3f;
  private static final TokenLayout LAYOUT = new TokenLayout(3, 5, 1, 2, 2);

  /** The same in double: arrays x, gamma, beta, weight, bias, in this order. */
  private record Reference(Pooling pooling, float[] valid, float[] dLogits, float[] extra) {
    double[] normalized(double[][] p) {
      double[] y = new double[LAYOUT.rows() * WIDTH];
      for (int r = 0; r < LAYOUT.rows(); r++) {
        double mean = 0;
        double variance = 0;
        for (int d = 0; d < WIDTH; d++) {
          mean += p[0][r * WIDTH + d] / WIDTH;
        }
        for (int d = 0; d < WIDTH; d++) {
          variance += Math.pow(p[0][r * WIDTH + d] - mean, 2) / WIDTH;
        }
        for (int d = 0; d < WIDTH; d++) {
          double hat = (p[0][r * WIDTH + d] - mean) / Math.sqrt(variance + EPSILON);
          y[r * WIDTH + d] = p[1][d] * hat + p[2][d];
        }
      }
      return y;
    }

    double[] logits(double[][] p) {
      double[] y = normalized(p);
      double[] z = new double[pooling.rows(LAYOUT) * CLASSES];
      for (int n = 0; n < pooling.rows(LAYOUT); n++) {
        double[] pooled = pooling == Pooling.TOKENS ? token(y, n) : pool(y, n);
        for (int c = 0; c < CLASSES; c++) {
          z[n * CLASSES + c] = p[4][c];
          for (int i = 0; i < pooled.length; i++) {
            z[n * CLASSES + c] += pooled[i] * p[3][i * CLASSES + c];
          }
        }
      }
      return z;
    }

    private double[] token(double[] y, int row) {
      boolean padding = valid != null && valid[row] == 0;
      return padding ? new double[WIDTH] : Arrays.copyOfRange(y, row * WIDTH, (row + 1) * WIDTH);
    }

    private double[] pool(double[] y, int b) {
      double[] pooled = new double[WIDTH * pooling.parts()];
      int first = b * LAYOUT.tokens();
      boolean cls = pooling != Pooling.MEAN;
      for (int d = 0; cls && d < WIDTH; d++) {
        pooled[d] = y[first * WIDTH + d];
      }
      int from = pooling == Pooling.CLS_MEAN ? WIDTH : 0;
      double count = 0;
      for (int t = first + LAYOUT.prefix(); t < first + LAYOUT.tokens(); t++) {
        count += valid == null ? 1 : valid[t];
      }
      for (int t = first + LAYOUT.prefix(); t < first + LAYOUT.tokens(); t++) {
        boolean counts = pooling != Pooling.CLS && (valid == null || valid[t] == 1);
        for (int d = 0; counts && d < WIDTH; d++) {
          pooled[from + d] += y[t * WIDTH + d] / count;
        }
      }
      return pooled;
    }

    double loss(double[][] p) {
      double sum = 0;
      double[] z = logits(p);
      for (int i = 0; i < z.length; i++) {
        sum += dLogits[i] * z[i];
      }
      double[] y = normalized(p);
      for (int i = 0; extra != null && i < y.length; i++) {
        sum += extra[i] * y[i];
      }
      return sum;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "CLS, false, false", "MEAN, false, false", "CLS_MEAN, false, false", "TOKENS, false, false",
    "CLS, true, true", "MEAN, true, true", "CLS_MEAN, true, true", "TOKENS, true, true"
  })
  void agreesWithTheSameInDouble(Pooling pooling, boolean padded, boolean withExtra) {
    try (Device device = Device.cpu(1);
        Parameters p = new Parameters()) {
      ReadOut readOut =
          new ReadOut(
              p,
              Parameter.Role.NORM,
              Parameter.Role.HEAD,
              WIDTH,
              pooling,
              CLASSES,
              EPSILON,
              true,
              Initializer.normal(1),
              Initializer.normal(1));
      p.allocate(device, 3);
      assertSame(p.get("head.weight"), readOut.weight());
      assertEquals(Parameter.Role.NORM, readOut.gamma().role());
      assertEquals((long) WIDTH * pooling.parts(), readOut.weight().shape().dim(0));
      Kernels kernels = device.kernels();
      try (Tensor memory = device.allocate(Slab.measure(s -> readOut.state(s, LAYOUT)));
          Tensor x = random(device, 1, LAYOUT.rows(), WIDTH);
          Tensor dLogits = random(device, 2, pooling.rows(LAYOUT), CLASSES);
          Tensor extra = random(device, 4, LAYOUT.rows(), WIDTH);
          Tensor valid = device.allocate(LAYOUT.rows());
          Tensor dx = device.allocate(LAYOUT.rows(), WIDTH)) {
        valid.setFloats(new float[] {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0});
        Tensor v = padded ? valid : null;
        ReadOut.State state = readOut.state(new Slab(memory), LAYOUT);
        readOut.forward(kernels, x, LAYOUT, v, state);
        float[] logits = state.logits().toFloats();
        assertEquals(pooling.rows(LAYOUT) * CLASSES, logits.length);
        readOut.backward(
            kernels,
            x,
            LAYOUT,
            v,
            state,
            dLogits,
            withExtra ? gradient -> kernels.add(extra, gradient) : null,
            dx);
        Reference reference =
            new Reference(
                pooling,
                padded ? valid.toFloats() : null,
                dLogits.toFloats(),
                withExtra ? extra.toFloats() : null);
        double[][] all = {
          doubles(x),
          doubles(readOut.gamma().value()),
          doubles(readOut.beta().value()),
          doubles(readOut.weight().value()),
          doubles(readOut.bias().value())
        };
        double[] expected = reference.logits(all);
        for (int i = 0; i < logits.length; i++) {
          assertEquals(expected[i], logits[i], 1e-5, "logit " + i);
        }
        Tensor[] gradients = {
          dx,
          readOut.gamma().gradient(),
          readOut.beta().gradient(),
          readOut.weight().gradient(),
          readOut.bias().gradient()
        };
        for (int k = 0; k < all.length; k++) {
          assertGradient(reference::loss, all, k, gradients[k].toFloats());
        }
      }
    }
  }

  private static void assertGradient(
      ToDoubleFunction<double[][]> loss, double[][] all, int k, float[] gradient) {
    double h = 1e-5;
    for (int i = 0; i < gradient.length; i++) {
      double value = all[k][i];
      all[k][i] = value + h;
      double up = loss.applyAsDouble(all);
      all[k][i] = value - h;
      double slope = (up - loss.applyAsDouble(all)) / (2 * h);
      all[k][i] = value;
      assertEquals(slope, gradient[i], 1e-4 + 1e-4 * Math.abs(slope), "argument " + k + " at " + i);
    }
  }

  private static Tensor random(Device device, long seed, long... dims) {
    Tensor t = device.allocate(dims);
    for (int i = 0; i < t.size(); i++) {
      t.set(i, CounterRandom.normal(seed, 0, i));
    }
    return t;
  }

  private static double[] doubles(Tensor t) {
    float[] floats = t.toFloats();
    double[] d = new double[floats.length];
    for (int i = 0; i < d.length; i++) {
      d[i] = floats[i];
    }
    return d;
  }
}

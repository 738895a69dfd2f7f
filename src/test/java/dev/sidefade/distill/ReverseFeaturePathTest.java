package dev.sidefade.distill;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.sidefade.kernels.Device;
import dev.sidefade.layers.Parameters;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The side network as the teacher: the loss against its definition, gradients against its slopes.
 */
class ReverseFeaturePathTest {
  private static final int ROWS = 6;
  private static final int WIDE = 11;
  private static final int NARROW = 5;
  private static final int RANK = 3;
  private static final float WEIGHT = 0.6f;
  private static final float[] VALID = {1, 1, 0, 1, 1, 0};

  private final Device device = Device.cpu(1);
  private final Parameters parameters = new Parameters();
  private final ReverseFeaturePath path =
      new ReverseFeaturePath(parameters, WIDE, NARROW, RANK, WEIGHT);
  private final Tensor normalized = random(1, ROWS, WIDE);
  private final Tensor state = random(2, ROWS, NARROW);
  private final Tensor gradient = device.allocate(ROWS, WIDE);
  private final Tensor valid = device.allocate(ROWS);
  private final Tensor loss = device.allocate(1);

  ReverseFeaturePathTest() {
    parameters.allocate(device, 1);
    valid.setFloats(VALID);
    for (String name : List.of("reverse.down", "reverse.up")) {
      Tensor value = parameters.get(name).value();
      for (int i = 0; i < value.size(); i++) {
        value.set(i, 20 * value.get(i));
      }
    }
  }

  @AfterEach
  void close() {
    List.of(normalized, state, gradient, valid, loss).forEach(Tensor::close);
    parameters.close();
    device.close();
  }

  private Tensor random(int stream, long... dims) {
    Tensor t = device.allocate(dims);
    for (int i = 0; i < t.size(); i++) {
      t.set(i, CounterRandom.normal(8, stream, i));
    }
    return t;
  }

  private double expectedLoss(boolean padded) {
    float[] down = parameters.get("reverse.down").value().toFloats();
    float[] up = parameters.get("reverse.up").value().toFloats();
    double sum = 0;
    double count = 0;
    for (int r = 0; r < ROWS; r++) {
      if (padded && VALID[r] == 0) {
        continue;
      }
      count++;
      for (int o = 0; o < NARROW; o++) {
        double f = 0;
        for (int k = 0; k < RANK; k++) {
          for (int i = 0; i < WIDE; i++) {
            f += (double) normalized.get(r * WIDE + i) * down[i * RANK + k] * up[k * NARROW + o];
          }
        }
        sum += Math.pow(f - state.get(r * NARROW + o), 2);
      }
    }
    return WEIGHT * sum / (NARROW * count);
  }

  @Test
  void gradientsAreSlopesOfTheLoss() {
    for (boolean padded : new boolean[] {false, true}) {
      gradient.zero();
      path.addTo(device.kernels(), normalized, padded ? valid : null, state, loss, gradient);
      assertEquals(expectedLoss(padded), loss.get(0), 1e-5);
      assertSlopes(normalized, gradient, padded);
      for (String name : List.of("reverse.down", "reverse.up")) {
        assertSlopes(parameters.get(name).value(), parameters.get(name).gradient(), padded);
      }
    }
  }

  /** Along ten random directions of one tensor. */
  private void assertSlopes(Tensor value, Tensor computed, boolean padded) {
    float[] start = value.toFloats();
    for (int round = 0; round < 10; round++) {
      double expected = 0;
      float[] up = start.clone();
      float[] down = start.clone();
      double h = 1e-2;
      for (int i = 0; i < start.length; i++) {
        double d = CounterRandom.normal(30 + round, 0, i) / Math.sqrt(start.length);
        up[i] += (float) (h * d);
        down[i] -= (float) (h * d);
        expected += d * computed.get(i);
      }
      value.setFloats(up);
      double above = expectedLoss(padded);
      value.setFloats(down);
      double slope = (above - expectedLoss(padded)) / (2 * h);
      value.setFloats(start);
      assertEquals(slope, expected, 1e-4 + 1e-3 * Math.abs(slope));
    }
  }

  @Test
  void theGradientIsAddedAndTheTeacherStaysAsItIs() {
    float[] teacher = state.toFloats();
    path.addTo(device.kernels(), normalized, null, state, loss, gradient);
    float[] once = gradient.toFloats();
    path.addTo(device.kernels(), normalized, null, state, loss, gradient);
    for (int i = 0; i < once.length; i++) {
      assertEquals(2 * once[i], gradient.get(i), 1e-6);
    }
    assertArrayEquals(teacher, state.toFloats());
  }
}

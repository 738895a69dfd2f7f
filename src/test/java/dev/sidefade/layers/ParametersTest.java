package dev.sidefade.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.OptimizerGroup;
import dev.sidefade.tensor.CounterRandom;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Names, first values, memory and the update of a set of parameters. */
class ParametersTest {
  private static final Parameters.Rates RATES =
      role ->
          switch (role) {
            case SIDE -> 0.01f;
            case HEAD -> 0.02f;
            case NORM -> 0;
            case BIAS -> 0.03f;
            case LOW_RANK -> 0.04f;
          };

  private final Device device = Device.cpu(1);

  @AfterEach
  void close() {
    device.close();
  }

  /** Odd sizes, so that each but the last is followed by padding. */
  private static Parameters mixed() {
    Parameters p = new Parameters();
    Initializer normal = Initializer.normal(1);
    p.add("a", Parameter.Role.SIDE, true, normal, 3, 7);
    p.add("b", Parameter.Role.SIDE, true, normal, 5);
    p.add("c", Parameter.Role.SIDE, false, normal, 1);
    p.add("d", Parameter.Role.HEAD, false, normal, 33);
    p.add("e", Parameter.Role.NORM, false, normal, 16);
    p.add("f", Parameter.Role.HEAD, true, normal, 2, 2, 2);
    return p;
  }

  @Test
  void namesAreUniqueAndKnown() {
    try (Parameters p = mixed()) {
      assertThrows(
          IllegalArgumentException.class,
          () -> p.add("c", Parameter.Role.SIDE, true, Initializer.constant(0), 2));
      assertThrows(IllegalArgumentException.class, () -> p.get("g"));
      assertEquals("d", p.get("d").name());
      assertEquals(21 + 5 + 1 + 33 + 16 + 8, p.count());
      p.allocate(device, 1);
      assertThrows(
          IllegalStateException.class,
          () -> p.add("g", Parameter.Role.SIDE, true, Initializer.constant(0), 2));
    }
  }

  @Test
  void valuesAndGradientsAreAlignedPiecesOfOneVector() {
    try (Parameters p = mixed().allocate(device, 1)) {
      long at = 0;
      for (Parameter one : p.all()) {
        assertEquals(p.values().address() + 4 * at, one.value().address(), one.name());
        assertEquals(p.gradients().address() + 4 * at, one.gradient().address(), one.name());
        assertEquals(0, one.value().address() % 64, one.name());
        assertEquals(one.shape(), one.value().shape());
        assertEquals(one.shape(), one.gradient().shape());
        at += Math.ceilDiv(one.shape().size(), 16) * 16;
      }
      assertEquals(at, p.values().size());
    }
  }

  @Test
  void closingGivesAllMemoryBack() {
    long before = device.liveBytes();
    Parameters p = mixed().allocate(device, 1);
    assertTrue(device.liveBytes() > before);
    p.close();
    assertEquals(before, device.liveBytes());
    new Parameters().close();
  }

  @Test
  void firstValuesDependOnSeedAndNameAlone() {
    try (Parameters p = mixed().allocate(device, 5);
        Parameters again = mixed().allocate(device, 5);
        Parameters other = mixed().allocate(device, 6);
        Parameters shuffled = new Parameters()) {
      shuffled.add("new", Parameter.Role.HEAD, true, Initializer.normal(1), 40);
      shuffled.add("f", Parameter.Role.SIDE, false, Initializer.normal(1), 8);
      shuffled.add("a", Parameter.Role.SIDE, true, Initializer.normal(1), 3, 7);
      shuffled.allocate(device, 5);
      assertArrayEquals(p.values().toFloats(), again.values().toFloats());
      for (Parameter one : p.all()) {
        assertFalse(
            Arrays.equals(one.value().toFloats(), other.get(one.name()).value().toFloats()),
            one.name());
      }
      for (String name : List.of("a", "f")) {
        assertArrayEquals(
            p.get(name).value().toFloats(), shuffled.get(name).value().toFloats(), name);
      }
      assertFalse(p.get("a").value().get(0) == p.get("b").value().get(0));
    }
  }

  /** Two names with one hash would start with the same numbers. */
  @Test
  void noTwoNamesOfALargeNetworkShareTheirRandomNumbers() {
    Parameters p = new Parameters();
    for (int l = 0; l <= 64; l++) {
      String prefix = "blocks." + l + ".";
      new TransformerBlock(p, prefix, 8, 2, 8, 1e-6f);
      new TransformerBlock(p, "generator." + l + ".block.", 8, 2, 8, 1e-6f);
      for (String name : List.of("ladder.", "align.", "generator.")) {
        for (String part : List.of("weight", "bias", "up", "down", "mask_token")) {
          p.add(name + l + "." + part, Parameter.Role.SIDE, true, Initializer.constant(0), 1);
        }
      }
    }
    Map<Integer, String> names = new HashMap<>();
    for (Parameter one : p.all()) {
      String same = names.put(one.name().hashCode(), one.name());
      assertEquals(null, same, one.name());
    }
  }

  @Test
  void initializersHaveTheirDistributions() {
    int n = 20_000;
    double mean = 0;
    double square = 0;
    float largest = 0;
    Initializer normal = Initializer.normal(0.5);
    Initializer uniform = Initializer.fanIn(16);
    for (int i = 0; i < n; i++) {
      float v = normal.value(3, 4, i);
      mean += v / n;
      square += v * v / n;
      largest = Math.max(largest, Math.abs(uniform.value(3, 4, i)));
    }
    assertEquals(0, mean, 0.02);
    assertEquals(0.25, square, 0.01);
    assertTrue(largest <= 0.25 && largest > 0.2499, () -> "largest value");
    assertEquals(7, Initializer.constant(7).value(1, 2, 3));
    float[] given = {1, 2, 3};
    Initializer values = Initializer.values(given);
    given[1] = 9;
    assertEquals(2, values.value(1, 2, 1), "a later change of the array must not be seen");
  }

  @Test
  void neighboursThatAreTreatedAlikeFormOneGroup() {
    try (Parameters p = mixed().allocate(device, 1)) {
      OptimizerGroup[] groups = p.groups(RATES, 0.1f);
      assertArrayEquals(
          new OptimizerGroup[] {
            new OptimizerGroup(0, 48, 0.01f, 0.1f),
            new OptimizerGroup(48, 16, 0.01f, 0),
            new OptimizerGroup(64, 48, 0.02f, 0),
            new OptimizerGroup(112, 16, 0, 0),
            new OptimizerGroup(128, 16, 0.02f, 0.1f)
          },
          groups);
      OptimizerGroup[] alike = p.groups(role -> 1, 0);
      assertArrayEquals(new OptimizerGroup[] {new OptimizerGroup(0, 144, 1, 0)}, alike);
      assertEquals(144, p.values().size());
    }
  }

  /**
   * AdamW of Loshchilov and Hutter in double, parameter by parameter, with the clipping before it.
   */
  @Test
  void updatesFollowAdamWWithTheRateAndDecayOfEach() {
    float decay = 0.1f;
    float maxNorm = 2;
    try (Parameters p = mixed().allocate(device, 1)) {
      Map<String, double[]> expected = new HashMap<>();
      Map<String, double[]> m = new HashMap<>();
      Map<String, double[]> v = new HashMap<>();
      for (Parameter one : p.all()) {
        float[] start = one.value().toFloats();
        double[] copy = new double[start.length];
        Arrays.setAll(copy, i -> start[i]);
        expected.put(one.name(), copy);
        m.put(one.name(), new double[start.length]);
        v.put(one.name(), new double[start.length]);
      }
      float[] norms = p.get("e").value().toFloats();
      for (int step = 1; step <= 5; step++) {
        double norm = fillGradients(p, step);
        double factor = Math.min(1, maxNorm / norm);
        for (Parameter one : p.all()) {
          double rate = RATES.of(one.role());
          double shrink = one.decay() ? decay : 0;
          double[] x = expected.get(one.name());
          double[] first = m.get(one.name());
          double[] second = v.get(one.name());
          for (int i = 0; i < x.length; i++) {
            double g = factor * one.gradient().get(i);
            first[i] = 0.9 * first[i] + 0.1 * g;
            second[i] = 0.999 * second[i] + 0.001 * g * g;
            double root = Math.sqrt(second[i] / (1 - Math.pow(0.999, step)));
            double direction = first[i] / (1 - Math.pow(0.9, step)) / (root + 1e-8);
            x[i] -= rate * (direction + shrink * x[i]);
          }
        }
        p.update(device.kernels(), maxNorm, RATES, decay, step);
        assertEquals(norm, p.clip().get(1), 1e-5 * norm);
      }
      for (Parameter one : p.all()) {
        for (int i = 0; i < one.shape().size(); i++) {
          assertEquals(
              expected.get(one.name())[i], one.value().get(i), 2e-5, one.name() + " at " + i);
        }
      }
      assertArrayEquals(norms, p.get("e").value().toFloats(), "a rate of 0 changes nothing");
      assertPaddingIsZero(p);
    }
  }

  private static double fillGradients(Parameters p, int step) {
    double squares = 0;
    for (Parameter one : p.all()) {
      assertNotNull(one.gradient());
      for (int i = 0; i < one.shape().size(); i++) {
        float g = CounterRandom.normal(step, one.name().hashCode(), i);
        one.gradient().set(i, g);
        squares += (double) g * g;
      }
    }
    return Math.sqrt(squares);
  }

  private static void assertPaddingIsZero(Parameters p) {
    float[] all = p.values().toFloats();
    int at = 0;
    for (Parameter one : p.all()) {
      int end = at + (int) one.shape().size();
      at = Math.ceilDiv(end, 16) * 16;
      for (int i = end; i < at; i++) {
        assertEquals(0, all[i], "padding behind " + one.name());
      }
    }
  }
}

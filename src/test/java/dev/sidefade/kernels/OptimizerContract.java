package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** {@link Kernels#gradientClip} and {@link Kernels#adamw}. */
public interface OptimizerContract extends KernelContract {

  @Test
  default void gradientClipMatchesReference() {
    try (Lab lab = new Lab(open())) {
      for (int count : new int[] {1, 3, 8, 31, 1000, 4097, 300_007}) {
        float[] gradient = Data.normal(count, count);
        double norm = OptimizerReference.norm(Data.widen(gradient));
        for (float limit : new float[] {0, 0.5f, 1e6f}) {
          float[] clip = clip(lab, gradient, limit);
          double factor = limit == 0 ? 1 : Math.min(1, limit / norm);
          assertEquals(
              factor, clip[0], 1e-5 * factor, "factor, " + count + " elements, limit " + limit);
          assertEquals(norm, clip[1], 1e-5 * norm, "norm, " + count + " elements");
        }
      }
    }
  }

  private static float[] clip(Lab lab, float[] gradient, float limit) {
    Tensor clip = lab.out(2);
    lab.kernels().gradientClip(lab.in(gradient, gradient.length), limit, clip);
    float[] got = lab.read(clip);
    lab.finish();
    return got;
  }

  @Test
  default void gradientClipOfZeroIsOne() {
    try (Lab lab = new Lab(open())) {
      for (float limit : new float[] {0, 1}) {
        float[] clip = clip(lab, new float[1000], limit);
        assertEquals(1, clip[0]);
        assertEquals(0, clip[1]);
      }
    }
  }

  @Test
  default void gradientClipTellsOfNaNAndInfinityAnywhere() {
    float[] bad = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
    try (Lab lab = new Lab(open())) {
      for (float value : bad) {
        for (int at : new int[] {0, 1, 7, 500, 9999, 10_002}) {
          for (float limit : new float[] {0, 1}) {
            float[] gradient = Data.normal(1, 10_003);
            gradient[at] = value;
            float factor = clip(lab, gradient, limit)[0];
            assertTrue(
                Float.isNaN(factor),
                value + " at " + at + ", limit " + limit + ": factor " + factor);
          }
        }
      }
    }
  }

  @Test
  default void adamwMatchesReferenceOverTwentySteps() {
    try (Lab lab = new Lab(open())) {
      for (int count : new int[] {5, 31, 1000, 70_001}) {
        twentySteps(lab, count);
      }
    }
  }

  /** Three groups with their own rates and decays, the last element in none of them. */
  private static void twentySteps(Lab lab, int count) {
    float[] start = Data.normal(1, count);
    OptimizerReference reference = new OptimizerReference(Data.widen(start));
    Tensor p = lab.inOut(start, count);
    Tensor m = lab.inOut(new float[count], count);
    Tensor v = lab.inOut(new float[count], count);
    int third = count / 3;
    for (int step = 1; step <= 20; step++) {
      float rate = 0.01f * step / 20;
      OptimizerGroup[] groups = {
        new OptimizerGroup(0, third, rate, 0.1f),
        new OptimizerGroup(third, 1, 10 * rate, 0),
        new OptimizerGroup(third + 1, count - third - 2, rate / 2, 0.01f)
      };
      float[] gradient = Data.normal(step, count, step % 5 == 0 ? 10 : 0.1);
      Tensor g = lab.in(gradient, count);
      Tensor clip = lab.out(2);
      lab.kernels().gradientClip(g, 1, clip);
      double factor = lab.read(clip)[0];
      lab.kernels().adamw(p, g, m, v, groups, 0.9f, 0.999f, 1e-8f, step, clip);
      reference.step(Data.widen(gradient), groups, 0.9f, 0.999f, 1e-8f, step, factor);
    }
    // one rounding of p a step (2^-24 of about 4), and updates of rate size to 1e-5 of it
    double[] scale = {4, 20 * 0.1};
    float[] got = lab.read(p);
    for (int i = 0; i < count; i++) {
      assertEquals(
          reference.parameters[i],
          got[i],
          20 * 0x1p-24 * scale[0] + 1e-5 * scale[1],
          "p[" + i + "] of " + count);
    }
    assertEquals(start[count - 1], got[count - 1], "outside all groups");
    Close.near("m", lab.read(m), reference.m, 20, Math.max(1e-6, Data.largest(reference.m)));
    Close.near("v", lab.read(v), reference.v, 20, Math.max(1e-9, Data.largest(reference.v)));
    lab.finish();
  }

  @Test
  default void adamwFirstStepMovesByTheLearningRate() {
    float[] gradient = {1e-3f, -1e3f, 5, -0.1f, 0};
    OptimizerGroup[] groups = {new OptimizerGroup(0, 5, 0.01f, 0)};
    try (Lab lab = new Lab(open())) {
      Tensor p = lab.inOut(new float[5], 5);
      Tensor clip = lab.in(new float[] {1, 7}, 2);
      lab.kernels()
          .adamw(
              p,
              lab.in(gradient, 5),
              lab.inOut(new float[5], 5),
              lab.inOut(new float[5], 5),
              groups,
              0.9f,
              0.999f,
              1e-8f,
              1,
              clip);
      double[] want = {-0.01, 0.01, -0.01, 0.01, 0};
      Close.near("p", lab.read(p), want, 1, 0.1);
    }
  }

  @Test
  default void adamwRefusesGroupsOutsideTheParameters() {
    try (Lab lab = new Lab(open())) {
      Tensor p = lab.inOut(new float[5], 5);
      Tensor g = lab.in(new float[5], 5);
      Tensor m = lab.inOut(new float[5], 5);
      Tensor v = lab.inOut(new float[5], 5);
      Tensor clip = lab.in(new float[] {1, 1}, 2);
      long[][] bad = {{0, 6}, {5, 1}, {-1, 2}, {0, -1}, {1, Long.MAX_VALUE}, {1L << 40, 1}};
      for (long[] range : bad) {
        OptimizerGroup[] groups = {new OptimizerGroup(range[0], range[1], 0.1f, 0)};
        assertThrows(
            IllegalArgumentException.class,
            () -> lab.kernels().adamw(p, g, m, v, groups, 0.9f, 0.999f, 1e-8f, 1, clip),
            range[0] + ", " + range[1]);
      }
    }
  }
}

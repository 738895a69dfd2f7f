package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.sidefade.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** {@link Kernels#gelu}, {@link Kernels#relu} and their gradients. */
public interface ActivationContract extends KernelContract {

  /** Values from -12 to 12, the zeros, tiny and large ones. */
  private static float[] values(int count) {
    float[] special = {0, -0f, 1e-30f, -1e-30f, 1e-4f, -1e-4f, 40, -40, 1e4f, -1e4f, 1e30f, -1e30f};
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = i < special.length ? special[i] : -12 + 24f * i / count;
    }
    return x;
  }

  @Test
  default void geluMatchesReferenceElementByElement() {
    try (Lab lab = new Lab(open())) {
      for (int count : new int[] {1, 3, 8, 31, 97, 50_001}) {
        float[] x = values(count);
        Tensor y = lab.out(count);
        lab.kernels().gelu(lab.in(x, count), y);
        Tensor same = lab.inOut(x, count);
        lab.kernels().gelu(same, same);
        float[] got = lab.read(y);
        float[] inPlace = lab.read(same);
        for (int i = 0; i < count; i++) {
          double want = ActivationReference.gelu(x[i]);
          assertEquals(want, got[i], 1e-6 + 1e-6 * Math.abs(want), "gelu(" + x[i] + ")");
          assertEquals(got[i], inPlace[i], "in place, gelu(" + x[i] + ")");
        }
        lab.finish();
      }
    }
  }

  @Test
  default void geluBackwardMatchesReferenceElementByElement() {
    try (Lab lab = new Lab(open())) {
      for (int count : new int[] {1, 3, 8, 31, 97, 50_001}) {
        float[] x = values(count);
        float[] dy = Data.normal(1, count);
        Tensor tx = lab.in(x, count);
        Tensor dx = lab.out(count);
        lab.kernels().geluBackward(tx, lab.in(dy, count), dx);
        Tensor same = lab.inOut(dy, count);
        lab.kernels().geluBackward(tx, same, same);
        float[] got = lab.read(dx);
        float[] inPlace = lab.read(same);
        for (int i = 0; i < count; i++) {
          double want = dy[i] * ActivationReference.geluDerivative(x[i]);
          assertEquals(want, got[i], 3e-6 * Math.max(1, Math.abs(dy[i])), "gelu'(" + x[i] + ")");
          assertEquals(got[i], inPlace[i], "in place, gelu'(" + x[i] + ")");
        }
        lab.finish();
      }
    }
  }

  @Test
  default void reluAndItsGradient() {
    try (Lab lab = new Lab(open())) {
      for (int count : new int[] {1, 3, 8, 31, 1000, 50_001}) {
        float[] x = values(count);
        float[] dy = Data.normal(1, count);
        Tensor y = lab.out(count);
        lab.kernels().relu(lab.in(x, count), y);
        Tensor dx = lab.out(count);
        lab.kernels().reluBackward(y, lab.in(dy, count), dx);
        Tensor sameY = lab.inOut(x, count);
        lab.kernels().relu(sameY, sameY);
        Tensor sameD = lab.inOut(dy, count);
        lab.kernels().reluBackward(y, sameD, sameD);
        for (int i = 0; i < count; i++) {
          // + 0f: the sign of zero is not part of the contract
          assertEquals(Math.max(x[i], 0) + 0f, lab.read(y)[i] + 0f, "relu(" + x[i] + ")");
          assertEquals(x[i] > 0 ? dy[i] : 0f, lab.read(dx)[i] + 0f, "relu'(" + x[i] + ")");
          if (i > 200) {
            break;
          }
        }
        assertEquals(0, java.util.Arrays.compare(lab.read(y), lab.read(sameY)), "in place");
        assertEquals(0, java.util.Arrays.compare(lab.read(dx), lab.read(sameD)), "in place");
        lab.finish();
      }
    }
  }
}

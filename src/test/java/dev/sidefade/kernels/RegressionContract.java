package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** {@link Kernels#regression}. */
public interface RegressionContract extends KernelContract {

  private static float[] targets(int rows, double labelled, double scale) {
    float[] targets = Data.normal(3, rows, scale);
    float[] has = Data.flags(rows, rows, labelled);
    for (int i = 0; i < rows; i++) {
      targets[i] = has[i] == 1 ? targets[i] : Float.NaN;
    }
    return targets;
  }

  @Test
  default void regressionMatchesReferenceOnOddShapes() {
    try (Lab lab = new Lab(open())) {
      for (int rows : Shapes.ROWS) {
        for (double labelled : new double[] {0, 0.5, 1}) {
          for (float weight : new float[] {0, 0.7f, 3}) {
            for (double scale : new double[] {1, 1000}) {
              run(lab, rows, targets(rows, labelled, scale), weight, scale, true);
              run(lab, rows, targets(rows, labelled, scale), weight, scale, false);
            }
          }
        }
      }
    }
  }

  private static void run(
      Lab lab, int rows, float[] targets, float weight, double scale, boolean taught) {
    String what = "regression of " + rows + " rows, teacher " + (taught ? weight : "none") + " ";
    float[] student = Data.normal(1, rows, scale);
    float[] teacher = taught ? Data.normal(2, rows, scale) : null;
    float[] untouched = targets.clone();
    Tensor losses = lab.out(2);
    Tensor dStudent = lab.out(rows, 1);
    lab.kernels()
        .regression(
            lab.in(student, rows, 1),
            taught ? lab.in(teacher, rows, 1) : null,
            targets,
            weight,
            losses,
            dStudent);
    assertArrayEquals(untouched, targets);
    RegressionReference.Result want =
        RegressionReference.run(Data.widen(student), Data.widen(teacher), targets, weight);
    float[] got = lab.read(losses);
    double allowed = Close.tolerance(rows);
    assertEquals(want.labelLoss(), got[0], allowed * want.labelLoss(), what + "label loss");
    assertEquals(want.teacherLoss(), got[1], allowed * want.teacherLoss(), what + "teacher loss");
    float[] gradient = lab.read(dStudent);
    Close.near(what + "gradient", gradient, want.dStudent(), 1, Data.largest(want.dStudent()));
    for (int r = 0; r < rows; r++) {
      if (!taught && Float.isNaN(targets[r])) {
        assertEquals(0, gradient[r], what + "gradient of row " + r + ", which nobody teaches");
      }
    }
    lab.finish();
  }

  @Test
  default void regressionRefusesWhatIsNoTargetAndNoWeight() {
    try (Lab lab = new Lab(open())) {
      Tensor student = lab.in(Data.normal(1, 2), 2, 1);
      Tensor losses = lab.out(2);
      Tensor dStudent = lab.out(2, 1);
      float infinite = Float.NEGATIVE_INFINITY;
      for (float[] targets : new float[][] {{}, {1}, {1, 2, 3}, {1, infinite}}) {
        assertThrows(
            IllegalArgumentException.class,
            () -> lab.kernels().regression(student, null, targets, 1, losses, dStudent),
            Arrays.toString(targets));
      }
      for (float weight : new float[] {-1, Float.NaN}) {
        float[] targets = {1, 2};
        assertThrows(
            IllegalArgumentException.class,
            () -> lab.kernels().regression(student, null, targets, weight, losses, dStudent),
            "weight " + weight);
      }
    }
  }
}

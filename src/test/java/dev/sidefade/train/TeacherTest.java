package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Which rows the teacher of the logit path speaks to, and what that does to gradients. */
class TeacherTest {
  private static final int ROWS = 6;
  private static final int CLASSES = 3;
  private static final int[] LABELS = {2, -1, 0, Kernels.PADDING, 1, -1};

  private static Tensor logits(Device device, long seed) {
    Random random = new Random(seed);
    Tensor logits = device.allocate(ROWS, CLASSES);
    for (long i = 0; i < logits.size(); i++) {
      logits.set(i, 3 * (float) random.nextGaussian());
    }
    return logits;
  }

  private static float[] row(Tensor tensor, int row) {
    return tensor.slice((long) row * tensor.dim(1), tensor.dim(1)).toFloats();
  }

  private static Tensor said(Teacher who, Tensor teacher, Tensor student, Targets targets) {
    who.choose(teacher, targets, (int) teacher.dim(0));
    return who.speak(teacher, student);
  }

  @Test
  void speaksToAll() {
    try (Device device = Device.cpu(1);
        Tensor teacher = logits(device, 1);
        Tensor student = logits(device, 2);
        Teacher all = new Teacher(device, KlRows.ALL, ROWS, CLASSES)) {
      assertSame(teacher, said(all, teacher, student, Targets.classes(LABELS)));
    }
  }

  @Test
  void speaksToUnlabelledRows() {
    try (Device device = Device.cpu(1);
        Tensor teacher = logits(device, 1);
        Tensor student = logits(device, 2);
        Teacher some = new Teacher(device, KlRows.UNLABELLED, ROWS, CLASSES)) {
      Tensor said = said(some, teacher, student, Targets.classes(LABELS));
      for (int row : new int[] {1, 5}) {
        assertArrayEquals(row(teacher, row), row(said, row));
      }
      for (int row : new int[] {0, 2, 4}) {
        assertArrayEquals(row(student, row), row(said, row));
      }
      // fewer rows than there is room for
      Tensor few =
          said(some, teacher.slice(0, 2, 3), student.slice(0, 2, 3), Targets.classes(0, -1));
      assertEquals(2, few.dim(0));
      assertArrayEquals(row(student, 0), row(few, 0));
      assertArrayEquals(row(teacher, 1), row(few, 1));
    }
  }

  @Test
  void speaksWhereItIsSure() {
    try (Device device = Device.cpu(1);
        Tensor teacher = device.allocate(4, 2);
        Tensor student = device.allocate(4, 2);
        Teacher sure = new Teacher(device, KlRows.SURE, 4, 2)) {
      float edge = (float) Math.log(KlRows.SURE_ABOVE / (1 - KlRows.SURE_ABOVE));
      float above = edge + 0.01f;
      float below = edge - 0.01f;
      teacher.setFloats(new float[] {above, 0, 50, 50 + below, -1e4f, -1e4f + above, 0, 0});
      student.setFloats(new float[] {9, 9, 9, 9, 9, 9, 9, 9});
      Tensor said = said(sure, teacher, student, Targets.classes(0, -1, 1, -1));
      assertArrayEquals(row(teacher, 0), row(said, 0));
      assertArrayEquals(row(student, 1), row(said, 1));
      assertArrayEquals(row(teacher, 2), row(said, 2));
      assertArrayEquals(row(student, 3), row(said, 3));
    }
  }

  @Test
  void aNumberIsALabelToo() {
    try (Device device = Device.cpu(1);
        Tensor teacher = device.allocate(3, 1);
        Tensor student = device.allocate(3, 1);
        Teacher some = new Teacher(device, KlRows.UNLABELLED, 3, 1)) {
      teacher.setFloats(new float[] {1, 2, 3});
      student.setFloats(new float[] {4, 5, 6});
      Tensor said = said(some, teacher, student, Targets.values(0.5f, Float.NaN, -1));
      assertArrayEquals(new float[] {4, 2, 6}, said.toFloats());
    }
  }

  /** Rows that are not spoken to have the gradient of the cross-entropy, but for a rounding. */
  @Test
  void labelledRowsHaveTheGradientOfTheLabelAlone() {
    try (Device device = Device.cpu(1);
        Tensor teacher = logits(device, 1);
        Tensor student = logits(device, 2);
        Tensor losses = device.allocate(2);
        Tensor alone = device.allocate(ROWS, CLASSES);
        Tensor taught = device.allocate(ROWS, CLASSES);
        Teacher some = new Teacher(device, KlRows.UNLABELLED, ROWS, CLASSES)) {
      Kernels kernels = device.kernels();
      kernels.logitDistillation(
          student, null, LABELS, new Distillation(2, 0, 1, 0.1f), losses, alone);
      float crossEntropy = losses.get(0);
      Tensor said = said(some, teacher, student, Targets.classes(LABELS));
      kernels.logitDistillation(
          student, said, LABELS, new Distillation(2, 1, 1, 0.1f), losses, taught);
      assertEquals(crossEntropy, losses.get(0));
      for (int row : new int[] {0, 2, 3, 4}) {
        assertArrayEquals(row(alone, row), row(taught, row), 1e-7f, "row " + row);
      }
      for (int row : new int[] {1, 5}) {
        assertArrayEquals(new float[CLASSES], row(alone, row));
        assertNotEquals(0, row(taught, row)[0]);
      }
    }
  }

  /** The same through a whole step: where all rows have labels there is no teacher. */
  @Test
  void aBatchWithLabelsAloneLearnsFromThemAlone() {
    float[] unlabelled = headGradient(Setup.with(s -> s.klRows = KlRows.UNLABELLED));
    float[] off = headGradient(Setup.with(s -> s.klWeight = KlWeight.fixed(0)));
    float[] all = headGradient(Setup.with(s -> {}));
    assertArrayEquals(off, unlabelled, 1e-7f);
    assertTrue(Math.abs(off[0] - all[0]) > 1e-4, "a teacher is heard");
  }

  private static float[] headGradient(Setup setup) {
    try (Run run = new Run(setup)) {
      run.steps(1);
      return run.tail.orElseThrow().parameters().get("head.weight").gradient().toFloats();
    }
  }

  /** Half of the rows have no label: their teacher is heard. */
  @Test
  void aBatchWithBothLearnsFromBoth() {
    float[] all = headGradient(mixed(KlRows.ALL, 1));
    float[] some = headGradient(mixed(KlRows.UNLABELLED, 1));
    float[] none = headGradient(mixed(KlRows.UNLABELLED, 0));
    assertTrue(Math.abs(all[0] - some[0]) > 1e-4);
    assertTrue(Math.abs(some[0] - none[0]) > 1e-4);
    assertTrue(Math.abs(all[0] - none[0]) > 1e-4);
  }

  private static Setup mixed(KlRows rows, float weight) {
    return Setup.with(s -> {
      s.labelled = 12;
      s.unlabelled = 12;
      s.klRows = rows;
      s.klWeight = KlWeight.fixed(weight);
    });
  }
}

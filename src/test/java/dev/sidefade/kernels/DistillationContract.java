package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** {@link Kernels#logitDistillation}. */
public interface DistillationContract extends KernelContract {
  Distillation BOTH = new Distillation(2, 0.7f, 1.3f, 0.1f);

  private static int[] labels(int batch, int classes, double labelled) {
    Random random = new Random(batch * 31L + classes);
    int[] labels = new int[batch];
    for (int i = 0; i < batch; i++) {
      labels[i] =
          random.nextDouble() < labelled ? random.nextInt(classes) : -1 - random.nextInt(100);
    }
    labels[0] = labelled > 0 ? classes - 1 : -1;
    return labels;
  }

  @Test
  default void distillationMatchesReferenceOnOddShapes() {
    Distillation[] kinds = {
      BOTH,
      new Distillation(1, 1, 0, 0),
      new Distillation(4, 0, 1, 0),
      new Distillation(3.3f, 0.25f, 2, 0.5f)
    };
    try (Lab lab = new Lab(open())) {
      for (int classes : Shapes.CLASSES) {
        for (int batch : classes > 1000 ? new int[] {1, 7} : new int[] {1, 2, 7, 64, 197}) {
          for (Distillation kind : kinds) {
            run(lab, batch, classes, kind, true, 0.7);
          }
        }
      }
    }
  }

  @Test
  default void distillationWithoutTeacherAndWithoutLabels() {
    try (Lab lab = new Lab(open())) {
      for (int classes : new int[] {2, 10, 1000}) {
        run(lab, 17, classes, new Distillation(2, 0, 1, 0.1f), false, 0.7);
        run(lab, 17, classes, BOTH, true, 0);
        run(lab, 17, classes, new Distillation(2, 0, 1, 0), false, 0);
      }
    }
  }

  private static void run(
      Lab lab, int batch, int classes, Distillation kind, boolean taught, double labelled) {
    float[] student = Data.normal(1, batch * classes, 3);
    float[] teacher = taught ? Data.normal(2, batch * classes, 3) : null;
    int[] labels = labels(batch, classes, labelled);
    compare(lab, student, teacher, labels, kind, classes, batch + "x" + classes + " " + kind);
  }

  private static void compare(
      Lab lab,
      float[] student,
      float[] teacher,
      int[] labels,
      Distillation kind,
      int classes,
      String what) {
    int batch = labels.length;
    int[] untouched = labels.clone();
    float[] padding = padding(labels);
    Tensor losses = lab.out(2);
    Tensor dStudent = lab.out(batch, classes);
    lab.kernels()
        .logitDistillation(
            lab.in(Data.poison(student, classes, padding, 1), batch, classes),
            teacher == null
                ? null
                : lab.in(Data.poison(teacher, classes, padding, 1), batch, classes),
            labels,
            kind,
            losses,
            dStudent);
    assertArrayEquals(untouched, labels);
    var want =
        DistillationReference.run(Data.widen(student), Data.widen(teacher), labels, kind, classes);
    // log-softmax is rounded to the size of the logits
    double size = Math.max(1, Data.largest(Data.widen(student))) / Math.min(1, kind.temperature());
    double allowed = Close.tolerance(classes) * Math.max(1, size / 4);
    float[] got = lab.read(losses);
    assertEquals(
        want.crossEntropy(), got[0], allowed * Math.max(1, want.crossEntropy()), what + " CE");
    double square = kind.temperature() * kind.temperature();
    assertEquals(
        want.divergence(), got[1], allowed * Math.max(square, want.divergence()), what + " KL");
    // p - t is rounded to the size of p; p is rounded to exp's error times the size of its argument
    double real = Math.max(1, batch - Data.sum(Data.widen(padding)));
    double largest = (kind.ceWeight() + kind.klWeight() * kind.temperature()) / real;
    Close.near(
        what + " gradient",
        lab.read(dStudent),
        want.dStudent(),
        classes,
        Math.max(largest, Data.largest(want.dStudent())));
    lab.finish();
  }

  /** One flag per row: 1 for padding. */
  private static float[] padding(int[] labels) {
    float[] flags = new float[labels.length];
    for (int i = 0; i < labels.length; i++) {
      flags[i] = labels[i] == Kernels.PADDING ? 1 : 0;
    }
    return flags;
  }

  /** Labels of tokens: some rows are padding, some of the others have no label. */
  @Test
  default void distillationLeavesOutPadding() {
    Random random = new Random(5);
    try (Lab lab = new Lab(open())) {
      for (int classes : new int[] {2, 9, 1000}) {
        for (int batch : new int[] {2, 7, 64, 197}) {
          for (double part : new double[] {0.3, 0.9}) {
            int[] labels = labels(batch, classes, 0.7);
            for (int i = 0; i < batch; i++) {
              labels[i] = random.nextDouble() < part ? Kernels.PADDING : labels[i];
            }
            float[] student = Data.normal(1, batch * classes, 3);
            float[] teacher = Data.normal(2, batch * classes, 3);
            String what = batch + "x" + classes + " with padding";
            compare(lab, student, teacher, labels, BOTH, classes, what);
            compare(lab, student, null, labels, BOTH, classes, what + ", no teacher");
          }
        }
      }
    }
  }

  @Test
  default void distillationOfPaddingAloneIsNothing() {
    int[] labels = new int[5];
    Arrays.fill(labels, Kernels.PADDING);
    float[] unread = Data.filled(5 * 7, Float.NaN);
    try (Lab lab = new Lab(open())) {
      Tensor losses = lab.out(2);
      Tensor dStudent = lab.out(5, 7);
      lab.kernels()
          .logitDistillation(
              lab.in(unread, 5, 7), lab.in(unread, 5, 7), labels, BOTH, losses, dStudent);
      Close.zero("losses", lab.read(losses));
      Close.zero("gradient", lab.read(dStudent));
    }
  }

  @Test
  default void distillationStandsLargeLogitsAndOffsets() {
    try (Lab lab = new Lab(open())) {
      float[] student = Data.normal(1, 7 * 10, 3);
      float[] teacher = Data.normal(2, 7 * 10, 3);
      for (int i = 0; i < student.length; i++) {
        student[i] = Math.round(student[i]) + 1e6f;
        teacher[i] = Math.round(teacher[i]) - 1e6f;
      }
      compare(lab, student, teacher, labels(7, 10, 1), BOTH, 10, "offset", 1);
      float[] sharp = Data.normal(1, 7 * 10, 1e4);
      float[] sharpTeacher = Data.normal(2, 7 * 10, 1e4);
      compare(lab, sharp, sharpTeacher, labels(7, 10, 1), BOTH, 10, "sharp", 1);
    }
  }

  /**
   * With a relative tolerance on the losses: the logits' size says nothing about softmax's accuracy
   * there.
   */
  private static void compare(
      Lab lab,
      float[] student,
      float[] teacher,
      int[] labels,
      Distillation kind,
      int classes,
      String what,
      double atLeast) {
    int batch = labels.length;
    Tensor losses = lab.out(2);
    Tensor dStudent = lab.out(batch, classes);
    lab.kernels()
        .logitDistillation(
            lab.in(student, batch, classes),
            lab.in(teacher, batch, classes),
            labels,
            kind,
            losses,
            dStudent);
    var want =
        DistillationReference.run(Data.widen(student), Data.widen(teacher), labels, kind, classes);
    assertEquals(
        want.crossEntropy(),
        lab.read(losses)[0],
        1e-5 * Math.max(atLeast, want.crossEntropy()),
        what + " CE");
    assertEquals(
        want.divergence(),
        lab.read(losses)[1],
        1e-5 * Math.max(atLeast, want.divergence()),
        what + " KL");
    Close.near(what + " gradient", lab.read(dStudent), want.dStudent(), classes, 1);
    lab.finish();
  }

  @Test
  default void distillationFromItselfHasNoLossAndNoGradient() {
    float[] logits = Data.normal(1, 7 * 33, 3);
    try (Lab lab = new Lab(open())) {
      Tensor losses = lab.out(2);
      Tensor dStudent = lab.out(7, 33);
      int[] none = new int[7];
      Arrays.fill(none, -1);
      lab.kernels()
          .logitDistillation(
              lab.in(logits, 7, 33),
              lab.in(logits, 7, 33),
              none,
              new Distillation(2, 1, 1, 0),
              losses,
              dStudent);
      Close.near("losses", lab.read(losses), new double[2], 33, 1);
      Close.near("gradient", lab.read(dStudent), new double[7 * 33], 1, 0.1);
    }
  }

  @Test
  default void distillationRefusesBadLabels() {
    try (Lab lab = new Lab(open())) {
      Tensor student = lab.in(Data.normal(1, 6), 2, 3);
      Tensor losses = lab.out(2);
      Tensor dStudent = lab.out(2, 3);
      for (int[] labels : new int[][] {{0, 3}, {0}, {0, 1, 2}, {}}) {
        assertThrows(
            IllegalArgumentException.class,
            () -> lab.kernels().logitDistillation(student, null, labels, BOTH, losses, dStudent),
            Arrays.toString(labels));
      }
    }
  }
}

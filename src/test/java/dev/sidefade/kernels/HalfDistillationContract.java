package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * {@link Kernels#logitDistillation} and {@link Kernels#featureMatching} on features of F16 and
 * BF16, for backends that compute on them, and the logits of large vocabularies in F32, too. The
 * references work in F64 on the rounded inputs.
 */
public interface HalfDistillationContract extends KernelContract {
  /** Where 16 bytes can be moved at once, and where they cannot. */
  List<Integer> STARTS = List.of(16, 3);

  List<DType> HALVES = List.of(DType.F16, DType.BF16);

  List<Distillation> KINDS =
      List.of(
          new Distillation(2, 0.7f, 1.3f, 0.1f),
          new Distillation(1, 1, 0.5f, 0),
          new Distillation(4, 0, 1, 0.1f),
          new Distillation(3.3f, 2, 0.25f, 0));

  /** A class, no label (with 1 in 4) or padding (with 1 in 4) per row; the first has a class. */
  private static int[] labels(int rows, int classes) {
    Random random = new Random(rows * 31L + classes);
    int[] labels = new int[rows];
    for (int i = 0; i < rows; i++) {
      int kind = i == 0 ? 0 : random.nextInt(4);
      labels[i] = kind == 1 ? -7 : kind == 2 ? Kernels.PADDING : random.nextInt(classes);
    }
    labels[0] = classes - 1;
    return labels;
  }

  @Test
  default void halfDistillationMatchesReferenceOnOddShapes() {
    try (Device device = open()) {
      for (DType dtype : HALVES) {
        for (int start : STARTS) {
          try (FeatureLab lab = new FeatureLab(device, dtype, start)) {
            for (int classes : new int[] {1, 2, 3, 9, 16, 100, 1000, 1024, 1025, 4099}) {
              for (int rows : new int[] {1, 7, classes > 1000 ? 5 : 33}) {
                for (Distillation kind : KINDS) {
                  distill(lab, rows, classes, kind, true);
                }
                distill(lab, rows, classes, KINDS.get(0), false);
              }
            }
          }
        }
      }
    }
  }

  @Test
  default void distillationOverLargeVocabularies() {
    try (Device device = open()) {
      for (DType dtype : new DType[] {DType.F32, DType.F16, DType.BF16}) {
        for (int start : STARTS) {
          try (FeatureLab lab = new FeatureLab(device, dtype, start)) {
            distill(lab, 3, 32000, KINDS.get(0), true);
            distill(lab, 2, 100_003, KINDS.get(3), true);
            distill(lab, 1, 131_072, KINDS.get(1), true);
          }
        }
      }
    }
  }

  private static void distill(
      FeatureLab lab, int rows, int classes, Distillation kind, boolean taught) {
    String what = lab.dtype() + " " + rows + "x" + classes + (taught ? " " : " untaught ") + kind;
    int[] labels = labels(rows, classes);
    float[] padding = new float[rows];
    for (int i = 0; i < rows; i++) {
      padding[i] = labels[i] == Kernels.PADDING ? 1 : 0;
    }
    float[] student = Data.poison(Data.normal(1, rows * classes, 3), classes, padding, 1);
    float[] teacher = Data.poison(Data.normal(2, rows * classes, 3), classes, padding, 1);
    Tensor losses = lab.outF32(2);
    Tensor dStudent = lab.out(rows, classes);
    lab.kernels()
        .logitDistillation(
            lab.in(Data.widen(student), rows, classes),
            taught ? lab.in(Data.widen(teacher), rows, classes) : null,
            labels,
            kind,
            losses,
            dStudent);
    double[] x = finite(lab.rounded(student));
    double[] y = taught ? finite(lab.rounded(teacher)) : null;
    var want = DistillationReference.run(x, y, labels, kind, classes);
    double allowed = 4 * Close.tolerance(classes);
    double square = kind.temperature() * kind.temperature();
    double[] got = lab.read(losses);
    assertEquals(
        want.crossEntropy(), got[0], allowed * Math.max(1, want.crossEntropy()), what + " CE");
    assertEquals(
        want.divergence(), got[1], allowed * Math.max(square, want.divergence()), what + " KL");
    gradients(what, lab.dtype(), lab.read(dStudent), want.dStudent(), x, y, labels, kind, classes);
    lab.finish();
  }

  private static double[] finite(double[] values) {
    return Arrays.stream(values).map(v -> Double.isNaN(v) ? 0 : v).toArray();
  }

  /**
   * A gradient is a sum of probabilities with factors: each is within 1e-5 of itself, and the sum
   * then rounded to the type.
   */
  private static void gradients(
      String what,
      DType dtype,
      double[] got,
      double[] want,
      double[] x,
      double[] y,
      int[] labels,
      Distillation kind,
      int classes) {
    double unit = unit(dtype);
    double smallest = dtype == DType.F16 ? 0x1p-25 : 0;
    int labelled = (int) Arrays.stream(labels).filter(label -> label >= 0).count();
    int real = (int) Arrays.stream(labels).filter(label -> label != Kernels.PADDING).count();
    for (int row = 0; row < labels.length; row++) {
      boolean hasLabel = labels[row] >= 0;
      boolean hasTeacher = y != null && labels[row] != Kernels.PADDING;
      double[] plain = softmax(x, row, classes, 1);
      double[] tempered = softmax(x, row, classes, kind.temperature());
      double[] taught = y == null ? tempered : softmax(y, row, classes, kind.temperature());
      for (int c = 0; c < classes; c++) {
        int i = row * classes + c;
        double terms = 0;
        if (hasLabel) {
          double target = c == labels[row] ? 1 : (double) kind.labelSmoothing() / classes;
          terms += kind.ceWeight() / labelled * (plain[c] + target);
        }
        if (hasTeacher) {
          terms += kind.klWeight() * kind.temperature() / real * (tempered[c] + taught[c]);
        }
        double exact = 1e-5 * terms;
        double allowed = exact + unit * (Math.abs(want[i]) + exact) + smallest;
        if (!(Math.abs(got[i] - want[i]) <= allowed)) {
          fail(what + " gradient[" + row + ", " + c + "]: expected " + want[i] + ", got " + got[i]);
        }
      }
    }
  }

  /** Relative error of rounding to the type. */
  private static double unit(DType dtype) {
    return switch (dtype) {
      case F16 -> 0x1p-11;
      case BF16 -> 0x1p-8;
      default -> 0x1p-24;
    };
  }

  private static double[] softmax(double[] logits, int row, int classes, double temperature) {
    double[] p = Arrays.copyOfRange(logits, row * classes, (row + 1) * classes);
    double most = Arrays.stream(p).max().orElseThrow();
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      p[c] = Math.exp((p[c] - most) / temperature);
      sum += p[c];
    }
    double total = sum;
    return Arrays.stream(p).map(v -> v / total).toArray();
  }

  @Test
  default void distillationTakesTypesThatAreAlike() {
    try (Device device = open();
        FeatureLab f16 = new FeatureLab(device, DType.F16, 16);
        FeatureLab bf16 = new FeatureLab(device, DType.BF16, 16)) {
      Tensor student = f16.in(new double[6], 2, 3);
      Tensor other = bf16.in(new double[6], 2, 3);
      Tensor losses = f16.outF32(2);
      int[] labels = {0, 1};
      for (Tensor[] pair : new Tensor[][] {{other, f16.out(2, 3)}, {student, bf16.out(2, 3)}}) {
        IllegalArgumentException refused =
            assertThrows(
                IllegalArgumentException.class,
                () ->
                    f16.kernels()
                        .logitDistillation(
                            student, pair[0], labels, KINDS.get(0), losses, pair[1]));
        assertTrue(refused.getMessage().contains("BF16"), refused.getMessage());
      }
    }
  }

  /** The gradient may take the place of the student's logits, and is the same then. */
  @Test
  default void distillationInPlaceGivesTheSameBits() {
    try (Device device = open()) {
      for (DType dtype : new DType[] {DType.F32, DType.F16, DType.BF16}) {
        for (int start : STARTS) {
          try (FeatureLab lab = new FeatureLab(device, dtype, start)) {
            for (int classes : new int[] {3, 1000, 2050, 100_003}) {
              inPlace(lab, classes > 10_000 ? 2 : 5, classes);
            }
          }
        }
      }
    }
  }

  private static void inPlace(FeatureLab lab, int rows, int classes) {
    double[] logits = Data.widen(Data.normal(1, rows * classes, 3));
    Tensor teacher = lab.in(Data.widen(Data.normal(2, rows * classes, 3)), rows, classes);
    int[] labels = labels(rows, classes);
    Tensor apart = lab.out(rows, classes);
    Tensor losses = lab.outF32(2);
    Tensor both = lab.inOut(logits, rows, classes);
    Tensor again = lab.outF32(2);
    Kernels kernels = lab.kernels();
    kernels.logitDistillation(
        lab.in(logits, rows, classes), teacher, labels, KINDS.get(0), losses, apart);
    kernels.logitDistillation(both, teacher, labels, KINDS.get(0), again, both);
    String what = lab.dtype() + " " + rows + "x" + classes + " in place";
    assertArrayEquals(lab.readBytes(losses), lab.readBytes(again), what + ": losses");
    assertArrayEquals(lab.readBytes(apart), lab.readBytes(both), what + ": gradient");
    lab.finish();
  }

  /** So many that a block of threads has several tiles of them. */
  int MANY_ROWS = 8_300;

  /** Side width, rank, backbone width: all sizes of ranks, widths around those of blocks. */
  List<List<Integer>> ALIGNMENTS =
      List.of(
          List.of(1, 1, 1),
          List.of(3, 8, 33),
          List.of(16, 3, 31),
          List.of(33, 16, 256),
          List.of(31, 17, 130),
          List.of(32, 16, 776),
          List.of(48, 32, 257),
          List.of(8, 48, 264),
          List.of(17, 33, 96),
          List.of(40, 64, 300),
          List.of(24, 50, 31),
          List.of(12, 65, 72),
          List.of(20, 130, 33));

  /**
   * Small whole numbers: nothing is rounded anywhere, so that the result is as exact as with F32.
   */
  @Test
  default void halfFeatureMatchingOfWholeNumbersIsExact() {
    try (Device device = open()) {
      for (DType dtype : HALVES) {
        for (int start : STARTS) {
          try (FeatureLab lab = new FeatureLab(device, dtype, start)) {
            for (List<Integer> a : ALIGNMENTS) {
              for (int rows : new int[] {1, 7, 97}) {
                HalfFeatureMatchingCase.wholeNumbers(
                        device, lab, rows, a.get(0), a.get(1), a.get(2))
                    .run();
              }
            }
          }
        }
      }
    }
  }

  @Test
  default void halfFeatureMatchingOfManyRowsIsExact() {
    try (Device device = open()) {
      for (DType dtype : HALVES) {
        try (FeatureLab lab = new FeatureLab(device, dtype, 16)) {
          for (int rank : new int[] {16, 20, 40, 64}) {
            HalfFeatureMatchingCase.wholeNumbers(device, lab, MANY_ROWS, 3, rank, 9).run();
          }
        }
      }
    }
  }

  /** Factors are rounded to the features' type, so results are within a few units of it. */
  @Test
  default void halfFeatureMatchingMatchesReferenceOnOddShapes() {
    try (Device device = open()) {
      for (DType dtype : HALVES) {
        for (int start : STARTS) {
          try (FeatureLab lab = new FeatureLab(device, dtype, start)) {
            for (List<Integer> a : ALIGNMENTS) {
              for (int rows : new int[] {1, 65}) {
                for (boolean standardize : new boolean[] {false, true}) {
                  HalfFeatureMatchingCase.normal(
                          device,
                          lab,
                          rows,
                          a.get(0),
                          a.get(1),
                          a.get(2),
                          standardize,
                          4 * unit(dtype))
                      .run();
                }
              }
            }
          }
        }
      }
    }
  }

  /**
   * In F32: every size of the fused kernels, more rows than they have blocks for, and the ranks
   * above 64, where cuBLAS takes over in blocks of 1024 rows.
   */
  @Test
  default void featureMatchingOfManyRanksAndRows() {
    try (Lab lab = new Lab(open())) {
      for (int[] a : new int[][] {{8, 49, 300}, {33, 64, 257}, {8, 65, 96}, {20, 130, 33}}) {
        for (int rows : new int[] {1, 33, 197}) {
          for (int kind = 0; kind < 4; kind++) {
            new FeatureMatchingCase(lab, rows, a[0], a[1], a[2], (kind & 1) != 0, (kind & 2) != 0)
                .run();
          }
        }
      }
      new FeatureMatchingCase(lab, 2100, 8, 70, 40, true, true).run();
      for (int rank : new int[] {16, 20, 64}) {
        new FeatureMatchingCase(lab, MANY_ROWS, 3, rank, 9, true, true).run();
        new FeatureMatchingCase(lab, MANY_ROWS, 3, rank, 9, false, false).run();
      }
    }
  }

  @Test
  default void halfResultsDoNotDependOnWhereTensorsStart() {
    try (Device device = open()) {
      for (DType dtype : HALVES) {
        try (FeatureLab aligned = new FeatureLab(device, dtype, 16);
            FeatureLab odd = new FeatureLab(device, dtype, 3)) {
          for (List<Integer> a : ALIGNMENTS) {
            assertArrayEquals(
                HalfFeatureMatchingCase.normal(
                        device, aligned, 97, a.get(0), a.get(1), a.get(2), true, 0)
                    .bytes(),
                HalfFeatureMatchingCase.normal(
                        device, odd, 97, a.get(0), a.get(1), a.get(2), true, 0)
                    .bytes(),
                dtype + " " + a);
          }
          for (int classes : new int[] {8, 100, 1000, 2056}) {
            assertArrayEquals(bytes(aligned, classes), bytes(odd, classes), dtype + " " + classes);
          }
        }
      }
    }
  }

  private static byte[] bytes(FeatureLab lab, int classes) {
    Tensor losses = lab.outF32(2);
    Tensor dStudent = lab.out(5, classes);
    lab.kernels()
        .logitDistillation(
            lab.in(Data.widen(Data.normal(1, 5 * classes, 3)), 5, classes),
            lab.in(Data.widen(Data.normal(2, 5 * classes, 3)), 5, classes),
            labels(5, classes),
            KINDS.get(0),
            losses,
            dStudent);
    return HalfFeatureMatchingCase.joined(lab, losses, dStudent);
  }

  @Test
  default void halfFeatureMatchingOfNoRowIsZero() {
    int rows = 7;
    double[] nan = Data.widen(Data.filled(rows * 40, Float.NaN));
    try (Device device = open();
        FeatureLab lab = new FeatureLab(device, DType.F16, 16)) {
      Tensor loss = lab.outF32(1);
      Tensor dz = lab.outF32(rows, 40);
      byte[] before = lab.readBytes(dz);
      Tensor dDown = lab.outF32(40, 3);
      Tensor dUp = lab.outF32(3, 40);
      lab.kernels()
          .featureMatching(
              lab.inF32(Data.narrow(nan), rows, 40),
              lab.inF32(Data.normal(2, 120), 40, 3),
              lab.inF32(Data.normal(3, 120), 3, 40),
              lab.in(nan, rows, 40),
              lab.inF32(new float[rows], rows),
              1,
              true,
              loss,
              dz,
              dDown,
              dUp);
      assertArrayEquals(new double[1], lab.read(loss), "loss");
      assertArrayEquals(new double[120], lab.read(dDown), "dDown");
      assertArrayEquals(new double[120], lab.read(dUp), "dUp");
      assertArrayEquals(before, lab.readBytes(dz), "dz");
    }
  }
}

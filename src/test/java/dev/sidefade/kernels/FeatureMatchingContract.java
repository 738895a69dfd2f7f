package dev.sidefade.kernels;

import dev.sidefade.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** {@link Kernels#featureMatching}. */
public interface FeatureMatchingContract extends KernelContract {

  @Test
  default void featureMatchingMatchesReferenceOnOddShapes() {
    // side width, rank, backbone width
    int[][] widths = {
      {1, 1, 1},
      {3, 8, 33},
      {16, 3, 31},
      {31, 16, 96},
      {33, 1, 128},
      {32, 17, 3},
      {96, 16, 768},
      {8, 48, 130}
    };
    try (Lab lab = new Lab(open())) {
      for (int rows : Shapes.ROWS) {
        for (int[] w : widths) {
          for (int kind = 0; kind < 4 && (rows < 1000 || w[2] < 768); kind++) {
            new FeatureMatchingCase(lab, rows, w[0], w[1], w[2], (kind & 1) != 0, (kind & 2) != 0)
                .run();
          }
        }
      }
    }
  }

  @Test
  default void featureMatchingOfNoRowIsZero() {
    int rows = 7;
    float[] nan = Data.filled(rows * 33, Float.NaN);
    float[] before = Data.normal(1, rows * 33);
    try (Lab lab = new Lab(open())) {
      Tensor loss = lab.out(1);
      Tensor dz = lab.inOut(before, rows, 33);
      Tensor dDown = lab.out(33, 3);
      Tensor dUp = lab.out(3, 33);
      Tensor z = lab.in(nan, rows, 33);
      Tensor down = lab.in(Data.normal(2, 99), 33, 3);
      Tensor up = lab.in(Data.normal(3, 99), 3, 33);
      lab.kernels()
          .featureMatching(
              z,
              down,
              up,
              lab.in(nan, rows, 33),
              lab.in(new float[rows], rows),
              1,
              true,
              loss,
              dz,
              dDown,
              dUp);
      Close.zero("loss", lab.read(loss));
      Close.zero("dDown", lab.read(dDown));
      Close.zero("dUp", lab.read(dUp));
      org.junit.jupiter.api.Assertions.assertArrayEquals(before, lab.read(dz));
    }
  }
}

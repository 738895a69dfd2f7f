package dev.sidefade.kernels;

import org.junit.jupiter.api.Test;

/** {@link Kernels#adapter} and its gradients. */
public interface AdapterContract extends KernelContract {

  @Test
  default void adapterMatchesReferenceOnOddShapes() {
    int[][] widths = {{1, 1}, {3, 8}, {8, 3}, {16, 33}, {31, 8}, {33, 16}, {96, 24}, {128, 31}};
    try (Lab lab = new Lab(open())) {
      for (int rows : Shapes.ROWS) {
        for (int[] width : widths) {
          new AdapterCase(lab, rows, width[0], width[1], false).run();
        }
      }
    }
  }

  /**
   * W2 is 0 at the start of training: the block is the identity and only w2 and b2 have gradients.
   */
  @Test
  default void adapterWithZeroOutputWeightsIsTheIdentity() {
    try (Lab lab = new Lab(open())) {
      new AdapterCase(lab, 17, 31, 8, true).run();
    }
  }
}

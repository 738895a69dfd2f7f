package dev.sidefade.bench;

import dev.sidefade.kernels.TokenLayout;

/**
 * The two problem sizes of all benchmarks: a small ViT on 28 x 28 images and a ViT-B on 224 x 224
 * images.
 *
 * @param batch samples
 * @param grid patches along one side
 * @param tapWidth D_B
 * @param width D_S
 * @param heads of the side network's attention
 * @param taps tap 0 and one per block
 */
record Workload(int batch, int grid, int tapWidth, int width, int heads, int taps) {
  static final int RANK = 16;
  static final int CLASSES = 10;

  static Workload of(String name) {
    return switch (name) {
      case "A" -> new Workload(64, 4, 128, 32, 2, 7);
      case "B" -> new Workload(8, 14, 768, 96, 6, 13);
      default -> throw new IllegalArgumentException("there is no shape " + name + ": A or B");
    };
  }

  int tokens() {
    return 1 + grid * grid;
  }

  int rows() {
    return batch * tokens();
  }

  /** Width inside the MLP of a block, and of the adapter's bottleneck. */
  int hidden() {
    return 2 * width;
  }

  TokenLayout layout() {
    return new TokenLayout(batch, tokens(), 1, grid, grid);
  }
}

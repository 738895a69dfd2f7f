package dev.sidefade.bench.tables;

/**
 * The problem sizes of the benchmarks: a small ViT on 28 x 28 images, a ViT-B/16 on 224 x 224
 * images, MiniLM on texts of 128 tokens.
 *
 * @param batch samples
 * @param tokens tokens of a sample, the class token included
 * @param grid patches along one side; 0 for texts
 * @param tapWidth D_B
 * @param width D_S
 * @param heads of the side network's attention
 * @param taps tap 0 and one per block
 */
public record Workload(
    int batch, int tokens, int grid, int tapWidth, int width, int heads, int taps) {
  /** Of the alignment. */
  public static final int RANK = 16;

  /** Of the head. */
  public static final int CLASSES = 10;

  /** The size of a name. */
  public static Workload of(String name) {
    return switch (name) {
      case "A" -> new Workload(64, 17, 4, 128, 32, 2, 7);
      case "B" -> new Workload(8, 197, 14, 768, 96, 6, 13);
      case "M" -> new Workload(16, 128, 0, 384, 48, 3, 7);
      default -> throw new IllegalArgumentException("there is no shape " + name + ": A, B or M");
    };
  }

  /** Tokens of all samples. */
  public int rows() {
    return batch * tokens;
  }

  /** Width inside the MLP of a block, and of the adapter's bottleneck. */
  public int hidden() {
    return 2 * width;
  }
}

package dev.sidefade.cli;

import dev.sidefade.kernels.TokenLayout;

/**
 * The sizes at which {@code bench} times the operations: what a side network sees beside a small
 * ViT on 28 x 28 images, beside MiniLM on texts, and beside a ViT-B/16.
 */
enum BenchShape {
  /** The demo's. */
  DEMO(64, 17, 4, 128, 32, 2),
  /** MiniLM with texts of 128 tokens. */
  MINILM(16, 128, 0, 384, 48, 3),
  /** ViT-B/16 on 224 x 224 images. */
  VIT_B(8, 197, 14, 768, 96, 6);

  final int batch;
  final int tokens;

  /** Patches along one side; 0 for texts. */
  final int grid;

  /** D_B. */
  final int tapWidth;

  /** D_S. */
  final int width;

  final int heads;

  BenchShape(int batch, int tokens, int grid, int tapWidth, int width, int heads) {
    this.batch = batch;
    this.tokens = tokens;
    this.grid = grid;
    this.tapWidth = tapWidth;
    this.width = width;
    this.heads = heads;
  }

  int rows() {
    return batch * tokens;
  }

  /** Inside the MLP. */
  int hidden() {
    return 2 * width;
  }

  TokenLayout layout() {
    return new TokenLayout(batch, tokens, 1, grid, grid);
  }

  String text() {
    return Choice.text(this);
  }
}

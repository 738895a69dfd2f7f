package dev.sidefade.kernels;

import dev.sidefade.tensor.CounterRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The mask draw by sorting. */
final class MaskReference {
  private MaskReference() {}

  /** Which rows are removed when each sample keeps {@code kept(number of valid tokens)} of them. */
  static float[] draw(
      long seed,
      long stream,
      TokenLayout layout,
      float[] valid,
      java.util.function.IntUnaryOperator kept) {
    float[] removed = new float[layout.rows()];
    for (int b = 0; b < layout.batch(); b++) {
      List<Integer> rows = new ArrayList<>();
      for (int t = layout.prefix(); t < layout.tokens(); t++) {
        int row = b * layout.tokens() + t;
        if (valid == null || valid[row] != 0) {
          rows.add(row);
        }
      }
      int count = rows.size();
      // stable: rows of equal noise stay in the order of their index
      rows.sort(Comparator.comparing(row -> CounterRandom.uniform(seed, stream, row)));
      for (int row : rows.subList(kept.applyAsInt(count), count)) {
        removed[row] = 1;
      }
    }
    return removed;
  }
}

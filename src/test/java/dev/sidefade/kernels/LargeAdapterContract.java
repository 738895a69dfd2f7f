package dev.sidefade.kernels;

import org.junit.jupiter.api.Test;

/** {@link Kernels#adapter} where a backend may have to work in another way than on small shapes. */
public interface LargeAdapterContract extends KernelContract {

  /** Tokens of these widths do not fit on chip beside each other. */
  @Test
  default void adapterMatchesReferenceOnWideTokens() {
    try (Lab lab = new Lab(open())) {
      new AdapterCase(lab, 33, 300, 260, false).run();
      new AdapterCase(lab, 7, 37, 515, false).run();
    }
  }

  /** More rows than are worked on at once, not a multiple of anything. */
  @Test
  default void adapterMatchesReferenceOnManyRows() {
    try (Lab lab = new Lab(open())) {
      new AdapterCase(lab, 16421, 3, 2, false).run();
    }
  }
}

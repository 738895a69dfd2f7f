package dev.sidefade.kernels;

import java.util.List;
import java.util.function.Supplier;

/**
 * A backend under test. Each subject's contract extends this with default test methods, so that the
 * test class of a backend only says how to open it. Contracts know nothing but the interface.
 */
public interface KernelContract {

  /** Opens the backend; the test closes it. */
  Device open();

  /** Other ways to open the same backend (numbers of threads, ...) that must give the same bits. */
  default List<Supplier<Device>> alternatives() {
    return List.of(this::open);
  }
}

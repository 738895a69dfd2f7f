package dev.sidefade.kernels;

import java.util.List;
import java.util.Optional;

/** A backend, found through {@link java.util.ServiceLoader}. */
public interface DeviceProvider {
  /** {@return short name for options: "cpu"} */
  String name();

  /** {@return the larger, the sooner {@link Device#best} takes it} */
  int rank();

  /** {@return why this backend cannot be used here; empty when it can} */
  Optional<String> unavailable();

  /** {@return what was found: versions, features} */
  String describe();

  /** {@return what was looked for and found or not, line by line, for people; may be empty} */
  default List<String> report() {
    return List.of();
  }

  /**
   * Opens the backend; {@code threads} is the number of host threads that it may use, 0 = all
   * processors.
   *
   * @param threads number of threads; 0 = all processors
   * @return the device, to be closed by the caller
   */
  Device open(int threads);
}

package dev.sidefade.kernels;

import java.util.List;
import java.util.Optional;

/** A backend, found through {@link java.util.ServiceLoader}. */
public interface DeviceProvider {
  /** Short name for options: "cpu". */
  String name();

  /** The larger, the sooner {@link Device#best} takes it. */
  int rank();

  /** Why this backend cannot be used here; empty when it can. */
  Optional<String> unavailable();

  /** What was found: versions, features. */
  String describe();

  /** What was looked for and found or not, line by line, for people; may be empty. */
  default List<String> report() {
    return List.of();
  }

  /**
   * Opens the backend; {@code threads} is the number of host threads that it may use, 0 = all
   * processors.
   */
  Device open(int threads);
}

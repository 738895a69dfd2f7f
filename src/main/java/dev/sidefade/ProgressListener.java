package dev.sidefade;

/** Hears how an adaptation goes on; called from the thread that adapts. */
public interface ProgressListener {
  /** Hears nothing. */
  ProgressListener SILENT = new ProgressListener() {};

  /**
   * A phase of {@code steps} steps starts: "features of the training images", "training",
   * "measuring".
   *
   * @param name of the phase
   * @param steps of the phase
   */
  default void phase(String name, long steps) {}

  /**
   * One more step of the phase is done; {@code detail} is short text or empty.
   *
   * @param done steps of the phase so far
   * @param detail short text, may be empty
   */
  default void step(long done, String detail) {}

  /** The phase is over. */
  default void phaseDone() {}

  /**
   * Something that the user should know: images skipped, a backend not used.
   *
   * @param message one sentence
   */
  default void note(String message) {}
}

package dev.sidefade.tensor;

/**
 * The person who called made a mistake that they can mend: a missing file, a truncated image, a
 * width that heads do not divide. The message is one sentence that says what was wrong, what was
 * expected and what to do; the command line shows it without a stack trace and ends with exit code
 * 2.
 */
public final class BadInputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * A complaint about something that was given.
   *
   * @param message one sentence: what was wrong with the value, what was expected, what to do
   */
  public BadInputException(String message) {
    super(message);
  }

  /**
   * A complaint about something that was given.
   *
   * @param message one sentence: what was wrong with the value, what was expected, what to do
   * @param cause what it followed from
   */
  public BadInputException(String message, Throwable cause) {
    super(message, cause);
  }
}

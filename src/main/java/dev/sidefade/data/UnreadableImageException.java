package dev.sidefade.data;

/**
 * One image cannot be decoded: it is truncated, empty, corrupt, too large or of an unknown kind.
 */
public final class UnreadableImageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String reason;

  /**
   * {@code name} says which image, {@code reason} what is wrong with it.
   *
   * @param name which image
   * @param reason what is wrong with it
   */
  public UnreadableImageException(String name, String reason) {
    super("image " + name + " cannot be read: " + reason);
    this.reason = reason;
  }

  /** {@return what is wrong, without the name of the image} */
  public String reason() {
    return reason;
  }
}

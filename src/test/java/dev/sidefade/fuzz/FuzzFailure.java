package dev.sidefade.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** An input that was not answered as it must be, with all that is needed to see it again. */
public final class FuzzFailure extends AssertionError {
  private static final long serialVersionUID = 1L;

  FuzzFailure(
      FuzzTarget target, long seed, long iteration, byte[] input, String what, Throwable cause) {
    super(
        target.name()
            + ", seed "
            + seed
            + ", iteration "
            + iteration
            + ": "
            + what
            + "\ninput: "
            + new String(input, StandardCharsets.ISO_8859_1)
            + "\nbase64: "
            + Base64.getEncoder().encodeToString(input),
        cause);
  }
}

package dev.sidefade;

import java.io.IOException;
import java.time.Duration;

/** Adaptations for tests of other packages. */
public final class QuickRuns {
  private QuickRuns() {}

  /** As {@link Sidefade#adapt}, without measuring latencies, which takes seconds. */
  public static AdaptResult adapt(AdaptConfig config, ProgressListener progress)
      throws IOException {
    return Sidefade.adapt(config, progress, Duration.ZERO);
  }
}

package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import dev.sidefade.AdaptResult;
import dev.sidefade.ProgressListener;
import java.io.IOException;

/** What adapts a model: {@link dev.sidefade.Sidefade#adapt(AdaptConfig, ProgressListener)}. */
@FunctionalInterface
interface AdaptRun {
  /** Adapts. */
  AdaptResult adapt(AdaptConfig config, ProgressListener progress) throws IOException;
}

package dev.sidefade;

import java.time.Duration;

/**
 * Hears of every call of a predictor that answered: what a service counts and measures. Called from
 * the thread that predicts, so it must be quick and safe for as many threads.
 */
@FunctionalInterface
public interface PredictionListener {
  /** Hears nothing. */
  PredictionListener SILENT = (examples, time) -> {};

  /**
   * A call has its answer.
   *
   * @param examples number of images or texts that it was about
   * @param time from the call to its answer: decoding or tokenising, and the model
   */
  void predicted(int examples, Duration time);
}

package dev.sidefade;

import java.util.List;
import java.util.OptionalDouble;

/**
 * What a model says of one text.
 *
 * @param classes the most probable classes, the most probable first; empty unless the model
 *     classifies texts
 * @param value the number, where the model gives one
 * @param words the class of every word, where the model classifies words; words that were cut off
 *     are missing
 */
public record TextPrediction(List<Prediction> classes, OptionalDouble value, List<WordTag> words) {
  /** Copies the lists. */
  public TextPrediction {
    classes = List.copyOf(classes);
    words = List.copyOf(words);
  }
}

package dev.sidefade.train;

import java.util.List;

/**
 * What the logits of a network stand for.
 *
 * @param task what is learned
 * @param classes number of logits; 1 for a regression
 * @param names of the classes, in the order of the logits; empty for a regression, and where nobody
 *     asks for them
 */
public record Answers(Task task, int classes, List<String> names) {
  /** Copies the names. */
  public Answers {
    names = List.copyOf(names);
  }

  /** {@return whether the classes are tags of words that name spans, as B-PER does} */
  public boolean nameSpans() {
    return task == Task.TOKENS && SpanScore.applies(names);
  }
}

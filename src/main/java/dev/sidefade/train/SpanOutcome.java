package dev.sidefade.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a network says about words whose tags name spans. Networks are compared by the F1 of spans:
 * most words lie outside of any, so that the share of right words hardly tells a good network from
 * one that finds nothing.
 *
 * @param words class of every word
 * @param classNames names of the classes, in the order of the logits
 */
public record SpanOutcome(Evaluation words, List<String> classNames) implements Outcome {
  /** Copies the names. */
  public SpanOutcome {
    classNames = List.copyOf(classNames);
  }

  @Override
  public double score() {
    return SpanScore.of(words, classNames).f1();
  }

  @Override
  public String scoreName() {
    return "f1";
  }

  @Override
  public Map<String, Double> measures() {
    Map<String, Double> measures = new LinkedHashMap<>(words.measures());
    double f1 = score();
    if (!Double.isNaN(f1)) {
      measures.put(scoreName(), f1);
    }
    return measures;
  }
}

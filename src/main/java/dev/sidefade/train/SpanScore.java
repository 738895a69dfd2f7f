package dev.sidefade.train;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How well spans of words are found, as conlleval counts them: a span is right when its type, first
 * and last word all are. Tags are {@code B-TYPE} and {@code I-TYPE}; an {@code I-} that continues
 * nothing begins a span.
 *
 * @param found spans that the network named
 * @param there spans that are there
 * @param right spans that are both
 */
public record SpanScore(long found, long there, long right) {
  private record Span(int example, int first, int last, String type) {}

  /**
   * {@return whether there are spans to count: some class is named {@code B-} or {@code I-}}
   *
   * @param classNames names of the classes, in the order of the logits
   */
  public static boolean applies(List<String> classNames) {
    return classNames.stream().anyMatch(name -> name.startsWith("B-") || name.startsWith("I-"));
  }

  /**
   * Counts over the labelled rows of an evaluation of tokens.
   *
   * @param evaluation over words
   * @param classNames names of the classes, in the order of the logits
   * @return the counts
   */
  public static SpanScore of(Evaluation evaluation, List<String> classNames) {
    Set<Span> there = spans(evaluation, evaluation.labels(), classNames);
    Set<Span> found = spans(evaluation, evaluation.predicted(), classNames);
    long right = found.stream().filter(there::contains).count();
    return new SpanScore(found.size(), there.size(), right);
  }

  private static Set<Span> spans(Evaluation e, int[] classes, List<String> names) {
    Set<Span> spans = new HashSet<>();
    String type = "";
    int first = -1;
    int last = -1;
    for (int row = 0; row < classes.length; row++) {
      if (e.labels()[row] < 0) {
        continue;
      }
      String tag = names.get(classes[row]);
      String present = tag.startsWith("B-") || tag.startsWith("I-") ? tag.substring(2) : "";
      boolean goes =
          tag.startsWith("I-")
              && first >= 0
              && present.equals(type)
              && e.example()[row] == e.example()[last];
      if (!goes) {
        add(spans, e, first, last, type);
        first = present.isEmpty() ? -1 : row;
        type = present;
      }
      last = row;
    }
    add(spans, e, first, last, type);
    return spans;
  }

  private static void add(Set<Span> spans, Evaluation e, int first, int last, String type) {
    if (first >= 0) {
      spans.add(new Span(e.example()[first], first, last, type));
    }
  }

  /** {@return harmonic mean of precision and recall; NaN when there is no span at all} */
  public double f1() {
    return found + there == 0 ? Double.NaN : 2.0 * right / (found + there);
  }
}

package dev.sidefade;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** From logits to classes in order. */
final class Ranking {
  private Ranking() {}

  /**
   * All classes, the most probable first.
   *
   * @param labels names of the classes; the number of one without a name is its name
   */
  static List<Prediction> of(float[] logits, List<String> labels) {
    double max = IntStream.range(0, logits.length).mapToDouble(c -> logits[c]).max().orElse(0);
    double sum =
        IntStream.range(0, logits.length).mapToDouble(c -> Math.exp(logits[c] - max)).sum();
    List<Prediction> all = new ArrayList<>();
    for (int c = 0; c < logits.length; c++) {
      String label = c < labels.size() ? labels.get(c) : Integer.toString(c);
      all.add(new Prediction(c, label, Math.exp(logits[c] - max) / sum));
    }
    all.sort(Comparator.comparingDouble(Prediction::probability).reversed());
    return all;
  }
}

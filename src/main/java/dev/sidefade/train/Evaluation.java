package dev.sidefade.train;

import dev.sidefade.kernels.Kernels;
import java.util.Arrays;
import java.util.Map;

/**
 * What a network says about a set of examples or of their tokens: one entry for each row of logits
 * that is no padding, examples in order.
 *
 * @param predicted class of every row
 * @param probability of that class, softmax of the logits
 * @param labels -1 where there is none
 * @param example that the row belongs to
 * @param classes number of classes
 */
public record Evaluation(
    int[] predicted, float[] probability, int[] labels, int[] example, int classes)
    implements Outcome {

  /**
   * Runs a network over all examples of a feed, {@code rows} at a time.
   *
   * @param feed delivers the batches
   * @param rows number of examples in a batch
   * @param classes number of classes
   * @param network what computes the logits
   * @return what came out
   */
  public static Evaluation of(FeatureFeed feed, int rows, int classes, Network network) {
    Row[][] said = new Row[feed.size()][];
    int[] walk = feed.walk();
    feed.start(0, walk, rows);
    for (int done = 0; done < walk.length; ) {
      FeatureFeed.Batch batch = feed.next();
      float[] logits = network.logits(batch.features(), batch.size()).toFloats();
      int[] labels = batch.targets().labels();
      int each = labels.length / batch.size();
      for (int i = 0; i < batch.size(); i++) {
        Row[] own = new Row[each];
        for (int r = 0; r < each; r++) {
          int at = i * each + r;
          own[r] = row(Arrays.copyOfRange(logits, at * classes, (at + 1) * classes), labels[at]);
        }
        said[batch.examples()[i]] = own;
      }
      done += batch.size();
    }
    return of(said, classes);
  }

  private record Row(int predicted, float probability, int label) {}

  private static Row row(float[] logits, int label) {
    int best = argMax(logits);
    return new Row(best, softmaxAt(logits, best), label);
  }

  private static Evaluation of(Row[][] said, int classes) {
    int count = 0;
    for (Row[] example : said) {
      count += (int) Arrays.stream(example).filter(r -> r.label() != Kernels.PADDING).count();
    }
    int[] predicted = new int[count];
    float[] probability = new float[count];
    int[] labels = new int[count];
    int[] example = new int[count];
    int at = 0;
    for (int e = 0; e < said.length; e++) {
      for (Row row : said[e]) {
        if (row.label() != Kernels.PADDING) {
          predicted[at] = row.predicted();
          probability[at] = row.probability();
          labels[at] = row.label();
          example[at++] = e;
        }
      }
    }
    return new Evaluation(predicted, probability, labels, example, classes);
  }

  @Override
  public double score() {
    return accuracy();
  }

  @Override
  public String scoreName() {
    return "accuracy";
  }

  @Override
  public Map<String, Double> measures() {
    return Map.of("accuracy", accuracy());
  }

  private static int argMax(float[] row) {
    int best = 0;
    for (int c = 1; c < row.length; c++) {
      if (row[c] > row[best]) {
        best = c;
      }
    }
    return best;
  }

  private static float softmaxAt(float[] row, int at) {
    double sum = 0;
    for (float z : row) {
      sum += Math.exp(z - row[at]);
    }
    return (float) (1 / sum);
  }

  /** {@return share of right answers among the labelled examples; NaN when none is labelled} */
  public double accuracy() {
    long labelled = 0;
    long right = 0;
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] >= 0) {
        labelled++;
        right += labels[i] == predicted[i] ? 1 : 0;
      }
    }
    return labelled == 0 ? Double.NaN : (double) right / labelled;
  }

  /** {@return counts[truth][predicted] over the labelled examples} */
  public long[][] confusion() {
    long[][] counts = new long[classes][classes];
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] >= 0) {
        counts[labels[i]][predicted[i]]++;
      }
    }
    return counts;
  }
}

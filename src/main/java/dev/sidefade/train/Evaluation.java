package dev.sidefade.train;

import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * What a network says about a set of examples.
 *
 * @param predicted class of every example
 * @param probability of that class, softmax of the logits
 * @param labels -1 where there is none
 * @param classes number of classes
 */
public record Evaluation(int[] predicted, float[] probability, int[] labels, int classes) {

  /** Computes logits [batch, classes] of a batch. */
  @FunctionalInterface
  public interface Network {
    Tensor logits(TrunkFeatures features, int batch);
  }

  /** Runs a network over all examples of a feed, {@code rows} at a time. */
  public static Evaluation of(FeatureFeed feed, int rows, int classes, Network network) {
    int count = feed.size();
    int[] predicted = new int[count];
    float[] probability = new float[count];
    int[] labels = new int[count];
    feed.start(0, IntStream.range(0, count).toArray(), rows);
    int done = 0;
    while (done < count) {
      FeatureFeed.Batch batch = feed.next();
      float[] logits = network.logits(batch.features(), batch.size()).toFloats();
      for (int i = 0; i < batch.size(); i++) {
        float[] row = Arrays.copyOfRange(logits, i * classes, (i + 1) * classes);
        predicted[done + i] = argMax(row);
        probability[done + i] = softmaxAt(row, predicted[done + i]);
        labels[done + i] = batch.labels()[i];
      }
      done += batch.size();
    }
    return new Evaluation(predicted, probability, labels, classes);
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

  /** Share of right answers among the labelled examples; NaN when none is labelled. */
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

  /** counts[truth][predicted] over the labelled examples. */
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

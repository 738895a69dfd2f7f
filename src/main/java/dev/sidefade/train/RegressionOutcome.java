package dev.sidefade.train;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What a network says about examples with a number each.
 *
 * @param predicted number of every example
 * @param targets NaN where there is none
 */
public record RegressionOutcome(float[] predicted, float[] targets) implements Outcome {
  static RegressionOutcome of(FeatureFeed feed, int rows, Network network) {
    float[] predicted = new float[feed.size()];
    float[] targets = new float[feed.size()];
    int[] walk = feed.walk();
    feed.start(0, walk, rows);
    for (int done = 0; done < walk.length; ) {
      FeatureFeed.Batch batch = feed.next();
      float[] logits = network.logits(batch.features(), batch.size()).toFloats();
      for (int i = 0; i < batch.size(); i++) {
        predicted[batch.examples()[i]] = logits[i];
        targets[batch.examples()[i]] = batch.targets().values()[i];
      }
      done += batch.size();
    }
    return new RegressionOutcome(predicted, targets);
  }

  @Override
  public double score() {
    return spearman();
  }

  @Override
  public String scoreName() {
    return "spearman";
  }

  @Override
  public Map<String, Double> measures() {
    Map<String, Double> measures = new LinkedHashMap<>();
    measures.put("spearman", spearman());
    measures.put("pearson", pearson());
    measures.put("mse", meanSquaredError());
    return measures;
  }

  /**
   * {@return Pearson's correlation over the examples with a number; NaN where one side is constant}
   */
  public double pearson() {
    return correlation(column(predicted), column(targets));
  }

  /**
   * {@return Pearson's correlation of the ranks, equal numbers sharing their mean rank; NaN where
   * one side is constant or a prediction is no number}
   */
  public double spearman() {
    double[] said = column(predicted);
    return Arrays.stream(said).anyMatch(Double::isNaN)
        ? Double.NaN
        : correlation(ranks(said), ranks(column(targets)));
  }

  /** {@return mean squared error over the examples with a number} */
  public double meanSquaredError() {
    double[] p = column(predicted);
    double[] t = column(targets);
    return IntStream.range(0, p.length)
        .mapToDouble(i -> (p[i] - t[i]) * (p[i] - t[i]))
        .average()
        .orElse(Double.NaN);
  }

  private double[] column(float[] values) {
    return IntStream.range(0, values.length)
        .filter(i -> !Float.isNaN(targets[i]))
        .mapToDouble(i -> values[i])
        .toArray();
  }

  private static double correlation(double[] x, double[] y) {
    double meanX = Arrays.stream(x).average().orElse(Double.NaN);
    double meanY = Arrays.stream(y).average().orElse(Double.NaN);
    double xy = 0;
    double xx = 0;
    double yy = 0;
    for (int i = 0; i < x.length; i++) {
      xy += (x[i] - meanX) * (y[i] - meanY);
      xx += (x[i] - meanX) * (x[i] - meanX);
      yy += (y[i] - meanY) * (y[i] - meanY);
    }
    return xy / Math.sqrt(xx * yy);
  }

  private static double[] ranks(double[] values) {
    int[] order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted((a, b) -> Double.compare(values[a], values[b]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] ranks = new double[values.length];
    for (int from = 0; from < order.length; ) {
      int to = from + 1;
      while (to < order.length && values[order[to]] == values[order[from]]) {
        to++;
      }
      for (int i = from; i < to; i++) {
        ranks[order[i]] = (from + to - 1) / 2.0;
      }
      from = to;
    }
    return ranks;
  }
}

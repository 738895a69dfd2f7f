package dev.sidefade.export;

import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.Tensor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Times models against each other on the same input. The models take turns, so that whatever else
 * the machine does meets all of them alike, and all run with ONNX Runtime's default options on the
 * same number of threads.
 */
public final class LatencyMeter {
  /** Fewer rounds give no median worth comparing. */
  private static final int FEWEST_ROUNDS = 15;

  private static final int MOST_ROUNDS = 2000;
  private static final int WARM_UP = 3;
  private static final long ORDER_SEED = 1;

  private LatencyMeter() {}

  /**
   * Times some models.
   *
   * @param models files by what they are to be called, in the order of the turns
   * @param inputs host tensors [batch, ...] by the names of the inputs, the same for all models
   * @param threads threads that compute one operator; 0 leaves the choice to ONNX Runtime
   * @param budget rounds are run until it is used up, but no fewer than 15
   * @return time of one batch by the names given, in their order
   * @throws IllegalStateException if ONNX Runtime cannot run a model
   */
  public static Map<String, Latency> measure(
      Map<String, Path> models, Map<String, Tensor> inputs, int threads, Duration budget) {
    Map<String, Latency> result = new LinkedHashMap<>();
    rounds(models, inputs, threads, budget)
        .forEach((name, milliseconds) -> result.put(name, summary(milliseconds)));
    return result;
  }

  /**
   * Times some models, round by round: what is at one place in all lists was measured one right
   * after the other, so that quotients of times hold what a noisy machine does to both.
   *
   * @param models files by what they are to be called, in the order of the turns
   * @param inputs host tensors [batch, ...] by the names of the inputs, the same for all models
   * @param threads threads that compute one operator; 0 leaves the choice to ONNX Runtime
   * @param budget rounds are run until it is used up, but no fewer than 15
   * @return milliseconds of one batch in every round by the names given, in their order
   * @throws IllegalStateException if ONNX Runtime cannot run a model
   */
  public static Map<String, double[]> rounds(
      Map<String, Path> models, Map<String, Tensor> inputs, int threads, Duration budget) {
    List<OrtModel> opened = new ArrayList<>();
    try (OrtModel.Inputs fed = OrtModel.inputs(inputs)) {
      for (Path file : models.values()) {
        opened.add(OrtModel.open(file, threads));
      }
      List<double[]> rounds = rounds(opened, fed, budget);
      Map<String, double[]> result = new LinkedHashMap<>();
      for (String name : models.keySet()) {
        int model = result.size();
        result.put(name, rounds.stream().mapToDouble(round -> round[model]).toArray());
      }
      return result;
    } finally {
      opened.forEach(OrtModel::close);
    }
  }

  /** Milliseconds of every model in every round. */
  private static List<double[]> rounds(
      List<OrtModel> models, OrtModel.Inputs inputs, Duration budget) {
    for (int i = 0; i < WARM_UP; i++) {
      models.forEach(model -> model.run(inputs));
    }
    List<double[]> rounds = new ArrayList<>();
    List<Integer> order = new ArrayList<>(IntStream.range(0, models.size()).boxed().toList());
    long start = System.nanoTime();
    while (rounds.size() < FEWEST_ROUNDS
        || (rounds.size() < MOST_ROUNDS && System.nanoTime() - start < budget.toNanos())) {
      double[] round = new double[models.size()];
      shuffle(order, rounds.size());
      for (int model : order) {
        long before = System.nanoTime();
        models.get(model).run(inputs);
        round[model] = (System.nanoTime() - before) / 1e6;
      }
      rounds.add(round);
    }
    return rounds;
  }

  /**
   * Another order, for a model's time depends on whose weights are in the caches: nobody always
   * follows the same model, and nobody follows itself.
   */
  private static void shuffle(List<Integer> order, int round) {
    int last = order.getLast();
    for (int i = order.size() - 1; i > 0; i--) {
      Collections.swap(order, i, CounterRandom.below(i + 1, ORDER_SEED, round, i));
    }
    if (order.getFirst() == last) {
      Collections.swap(order, 0, order.size() - 1);
    }
  }

  static Latency summary(double[] milliseconds) {
    double[] sorted = milliseconds.clone();
    Arrays.sort(sorted);
    return new Latency(quantile(sorted, 0.5), quantile(sorted, 0.1), quantile(sorted, 0.9));
  }

  /** Between neighbours in proportion. */
  private static double quantile(double[] sorted, double share) {
    double place = share * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}

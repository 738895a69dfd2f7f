package dev.sidefade.report;

import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Several ways to adapt the same backbone to the same data, as far as they are finished.
 *
 * @param title of the comparison
 * @param seeds that are wanted of every variant
 * @param variants in the order of the tables, also those without a finished run
 * @param config the settings that all runs share; nested maps and lists are welcome
 */
public record CompareReport(
    String title, List<Long> seeds, List<Variant> variants, Map<String, Object> config) {

  /** Copies what can change. */
  public CompareReport {
    seeds = List.copyOf(seeds);
    variants = List.copyOf(variants);
    config = Ordered.deepCopy(config);
  }

  /**
   * One way.
   *
   * @param name as on the command line
   * @param description in words
   * @param network what ships: {@link RunReport#FADED} or {@link RunReport#SIDE}
   * @param runs finished ones, in the order of their seeds
   */
  public record Variant(String name, String description, String network, List<RunMetrics> runs) {
    /** Copies the list. */
    public Variant {
      runs = List.copyOf(runs);
    }

    private Statistic statistic(ToDoubleFunction<RunMetrics> value) {
      return Statistic.of(runs.stream().mapToDouble(value));
    }

    /**
     * {@return score of what ships}
     *
     * @param split name of the split
     */
    public Statistic score(String split) {
      return statistic(run -> run.score(split, network));
    }

    /**
     * {@return score of the side network that was trained beside; unknown where there is none}
     *
     * @param split name of the split
     */
    public Statistic sideScore(String split) {
      return statistic(run -> run.score(split, RunReport.SIDE));
    }

    /** {@return parameters that were trained and ship} */
    public Statistic parameters() {
      String part = network.equals(RunReport.SIDE) ? RunReport.SIDE : RunReport.TUNED;
      return statistic(run -> number(run.parameters().get(part)));
    }

    /** {@return peak of the training memory in bytes} */
    public Statistic memory() {
      return statistic(run -> number(run.memoryBytes().get(RunReport.TRAINING_PEAK)));
    }

    /** {@return seconds of a run} */
    public Statistic seconds() {
      return statistic(RunMetrics::seconds);
    }

    /**
     * {@return milliseconds per call of what ships}
     *
     * @param batch name of the batch size
     */
    public Statistic latency(String batch) {
      String file = network.equals(RunReport.SIDE) ? RunReport.KEPT : RunReport.FADED;
      return statistic(run -> run.latency(batch, file));
    }

    private static double number(@Nullable Long value) {
      return value == null ? Double.NaN : value;
    }
  }

  /**
   * Runs that are finished.
   *
   * @return the number of finished runs
   */
  public int finished() {
    return variants.stream().mapToInt(variant -> variant.runs.size()).sum();
  }

  /**
   * Runs that make the comparison whole.
   *
   * @return their number
   */
  public int wanted() {
    return Math.multiplyExact(seeds.size(), variants.size());
  }

  /** {@return whether every variant was run with every seed} */
  public boolean isWhole() {
    return finished() == wanted();
  }

  /** {@return the measure of the finished runs; accuracy where there is none} */
  public String scoreName() {
    return runs().map(RunMetrics::scoreName).findFirst().orElse(RunReport.ACCURACY);
  }

  /** {@return versions and machine of the first run, names to values} */
  public Map<String, String> environment() {
    return runs().map(RunMetrics::environment).findFirst().orElse(Map.of());
  }

  /**
   * {@return the split that the comparison speaks of: test where a run was tested, else validation}
   */
  public String split() {
    return variants.stream().anyMatch(v -> v.score(RunReport.TEST).isKnown())
        ? RunReport.TEST
        : RunReport.VAL;
  }

  private Stream<RunMetrics> runs() {
    return variants.stream().flatMap(variant -> variant.runs.stream());
  }
}

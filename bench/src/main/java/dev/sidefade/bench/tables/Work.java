package dev.sidefade.bench.tables;

/**
 * How much an operation does at the least: floating-point operations of its products (a
 * multiplication and an addition count as two), and bytes of the tensors that it must read and
 * write once each. Benchmarks are rated against it, so a time says how far from the machine's
 * limits an operation is.
 *
 * @param flops 0 when the operation is bound by memory
 * @param bytes 0 when it is bound by arithmetic
 */
public record Work(double flops, double bytes) {
  /** Parameters that the benchmark of the optimiser updates. */
  public static final int PARAMETERS = 3_000_000;

  /** Bytes that the benchmark of copies copies. */
  public static final long COPIED = 256L << 20;

  /** The least work of the benchmark {@code group.operation} at shape {@code name}. */
  public static Work of(String group, String operation, String name) {
    return switch (group) {
      case "LogitBenchmark" -> {
        String[] dims = name.split("x", 2);
        // student and teacher in, gradient out
        yield floats(3.0 * Integer.parseInt(dims[0]) * Integer.parseInt(dims[1]));
      }
      case "OptimizerBenchmark" -> {
        double parameters = PARAMETERS;
        // parameters, gradient, two moments in; all but the gradient out
        yield floats(operation.equals("adamw") ? 7 * parameters : parameters);
      }
      // read and written
      case "CopyBenchmark", "GpuCopyBenchmark" -> new Work(0, 2.0 * COPIED);
      case "FusedBenchmark" -> ofFused(operation, name);
      case "FusedLogitBenchmark" -> of("LogitBenchmark", operation, name);
      case "BackboneBenchmark" -> new Work(0, 0);
      case "TrainingStepBenchmark" -> products(stepFlops(Workload.of(name)));
      default -> ofOperation(operation, Workload.of(name));
    };
  }

  /** An operation has the same least work in one call as in several. */
  private static Work ofFused(String operation, String name) {
    return ofOperation(operation.replace("Unfused", ""), Workload.of(name));
  }

  private static Work ofOperation(String operation, Workload w) {
    double rows = w.rows();
    double state = rows * w.width();
    double project = 2 * rows * w.tapWidth() * w.width();
    double block = 2 * rows * w.width() * w.hidden();
    double scores = 2.0 * w.batch() * w.tokens() * w.tokens() * w.width();
    double conv = 2.0 * w.batch() * w.grid() * w.grid() * 9 * w.width() * w.width();
    return switch (operation) {
      case "gemm", "linear", "ladderProject", "ladderProjectBackward" -> products(project);
      case "linearBackward" -> products(2 * project);
      case "layerNorm" -> floats(2 * state);
      case "layerNormBackward" -> floats(3 * state);
      case "gelu" -> floats(2 * rows * w.hidden());
      case "geluBackward" -> floats(3 * rows * w.hidden());
      case "ladderMix" -> floats(3 * state + rows);
      case "ladderMixBackward" -> floats(5 * state + 2 * rows);
      case "adapter" -> products(2 * block);
      case "adapterBackward" -> products(4 * block);
      case "attention" -> products(2 * scores);
      // the scores once more, and the gradients of values, probabilities, queries and keys
      case "attentionBackward" -> products(5 * scores);
      case "featureMatching" ->
          products(6 * rows * Workload.RANK * (double) (w.width() + w.tapWidth()));
      case "drawMask" -> floats(rows);
      case "insertMaskToken" -> floats(2 * state + rows);
      case "insertMaskTokenBackward" -> floats(3 * state + rows);
      case "conv3x3" -> products(conv);
      case "conv3x3Backward" -> products(2 * conv);
      default -> throw new IllegalArgumentException("no work is declared for " + operation);
    };
  }

  /** Ladder and blocks, forward and backward, without the feature path. */
  private static double stepFlops(Workload w) {
    double rows = w.rows();
    double ladder = 4 * rows * w.tapWidth() * w.width() * w.taps();
    double weights = 4.0 * w.width() * w.width() + 2.0 * w.width() * w.hidden();
    double attention = 14.0 * w.batch() * w.tokens() * w.tokens() * w.width();
    return ladder + (w.taps() - 1) * (6 * rows * weights + attention);
  }

  private static Work products(double flops) {
    return new Work(flops, 0);
  }

  private static Work floats(double count) {
    return new Work(0, count * Float.BYTES);
  }
}

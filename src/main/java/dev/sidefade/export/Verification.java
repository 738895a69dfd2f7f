package dev.sidefade.export;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Real examples and the logits that the training-time path computed for them. An exported model
 * must compute the same, one by one and five at a time: |difference| at most 1e-5 times the larger
 * of 1 and the largest |logit| of the example.
 *
 * @param inputs host tensors [examples, ...] by the names of the model's inputs; texts are padded
 *     to one length
 * @param logits host tensor [examples, classes], or [examples, tokens, classes] of a model that
 *     does not pool: what it computes for padding, where the attention mask is 0, is not compared
 */
public record Verification(Map<String, Tensor> inputs, Tensor logits) {
  static final double TOLERANCE = 1e-5;
  private static final int BATCH = 5;

  /** Checks that there is at least one example, and logits for each. */
  public Verification {
    inputs = Map.copyOf(inputs);
    int rank = logits.shape().rank();
    long examples = rank == 2 || rank == 3 ? logits.dim(0) : 0;
    if (examples < 1
        || inputs.isEmpty()
        || inputs.values().stream().anyMatch(input -> input.dim(0) != examples)) {
      throw new IllegalArgumentException("inputs " + inputs + " do not fit logits " + logits);
    }
  }

  /**
   * {@return for a model with one input}
   *
   * @param inputName name of the model's input
   * @param rows the input
   * @param logits [rows, classes] that the model must give
   */
  public static Verification of(String inputName, Tensor rows, Tensor logits) {
    return new Verification(Map.of(inputName, rows), logits);
  }

  /**
   * Runs a model.
   *
   * @return the largest difference
   * @throws IllegalStateException if it is too large, naming it
   */
  double check(Path file, String output) {
    return check(file, output, TOLERANCE);
  }

  /**
   * As {@link #check(Path, String)} with another tolerance, as a share of the larger of 1 and the
   * largest logit; infinity takes all logits that are finite.
   */
  double check(Path file, String output, double tolerance) {
    int examples = Math.toIntExact(logits.dim(0));
    double largest = 0;
    try (OrtModel model = OrtModel.open(file, 1)) {
      for (int first = 0; first < Math.min(examples, BATCH); first++) {
        largest = Math.max(largest, compare(model, output, first, 1, tolerance));
      }
      for (int first = 0; first < examples; first += BATCH) {
        largest = Math.max(largest, compare(model, output, first, BATCH, tolerance));
      }
    }
    return largest;
  }

  /** Runs {@code batch} examples from {@code first} on; behind the last comes the first again. */
  private double compare(OrtModel model, String output, int first, int batch, double tolerance) {
    int perExample = Math.toIntExact(logits.size() / logits.dim(0));
    float[] actual;
    try (Arena arena = Arena.ofConfined();
        OrtModel.Inputs fed = OrtModel.inputs(batch(arena, first, batch))) {
      actual = model.output(fed, output);
    }
    if (actual.length != batch * perExample) {
      throw new IllegalStateException(
          "the exported model returns "
              + actual.length
              + " logits for a batch of "
              + batch
              + ", but "
              + batch * perExample
              + " are expected; nothing was written");
    }
    double largest = 0;
    for (int row = 0; row < batch; row++) {
      int example = (int) ((first + row) % logits.dim(0));
      float[] wanted = logits.slice((long) example * perExample, perExample).toFloats();
      float[] found = Arrays.copyOfRange(actual, row * perExample, (row + 1) * perExample);
      largest = Math.max(largest, compare(wanted, found, example, batch, tolerance));
    }
    return largest;
  }

  private double compare(float[] wanted, float[] found, int example, int batch, double tolerance) {
    double scale = 1;
    double largest = 0;
    int classes = Math.toIntExact(logits.dim(-1));
    for (int i = 0; i < wanted.length; i++) {
      if (isPadding(example, i / classes)) {
        continue;
      }
      scale = Math.max(scale, Math.abs(wanted[i]));
      // Math.max hands NaN on
      largest = Math.max(largest, Math.abs((double) wanted[i] - found[i]));
    }
    // NaN and infinity are never within the tolerance, which would be infinite too
    if (!Double.isFinite(largest) || largest > tolerance * scale) {
      throw new IllegalStateException(
          "the exported model differs from the trained one by "
              + largest
              + " on example "
              + example
              + " at batch "
              + batch
              + ", more than "
              + tolerance * scale
              + "; nothing was written");
    }
    return largest;
  }

  private boolean isPadding(int example, int token) {
    if (logits.shape().rank() == 2) {
      return false;
    }
    long at = example * logits.dim(1) + token;
    return mask().filter(m -> integer(m, at) == 0).isPresent();
  }

  private static long integer(Tensor tensor, long at) {
    return tensor.dtype() == DType.I32
        ? tensor.segment().getAtIndex(ValueLayout.JAVA_INT, at)
        : tensor.segment().getAtIndex(ValueLayout.JAVA_LONG, at);
  }

  /** [examples, tokens], found as in {@link TokenPooling#maskInput}. */
  private Optional<Tensor> mask() {
    return inputs.entrySet().stream()
        .filter(input -> TokenPooling.isMask(input.getKey()))
        .map(Map.Entry::getValue)
        .filter(tensor -> tensor.dtype() != DType.F32 && tensor.size() == logits.shape().rows())
        .findFirst();
  }

  private Map<String, Tensor> batch(Arena arena, int first, int batch) {
    Map<String, Tensor> fed = new LinkedHashMap<>();
    inputs.forEach((name, all) -> {
      long[] dims = all.shape().toArray();
      long row = all.size() / dims[0];
      dims[0] = batch;
      Shape shape = Shape.of(dims);
      Tensor rows =
          Tensor.wrap(arena.allocate(shape.size() * all.dtype().bytes(), 64), shape, all.dtype());
      for (int i = 0; i < batch; i++) {
        long from = (first + i) % all.dim(0);
        rows.slice(i * row, row).copyFrom(all.slice(from * row, row));
      }
      fed.put(name, rows);
    });
    return fed;
  }
}

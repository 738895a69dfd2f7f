package dev.sidefade.cli;

import static dev.sidefade.cli.BenchOperation.floats;
import static dev.sidefade.cli.BenchOperation.products;

import dev.sidefade.kernels.AdapterState;
import dev.sidefade.kernels.AdapterWeights;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.OptimizerGroup;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The main operations of a training step, with the tensors that they work on. */
final class BenchOperations {
  /** What there is, in the order of the table. */
  static final List<String> NAMES =
      List.of(
          "layerNorm",
          "layerNormBackward",
          "gelu",
          "ladderProject",
          "ladderProjectBackward",
          "ladderMix",
          "adapter",
          "adapterBackward",
          "attention",
          "attentionBackward",
          "featureMatching",
          "logitDistillation",
          "adamw");

  private static final int RANK = 16;
  private static final float EPSILON = 1e-6f;

  private BenchOperations() {}

  /** Those of the networks. */
  static List<BenchOperation> of(BenchShape shape, Kernels kernels, BenchTensors tensors) {
    List<BenchOperation> operations = new ArrayList<>();
    operations.addAll(tokens(shape, kernels, tensors));
    operations.addAll(ladder(shape, kernels, tensors));
    operations.addAll(blocks(shape, kernels, tensors));
    operations.addAll(features(shape, kernels, tensors));
    return operations;
  }

  private static List<BenchOperation> tokens(
      BenchShape shape, Kernels kernels, BenchTensors tensors) {
    long rows = shape.rows();
    long width = shape.width;
    Tensor x = tensors.random(rows, width);
    Tensor gamma = tensors.random(width);
    Tensor beta = tensors.random(width);
    Tensor y = tensors.zeros(rows, width);
    Tensor mean = tensors.zeros(rows);
    Tensor rstd = tensors.zeros(rows);
    Tensor dy = tensors.random(rows, width);
    Tensor dx = tensors.zeros(rows, width);
    Tensor dGamma = tensors.zeros(width);
    Tensor dBeta = tensors.zeros(width);
    Tensor hidden = tensors.random(rows, shape.hidden());
    Tensor activated = tensors.zeros(rows, shape.hidden());
    kernels.layerNorm(x, gamma, beta, EPSILON, y, mean, rstd);
    double state = rows * width;
    return List.of(
        floats(
            "layerNorm",
            shape.text(),
            2 * state,
            () -> kernels.layerNorm(x, gamma, beta, EPSILON, y, mean, rstd)),
        floats(
            "layerNormBackward",
            shape.text(),
            3 * state,
            () -> kernels.layerNormBackward(x, gamma, mean, rstd, dy, dx, false, dGamma, dBeta)),
        floats(
            "gelu",
            shape.text(),
            2.0 * rows * shape.hidden(),
            () -> kernels.gelu(hidden, activated)));
  }

  private static List<BenchOperation> ladder(
      BenchShape shape, Kernels kernels, BenchTensors tensors) {
    long rows = shape.rows();
    long width = shape.width;
    Tensor h = tensors.random(rows, shape.tapWidth);
    Tensor weight = tensors.random(shape.tapWidth, width);
    Tensor bias = tensors.random(width);
    Tensor c = tensors.constant(0.75f, rows); // no row is masked
    Tensor u = tensors.random(rows, width);
    Tensor z = tensors.random(rows, width);
    Tensor x = tensors.zeros(rows, width);
    Tensor dWeight = tensors.zeros(shape.tapWidth, width);
    Tensor dBias = tensors.zeros(width);
    double project = 2.0 * rows * shape.tapWidth * width;
    return List.of(
        products(
            "ladderProject",
            shape.text(),
            project,
            () -> kernels.ladderProject(h, weight, bias, c, u)),
        products(
            "ladderProjectBackward",
            shape.text(),
            project,
            () -> kernels.ladderProjectBackward(h, z, c, dWeight, dBias)),
        floats(
            "ladderMix",
            shape.text(),
            3.0 * rows * width + rows,
            () -> kernels.ladderMix(z, u, c, x)));
  }

  private static List<BenchOperation> blocks(
      BenchShape shape, Kernels kernels, BenchTensors tensors) {
    long rows = shape.rows();
    long width = shape.width;
    long hidden = shape.hidden();
    TokenLayout layout = shape.layout();
    Tensor x = tensors.random(rows, width);
    Tensor z = tensors.zeros(rows, width);
    Tensor dz = tensors.random(rows, width);
    Tensor dx = tensors.zeros(rows, width);
    AdapterWeights weights = weights(width, hidden, tensors);
    AdapterWeights gradients = weights(width, hidden, tensors);
    AdapterState state =
        new AdapterState(
            tensors.zeros(rows),
            tensors.zeros(rows),
            tensors.zeros(rows, width),
            tensors.zeros(rows, hidden),
            tensors.zeros(rows, hidden));
    Tensor qkv = tensors.random(rows, 3 * width);
    Tensor dQkv = tensors.zeros(rows, 3 * width);
    kernels.adapter(x, weights, EPSILON, state, z);
    double product = 2.0 * rows * width * hidden;
    double scores = 2.0 * shape.batch * shape.tokens * shape.tokens * width;
    return List.of(
        products(
            "adapter",
            shape.text(),
            2 * product,
            () -> kernels.adapter(x, weights, EPSILON, state, z)),
        products(
            "adapterBackward",
            shape.text(),
            4 * product,
            () -> kernels.adapterBackward(x, weights, state, dz, dx, gradients)),
        products(
            "attention",
            shape.text(),
            2 * scores,
            () -> kernels.attention(qkv, layout, shape.heads, null, z)),
        // the scores again, and the gradients of values, probabilities, queries and keys
        products(
            "attentionBackward",
            shape.text(),
            5 * scores,
            () -> kernels.attentionBackward(qkv, layout, shape.heads, null, dz, dQkv)));
  }

  private static AdapterWeights weights(long width, long hidden, BenchTensors tensors) {
    return new AdapterWeights(
        tensors.random(width),
        tensors.random(width),
        tensors.random(width, hidden),
        tensors.random(hidden),
        tensors.random(hidden, width),
        tensors.random(width));
  }

  private static List<BenchOperation> features(
      BenchShape shape, Kernels kernels, BenchTensors tensors) {
    long rows = shape.rows();
    long width = shape.width;
    long tap = shape.tapWidth;
    Tensor z = tensors.random(rows, width);
    Tensor down = tensors.random(width, RANK);
    Tensor up = tensors.random(RANK, tap);
    Tensor h = tensors.random(rows, tap);
    Tensor loss = tensors.zeros(1);
    Tensor dz = tensors.zeros(rows, width);
    Tensor dDown = tensors.zeros(width, RANK);
    Tensor dUp = tensors.zeros(RANK, tap);
    return List.of(
        products(
            "featureMatching",
            shape.text(),
            6.0 * rows * RANK * (width + tap),
            () -> kernels.featureMatching(z, down, up, h, null, 1, true, loss, dz, dDown, dUp)));
  }

  /** Cross-entropy and distillation. */
  static BenchOperation logits(int batch, int classes, Kernels kernels, BenchTensors tensors) {
    Tensor student = tensors.random(batch, classes);
    Tensor teacher = tensors.random(batch, classes);
    Tensor losses = tensors.zeros(2);
    Tensor gradient = tensors.zeros(batch, classes);
    int[] labels = new int[batch];
    Arrays.setAll(labels, i -> i % classes);
    Distillation weights = new Distillation(2, 1, 1, 0.1f);
    return floats(
        "logitDistillation",
        batch + "x" + classes,
        3.0 * batch * classes,
        () -> kernels.logitDistillation(student, teacher, labels, weights, losses, gradient));
  }

  /** The optimiser. */
  static BenchOperation adamw(int count, Kernels kernels, BenchTensors tensors) {
    Tensor parameters = tensors.random(count);
    Tensor gradient = tensors.random(count);
    Tensor first = tensors.zeros(count);
    Tensor second = tensors.zeros(count);
    Tensor clip = tensors.zeros(2);
    OptimizerGroup[] groups = {new OptimizerGroup(0, count, 1e-3f, 0.01f)};
    kernels.gradientClip(gradient, 1, clip);
    return floats(
        "adamw",
        Integer.toString(count),
        7.0 * count,
        () ->
            kernels.adamw(
                parameters, gradient, first, second, groups, 0.9f, 0.999f, 1e-8f, 1, clip));
  }
}

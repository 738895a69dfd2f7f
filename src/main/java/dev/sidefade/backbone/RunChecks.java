package dev.sidefade.backbone;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Checks what is given to a trunk before ONNX Runtime sees it. */
final class RunChecks {
  private RunChecks() {}

  /**
   * Checks that all inputs are there with {@code batch} rows, all constants with their shapes, and
   * nothing else.
   */
  static void feeds(
      List<InputSpec> inputs, Map<String, Shape> constants, Map<String, Tensor> feeds, long batch) {
    Set<String> wanted = new LinkedHashSet<>(constants.keySet());
    inputs.forEach(input -> wanted.add(input.name()));
    if (!feeds.keySet().equals(wanted)) {
      throw new IllegalArgumentException(
          "the trunk must be fed " + wanted + ", but was given " + feeds.keySet());
    }
    for (InputSpec input : inputs) {
      Tensor tensor = Objects.requireNonNull(feeds.get(input.name()));
      if (tensor.shape().rank() == 0 || tensor.dim(0) != batch) {
        throw new IllegalArgumentException(
            "input " + input.name() + " is " + tensor + ", but must hold a batch of " + batch);
      }
    }
    constants.forEach((name, shape) ->
        constant("constant", name, Objects.requireNonNull(feeds.get(name)), shape));
  }

  /** Checks that there is a gradient for every constant, and nothing else. */
  static void gradients(Map<String, Shape> constants, Map<String, Tensor> gradients) {
    if (!gradients.keySet().equals(constants.keySet())) {
      throw new IllegalArgumentException(
          "there must be gradients of "
              + constants.keySet()
              + ", but there are of "
              + gradients.keySet());
    }
    constants.forEach((name, shape) ->
        constant("gradient of", name, Objects.requireNonNull(gradients.get(name)), shape));
  }

  private static void constant(String what, String name, Tensor tensor, Shape shape) {
    if (!tensor.shape().equals(shape) || tensor.dtype() != DType.F32) {
      throw new IllegalArgumentException(
          what + " " + name + " is " + tensor + ", but must be " + DType.F32 + shape);
    }
  }

  /** Checks that there is a tensor of the right type and shape for every output. */
  static void results(List<TrunkOutput> outputs, List<Tensor> results, long batch) {
    if (results.size() != outputs.size()) {
      throw new IllegalArgumentException(
          "the trunk computes "
              + outputs.size()
              + " tensors, but "
              + results.size()
              + " were given");
    }
    for (int i = 0; i < results.size(); i++) {
      if (!outputs.get(i).fits(results.get(i), batch)) {
        throw new IllegalArgumentException(
            "result "
                + i
                + " is "
                + results.get(i)
                + ", but "
                + outputs.get(i)
                + " is computed for a batch of "
                + batch);
      }
    }
  }
}

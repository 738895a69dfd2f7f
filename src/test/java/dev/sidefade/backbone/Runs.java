package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs trunks and compares what comes out. */
final class Runs {
  private Runs() {}

  /** The trunk's outputs for some inputs. */
  static List<Tensor> run(Trunk trunk, Map<String, Tensor> feeds, long batch, Arena arena) {
    List<Tensor> results = results(trunk, feeds, batch, arena);
    trunk.run(feeds, batch, results);
    return results;
  }

  /** Tensors for the trunk's outputs; text has as many tokens as its inputs. */
  static List<Tensor> results(Trunk trunk, Map<String, Tensor> feeds, long batch, Arena arena) {
    long sequence = feeds.containsKey("input_ids") ? feeds.get("input_ids").dim(1) : -1;
    List<Tensor> results = new ArrayList<>();
    for (TrunkOutput output : trunk.outputs()) {
      results.add(Golden.zeros(arena, DType.F32, output.shape(batch, sequence)));
    }
    return results;
  }

  /** The rows of all inputs again and again until there are {@code batch}. */
  static Map<String, Tensor> repeated(Golden golden, long batch, Arena arena) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    golden
        .inputs(0, golden.batch())
        .forEach((name, tensor) -> {
          long[] dims = tensor.shape().toArray();
          dims[0] = batch;
          Tensor all = Golden.zeros(arena, tensor.dtype(), dims);
          for (long row = 0; row < batch; row++) {
            long from = row % golden.batch();
            Golden.rows(all, row, row + 1).copyFrom(Golden.rows(tensor, from, from + 1));
          }
          inputs.put(name, all);
        });
    return inputs;
  }

  /** Present values of tuned constants as tensors, to be fed. */
  static Map<String, Tensor> constants(Trunk trunk, Arena arena) {
    Map<String, Tensor> feeds = new LinkedHashMap<>();
    trunk
        .constants()
        .forEach((name, constant) -> {
          Tensor tensor = Golden.zeros(arena, DType.F32, constant.dims());
          tensor.setFloats(constant.floats());
          feeds.put(name, tensor);
        });
    return feeds;
  }

  /**
   * Within 1e-4 absolute plus 1e-4 relative, as PyTorch and ONNX Runtime differ by rounding only.
   */
  static void assertClose(Tensor expected, Tensor actual, String what) {
    assertEquals(expected.size(), actual.size(), what + ": size");
    assertClose(expected.toFloats(), actual.toFloats(), what);
  }

  static void assertClose(float[] expected, float[] actual, String what) {
    assertEquals(expected.length, actual.length, what + ": size");
    for (int i = 0; i < expected.length; i++) {
      double difference = Math.abs((double) expected[i] - actual[i]);
      if (!(difference <= 1e-4 + 1e-4 * Math.abs(expected[i]))) {
        fail(what + " element " + i + ": expected " + expected[i] + " but was " + actual[i]);
      }
    }
  }

  static double largestDifference(Tensor a, Tensor b) {
    double largest = 0;
    for (long i = 0; i < a.size(); i++) {
      largest = Math.max(largest, Math.abs(a.get(i) - b.get(i)));
    }
    return largest;
  }
}

package dev.sidefade.export;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.ModelCheck;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model whose weights are stored as 16-bit floats. A {@code Cast} behind each makes the 32-bit
 * floats that every operator computes with, so that any processor can run the model; ONNX Runtime
 * does it once, when it loads the file. Biases, norms and whatever is no large matrix stay.
 */
public final class HalfWeights {
  private static final ValueLayout.OfShort HALF =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The largest finite 16-bit float. */
  private static final float LARGEST = 65504;

  /**
   * The smallest 16-bit float of full precision. Where all elements are smaller, rounding them
   * costs more than a share of 2^-11 of the largest.
   */
  private static final float SMALLEST = 0x1p-14f;

  private HalfWeights() {}

  /**
   * The same model with other weights; the one given is left as it is. Weights that 16 bits cannot
   * hold stay as they are: those with elements beyond 65504, and those with none of 2^-14 or more.
   *
   * @param model a model in 32 bits
   * @return the other one
   */
  public static OnnxModel of(OnnxModel model) {
    OnnxModel half = model.copy();
    OnnxGraph graph = half.graph();
    Weights.settleDefaults(graph);
    List<OnnxNode> casts = new ArrayList<>();
    for (Initializer weight : List.copyOf(graph.initializers().values())) {
      boolean isOutput = graph.outputs().stream().anyMatch(o -> o.name().equals(weight.name()));
      if (Weights.isWeight(weight) && !isOutput) {
        rounded(weight).ifPresent(elements -> casts.add(store(graph, weight, elements)));
      }
    }
    graph.nodes().addAll(0, casts);
    ModelCheck.check(half);
    return half;
  }

  /** Little-endian 16-bit elements; empty where they would not be what they were. */
  private static Optional<byte[]> rounded(Initializer weight) {
    float[] values = weight.floats();
    byte[] bytes = new byte[Math.multiplyExact(values.length, 2)];
    MemorySegment target = MemorySegment.ofArray(bytes);
    float largest = 0;
    for (int i = 0; i < values.length; i++) {
      // Math.max hands NaN on
      largest = Math.max(largest, Math.abs(values[i]));
      target.set(HALF, 2L * i, Float.floatToFloat16(values[i]));
    }
    boolean fits = largest == 0 || (largest >= SMALLEST && largest <= LARGEST);
    return fits ? Optional.of(bytes) : Optional.empty();
  }

  /** Puts the elements in place of the weight's; the value keeps its name and its users. */
  private static OnnxNode store(OnnxGraph graph, Initializer weight, byte[] elements) {
    String value = weight.name();
    String stored = graph.uniqueName(value + ".fp16");
    Initializer half =
        Initializer.of(stored, ElementType.FLOAT16, MemorySegment.ofArray(elements), weight.dims());
    replace(graph.initializers(), value, half);
    OnnxNode cast = new OnnxNode(stored + ".cast", "Cast", List.of(stored), List.of(value));
    cast.setAttribute(Attribute.of("to", (long) ElementType.FLOAT.code()));
    return cast;
  }

  private static void replace(
      Map<String, Initializer> initializers, String old, Initializer replacement) {
    initializers.remove(old);
    initializers.put(replacement.name(), replacement);
  }
}

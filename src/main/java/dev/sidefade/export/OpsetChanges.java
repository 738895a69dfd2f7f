package dev.sidefade.export;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxNode;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What changed in ONNX's operators between opsets 13 and 26, as far as it matters to a model of
 * 32-bit floats and integers: that an operator takes more element types since is not here.
 */
final class OpsetChanges {
  /** The last opset that the table knows. */
  static final long LATEST = 26;

  /** Opset of operators that appeared, or changed beyond conversion, behind opset 13. */
  private static final Map<String, Integer> NEW =
      table(
          "14: HardSwish Trilu",
          "15: Bernoulli CastLike Optional",
          "16: RoiAlign",
          "17: BlackmanWindow HammingWindow HannWindow MelWeightMatrix SequenceMap STFT",
          "18: BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im Mish"
              + " OptionalGetElement OptionalHasElement",
          "19: DeformConv",
          "20: AffineGrid DFT GridSample ImageDecoder RegexFullMatch StringConcat StringSplit",
          "21: GroupNormalization",
          "23: RMSNormalization RotaryEmbedding",
          "24: Swish TensorScatter",
          "25: Attention",
          "26: BitCast CumProd");

  /** Opset since which operators exist that can be written out in older ones. */
  private static final Map<String, Integer> WRITTEN_OUT =
      table("17: LayerNormalization", "20: Gelu");

  /** Opset since which the axes of these reductions are an input rather than an attribute. */
  private static final Map<String, Integer> AXES_BECAME_INPUT =
      table(
          "18: ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin"
              + " ReduceProd ReduceSumSquare");

  /** Attributes that came later than their operators. */
  private static final List<LaterAttribute> LATER =
      List.of(
          new LaterAttribute("AveragePool", "dilations", 19, Neutral.NONE),
          new LaterAttribute("BatchNormalization", "training_mode", 14, Neutral.ZERO),
          new LaterAttribute("Cast", "saturate", 19, Neutral.ANY),
          new LaterAttribute("Cast", "round_mode", 24, Neutral.ANY),
          new LaterAttribute("DequantizeLinear", "block_size", 21, Neutral.ZERO),
          new LaterAttribute("DequantizeLinear", "output_dtype", 23, Neutral.ZERO),
          new LaterAttribute("GRU", "layout", 14, Neutral.ZERO),
          new LaterAttribute("LSTM", "layout", 14, Neutral.ZERO),
          new LaterAttribute("LpPool", "ceil_mode", 18, Neutral.ZERO),
          new LaterAttribute("LpPool", "dilations", 18, Neutral.NONE),
          new LaterAttribute("QuantizeLinear", "saturate", 19, Neutral.ANY),
          new LaterAttribute("QuantizeLinear", "block_size", 21, Neutral.ZERO),
          new LaterAttribute("QuantizeLinear", "output_dtype", 21, Neutral.ZERO),
          new LaterAttribute("QuantizeLinear", "precision", 23, Neutral.ZERO),
          new LaterAttribute("RNN", "layout", 14, Neutral.ZERO),
          new LaterAttribute("Resize", "antialias", 18, Neutral.ZERO),
          new LaterAttribute("Resize", "axes", 18, Neutral.NONE),
          new LaterAttribute("Resize", "keep_aspect_ratio_policy", 18, Neutral.TEXT_STRETCH),
          new LaterAttribute("ScatterElements", "reduction", 16, Neutral.TEXT_NONE),
          new LaterAttribute("ScatterND", "reduction", 16, Neutral.TEXT_NONE));

  /** When a later attribute means no more than its absence. */
  private enum Neutral {
    NONE,
    ZERO,
    TEXT_NONE,
    TEXT_STRETCH,
    /** It speaks of element types that older opsets do not have. */
    ANY
  }

  private record LaterAttribute(String operator, String name, int since, Neutral neutral) {
    boolean isNeutral(OnnxNode node) {
      return switch (neutral) {
        case NONE -> false;
        case ZERO -> node.intAttribute(name).orElse(1) == 0;
        case TEXT_NONE -> node.stringAttribute(name).orElse("").equals("none");
        case TEXT_STRETCH -> node.stringAttribute(name).orElse("").equals("stretch");
        case ANY -> true;
      };
    }
  }

  private OpsetChanges() {}

  private static Map<String, Integer> table(String... lines) {
    Map<String, Integer> since = new LinkedHashMap<>();
    for (String line : lines) {
      String[] parts = line.split(": ", -1);
      for (String operator : parts[1].split(" ", -1)) {
        since.put(operator, Integer.valueOf(parts[0]));
      }
    }
    return Map.copyOf(since);
  }

  private static boolean changed(Map<String, Integer> table, OnnxNode node, long target) {
    return table.getOrDefault(node.opType(), 0) > target;
  }

  /** Whether an operator does not exist in an opset yet, or means another thing there. */
  static boolean isNewer(OnnxNode node, long target) {
    return changed(NEW, node, target);
  }

  /** Whether an operator must be written out in those of an opset. */
  static boolean isWrittenOut(OnnxNode node, long target) {
    return changed(WRITTEN_OUT, node, target);
  }

  /** Whether the axes of a reduction must become an attribute for an opset. */
  static boolean takesAxesAsInput(OnnxNode node, long target) {
    return changed(AXES_BECAME_INPUT, node, target);
  }

  /**
   * Removes attributes that an opset does not have and that say nothing.
   *
   * @return one that does say something, or an input that came later
   */
  static Optional<String> removeNeutral(OnnxNode node, long target) {
    for (LaterAttribute later : LATER) {
      if (later.operator.equals(node.opType())
          && later.since > target
          && node.attribute(later.name).isPresent()) {
        if (!later.isNeutral(node)) {
          return Optional.of("the attribute " + later.name);
        }
        node.removeAttribute(later.name);
      }
    }
    if (node.is("Pad") && target < 18 && !node.input(3).isEmpty()) {
      return Optional.of("the input axes");
    }
    return Optional.empty();
  }

  /** Whether a shape holds a 0, which means one thing or another by {@code allowzero}. */
  static boolean holdsZero(Initializer shape) {
    return Arrays.stream(shape.longs()).anyMatch(size -> size == 0);
  }
}

package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.AttributeValue;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Element types of the values of a graph: those that are declared, and for the rest what the
 * operators make of their inputs' types.
 */
final class ElementTypes {
  private static final Set<String> BOOLEAN =
      Set.of(
          "Equal",
          "Greater",
          "GreaterOrEqual",
          "Less",
          "LessOrEqual",
          "Not",
          "And",
          "Or",
          "Xor",
          "IsNaN",
          "IsInf");
  private static final Set<String> INT64 = Set.of("Shape", "Size", "NonZero", "ArgMax", "ArgMin");

  /** Operators whose output has the type of another input than the first. */
  private static final Map<String, Integer> TYPED_BY_INPUT =
      Map.of("Where", 1, "CastLike", 1, "OneHot", 2, "DequantizeLinear", 1, "QuantizeLinear", 2);

  private final Map<String, ElementType> types = new HashMap<>();

  private ElementTypes() {}

  /** Types by value; {@code graph} must be sorted. A value whose type is not known is missing. */
  static Map<String, ElementType> of(OnnxGraph graph) {
    ElementTypes found = new ElementTypes();
    graph.initializers().forEach((name, constant) -> found.types.put(name, constant.type()));
    for (List<ValueInfo> infos : List.of(graph.inputs(), graph.outputs(), graph.valueInfos())) {
      infos.forEach(info -> found.put(info.name(), info.type()));
    }
    for (OnnxNode node : graph.nodes()) {
      for (int i = 0; i < node.outputs().size(); i++) {
        found.put(node.output(i), found.typeOf(node, i));
      }
    }
    return found.types;
  }

  private void put(String value, ElementType type) {
    if (type != ElementType.UNDEFINED && !value.isEmpty()) {
      types.putIfAbsent(value, type);
    }
  }

  private ElementType typeOf(OnnxNode node, int output) {
    if (BOOLEAN.contains(node.opType()) || node.is("Dropout") && output == 1) {
      return ElementType.BOOL;
    }
    if (INT64.contains(node.opType()) || node.is("TopK") && output == 1) {
      return ElementType.INT64;
    }
    if (!node.subgraphs().isEmpty()) {
      return nestedType(node, output);
    }
    return switch (node.opType()) {
      case "Cast" -> ElementType.ofCode(node.intAttribute("to").orElse(0));
      case "Constant" -> constantType(node);
      case "ConstantOfShape" ->
          node.tensorAttribute("value").map(Initializer::type).orElse(ElementType.FLOAT);
      // mean and inverse deviation are computed in the type that stash_type names
      case "LayerNormalization" -> output == 0 ? typeOf(node.input(0)) : stashType(node);
      default -> typeOf(node.input(TYPED_BY_INPUT.getOrDefault(node.opType(), 0)));
    };
  }

  /**
   * The type of what a nested graph gives, as far as the node behind it tells; else that of a value
   * that may have a gradient, so that nobody overlooks it.
   */
  private ElementType nestedType(OnnxNode node, int output) {
    for (OnnxGraph nested : node.subgraphs()) {
      // a Loop's first nested output is its condition, which it does not hand out
      int at = node.is("Loop") ? output + 1 : output;
      if (at < nested.outputs().size()) {
        ValueInfo info = nested.outputs().get(at);
        ElementType type =
            info.type() != ElementType.UNDEFINED
                ? info.type()
                : nested
                    .producerOf(info.name())
                    .map(inner -> typeOf(inner, inner.outputs().indexOf(info.name())))
                    .orElse(typeOf(info.name()));
        if (type != ElementType.UNDEFINED) {
          return type;
        }
      }
    }
    return ElementType.FLOAT;
  }

  static ElementType stashType(OnnxNode layerNormalization) {
    return ElementType.ofCode(layerNormalization.intAttribute("stash_type").orElse(1));
  }

  private ElementType typeOf(String value) {
    return types.getOrDefault(value, ElementType.UNDEFINED);
  }

  private static ElementType constantType(OnnxNode node) {
    for (Attribute attribute : node.attributes()) {
      switch (attribute.value()) {
        case AttributeValue.OfTensor(Initializer tensor) -> {
          return tensor.type();
        }
        case AttributeValue.OfFloat _, AttributeValue.OfFloats _ -> {
          return ElementType.FLOAT;
        }
        case AttributeValue.OfLong _, AttributeValue.OfLongs _ -> {
          return ElementType.INT64;
        }
        case AttributeValue.OfString _, AttributeValue.OfStrings _ -> {
          return ElementType.STRING;
        }
        default -> {}
      }
    }
    return ElementType.UNDEFINED;
  }
}

package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.OnnxNode;
import java.util.Map;
import java.util.Optional;

/** The rule of every operator of ONNX that can be differentiated. */
final class GradientRules {
  private static final Map<String, GradientRule> RULES =
      Map.ofEntries(
          Map.entry("Abs", ElementwiseRules::abs),
          Map.entry("Add", ElementwiseRules::sum),
          Map.entry("Cast", ElementwiseRules::cast),
          Map.entry("CastLike", ElementwiseRules::cast),
          Map.entry("Clip", ElementwiseRules::clip),
          Map.entry("Concat", SelectionRules::concat),
          Map.entry("Div", ElementwiseRules::div),
          Map.entry("Dropout", ElementwiseRules::identity),
          Map.entry("Erf", ActivationRules::erf),
          Map.entry("Exp", ElementwiseRules::exp),
          Map.entry("Expand", ShapeRules::expand),
          Map.entry("Flatten", ShapeRules::reshape),
          Map.entry("Gather", SelectionRules::gather),
          Map.entry("GatherND", Scatter::gatherNd),
          Map.entry("Gelu", ActivationRules::gelu),
          Map.entry("Gemm", ProductRules::gemm),
          Map.entry("Identity", ElementwiseRules::identity),
          Map.entry("LayerNormalization", NormalizationRules::layerNormalization),
          Map.entry("Log", ElementwiseRules::log),
          Map.entry("LogSoftmax", NormalizationRules::logSoftmax),
          Map.entry("MatMul", ProductRules::matMul),
          Map.entry("Max", ElementwiseRules::extreme),
          Map.entry("Min", ElementwiseRules::extreme),
          Map.entry("Mul", ElementwiseRules::mul),
          Map.entry("Neg", ElementwiseRules::neg),
          Map.entry("Pow", ElementwiseRules::pow),
          Map.entry("Reciprocal", ElementwiseRules::reciprocal),
          Map.entry("ReduceL2", ReductionRules::norm),
          Map.entry("ReduceMean", ReductionRules::mean),
          Map.entry("ReduceSum", ReductionRules::sum),
          Map.entry("Relu", ActivationRules::relu),
          Map.entry("Reshape", ShapeRules::reshape),
          Map.entry("Sigmoid", ActivationRules::sigmoid),
          Map.entry("Slice", SelectionRules::slice),
          Map.entry("Softmax", NormalizationRules::softmax),
          Map.entry("Split", SelectionRules::split),
          Map.entry("Sqrt", ElementwiseRules::sqrt),
          Map.entry("Squeeze", ShapeRules::squeeze),
          Map.entry("Sub", ElementwiseRules::sub),
          Map.entry("Sum", ElementwiseRules::sum),
          Map.entry("Tanh", ActivationRules::tanh),
          Map.entry("Transpose", ShapeRules::transpose),
          Map.entry("Unsqueeze", ShapeRules::unsqueeze),
          Map.entry("Where", ElementwiseRules::where));

  private GradientRules() {}

  /** The rule of a node; empty for operators that have none and those of other domains. */
  static Optional<GradientRule> of(OnnxNode node) {
    return node.domain().isEmpty()
        ? Optional.ofNullable(RULES.get(node.opType()))
        : Optional.empty();
  }
}

package dev.sidefade.export;

import dev.sidefade.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.Optional;

/**
 * One way to write an adapted model. The plain one, 32-bit floats in the backbone's opset, is
 * {@code model.onnx} itself; all others lie beside it, and their names say in what they differ:
 * {@code model.int8.opset13.onnx}, {@code model.ort}.
 *
 * @param precision of the weights
 * @param opset that the model is written in; the backbone's own where it is empty
 * @param ort whether the file is one of ONNX Runtime's own format
 */
public record ExportVariant(Precision precision, Optional<Integer> opset, boolean ort) {
  /** Metadata that says how the weights are stored; missing where they are as they were trained. */
  static final String PRECISION = "sidefade.precision";

  /** {@return whether this is what is written anyway} */
  public boolean isPlain() {
    return precision == Precision.FP32 && opset.isEmpty() && !ort;
  }

  /**
   * Where the variant of a model file lies.
   *
   * @param model the model file
   * @return the file beside it
   */
  public Path beside(Path model) {
    String name = String.valueOf(model.getFileName());
    String stem = name.endsWith(".onnx") ? name.substring(0, name.length() - 5) : name;
    String differs =
        (precision == Precision.FP32 ? "" : "." + precision.text())
            + opset.map(version -> ".opset" + version).orElse("");
    return model.resolveSibling(stem + differs + (ort ? ".ort" : ".onnx"));
  }

  /** The same in ONNX's own format. */
  ExportVariant asOnnx() {
    return new ExportVariant(precision, opset, false);
  }

  /** The variant of a model; the one given is left as it is. */
  OnnxModel of(OnnxModel model) {
    OnnxModel older = opset.map(version -> OpsetDowngrade.of(model, version)).orElse(model);
    OnnxModel variant =
        switch (precision) {
          case FP32 -> older.copy();
          case FP16 -> HalfWeights.of(older);
          case INT8 -> DynamicInt8.of(older);
        };
    if (precision != Precision.FP32) {
      variant.metadata().put(PRECISION, precision.text());
    }
    return variant;
  }

  /**
   * How far logits may be from those of the training-time path, as a share of the larger of 1 and
   * the largest logit.
   *
   * <p>A 16-bit weight is off by a share of 2^-11, 0.0005, at most, and errors of a product's terms
   * are independent: a layer adds about 0.0003 to what it hands on, and L layers L^0.5 times that,
   * 0.003 for a hundred. With 8 bits everything is allowed that is finite: how well such a model
   * answers has to be measured on examples.
   */
  double tolerance() {
    return switch (precision) {
      case FP32 -> Verification.TOLERANCE;
      case FP16 -> 1e-2;
      case INT8 -> Double.POSITIVE_INFINITY;
    };
  }
}

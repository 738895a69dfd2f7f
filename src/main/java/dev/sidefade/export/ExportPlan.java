package dev.sidefade.export;

import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is written of an adapted model beside {@code model.onnx}, which stays what it is: one file
 * for each precision in the opset that is asked for, and the same in ONNX Runtime's own format.
 *
 * @param precisions each at most once
 * @param opset that the files are written in; the backbone's own where it is empty
 * @param ort whether files in ONNX Runtime's format are written too, of all but 16-bit weights,
 *     which it would make 32-bit ones
 */
public record ExportPlan(List<Precision> precisions, Optional<Integer> opset, boolean ort) {
  /** The opset with DynamicQuantizeLinear. */
  private static final long QUANTIZED_SINCE = 11;

  /** Nothing but {@code model.onnx}. */
  public static final ExportPlan PLAIN =
      new ExportPlan(List.of(Precision.FP32), Optional.empty(), false);

  /**
   * Checks that something is asked for, and nothing twice.
   *
   * @throws BadInputException naming what cannot be had
   */
  public ExportPlan {
    precisions = List.copyOf(precisions);
    if (precisions.isEmpty() || precisions.stream().distinct().count() < precisions.size()) {
      throw new BadInputException(
          "the precisions of the exports are "
              + precisions.stream().map(Precision::text).toList()
              + ", but at least one was expected, and each once; choose among fp32, fp16, int8");
    }
    if (opset.isPresent() && opset.get() < OpsetDowngrade.OLDEST) {
      throw new BadInputException(
          "the opset of the exports is "
              + opset.get()
              + ", but models are written in opset "
              + OpsetDowngrade.OLDEST
              + " or later; choose one from there up to the backbone's own");
    }
    if (ort && precisions.equals(List.of(Precision.FP16))) {
      throw new BadInputException(
          "a file in ONNX Runtime's format was asked for with 16-bit weights alone, which it would"
              + " store with 32 bits; choose the precision fp32 or int8");
    }
  }

  /** {@return all files but {@code model.onnx} itself, in their order} */
  public List<ExportVariant> variants() {
    List<ExportVariant> variants = new ArrayList<>();
    for (Precision precision : precisions) {
      ExportVariant onnx = new ExportVariant(precision, opset, false);
      if (!onnx.isPlain()) {
        variants.add(onnx);
      }
      if (ort && precision != Precision.FP16) {
        variants.add(new ExportVariant(precision, opset, true));
      }
    }
    return List.copyOf(variants);
  }

  /**
   * Refuses a backbone whose adapted model could not be written like this.
   *
   * @param backbone the pretrained model
   * @throws BadInputException naming the operator that the opset does not have
   */
  public void check(OnnxModel backbone) {
    opset.ifPresent(version -> OpsetDowngrade.of(backbone, version));
    if (precisions.contains(Precision.INT8) && backbone.opset() < QUANTIZED_SINCE) {
      throw new BadInputException(
          "int8 needs operators of opset "
              + QUANTIZED_SINCE
              + ", and the backbone is of opset "
              + backbone.opset()
              + ": export it again, or leave --precision int8 away");
    }
  }

  /**
   * Writes all variants beside a model file that is in its place. Each is loaded by ONNX Runtime
   * before it is moved into place, and run where there are examples.
   *
   * @param model the model of the file
   * @param file where it lies
   * @param examples with the logits of the training-time path; empty = variants are loaded only
   * @return the files by variant
   * @throws BadInputException if the opset cannot be had
   * @throws IllegalStateException if a variant does not run, or its logits are off
   * @throws IOException if a file cannot be written
   */
  public Map<ExportVariant, Path> write(OnnxModel model, Path file, Optional<Verification> examples)
      throws IOException {
    Map<ExportVariant, Path> written = new LinkedHashMap<>();
    for (ExportVariant variant : variants()) {
      Path target = variant.beside(file);
      OnnxModel made = variant.of(model);
      Export.writeChecked(made, variant, target, examples);
      written.put(variant, target);
    }
    return written;
  }
}

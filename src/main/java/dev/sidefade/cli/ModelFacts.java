package dev.sidefade.cli;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.onnx.Dimension;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What there is to say about a model file.
 *
 * @param file the model
 * @param bytes size of the file, without external data
 * @param irVersion version of the file format
 * @param producer the tool that made it; may be empty
 * @param opsets version of each domain of operators, ONNX's own under {@code ai.onnx}
 * @param operators how often each operator occurs
 * @param parameters number of floating-point constants, without the scalars of arithmetic
 * @param inputs what must be fed
 * @param outputs what comes out
 * @param metadata free texts by name; those of Sidefade start with {@code sidefade.}
 * @param backbone what the structure finder found; empty for a model that cannot be adapted
 * @param problem why not
 */
record ModelFacts(
    Path file,
    long bytes,
    long irVersion,
    String producer,
    Map<String, Long> opsets,
    Map<String, Integer> operators,
    long parameters,
    List<Value> inputs,
    List<Value> outputs,
    Map<String, String> metadata,
    Optional<Found> backbone,
    Optional<String> problem) {
  private static final Set<ElementType> FLOATS =
      EnumSet.of(ElementType.FLOAT, ElementType.FLOAT16, ElementType.BFLOAT16, ElementType.DOUBLE);

  /**
   * An input or output.
   *
   * @param name of the value
   * @param type of its elements
   * @param dims a {@link Long} or, for a dimension left open, its name; empty where nothing is
   *     declared
   */
  record Value(String name, String type, List<Object> dims) {}

  /**
   * What was found.
   *
   * @param structure taps, norms, read-out and head
   * @param preprocessing how images are prepared, where the input is images
   * @param sha256 of the file
   */
  record Found(BackboneStructure structure, Optional<Preprocessing> preprocessing, String sha256) {}

  /**
   * Reads a model and searches it.
   *
   * @throws BadInputException if the file is no complete ONNX model
   */
  static ModelFacts read(Path file) throws IOException {
    OnnxModel model = OnnxModel.read(file);
    Optional<Found> found = Optional.empty();
    Optional<String> problem = Optional.empty();
    try (Backbone backbone = Backbone.load(file)) {
      found = Optional.of(found(backbone));
    } catch (BadInputException e) {
      problem = Optional.of(e.getMessage());
    }
    Map<String, Long> opsets = new TreeMap<>();
    model.opsets().forEach((domain, v) -> opsets.put(domain.isEmpty() ? "ai.onnx" : domain, v));
    return new ModelFacts(
        file,
        Files.size(file),
        model.irVersion(),
        model.producer(),
        opsets,
        operators(model),
        parameters(model),
        inputs(model),
        model.graph().outputs().stream().map(ModelFacts::value).toList(),
        new TreeMap<>(model.metadata()),
        found,
        problem);
  }

  private static Found found(Backbone backbone) {
    return new Found(
        backbone.structure(),
        backbone.takesImages() ? Optional.of(backbone.preprocessing()) : Optional.empty(),
        backbone.hash());
  }

  private static Map<String, Integer> operators(OnnxModel model) {
    Map<String, Integer> operators = new TreeMap<>();
    model.graph().nodes().forEach(node -> operators.merge(node.opType(), 1, Integer::sum));
    return operators;
  }

  private static long parameters(OnnxModel model) {
    long parameters = 0;
    for (Initializer constant : model.graph().initializers().values()) {
      if (FLOATS.contains(constant.type()) && constant.dims().length > 0) {
        parameters = Math.addExact(parameters, constant.size());
      }
    }
    return parameters;
  }

  /** Old models list their constants among the inputs too. */
  private static List<Value> inputs(OnnxModel model) {
    return model.graph().fedInputs().stream().map(ModelFacts::value).toList();
  }

  private static Value value(ValueInfo info) {
    return new Value(
        info.name(), info.type().name(), info.dims().stream().map(ModelFacts::dimension).toList());
  }

  private static Object dimension(Dimension dimension) {
    return switch (dimension) {
      case Dimension.Static(long size) -> size;
      case Dimension.Symbolic(String name) -> name;
      case Dimension.Unknown() -> "?";
    };
  }
}

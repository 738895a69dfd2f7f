package dev.sidefade.backbone;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.Shape;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Shapes of a graph with tuned constants as inputs, for tests of other packages. */
public final class KnownShapes {
  private KnownShapes() {}

  /** Inferred ones, and computed ones where ONNX Runtime cannot infer a rank. */
  public static Map<String, long[]> of(
      OnnxModel model, BackboneStructure structure, Collection<Initializer> constants) {
    Map<String, long[]> shapes = ShapeInference.infer(model);
    List<TunableConstant> inputs =
        constants.stream()
            .map(it ->
                new TunableConstant(
                    it.name(), TunableConstant.Kind.BIAS, 0, Shape.of(it.dims()), Optional.of(it)))
            .toList();
    ShapeProbe.complete(model, structure.inputs(), inputs, shapes);
    return shapes;
  }
}

package dev.sidefade.backbone;

import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import java.util.Map;
import java.util.Optional;

/**
 * Writes tuned constants into a backbone's graph: the same nodes with other values, and the same
 * sizes but where constants were shared. Constants go by the names of {@link Norm#scaleInput},
 * {@link LinearLayer#biasName} and {@link LinearLayer#weightName}.
 */
public final class ConstantReplacement {
  private final OnnxGraph graph;
  private final ConstantSites sites;

  private ConstantReplacement(OnnxModel model, BackboneStructure structure) {
    this.graph = model.graph();
    this.sites = new ConstantSites(graph, structure);
  }

  /**
   * Replaces constants.
   *
   * @param copy of the whole backbone's model, changed by nothing else yet
   * @param structure of the backbone
   * @param values by name; weights as [in, out], row-major, however the graph stores them
   * @throws BadInputException if there is no such constant, or its values are of another number or
   *     not finite; the graph is then left half-way
   */
  public static void replace(
      OnnxModel copy, BackboneStructure structure, Map<String, float[]> values) {
    ConstantReplacement replacement = new ConstantReplacement(copy, structure);
    values.forEach(replacement::replace);
  }

  /**
   * {@return the present weight of a linear layer, [in, out], row-major}
   *
   * @param backbone the pretrained model and what it is made of
   * @param name {@link LinearLayer#weightName}
   * @throws BadInputException if there is no such weight
   */
  public static float[] weight(Backbone backbone, String name) {
    ConstantReplacement present = new ConstantReplacement(backbone.model(), backbone.structure());
    LinearLayer layer = present.layer(name).orElseThrow(() -> unknown(name)).layer();
    float[] stored = backbone.constant(layer.weight());
    return layer.transposed() ? OwnConstant.transposed(stored, layer.out(), layer.in()) : stored;
  }

  /**
   * {@return the weight with a low-rank change folded in, {@code W + A B}, [in, out]}
   *
   * @param weight W, [in, out]
   * @param a A, [in, rank]
   * @param b B, [rank, out]
   * @param rank columns of a
   */
  public static float[] merged(float[] weight, float[] a, float[] b, int rank) {
    int in = a.length / rank;
    int out = b.length / rank;
    if (a.length != in * rank || b.length != out * rank || weight.length != in * out) {
      throw new IllegalArgumentException(
          "a change of rank "
              + rank
              + " by "
              + a.length
              + " and "
              + b.length
              + " values does not fit a weight of "
              + weight.length);
    }
    float[] merged = new float[weight.length];
    for (int row = 0; row < in; row++) {
      for (int column = 0; column < out; column++) {
        double change = 0;
        for (int k = 0; k < rank; k++) {
          change += (double) a[row * rank + k] * b[k * out + column];
        }
        int at = row * out + column;
        merged[at] = (float) (weight[at] + change);
      }
    }
    return merged;
  }

  private void replace(String name, float[] values) {
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new BadInputException(
            "the constant "
                + name
                + " holds "
                + value
                + "; train again with a smaller learning rate");
      }
    }
    Optional<LinearFinder.Found> layer = layer(name);
    if (layer.isPresent()) {
      replaceWeight(layer.get(), values);
    } else {
      replaceVector(name, values);
    }
  }

  private void replaceVector(String name, float[] values) {
    ConstantSites.Site site = sites.vectors().get(name);
    if (site == null) {
      throw unknown(name);
    }
    Initializer present = GraphEdit.constantValue(graph, site.value()).orElseThrow();
    checkLength(name, values, present.size());
    OwnConstant.replace(graph, site.user(), site.index(), values, present.dims());
  }

  private void replaceWeight(LinearFinder.Found found, float[] values) {
    LinearLayer layer = found.layer();
    checkLength(layer.weightName(), values, Math.multiplyExact(layer.in(), layer.out()));
    boolean turned = found.node().is("Gemm") && found.node().intAttribute("transB").orElse(0) == 1;
    if (turned) {
      float[] asRead = OwnConstant.transposed(values, layer.in(), layer.out());
      OwnConstant.replaceMatrix(graph, found.node(), 1, asRead, layer.out(), layer.in());
    } else {
      OwnConstant.replaceMatrix(graph, found.node(), 1, values, layer.in(), layer.out());
    }
  }

  private Optional<LinearFinder.Found> layer(String name) {
    return sites.layers().stream()
        .filter(found -> found.layer().weightName().equals(name))
        .findFirst();
  }

  private static void checkLength(String name, float[] values, long length) {
    if (values.length != length) {
      throw new BadInputException(
          "the constant "
              + name
              + " has "
              + values.length
              + " values where the backbone has "
              + length
              + "; use the backbone that it was trained for");
    }
  }

  private static BadInputException unknown(String name) {
    return new BadInputException(
        "the backbone has no constant " + name + "; use the backbone that it was trained for");
  }
}

package dev.sidefade.backbone;

import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.tensor.BadInputException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Turns constants of a graph into inputs. Constants of norms, linear layers and the head go by the
 * names of {@link Norm#scaleInput} and the like and get a copy of their own, for exporters let
 * equal ones share an initializer; other constants go by the name of their initializer and change
 * wherever it is used.
 */
final class TunedConstants {
  private TunedConstants() {}

  /**
   * Makes inputs of constants of a whole backbone's graph.
   *
   * @return the constants under the names of their inputs, in the order given
   * @throws BadInputException if there is no such constant
   */
  static Map<String, Initializer> promote(
      OnnxGraph graph, BackboneStructure structure, List<String> names) {
    return promote(graph, new ConstantSites(graph, structure), names);
  }

  /** As {@link #promote(OnnxGraph, BackboneStructure, List)}, at places found before. */
  static Map<String, Initializer> promote(
      OnnxGraph graph, ConstantSites sites, List<String> names) {
    Map<String, Initializer> promoted = new LinkedHashMap<>();
    names.forEach(name -> promoted.put(name, promote(graph, sites, name)));
    return promoted;
  }

  private static Initializer promote(OnnxGraph graph, ConstantSites sites, String name) {
    Optional<ConstantSites.Site> site = sites.find(name);
    if (site.isPresent() && !graph.initializers().containsKey(name)) {
      Initializer own =
          GraphEdit.constantValue(graph, site.get().value()).orElseThrow().withName(name);
      graph.addInitializer(own);
      site.get().user().inputs().set(site.get().index(), name);
    }
    if (!graph.initializers().containsKey(name)) {
      throw new BadInputException(
          "the backbone has no constant "
              + name
              + " that could become an input; there are "
              + Stream.concat(sites.vectors().keySet().stream(), sites.headNames().stream())
                  .collect(Collectors.joining(", "))
              + " and the initializers of the graph");
    }
    return GraphEdit.promoteToInput(graph, name);
  }
}

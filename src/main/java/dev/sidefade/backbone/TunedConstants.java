package dev.sidefade.backbone;

import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.BadInputException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns constants of a graph into inputs. Constants of norms and of the head go by the names of
 * {@link Norm#scaleInput} and the like and get a copy of their own, for exporters let equal ones
 * share an initializer; other constants go by the name of their initializer and change wherever it
 * is used.
 */
final class TunedConstants {
  private final OnnxGraph graph;

  /** Where each constant of a norm or of the head goes in. */
  private final Map<String, Site> sites = new LinkedHashMap<>();

  private record Site(OnnxNode user, int index) {}

  private TunedConstants(OnnxGraph graph, BackboneStructure structure) {
    this.graph = graph;
    GraphView view = new GraphView(graph);
    for (NormFinder.Found found : new NormFinder(view).find()) {
      Norm norm = found.norm();
      sites.put(norm.scaleInput(), new Site(found.scaleUser(), found.scaleIndex()));
      if (found.biasUser() != null) {
        sites.put(norm.biasInput(), new Site(found.biasUser(), found.biasIndex()));
      }
    }
    structure.head().ifPresent(head -> addHead(view, head));
  }

  /**
   * Makes inputs of constants of a whole backbone's graph.
   *
   * @return the constants under the names of their inputs, in the order given
   * @throws BadInputException if there is no such constant
   */
  static Map<String, Initializer> promote(
      OnnxGraph graph, BackboneStructure structure, List<String> names) {
    TunedConstants constants = new TunedConstants(graph, structure);
    Map<String, Initializer> promoted = new LinkedHashMap<>();
    names.forEach(name -> promoted.put(name, constants.promote(name)));
    return promoted;
  }

  private Initializer promote(String name) {
    Site site = sites.get(name);
    if (site != null && !graph.initializers().containsKey(name)) {
      String value = site.user().input(site.index());
      Initializer own = GraphEdit.constantValue(graph, value).orElseThrow().withName(name);
      graph.addInitializer(own);
      site.user().inputs().set(site.index(), name);
    }
    if (!graph.initializers().containsKey(name)) {
      throw new BadInputException(
          "the backbone has no constant "
              + name
              + " that could become an input; there are "
              + String.join(", ", sites.keySet())
              + " and the initializers of the graph");
    }
    return GraphEdit.promoteToInput(graph, name);
  }

  private void addHead(GraphView view, Head head) {
    OnnxNode last = view.producer(head.output()).orElseThrow();
    if (last.is("Add")) {
      int biasIndex = view.weight(last.input(1)).isPresent() ? 1 : 0;
      sites.put(Head.BIAS_INPUT, new Site(last, biasIndex));
      last = view.producer(last.input(1 - biasIndex)).orElseThrow();
    } else if (head.bias().isPresent()) {
      sites.put(Head.BIAS_INPUT, new Site(last, 2));
    }
    sites.put(Head.WEIGHT_INPUT, new Site(last, 1));
  }
}

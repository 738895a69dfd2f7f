package dev.sidefade.backbone;

import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where the constants of a whole backbone's graph go in, found before anything is changed. Nodes
 * stay the same objects while the graph is edited.
 */
final class ConstantSites {
  private final Map<String, Site> vectors = new LinkedHashMap<>();
  private final Map<String, Site> head = new LinkedHashMap<>();
  private final List<LinearFinder.Found> layers;

  /** Input {@code index} of a node. */
  record Site(OnnxNode user, int index) {
    String value() {
      return user.input(index);
    }
  }

  ConstantSites(OnnxGraph graph, BackboneStructure structure) {
    GraphView view = new GraphView(graph);
    for (NormFinder.Found found : new NormFinder(view).find()) {
      Norm norm = found.norm();
      vectors.put(norm.scaleInput(), new Site(found.scaleUser(), found.scaleIndex()));
      if (found.biasUser() != null) {
        vectors.put(norm.biasInput(), new Site(found.biasUser(), found.biasIndex()));
      }
    }
    layers = new LinearFinder(view, structure).find();
    for (LinearFinder.Found found : layers) {
      if (found.biasUser() != null) {
        vectors.put(found.layer().biasName(), new Site(found.biasUser(), found.biasIndex()));
      }
    }
    structure.head().ifPresent(classifier -> addHead(view, classifier));
  }

  /** Where scales and shifts of norms and biases of linear layers go in, by their names. */
  Map<String, Site> vectors() {
    return vectors;
  }

  List<LinearFinder.Found> layers() {
    return layers;
  }

  Optional<Site> find(String name) {
    return Optional.ofNullable(vectors.get(name)).or(() -> Optional.ofNullable(head.get(name)));
  }

  Set<String> headNames() {
    return head.keySet();
  }

  private void addHead(GraphView view, Head classifier) {
    OnnxNode last = view.producer(classifier.output()).orElseThrow();
    if (last.is("Add")) {
      int biasIndex = view.weight(last.input(1)).isPresent() ? 1 : 0;
      head.put(Head.BIAS_INPUT, new Site(last, biasIndex));
      last = view.producer(last.input(1 - biasIndex)).orElseThrow();
    } else if (classifier.bias().isPresent()) {
      head.put(Head.BIAS_INPUT, new Site(last, 2));
    }
    head.put(Head.WEIGHT_INPUT, new Site(last, 1));
  }
}

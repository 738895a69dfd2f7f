package dev.sidefade.backbone;

import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import java.util.List;
import java.util.Optional;

/**
 * Gives one input of one node another constant and leaves everybody else's alone. It keeps its name
 * where nobody else reads it; exporters let equal constants share an initializer, there the node
 * gets one of its own. No node is added or becomes dead.
 */
public final class OwnConstant {
  private OwnConstant() {}

  /** Where a constant can be replaced, and whether a matrix stands there the other way round. */
  private record Place(OnnxNode user, int index, boolean turned) {
    String value() {
      return user.input(index);
    }
  }

  /**
   * Replaces a constant that stands behind any Identity.
   *
   * @param graph the graph, with what is nested in it
   * @param node the node that reads the constant
   * @param index of the node's input, at most one behind its last
   * @param values the new elements, row-major
   * @param dims dimensions, outermost first
   */
  public static void replace(
      OnnxGraph graph, OnnxNode node, int index, float[] values, long... dims) {
    Place place = new Place(node, index, false);
    Optional<OnnxNode> copy = privateProducer(graph, place.value(), "Identity");
    while (copy.isPresent()) {
      place = new Place(copy.get(), 0, false);
      copy = privateProducer(graph, place.value(), "Identity");
    }
    put(graph, node, place, values, dims);
  }

  /**
   * Replaces a matrix that stands behind any Identity and Transpose, by one as the node reads it.
   *
   * @param graph the graph, with what is nested in it
   * @param node the node that reads the constant
   * @param index of the node's input
   * @param values row-major, [rows, columns]
   * @param rows of the new matrix
   * @param columns of the new matrix
   */
  public static void replaceMatrix(
      OnnxGraph graph, OnnxNode node, int index, float[] values, long rows, long columns) {
    Place place = new Place(node, index, false);
    Optional<Place> next = behind(graph, place);
    while (next.isPresent()) {
      place = next.get();
      next = behind(graph, place);
    }
    if (place.turned()) {
      put(graph, node, place, transposed(values, rows, columns), columns, rows);
    } else {
      put(graph, node, place, values, rows, columns);
    }
  }

  /** A row-major matrix of [rows, columns] as one of [columns, rows]. */
  static float[] transposed(float[] values, long rows, long columns) {
    float[] turned = new float[values.length];
    int height = Math.toIntExact(rows);
    int width = Math.toIntExact(columns);
    for (int row = 0; row < height; row++) {
      for (int column = 0; column < width; column++) {
        turned[column * height + row] = values[row * width + column];
      }
    }
    return turned;
  }

  private static Optional<Place> behind(OnnxGraph graph, Place place) {
    return privateProducer(graph, place.value(), "Identity")
        .map(node -> new Place(node, 0, place.turned()))
        .or(() ->
            privateProducer(graph, place.value(), "Transpose")
                .filter(LinearFinder::swapsTwo)
                .map(node -> new Place(node, 0, !place.turned())));
  }

  private static void put(
      OnnxGraph graph, OnnxNode node, Place place, float[] values, long... dims) {
    String value = place.value();
    if (graph.initializers().containsKey(value) && isPrivate(graph, value)) {
      GraphEdit.replaceInitializer(graph, Initializer.floats(value, values, dims));
      return;
    }
    String root = value.isEmpty() ? node.output(0) + ".bias" : value;
    String own = graph.uniqueName(root + ".tuned");
    graph.addInitializer(Initializer.floats(own, values, dims));
    List<String> inputs = place.user().inputs();
    if (place.index() < inputs.size()) {
      inputs.set(place.index(), own);
    } else {
      inputs.add(own);
    }
  }

  /** A node of one type whose result only one node reads. */
  private static Optional<OnnxNode> privateProducer(OnnxGraph graph, String value, String type) {
    return graph.producerOf(value).filter(producer -> producer.is(type) && isPrivate(graph, value));
  }

  private static boolean isPrivate(OnnxGraph graph, String value) {
    List<OnnxNode> users = graph.usersOf(value).stream().distinct().toList();
    return users.size() == 1
        && users.getFirst().subgraphs().isEmpty()
        && users.getFirst().inputs().stream().filter(value::equals).count() == 1
        && graph.outputs().stream().noneMatch(output -> output.name().equals(value));
  }
}

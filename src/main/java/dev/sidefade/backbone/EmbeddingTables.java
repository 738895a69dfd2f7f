package dev.sidefade.backbone;

import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The tables that a text backbone looks its tokens up in.
 *
 * @param words rows of the table of words: ids must be below; empty where it is not found
 * @param positions tokens that a text may have; empty where it is not found
 */
public record EmbeddingTables(OptionalLong words, OptionalInt positions) {
  /** Tables of fewer rows tell the texts of a pair apart. */
  private static final long LEAST_POSITIONS = 8;

  /** RoBERTa counts positions from 2: one row is for padding, and numbering starts behind it. */
  private static final int COUNTED_FROM = 2;

  /**
   * Finds the tables: Gather nodes over a constant matrix.
   *
   * @param graph of the backbone
   * @param ids name of the input with the ids
   * @return what was found
   */
  public static EmbeddingTables of(OnnxGraph graph, String ids) {
    OptionalLong words = OptionalLong.empty();
    long width = -1;
    List<OnnxNode> others = new ArrayList<>();
    for (OnnxNode node : graph.nodes()) {
      Optional<long[]> table = table(graph, node);
      if (table.isEmpty()) {
        continue;
      }
      String indices = GraphEdit.resolveIdentity(graph, node.input(1));
      if (indices.equals(ids) || isCastOf(graph, indices, ids)) {
        words = OptionalLong.of(table.get()[0]);
        width = table.get()[1];
      } else {
        others.add(node);
      }
    }
    return new EmbeddingTables(words, positions(graph, others, width));
  }

  /**
   * The smallest table that is added to the words: other tables, such as biases of attention by
   * distance, are of another width.
   */
  private static OptionalInt positions(OnnxGraph graph, List<OnnxNode> lookups, long width) {
    return lookups.stream()
        .filter(node -> {
          long[] dims = table(graph, node).orElseThrow();
          return dims[0] >= LEAST_POSITIONS && (width < 0 || dims[1] == width);
        })
        .mapToInt(node -> {
          long rows = table(graph, node).orElseThrow()[0];
          boolean counted = reaches(graph, node.input(1), "CumSum");
          return Math.toIntExact(rows) - (counted ? COUNTED_FROM : 0);
        })
        .min();
  }

  /** [rows, width] of the constant matrix that a node looks up in. */
  private static Optional<long[]> table(OnnxGraph graph, OnnxNode node) {
    return (node.is("Gather")
            ? GraphEdit.constantValue(graph, node.input(0))
            : Optional.<Initializer>empty())
        .filter(table -> table.type() == ElementType.FLOAT && table.dims().length == 2)
        .map(Initializer::dims);
  }

  private static boolean isCastOf(OnnxGraph graph, String value, String ids) {
    return graph
        .producerOf(value)
        .filter(node -> node.is("Cast"))
        .map(node -> GraphEdit.resolveIdentity(graph, node.input(0)).equals(ids))
        .orElse(false);
  }

  private static boolean reaches(OnnxGraph graph, String value, String opType) {
    Set<String> seen = new HashSet<>();
    Deque<String> open = new ArrayDeque<>();
    open.add(value);
    while (!open.isEmpty()) {
      Optional<OnnxNode> node = graph.producerOf(open.pop());
      if (node.isPresent()) {
        if (node.get().is(opType)) {
          return true;
        }
        node.get().inputs().stream().filter(seen::add).forEach(open::add);
      }
    }
    return false;
  }
}

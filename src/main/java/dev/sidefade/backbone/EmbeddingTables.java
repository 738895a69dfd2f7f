package dev.sidefade.backbone;

import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
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
   * @param ids name of the input with the ids
   */
  static EmbeddingTables find(OnnxGraph graph, String ids) {
    OptionalLong words = OptionalLong.empty();
    OptionalInt positions = OptionalInt.empty();
    for (OnnxNode node : graph.nodes()) {
      Optional<Initializer> table =
          node.is("Gather") ? GraphEdit.constantValue(graph, node.input(0)) : Optional.empty();
      if (table.isEmpty()
          || table.get().type() != ElementType.FLOAT
          || table.get().dims().length != 2) {
        continue;
      }
      long rows = table.get().dims()[0];
      String indices = GraphEdit.resolveIdentity(graph, node.input(1));
      if (indices.equals(ids) || isCastOf(graph, indices, ids)) {
        words = OptionalLong.of(rows);
      } else if (rows >= LEAST_POSITIONS) {
        boolean counted = reaches(graph, indices, "CumSum");
        positions = OptionalInt.of(Math.toIntExact(rows) - (counted ? COUNTED_FROM : 0));
      }
    }
    return new EmbeddingTables(words, positions);
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

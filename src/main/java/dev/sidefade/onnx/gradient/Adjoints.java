package dev.sidefade.onnx.gradient;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Gradients of values while they are being collected: what each use of a value contributes. */
final class Adjoints {
  private final GradientBuilder builder;
  private final Map<String, List<Contribution>> contributions = new HashMap<>();

  Adjoints(GradientBuilder builder) {
    this.builder = builder;
  }

  void add(String value, Contribution contribution) {
    contributions.computeIfAbsent(value, _ -> new ArrayList<>()).add(contribution);
  }

  /**
   * The gradient of a value as the sum of all contributions, which must be complete; empty where
   * there are none.
   */
  Optional<String> take(String value) {
    List<Contribution> all = contributions.remove(value);
    if (all == null) {
      return Optional.empty();
    }
    List<String> full = new ArrayList<>();
    List<String> spread = new ArrayList<>();
    Map<Integer, List<Contribution.Piece>> pieces = new TreeMap<>();
    for (Contribution contribution : all) {
      switch (contribution) {
        case Contribution.Full(String name) -> full.add(name);
        case Contribution.Spread(String name) -> spread.add(name);
        case Contribution.Piece piece ->
            pieces.computeIfAbsent(piece.axis(), _ -> new ArrayList<>()).add(piece);
      }
    }
    pieces.forEach((axis, along) -> full.addAll(join(value, axis, along)));
    if (full.isEmpty()) {
      full.add(builder.expandLike(spread.removeFirst(), value));
    }
    full.addAll(spread);
    return full.stream().reduce((left, right) -> builder.op("Add", left, right));
  }

  /** Pieces that lie side by side and fill the axis are put together, others padded with zeros. */
  private List<String> join(String value, int axis, List<Contribution.Piece> pieces) {
    List<Contribution.Piece> sorted = new ArrayList<>(pieces);
    sorted.sort(Comparator.comparingLong(Contribution.Piece::start));
    long end = 0;
    boolean sideBySide = true;
    for (Contribution.Piece piece : sorted) {
      sideBySide &= piece.start() == end;
      end = piece.start() + piece.size();
    }
    if (sideBySide && end == builder.values().dims(value)[axis]) {
      return List.of(builder.concat(sorted.stream().map(Contribution.Piece::name).toList(), axis));
    }
    return pieces.stream().map(piece -> builder.pad(value, piece)).toList();
  }
}

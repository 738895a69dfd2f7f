package dev.sidefade.bench.tables;

/** A table that cannot be made from its file, with one sentence for its author. */
final class TableException extends RuntimeException {
  private static final long serialVersionUID = 1;

  TableException(String message) {
    super(message);
  }
}

package dev.sidefade;

import dev.sidefade.backbone.Tuning;
import dev.sidefade.tensor.BadInputException;
import java.util.Locale;
import java.util.Optional;

/**
 * Which constants of the backbone are tuned. Every kind but {@link Kind#NONE} makes a new output
 * layer.
 *
 * @param kind what is tuned
 * @param rank of the changes of the weights; 0 unless {@link Kind#LOW_RANK}
 * @param lastBlocks how many of the last blocks; {@link Tuning#ALL} for all
 */
public record Tune(Kind kind, int rank, int lastBlocks) {
  /** What is tuned. */
  public enum Kind {
    /** Nothing: only the side network is trained, and what ships keeps it. */
    NONE,
    /** The output layer alone. */
    HEAD,
    /** And the last layer norm. */
    FINAL_NORM,
    /** And the layer norms of the blocks. */
    NORMS,
    /** And the biases of the blocks' linear layers. */
    BIASES,
    /** The norms, and a change A B of every weight of the blocks, folded into it at the end. */
    LOW_RANK
  }

  /** Nothing. */
  public static final Tune NONE = new Tune(Kind.NONE, 0, Tuning.ALL);

  /** The output layer. */
  public static final Tune HEAD = new Tune(Kind.HEAD, 0, Tuning.ALL);

  /** The output layer and the last layer norm. */
  public static final Tune FINAL_NORM = new Tune(Kind.FINAL_NORM, 0, Tuning.ALL);

  /** The output layer and all layer norms. */
  public static final Tune NORMS = new Tune(Kind.NORMS, 0, Tuning.ALL);

  /** The output layer, all layer norms and all biases. */
  public static final Tune BIASES = new Tune(Kind.BIASES, 0, Tuning.ALL);

  private static final String SPELLINGS =
      "none, head, final-norm, norms, norms:BLOCKS, biases, biases:BLOCKS, low-rank:RANK or"
          + " low-rank:RANK:BLOCKS";

  /** Refuses ranks and numbers of blocks that the kind does not have. */
  public Tune {
    boolean inside = kind.compareTo(Kind.NORMS) >= 0;
    if (kind == Kind.LOW_RANK ? rank < 1 : rank != 0) {
      throw new BadInputException(
          "a rank of " + rank + " does not go with " + spelled(kind) + ": give low-rank:4");
    }
    if (lastBlocks < 1 || !inside && lastBlocks != Tuning.ALL) {
      throw new BadInputException(
          spelled(kind) + " cannot be tuned in " + lastBlocks + " blocks: give " + SPELLINGS);
    }
  }

  /**
   * {@return the output layer, all layer norms, and a change of this rank of every weight}
   *
   * @param rank columns of A in the change A B, at least 1
   */
  public static Tune lowRank(int rank) {
    return new Tune(Kind.LOW_RANK, rank, Tuning.ALL);
  }

  /**
   * {@return the same in the last blocks only}
   *
   * @param blocks number of blocks, counted from the end
   */
  public Tune inLastBlocks(int blocks) {
    return new Tune(kind, rank, blocks);
  }

  /**
   * Reads what {@link #toString} writes.
   *
   * @param text as it is spelled
   * @return the choice
   * @throws BadInputException if it is none of the spellings, naming them
   */
  public static Tune parse(String text) {
    String[] parts = text.strip().toLowerCase(Locale.ROOT).split(":", -1);
    try {
      return switch (parts[0]) {
        case "none" -> alone(NONE, parts);
        case "head" -> alone(HEAD, parts);
        case "final-norm" -> alone(FINAL_NORM, parts);
        case "norms" -> blocks(NORMS, parts, 1);
        case "biases" -> blocks(BIASES, parts, 1);
        case "low-rank" -> blocks(lowRank(Integer.parseInt(parts[1])), parts, 2);
        default -> throw new NumberFormatException(parts[0]);
      };
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      throw new BadInputException(
          "what to tune is '" + text + "', but one of these was expected: " + SPELLINGS, e);
    }
  }

  private static Tune alone(Tune tune, String[] parts) {
    if (parts.length > 1) {
      throw new NumberFormatException(parts[1]);
    }
    return tune;
  }

  private static Tune blocks(Tune tune, String[] parts, int at) {
    if (parts.length > at + 1) {
      throw new NumberFormatException(parts[at + 1]);
    }
    return parts.length == at ? tune : tune.inLastBlocks(Integer.parseInt(parts[at]));
  }

  /** {@return whether the last layer norm learns} */
  public boolean lastNorm() {
    return kind.compareTo(Kind.FINAL_NORM) >= 0;
  }

  /** {@return what is tuned inside the backbone's graph; empty where it stays frozen} */
  public Optional<Tuning> inside() {
    return switch (kind) {
      case NONE, HEAD, FINAL_NORM -> Optional.empty();
      case NORMS -> Optional.of(Tuning.norms(lastBlocks));
      case BIASES -> Optional.of(Tuning.biases(lastBlocks));
      case LOW_RANK -> Optional.of(Tuning.lowRank(rank, lastBlocks));
    };
  }

  /** As on the command line: {@code final-norm}, {@code norms:4}, {@code low-rank:4}. */
  @Override
  public String toString() {
    String text = spelled(kind) + (rank > 0 ? ":" + rank : "");
    return lastBlocks == Tuning.ALL ? text : text + ":" + lastBlocks;
  }

  private static String spelled(Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}

package dev.sidefade.backbone;

import java.util.List;
import java.util.Optional;

/**
 * What a backbone's graph is made of.
 *
 * @param kind where the norms stand
 * @param taps the residual stream: what enters the first block, then what every block returns
 * @param norms all layer norms, in the order of execution
 * @param finalNorm the norm behind the last block (pre-norm), or the second norm of the last block
 *     (post-norm)
 * @param readOut how one vector is made of the tokens
 * @param head the classifier, where there is one
 * @param inputs what must be fed, in the order of the model
 * @param grid how the tokens lie in the image; empty for text and where it cannot be seen
 */
public record BackboneStructure(
    Kind kind,
    List<Tap> taps,
    List<Norm> norms,
    Optional<Norm> finalNorm,
    ReadOut readOut,
    Optional<Head> head,
    List<InputSpec> inputs,
    Optional<TokenGrid> grid) {

  /** Where the norms of a block stand. */
  public enum Kind {
    /** {@code h + f(norm(h))}, as in ViT: the stream itself is never normalised. */
    PRE_NORM,
    /** {@code norm(h + f(h))}, as in BERT. */
    POST_NORM
  }

  /**
   * One point of the residual stream, [batch, tokens, width].
   *
   * @param value its name in the graph
   * @param tokens number of tokens; -1 where it depends on the input
   * @param width number of features of a token
   */
  public record Tap(String value, long tokens, int width) {}

  /** Copies the lists. */
  public BackboneStructure {
    taps = List.copyOf(taps);
    norms = List.copyOf(norms);
    inputs = List.copyOf(inputs);
  }

  /** {@return number of blocks: one less than taps} */
  public int blocks() {
    return taps.size() - 1;
  }

  /** {@return number of classes of the head; 0 where there is none} */
  public long classes() {
    return head.map(Head::classes).orElse(0L);
  }

  /** {@return the last tap: what the last block returns} */
  public Tap lastTap() {
    return taps.getLast();
  }
}

package dev.sidefade.backbone;

import java.util.Optional;

/**
 * How one vector is made of all tokens at the end of a backbone.
 *
 * @param kind which tokens, and what is done with them
 * @param value the vector, [batch, width], where there is one
 * @param skippedTokens how many leading tokens a mean leaves out; 0 for the other kinds
 * @param beforeNorm whether tokens are pooled first and normalised afterwards
 */
public record ReadOut(Kind kind, Optional<String> value, long skippedTokens, boolean beforeNorm) {

  /** Which tokens are read, and what is done with them. */
  public enum Kind {
    /** The first token. */
    CLS,
    /** The mean over all tokens but the first {@link #skippedTokens}. */
    MEAN,
    /** The first token through a linear layer and tanh, as in BERT, or ReLU, as in DistilBERT. */
    POOLER,
    /** Nothing that was recognised: the graph returns tokens, or does something else with them. */
    NONE
  }
}

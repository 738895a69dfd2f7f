package dev.sidefade.text;

import dev.sidefade.tensor.BadInputException;
import java.util.Arrays;
import java.util.BitSet;

/**
 * The tokens of all examples, one example after the other. Immutable.
 *
 * <p>Word indices and labels are kept only where there are any: their arrays are empty otherwise.
 */
final class TokenStore {
  // the end of example i is the start of example i + 1
  private final int[] starts;
  private final int[] ids;
  private final byte[] typeIds;
  private final int[] wordOf;
  private final int[] labels;
  private final BitSet truncated;

  private TokenStore(
      int[] starts, int[] ids, byte[] typeIds, int[] wordOf, int[] labels, BitSet truncated) {
    this.starts = starts;
    this.ids = ids;
    this.typeIds = typeIds;
    this.wordOf = wordOf;
    this.labels = labels;
    this.truncated = truncated;
  }

  int size() {
    return starts.length - 1;
  }

  int length(int i) {
    return starts[i + 1] - starts[i];
  }

  int id(int i, int token) {
    return ids[starts[i] + token];
  }

  int typeId(int i, int token) {
    return typeIds[starts[i] + token];
  }

  int wordOf(int i, int token) {
    return wordOf.length == 0 ? -1 : wordOf[starts[i] + token];
  }

  int label(int i, int token) {
    return labels.length == 0 ? -1 : labels[starts[i] + token];
  }

  boolean hasLabel(int i) {
    for (int t = 0; t < length(i); t++) {
      if (label(i, t) >= 0) {
        return true;
      }
    }
    return false;
  }

  boolean truncated(int i) {
    return truncated.get(i);
  }

  TokenStore select(int... examples) {
    Builder builder = new Builder();
    for (int i : examples) {
      builder.copy(this, i);
    }
    return builder.build();
  }

  TokenStore with(TokenStore others) {
    Builder builder = new Builder();
    for (int i = 0; i < size(); i++) {
      builder.copy(this, i);
    }
    for (int i = 0; i < others.size(); i++) {
      builder.copy(others, i);
    }
    return builder.build();
  }

  /** Takes examples one by one. */
  static final class Builder {
    private int[] starts = new int[17];
    private int[] ids = new int[256];
    private byte[] typeIds = new byte[256];
    private int[] wordOf = new int[256];
    private int[] labels = new int[256];
    private final BitSet truncated = new BitSet();
    private boolean words;
    private boolean labelled;
    private int examples;
    private int tokens;

    /**
     * Begins an example; its tokens follow.
     *
     * @param length number of its tokens
     */
    void begin(int length, boolean isTruncated) {
      if (length > Integer.MAX_VALUE - 8 - tokens) {
        throw new BadInputException(
            "the texts have more than "
                + Integer.MAX_VALUE
                + " tokens together: give fewer texts or cut them to a smaller length");
      }
      truncated.set(examples, isTruncated);
      examples++;
      if (examples == starts.length) {
        starts = Arrays.copyOf(starts, grown(examples));
      }
      if (tokens + length > ids.length) {
        int capacity = grown(tokens + length);
        ids = Arrays.copyOf(ids, capacity);
        typeIds = Arrays.copyOf(typeIds, capacity);
        wordOf = Arrays.copyOf(wordOf, capacity);
        labels = Arrays.copyOf(labels, capacity);
      }
      starts[examples] = tokens;
    }

    /** A token; -1 for no word and no label. */
    void token(int id, int typeId, int word, int label) {
      if (typeId < 0 || typeId > Byte.MAX_VALUE) {
        throw new BadInputException("the tokenizer yields a type id of " + typeId + ": too large");
      }
      ids[tokens] = id;
      typeIds[tokens] = (byte) typeId;
      wordOf[tokens] = word;
      labels[tokens] = label;
      words |= word >= 0;
      labelled |= label >= 0;
      tokens++;
      starts[examples] = tokens;
    }

    private void copy(TokenStore from, int i) {
      begin(from.length(i), from.truncated(i));
      for (int t = 0; t < from.length(i); t++) {
        token(from.id(i, t), from.typeId(i, t), from.wordOf(i, t), from.label(i, t));
      }
    }

    TokenStore build() {
      return new TokenStore(
          Arrays.copyOf(starts, examples + 1),
          Arrays.copyOf(ids, tokens),
          Arrays.copyOf(typeIds, tokens),
          Arrays.copyOf(wordOf, words ? tokens : 0),
          Arrays.copyOf(labels, labelled ? tokens : 0),
          truncated);
    }

    private static int grown(int needed) {
      return (int) Math.min(Integer.MAX_VALUE - 8L, needed + (needed >> 1) + 16L);
    }
  }
}

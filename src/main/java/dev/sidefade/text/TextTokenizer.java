package dev.sidefade.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Turns texts into token ids as a {@code tokenizer.json} says, by the tokenizers library of Hugging
 * Face. Special tokens are added, texts are cut to a length, nothing is padded. Works offline,
 * reports to nobody, writes to no log.
 *
 * <p>Thread-safe: threads take turns. Use after {@link #close()} is refused.
 */
public final class TextTokenizer implements AutoCloseable {
  private final String source;
  private final TokenizerFile file;
  private final TokenizersLibrary library;
  private final int singleSpecials;
  private final int pairSpecials;
  private long handle;

  /**
   * A tokenised text.
   *
   * @param ids token ids, special tokens among them
   * @param typeIds for every token the text it belongs to, 0 or 1 for most models
   * @param truncated whether tokens were left out
   */
  public record Encoded(int[] ids, int[] typeIds, boolean truncated) {}

  /**
   * Tokenised words.
   *
   * @param ids token ids, special tokens among them
   * @param typeIds for every token the text it belongs to
   * @param wordOf for every token the index of the word whose first piece it is; -1 for further
   *     pieces and special tokens
   * @param truncated whether tokens were left out
   */
  public record EncodedWords(int[] ids, int[] typeIds, int[] wordOf, boolean truncated) {}

  private TextTokenizer(String source, TokenizerFile file, TokenizersLibrary library, long handle) {
    this.source = source;
    this.file = file;
    this.library = library;
    this.handle = handle;
    library.disablePadding(handle);
    library.disableTruncation(handle);
    singleSpecials = count(() -> library.encode(handle, "", true));
    pairSpecials = count(() -> library.encodeDual(handle, "", "", true));
  }

  /**
   * Opens a {@code tokenizer.json}, or the one in a folder.
   *
   * @param path the file or its folder
   * @return the tokenizer, to be closed
   * @throws BadInputException if it is missing or malformed
   * @throws IOException if reading fails for another reason
   */
  public static TextTokenizer open(Path path) throws IOException {
    Path json = Files.isDirectory(path) ? path.resolve("tokenizer.json") : path;
    String source = "tokenizer " + json;
    String text = TextFile.read("tokenizer", json);
    TokenizerFile file = TokenizerFile.parse(source, text);
    TokenizersLibrary library = NativeTokenizers.library();
    long handle;
    try {
      handle = library.createTokenizerFromString(text);
    } catch (RuntimeException e) {
      throw new BadInputException(source + " is not understood: " + firstLine(e), e);
    }
    try {
      return new TextTokenizer(source, file, library, handle);
    } catch (RuntimeException e) {
      library.deleteTokenizer(handle);
      throw e;
    }
  }

  /**
   * {@return tokens of a text or of a pair}
   *
   * @param text the text
   * @param textB its partner, where there are two
   * @param maxLength number of tokens, special ones among them, that are kept at most; of a pair,
   *     the longer text is cut first
   * @throws BadInputException if the length leaves no room for text, or the tokenizer refuses the
   *     text
   */
  public synchronized Encoded encode(String text, Optional<String> textB, int maxLength) {
    requireRoom(maxLength, textB.isPresent());
    long encoding =
        guarded(
            text,
            () ->
                textB.isPresent()
                    ? library.encodeDual(handle, clean(text), clean(textB.get()), true)
                    : library.encode(handle, clean(text), true));
    try {
      long[] sequences = library.getSequenceIds(encoding);
      int[] kept = Cut.kept(sequences, maxLength, file.cutsLeft());
      return new Encoded(
          pick(library.getTokenIds(encoding), kept),
          pick(library.getTypeIds(encoding), kept),
          kept.length < sequences.length);
    } finally {
      library.deleteEncoding(encoding);
    }
  }

  /**
   * {@return tokens of words}
   *
   * @param words the words of one sentence, none of them empty
   * @param maxLength number of tokens, special ones among them, that are kept at most
   * @throws BadInputException if the length leaves no room for words, or the tokenizer refuses one
   */
  public synchronized EncodedWords encodeWords(List<String> words, int maxLength) {
    requireRoom(maxLength, false);
    String before = file.blankBeforeWords() ? " " : "";
    String[] inputs =
        words.stream().map(w -> w.isEmpty() ? w : before + clean(w)).toArray(String[]::new);
    long encoding =
        guarded(String.join(" ", words), () -> library.encodeList(handle, inputs, true));
    try {
      long[] sequences = library.getSequenceIds(encoding);
      int[] kept = Cut.kept(sequences, maxLength, file.cutsLeft());
      return new EncodedWords(
          pick(library.getTokenIds(encoding), kept),
          pick(library.getTypeIds(encoding), kept),
          pick(firstPieces(sequences, library.getWordIds(encoding)), kept),
          kept.length < sequences.length);
    } finally {
      library.deleteEncoding(encoding);
    }
  }

  /** For every token the word that it begins, or -1. */
  private static long[] firstPieces(long[] sequences, long[] words) {
    long[] first = new long[words.length];
    long last = -1;
    for (int i = 0; i < words.length; i++) {
      long word = sequences[i] < 0 ? -1 : words[i];
      first[i] = word > last ? word : -1;
      last = Math.max(last, word);
    }
    return first;
  }

  /** {@return number of ids from 0 to the largest, added tokens included} */
  public long vocabularySize() {
    return file.largestAddedId() + 1L;
  }

  /** {@return id of the token to pad with; 0 if the file names none} */
  public int padId() {
    return file.padId();
  }

  /** {@return the length to cut texts to that the file suggests, special tokens included} */
  public OptionalInt suggestedLength() {
    return file.suggestedLength();
  }

  /**
   * {@return number of special tokens around a text, or around and between two}
   *
   * @param pair whether there are two texts
   */
  public int specialTokens(boolean pair) {
    return pair ? pairSpecials : singleSpecials;
  }

  /**
   * Checks that a model knows every token of the vocabulary. Tokens added to it are not looked at:
   * files name some that no text contains.
   *
   * @param rows rows of the model's embedding
   * @throws BadInputException if there are fewer than ids
   */
  public void requireFits(long rows) {
    requireFits(Math.max(file.largestId(), padId()), rows);
  }

  void requireFits(int id, long rows) {
    if (id >= rows) {
      throw new BadInputException(
          source
              + " does not fit the model: it has token ids up to "
              + id
              + ", but the model's embedding has "
              + rows
              + " rows: give the tokenizer.json that belongs to the model");
    }
  }

  /** Gives the native memory back. Can be called twice. */
  @Override
  public synchronized void close() {
    if (handle != 0) {
      library.deleteTokenizer(handle);
      handle = 0;
    }
  }

  private void requireRoom(int maxLength, boolean pair) {
    if (handle == 0) {
      throw new IllegalStateException(source + " is closed");
    }
    if (maxLength <= specialTokens(pair)) {
      throw new BadInputException(
          "a length of "
              + maxLength
              + " tokens leaves no room for text: "
              + source
              + " alone adds "
              + specialTokens(pair)
              + (pair ? " to a pair" : " to a text"));
    }
  }

  private int count(Encoder encoder) {
    long encoding = guarded("", encoder);
    try {
      return library.getTokenIds(encoding).length;
    } finally {
      library.deleteEncoding(encoding);
    }
  }

  private long guarded(String text, Encoder encoder) {
    try {
      return encoder.encode();
    } catch (RuntimeException e) {
      throw new BadInputException(
          source + " fails on the text '" + TextTable.shortened(text) + "': " + firstLine(e), e);
    }
  }

  /** Halves of surrogate pairs are not text and would spoil what stands beside them. */
  private static String clean(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return new String(utf8, StandardCharsets.UTF_8);
      }
    }
    return text;
  }

  private static String firstLine(RuntimeException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("no reason given");
  }

  private int[] pick(long[] values, int... indices) {
    int[] picked = new int[indices.length];
    for (int i = 0; i < indices.length; i++) {
      picked[i] = (int) values[indices[i]];
      if (picked[i] != values[indices[i]]) {
        throw new BadInputException(
            source + " yields the id " + values[indices[i]] + ": too large");
      }
    }
    return picked;
  }

  private interface Encoder {
    long encode();
  }
}

package dev.sidefade.text;

import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.Mutator;
import java.util.List;
import java.util.random.RandomGenerator;

/** What Java reads of a tokenizer.json, before the native library sees it. */
public final class TokenizerFuzz implements FuzzTarget {
  private static final String SMALL =
      "{\"model\":{\"type\":\"BPE\",\"continuing_subword_prefix\":\"##\",\"vocab\":{\"a\":0,\"b\":1},\"merges\":[\"a"
          + " ##b\",[\"a\",\"##b\"]]},\"padding\":{\"pad_id\":3},"
          + "\"truncation\":{\"max_length\":8,\"direction\":\"Left\"},\"normalizer\":{\"type\":"
          + "\"Precompiled\",\"precompiled_charsmap\":\"BAAAAAAAAABh\"},\"pre_tokenizer\":{\"type\":"
          + "\"Sequence\",\"pretokenizers\":[{\"type\":\"FixedLength\",\"length\":5}]}}";
  private static final String UNIGRAM =
      "{\"added_tokens\":[{\"id\":0,\"content\":\"<pad>\"}],\"model\":{\"type\":\"Unigram\","
          + "\"vocab\":[[\"<pad>\",0],[\"a\",-1.5]]}}";

  private final Mutator mutator =
      new Mutator(
          List.of(
              TestTexts.TOKENIZER,
              Mutator.bytes(SMALL),
              Mutator.bytes(SMALL),
              Mutator.bytes(UNIGRAM)),
          List.of(
              "{",
              "}",
              "[",
              "]",
              ",",
              ":",
              "\"",
              "null",
              "true",
              "1e999",
              "-1",
              "\\u0000",
              "\\n",
              "\"vocab\":",
              "\"model\":",
              "[[\"a\",0]]",
              "{}",
              "[]",
              "[".repeat(2000),
              "{\"a\":".repeat(500),
              "\u2028",
              "\"id\":",
              "\"pretokenizers\":["));

  @Override
  public String name() {
    return "tokenizer.json";
  }

  @Override
  public byte[] mutant(RandomGenerator random) {
    return mutator.mutant(random);
  }

  @Override
  public void read(byte[] input) {
    TokenizerFile file = TokenizerFile.parse("a file", TextFile.decode("a file", input));
    if (file.largestId() < 0 || file.largestAddedId() < file.largestId()) {
      throw new IllegalStateException("ids of " + file);
    }
  }
}

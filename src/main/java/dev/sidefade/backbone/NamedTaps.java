package dev.sidefade.backbone;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Taps named by hand, for graphs in which the search finds none.
 *
 * @param embed value that enters the first block
 * @param blocks values that the blocks return, first block first
 * @param finalNorm value that the final norm returns, if it is to be named
 */
public record NamedTaps(String embed, List<String> blocks, Optional<String> finalNorm) {
  /** Copies the list. */
  public NamedTaps {
    blocks = List.copyOf(blocks);
  }

  /** {@return all taps: the embeddings, then every block} */
  public List<String> values() {
    List<String> values = new ArrayList<>();
    values.add(embed);
    values.addAll(blocks);
    return values;
  }

  /**
   * Reads the key {@code taps} of the JSON beside a model: {@code {"embed":.., "blocks":[..],
   * "final_norm":..}}.
   */
  static Optional<NamedTaps> of(JsonFields document) {
    return document
        .child("taps")
        .map(taps ->
            new NamedTaps(
                taps.text("embed").orElseThrow(() -> taps.wrong("embed", "the name of a value")),
                taps.texts("blocks")
                    .filter(blocks -> !blocks.isEmpty())
                    .orElseThrow(() -> taps.wrong("blocks", "a list of names of values")),
                taps.text("final_norm")));
  }
}

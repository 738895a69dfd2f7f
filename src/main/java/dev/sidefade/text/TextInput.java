package dev.sidefade.text;

import dev.sidefade.tensor.BadInputException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** What a model of texts is given, each a tensor of integers [batch, tokens]. */
public enum TextInput {
  /** Token ids. */
  IDS,
  /** 1 for tokens, 0 for padding. */
  MASK,
  /** The text of a pair that a token belongs to. */
  TYPE_IDS,
  /** Places 0, 1, 2 and so on, padding counted on: it is masked. */
  POSITIONS;

  /** {@return what exporters call it, the usual name first} */
  public List<String> names() {
    return switch (this) {
      case IDS -> List.of("input_ids", "input_word_ids");
      case MASK -> List.of("attention_mask", "input_mask");
      case TYPE_IDS -> List.of("token_type_ids", "segment_ids", "input_type_ids");
      case POSITIONS -> List.of("position_ids");
    };
  }

  /**
   * {@return the input that a model's name for it stands for}
   *
   * @param name as the model calls it
   * @throws BadInputException if none has this name
   */
  public static TextInput named(String name) {
    for (TextInput input : values()) {
      if (input.names().contains(name)) {
        return input;
      }
    }
    String known =
        Arrays.stream(values()).flatMap(i -> i.names().stream()).collect(Collectors.joining(", "));
    throw new BadInputException(
        "the model wants an input '"
            + TextTable.shortened(name)
            + "' that a text does not have: expected one of "
            + known);
  }
}

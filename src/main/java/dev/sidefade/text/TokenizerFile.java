package dev.sidefade.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.StringReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What a {@code tokenizer.json} says that the native library does not tell.
 *
 * @param largestId largest id of the vocabulary
 * @param largestAddedId largest id of the vocabulary and of the tokens added to it, some of which a
 *     model may never see
 * @param padId id of the padding token; 0 if none is named
 * @param suggestedLength the length that texts are cut to according to the file
 * @param cutsLeft whether a text that is too long loses its beginning instead of its end
 * @param blankBeforeWords whether words given one by one need a blank before them to become the
 *     tokens that they are within a text
 */
record TokenizerFile(
    int largestId,
    int largestAddedId,
    int padId,
    OptionalInt suggestedLength,
    boolean cutsLeft,
    boolean blankBeforeWords) {

  private static final List<String> PADS = List.of("[PAD]", "<pad>");

  /**
   * Parses the file.
   *
   * @param source the file, for messages
   * @throws BadInputException if it is not JSON or has no vocabulary of tokens and ids
   */
  static TokenizerFile parse(String source, String text) {
    JsonObject root = json(source, text);
    TokenizerChecks.check(source, root);
    Map<String, Integer> ids = vocabulary(source, Json.member(Json.member(root, "model"), "vocab"));
    int largest = largest(ids);
    for (JsonElement added : Json.elements(Json.member(root, "added_tokens"))) {
      if (Json.member(added, "content") instanceof JsonPrimitive content) {
        ids.put(content.getAsString(), id(source, content.getAsString(), Json.member(added, "id")));
      }
    }
    JsonElement truncation = Json.member(root, "truncation");
    JsonElement length = Json.member(truncation, "max_length");
    return new TokenizerFile(
        largest,
        Math.max(largest, largest(ids)),
        padId(source, Json.member(root, "padding"), ids),
        length instanceof JsonNull
            ? OptionalInt.empty()
            : OptionalInt.of(id(source, "truncation.max_length", length)),
        Json.text(Json.member(truncation, "direction")).equals("Left"),
        losesBlanks(Json.member(root, "pre_tokenizer")));
  }

  private static JsonObject json(String source, String text) {
    try (JsonReader reader = new JsonReader(new StringReader(text))) {
      reader.setStrictness(Strictness.STRICT);
      JsonElement element = JsonParser.parseReader(reader);
      if (!element.isJsonObject() || reader.peek() != JsonToken.END_DOCUMENT) {
        throw new BadInputException(
            source + " must hold one JSON object, as the tokenizers library writes it");
      }
      return element.getAsJsonObject();
    } catch (JsonParseException | IOException | NumberFormatException e) {
      // the message of what is wrapped does not begin with the name of its class
      Throwable cause = e.getCause() == null ? e : e.getCause();
      String reason = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
      throw new BadInputException(source + " is not valid JSON (" + reason + ")", e);
    }
  }

  /**
   * Either an object from token to id, or an array of pairs (token, score) in order of their ids.
   */
  private static Map<String, Integer> vocabulary(String source, JsonElement vocab) {
    Map<String, Integer> ids = new HashMap<>();
    if (vocab instanceof JsonObject object) {
      object.asMap().forEach((token, id) -> ids.put(token, id(source, token, id)));
    }
    int next = 0;
    for (JsonElement entry : Json.elements(vocab)) {
      if (Json.elements(entry).isEmpty()
          || !(Json.elements(entry).get(0) instanceof JsonPrimitive token)) {
        throw new BadInputException(
            source + ": entry " + next + " of model.vocab is not a token with its score");
      }
      ids.put(token.getAsString(), next++);
    }
    if (ids.isEmpty()) {
      throw new BadInputException(
          source
              + " has no vocabulary: expected model.vocab as the tokenizers library writes it"
              + " (tokenizer.json, not tokenizer_config.json or vocab.txt)");
    }
    return ids;
  }

  private static int padId(String source, JsonElement padding, Map<String, Integer> ids) {
    JsonElement named = Json.member(padding, "pad_id");
    if (!(named instanceof JsonNull)) {
      return id(source, "padding.pad_id", named);
    }
    return PADS.stream().filter(ids::containsKey).map(ids::get).findFirst().orElse(0);
  }

  /**
   * Whether words are tokenised as if they followed no blank: byte-level BPE and Metaspace without
   * a blank put before (RoBERTa).
   */
  private static boolean losesBlanks(JsonElement preTokenizer) {
    for (JsonElement part : Json.elements(Json.member(preTokenizer, "pretokenizers"))) {
      if (losesBlanks(part)) {
        return true;
      }
    }
    return switch (Json.text(Json.member(preTokenizer, "type"))) {
      case "ByteLevel" -> !Json.text(Json.member(preTokenizer, "add_prefix_space")).equals("true");
      case "Metaspace" ->
          !Json.text(Json.member(preTokenizer, "prepend_scheme")).equals("always")
              && !Json.text(Json.member(preTokenizer, "add_prefix_space")).equals("true");
      default -> false;
    };
  }

  private static int id(String source, String what, JsonElement value) {
    if (value instanceof JsonPrimitive p && p.isNumber()) {
      try {
        int id = Integer.parseInt(p.getAsString());
        if (id >= 0) {
          return id;
        }
      } catch (NumberFormatException e) {
        // refused below, like every other value that is no id
      }
    }
    throw new BadInputException(
        source
            + ": '"
            + TextTable.shortened(what)
            + "' has "
            + TextTable.shortened(value.toString())
            + " where an integer from 0 to "
            + Integer.MAX_VALUE
            + " is expected");
  }

  private static int largest(Map<String, Integer> ids) {
    return ids.values().stream().mapToInt(Integer::intValue).max().orElse(-1);
  }
}

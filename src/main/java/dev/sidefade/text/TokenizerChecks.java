package dev.sidefade.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.sidefade.tensor.BadInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;

/**
 * Looks in a {@code tokenizer.json} for what the native library does not check itself and would end
 * the virtual machine over: it panics where it relies on the parts of the file to fit together.
 */
final class TokenizerChecks {
  private final String source;

  private TokenizerChecks(String source) {
    this.source = source;
  }

  /**
   * Checks a whole file.
   *
   * @param source the file, for messages
   * @throws BadInputException if its parts do not fit together
   */
  static void check(String source, JsonObject root) {
    TokenizerChecks checks = new TokenizerChecks(source);
    checks.merges(Json.member(root, "model"));
    checks.normalizer(Json.member(root, "normalizer"));
    checks.preTokenizer(Json.member(root, "pre_tokenizer"));
    checks.postProcessor(Json.member(root, "post_processor"));
  }

  /** The second half of every merge begins with the prefix of continued words, which is cut off. */
  private void merges(JsonElement model) {
    String prefix = Json.text(Json.member(model, "continuing_subword_prefix"));
    if (prefix.isEmpty()) {
      return;
    }
    for (JsonElement merge : Json.elements(Json.member(model, "merges"))) {
      List<JsonElement> halves = Json.elements(merge);
      String line = Json.text(merge);
      String second =
          halves.size() == 2 ? Json.text(halves.get(1)) : line.substring(line.indexOf(' ') + 1);
      if (!second.startsWith(prefix)) {
        throw bad("model.merges holds " + merge + ", whose second half lacks the prefix " + prefix);
      }
    }
  }

  private void normalizer(JsonElement normalizer) {
    Json.elements(Json.member(normalizer, "normalizers")).forEach(this::normalizer);
    JsonElement packed = Json.member(normalizer, "precompiled_charsmap");
    if (!packed.isJsonNull() && !isCharacterMap(Json.text(packed))) {
      throw bad("its precompiled_charsmap is damaged");
    }
  }

  private void preTokenizer(JsonElement preTokenizer) {
    Json.elements(Json.member(preTokenizer, "pretokenizers")).forEach(this::preTokenizer);
    JsonElement length = Json.member(preTokenizer, "length");
    if (Json.text(length).equals("0")) {
      throw bad("its pre_tokenizer cuts words to a length of 0");
    }
  }

  /** Base64 of a length, a table of 32-bit words of that length in bytes, and text. */
  private static boolean isCharacterMap(String base64) {
    try {
      ByteBuffer map =
          ByteBuffer.wrap(Base64.getDecoder().decode(base64)).order(ByteOrder.LITTLE_ENDIAN);
      if (map.remaining() < Integer.BYTES) {
        return false;
      }
      int table = map.getInt();
      if (table <= 0 || table % Integer.BYTES != 0 || table > map.remaining()) {
        return false;
      }
      byte[] text = new byte[map.remaining() - table];
      map.position(map.position() + table).get(text);
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text));
      return true;
    } catch (IllegalArgumentException | CharacterCodingException e) {
      return false;
    }
  }

  /** Every special token that a template places is described. */
  private void postProcessor(JsonElement processor) {
    Json.elements(Json.member(processor, "processors")).forEach(this::postProcessor);
    JsonElement described = Json.member(processor, "special_tokens");
    for (String template : List.of("single", "pair")) {
      for (JsonElement piece : Json.elements(Json.member(processor, template))) {
        JsonElement token = Json.member(Json.member(piece, "SpecialToken"), "id");
        if (!token.isJsonNull() && Json.member(described, Json.text(token)).isJsonNull()) {
          throw bad(
              "its post_processor places the special token "
                  + token
                  + " but does not describe it in special_tokens");
        }
      }
    }
  }

  private BadInputException bad(String what) {
    return new BadInputException(
        source + ": " + TextTable.shortened(what, 200) + ": get the file anew");
  }
}

package dev.sidefade.export;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The header of a safetensors file.
 *
 * @param metadata free texts
 * @param places of the tensors, in the order of their elements
 */
record SafetensorsHeader(Map<String, String> metadata, List<Place> places) {
  /** As many bytes as the format allows. */
  static final long LONGEST = 100_000_000;

  private static final String METADATA = "__metadata__";
  private static final int MOST_DIMENSIONS = 64;

  /** Bytes {@code begin} to {@code end} (exclusive) behind the header hold a tensor. */
  record Place(String name, long begin, long end, long[] dims) {}

  /** The header of the given tensors in the order given, padded to a multiple of 8 bytes. */
  static byte[] encode(Map<String, Safetensors.Entry> tensors, Map<String, String> metadata) {
    JsonObject json = new JsonObject();
    if (!metadata.isEmpty()) {
      JsonObject texts = new JsonObject();
      new TreeMap<>(metadata).forEach(texts::addProperty);
      json.add(METADATA, texts);
    }
    long at = 0;
    for (Map.Entry<String, Safetensors.Entry> tensor : tensors.entrySet()) {
      if (tensor.getKey().equals(METADATA)) {
        throw new IllegalArgumentException("no tensor may be called " + METADATA);
      }
      long end = Math.addExact(at, 4L * tensor.getValue().values().length);
      JsonObject entry = new JsonObject();
      entry.addProperty("dtype", "F32");
      entry.add("shape", array(tensor.getValue().dims()));
      entry.add("data_offsets", array(at, end));
      json.add(tensor.getKey(), entry);
      at = end;
    }
    byte[] text = json.toString().getBytes(StandardCharsets.UTF_8);
    byte[] padded = Arrays.copyOf(text, Math.ceilDiv(text.length, 8) * 8);
    Arrays.fill(padded, text.length, padded.length, (byte) ' ');
    return padded;
  }

  /**
   * Reads a header.
   *
   * @param dataBytes number of bytes behind it, which the tensors must fill
   */
  static SafetensorsHeader parse(String source, byte[] text, long dataBytes) {
    Map<String, String> metadata = new LinkedHashMap<>();
    List<Place> places = new ArrayList<>();
    try (JsonReader json = new JsonReader(new StringReader(decode(text)))) {
      json.setStrictness(Strictness.STRICT);
      Set<String> names = new HashSet<>();
      json.beginObject();
      while (json.hasNext()) {
        String name = json.nextName();
        if (!names.add(name)) {
          throw malformed(source, "its header names " + name + " twice");
        }
        if (name.equals(METADATA)) {
          readMetadata(source, json, metadata);
        } else {
          places.add(place(source, name, json));
        }
      }
      json.endObject();
      if (json.peek() != JsonToken.END_DOCUMENT) {
        throw malformed(source, "something follows its header");
      }
    } catch (IOException | IllegalStateException | NumberFormatException | JsonParseException e) {
      throw malformed(source, "its header is not the JSON that it should be");
    }
    places.sort(Comparator.comparingLong(Place::begin).thenComparingLong(Place::end));
    checkNoGaps(source, places, dataBytes);
    return new SafetensorsHeader(metadata, List.copyOf(places));
  }

  static BadInputException malformed(String source, String why) {
    return new BadInputException(
        source + " is no complete safetensors file: " + why + "; make or download it again");
  }

  private static String decode(byte[] text) throws CharacterCodingException {
    return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
  }

  private static void readMetadata(String source, JsonReader json, Map<String, String> metadata)
      throws IOException {
    json.beginObject();
    while (json.hasNext()) {
      String key = json.nextName();
      if (metadata.put(key, string(json)) != null) {
        throw malformed(source, "its metadata names " + key + " twice");
      }
    }
    json.endObject();
  }

  private static Place place(String source, String name, JsonReader json) throws IOException {
    String type = null;
    long[] dims = null;
    long[] offsets = null;
    json.beginObject();
    while (json.hasNext()) {
      switch (json.nextName()) {
        case "dtype" -> type = string(json);
        case "shape" -> dims = longs(json);
        case "data_offsets" -> offsets = longs(json);
        default -> throw malformed(source, "tensor " + name + " has an unknown property");
      }
    }
    json.endObject();
    if (type == null || dims == null || offsets == null || offsets.length != 2) {
      throw malformed(source, "tensor " + name + " lacks its type, shape or place");
    }
    if (!type.equals("F32")) {
      throw new BadInputException(
          "tensor "
              + name
              + " of "
              + source
              + " is of type "
              + type
              + ", but F32 was expected; convert it to float32");
    }
    checkSize(source, name, dims, offsets);
    return new Place(name, offsets[0], offsets[1], dims);
  }

  private static void checkSize(String source, String name, long[] dims, long[] offsets) {
    long bytes = 4;
    try {
      for (long dim : dims) {
        bytes = Math.multiplyExact(bytes, dim);
      }
    } catch (ArithmeticException e) {
      bytes = -1;
    }
    if (offsets[1] < offsets[0] || bytes != offsets[1] - offsets[0]) {
      throw malformed(source, "the place of tensor " + name + " does not fit its shape");
    }
    if (bytes / 4 > Integer.MAX_VALUE - 8) {
      throw new BadInputException(
          "tensor "
              + name
              + " of "
              + source
              + " has "
              + bytes / 4
              + " elements, which is more than one array can hold; split it");
    }
  }

  private static void checkNoGaps(String source, List<Place> places, long dataBytes) {
    long at = 0;
    for (Place place : places) {
      if (place.begin() != at) {
        throw malformed(source, "tensor " + place.name() + " overlaps another or leaves a gap");
      }
      at = place.end();
    }
    if (at != dataBytes) {
      throw malformed(source, "its tensors have " + at + " bytes, but " + dataBytes + " are there");
    }
  }

  private static String string(JsonReader json) throws IOException {
    if (json.peek() != JsonToken.STRING) {
      throw new IllegalStateException("no text");
    }
    return json.nextString();
  }

  /** Numbers that are not negative. */
  private static long[] longs(JsonReader json) throws IOException {
    List<Long> values = new ArrayList<>();
    json.beginArray();
    while (json.hasNext()) {
      long value = json.peek() == JsonToken.NUMBER ? json.nextLong() : -1;
      if (value < 0 || values.size() == MOST_DIMENSIONS) {
        throw new IllegalStateException("no sizes");
      }
      values.add(value);
    }
    json.endArray();
    return values.stream().mapToLong(Long::longValue).toArray();
  }

  private static JsonArray array(long... values) {
    JsonArray array = new JsonArray();
    for (long value : values) {
      array.add(value);
    }
    return array;
  }
}

package dev.sidefade.onnx;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Texts by name that remember how they were encoded, so that what is not changed is written as it
 * was.
 */
final class MetadataMap extends LinkedHashMap<String, String> {
  private static final long serialVersionUID = 1L;

  private record Entry(String value, MemorySegment encoded) {}

  private final transient Map<String, Entry> encoded = new HashMap<>();

  /** Adds an entry as a file has it. */
  void read(String key, String value, MemorySegment bytes) {
    put(key, value);
    encoded.put(key, new Entry(value, bytes));
  }

  /** Writes all entries as fields of the given number. */
  void writeTo(ProtoWriter message, int number) {
    forEach((key, value) -> {
      Entry before = encoded.get(key);
      if (before != null && before.value.equals(value)) {
        message.bytes(number, before.encoded);
      } else {
        message.message(number, entry(key, value));
      }
    });
  }

  MetadataMap copy() {
    MetadataMap copy = new MetadataMap();
    copy.putAll(this);
    copy.encoded.putAll(encoded);
    return copy;
  }

  /** A {@code StringStringEntryProto}. */
  static ProtoWriter entry(String key, String value) {
    ProtoWriter entry = new ProtoWriter();
    entry.string(1, key);
    entry.string(2, value);
    return entry;
  }
}

package dev.sidefade.report;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Immutable copies of maps whose order is the same in every run of the JVM. */
final class Ordered {
  private Ordered() {}

  /**
   * Keeps the order of maps that have one and sorts the others; entries without a value are left
   * out.
   */
  static <V> Map<String, V> copyOf(Map<String, V> map) {
    SequencedMap<String, V> copy = new LinkedHashMap<>(sequenced(map));
    copy.values().removeIf(value -> value == null);
    return Collections.unmodifiableSequencedMap(copy);
  }

  static <V> Map<String, Map<String, V>> copyOfNested(Map<String, Map<String, V>> map) {
    SequencedMap<String, Map<String, V>> copy = new LinkedHashMap<>();
    sequenced(map).forEach((key, inner) -> copy.put(key, copyOf(inner)));
    return Collections.unmodifiableSequencedMap(copy);
  }

  static <V> Map<String, Map<String, Map<String, V>>> copyOfDeeplyNested(
      Map<String, Map<String, Map<String, V>>> map) {
    SequencedMap<String, Map<String, Map<String, V>>> copy = new LinkedHashMap<>();
    sequenced(map).forEach((key, inner) -> copy.put(key, copyOfNested(inner)));
    return Collections.unmodifiableSequencedMap(copy);
  }

  /** As {@link #copyOf}, down through maps and collections, and with null values kept. */
  static Map<String, Object> deepCopy(Map<String, Object> map) {
    SequencedMap<String, Object> copy = new LinkedHashMap<>();
    sequenced(map).forEach((key, value) -> copy.put(key, deepCopyOf(value)));
    return Collections.unmodifiableSequencedMap(copy);
  }

  private static @Nullable Object deepCopyOf(@Nullable Object value) {
    return switch (value) {
      case null -> null;
      case Map<?, ?> map -> {
        SequencedMap<String, Object> named = new LinkedHashMap<>();
        map.forEach((key, inner) -> named.put(String.valueOf(key), inner));
        yield deepCopy(map instanceof SequencedMap ? named : new TreeMap<>(named));
      }
      case Collection<?> many -> {
        List<Object> copy = new ArrayList<>();
        many.forEach(inner -> copy.add(deepCopyOf(inner)));
        yield Collections.unmodifiableList(copy);
      }
      default -> value;
    };
  }

  private static <V> Map<String, V> sequenced(Map<String, V> map) {
    return map instanceof SequencedMap ? map : new TreeMap<>(map);
  }
}

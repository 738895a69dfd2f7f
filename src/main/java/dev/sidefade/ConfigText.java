package dev.sidefade;

import dev.sidefade.tensor.Sha256;
import java.lang.reflect.RecordComponent;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A configuration as names and plain values: for reports, and to tell whether a checkpoint was made
 * with the same.
 */
final class ConfigText {
  /** What may change between a run and its resumption without changing the result. */
  static final Set<String> FREE =
      Set.of(
          "out", "resume", "threads", "strict", "measureUnlabelled", "precision", "opset", "ort");

  private ConfigText() {}

  /** All settings in their order; absent ones are null. */
  static Map<String, Object> of(AdaptConfig config) {
    Map<String, Object> text = new LinkedHashMap<>();
    for (RecordComponent component : AdaptConfig.class.getRecordComponents()) {
      try {
        text.put(component.getName(), plain(component.getAccessor().invoke(config)));
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("a record component cannot be read: " + component, e);
      }
    }
    return text;
  }

  private static @Nullable Object plain(Object value) {
    return switch (value) {
      case Optional<?> o -> o.map(ConfigText::plain).orElse(null);
      case Enum<?> e -> e.name().toLowerCase(Locale.ROOT).replace('_', '-');
      case Collection<?> c -> c.stream().map(ConfigText::plain).toList();
      case Number n -> n;
      case Boolean b -> b;
      default -> value.toString();
    };
  }

  /**
   * SHA-256 over everything that decides the result of training. Of the examples these are their
   * numbers and the names of their classes.
   */
  static String fingerprint(AdaptConfig config, Map<String, String> hashes, AdaptationData data) {
    StringBuilder all = new StringBuilder();
    all.append(hashes);
    all.append("\nexamples ").append(data.labelled()).append(" of ").append(data.train().size());
    all.append(" and ").append(data.validation().size());
    all.append("\nclasses ").append(data.classNames());
    of(config)
        .forEach((name, value) -> {
          if (!FREE.contains(name)) {
            all.append('\n').append(name).append('=').append(value);
          }
        });
    return new Sha256().add(all.toString()).finish();
  }
}

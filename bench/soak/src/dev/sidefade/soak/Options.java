package dev.sidefade.soak;

import java.util.LinkedHashMap;
import java.util.Map;

/** Options of a program, each a name and a value, with defaults. */
final class Options {
  private final Map<String, String> values = new LinkedHashMap<>();

  /**
   * @param arguments as the program was called
   * @param defaults names and values in turn
   */
  Options(String[] arguments, String... defaults) {
    for (int i = 0; i < defaults.length; i += 2) {
      values.put(defaults[i], defaults[i + 1]);
    }
    for (int i = 0; i < arguments.length; i += 2) {
      if (!values.containsKey(arguments[i]) || i + 1 == arguments.length) {
        throw new IllegalArgumentException(
            arguments[i] + " is no option with a value; there are " + values.keySet());
      }
      values.put(arguments[i], arguments[i + 1]);
    }
  }

  String text(String name) {
    return values.get(name);
  }

  int number(String name) {
    return Integer.parseInt(values.get(name));
  }

  long large(String name) {
    return Long.parseLong(values.get(name));
  }

  double decimal(String name) {
    return Double.parseDouble(values.get(name));
  }
}

package dev.sidefade.cli;

import dev.sidefade.kernels.Pooling;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * How the constants of an enum are spelled on the command line: {@code FINAL_NORM} is {@code
 * final-norm}.
 */
final class Choice {
  private Choice() {}

  /** The spelling of one constant. */
  static String text(Enum<?> constant) {
    // the method's own notation: both, one after the other
    return constant == Pooling.CLS_MEAN
        ? "cls+mean"
        : constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The spellings of all constants, in their order. */
  static List<String> texts(Class<? extends Enum<?>> type) {
    return Arrays.stream(type.getEnumConstants()).map(Choice::text).toList();
  }

  /** Reads a spelling; anything else is refused with the list of spellings. */
  static <E extends Enum<E>> ITypeConverter<E> converter(Class<E> type) {
    return converter(type, List.of(type.getEnumConstants()));
  }

  /** As {@link #converter(Class)}, of some constants alone. */
  static <E extends Enum<E>> ITypeConverter<E> converter(Class<E> type, List<E> choices) {
    String all = String.join(", ", choices.stream().map(Choice::text).toList());
    return text ->
        choices.stream()
            .filter(constant -> text(constant).equals(text))
            .findFirst()
            .orElseThrow(() ->
                new TypeConversionException("expected one of " + all + ", got '" + text + "'"));
  }
}

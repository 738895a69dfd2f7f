package dev.sidefade.cli;

import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Factor of the logit path as it is written on the command line: {@code auto}, {@code auto:0.5} or
 * {@code 0.5}.
 *
 * @param auto whether it follows how far the teacher leads on validation
 * @param weight largest value of it
 */
record KlChoice(boolean auto, double weight) {
  private static final String AUTO = "auto";

  /** Reads the notation; the weight itself is checked with the whole configuration. */
  static final class Converter implements ITypeConverter<KlChoice> {
    @Override
    public KlChoice convert(String text) {
      String spelled = text.strip().toLowerCase(Locale.ROOT);
      if (spelled.equals(AUTO)) {
        return new KlChoice(true, 1);
      }
      boolean auto = spelled.startsWith(AUTO + ":");
      String number = auto ? spelled.substring(AUTO.length() + 1) : spelled;
      try {
        return new KlChoice(auto, Double.parseDouble(number));
      } catch (NumberFormatException e) {
        throw new TypeConversionException(
            "expected auto, a number such as 0.5, or both as in auto:0.5, got '" + text + "'");
      }
    }
  }

  /** As it could have been written. */
  @Override
  public String toString() {
    if (!auto) {
      return String.valueOf(weight);
    }
    return weight == 1 ? AUTO : AUTO + ":" + weight;
  }
}

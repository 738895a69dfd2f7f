package dev.sidefade.cli;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Numbers of taps as they are written on the command line: {@code all}, {@code none}, {@code 0,2,4}
 * or {@code 0,2-4}.
 *
 * @param all whether every tap is meant; {@code numbers} is empty then
 * @param numbers the taps in the order of writing, none of them twice
 */
record LayerList(boolean all, List<Integer> numbers) {
  private static final Pattern PART = Pattern.compile("(\\d{1,4})(?:-(\\d{1,4}))?");

  LayerList {
    numbers = List.copyOf(numbers);
  }

  /** Reads the notation. */
  static final class Converter implements ITypeConverter<LayerList> {
    @Override
    public LayerList convert(String text) {
      return switch (text.strip()) {
        case "all" -> new LayerList(true, List.of());
        case "none" -> new LayerList(false, List.of());
        case String list -> new LayerList(false, numbers(list));
      };
    }

    private static List<Integer> numbers(String list) {
      Set<Integer> numbers = new LinkedHashSet<>();
      for (String part : list.split(",", -1)) {
        for (int number : range(list, part.strip())) {
          if (!numbers.add(number)) {
            throw new TypeConversionException(
                "tap " + number + " is named twice in '" + list + "'");
          }
        }
      }
      return List.copyOf(numbers);
    }

    private static List<Integer> range(String list, String part) {
      Matcher matcher = PART.matcher(part);
      if (!matcher.matches()) {
        throw new TypeConversionException(
            "expected numbers of taps such as 0,2,4 or 1-3, got '" + list + "'");
      }
      int first = Integer.parseInt(matcher.group(1));
      int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
      if (last < first) {
        throw new TypeConversionException(
            "the range " + part + " goes down; write the smaller number first");
      }
      List<Integer> range = new ArrayList<>();
      for (int number = first; number <= last; number++) {
        range.add(number);
      }
      return range;
    }
  }

  /** As it could have been written. */
  @Override
  public String toString() {
    if (all) {
      return "all";
    }
    return numbers.isEmpty()
        ? "none"
        : numbers.stream().map(String::valueOf).collect(Collectors.joining(","));
  }
}

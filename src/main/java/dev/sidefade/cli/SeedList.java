package dev.sidefade.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Seeds as they are written on the command line: {@code 0,1,2}, {@code 3-5,9}, or a number alone,
 * which counts them from 0.
 *
 * @param seeds in the order of writing, none of them twice
 */
record SeedList(List<Long> seeds) {
  private static final int MOST = 1000;
  private static final Pattern PART = Pattern.compile("(\\d{1,9})(?:-(\\d{1,9}))?");
  private static final Pattern COUNT = Pattern.compile("\\d{1,9}");

  SeedList {
    seeds = List.copyOf(seeds);
  }

  /** Reads the notation. */
  static final class Converter implements ITypeConverter<SeedList> {
    @Override
    public SeedList convert(String text) {
      String list = text.strip();
      if (COUNT.matcher(list).matches()) {
        long count = Long.parseLong(list);
        if (count == 0) {
          throw new TypeConversionException("there must be at least one seed, got a count of 0");
        }
        return new SeedList(range(list, 0, count - 1));
      }
      List<Long> seeds = new ArrayList<>();
      for (String part : list.split(",", -1)) {
        Matcher matcher = PART.matcher(part.strip());
        if (!matcher.matches()) {
          throw new TypeConversionException(
              "expected seeds such as 0,1,2 or 3-5, or how many, got '" + text + "'");
        }
        long first = Long.parseLong(matcher.group(1));
        long last = matcher.group(2) == null ? first : Long.parseLong(matcher.group(2));
        seeds.addAll(range(list, first, last));
      }
      long different = seeds.stream().distinct().count();
      if (different < seeds.size()) {
        throw new TypeConversionException("a seed is named twice in '" + text + "'");
      }
      return new SeedList(seeds);
    }

    private static List<Long> range(String list, long first, long last) {
      if (last < first) {
        throw new TypeConversionException(
            "the range " + first + "-" + last + " goes down; write the smaller number first");
      }
      if (last - first >= MOST) {
        throw new TypeConversionException(
            "'" + list + "' means more than " + MOST + " seeds; give fewer");
      }
      return LongStream.rangeClosed(first, last).boxed().toList();
    }
  }
}

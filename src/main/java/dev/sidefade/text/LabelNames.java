package dev.sidefade.text;

import dev.sidefade.tensor.BadInputException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Names of classes and their indices. */
final class LabelNames {
  static final int MAX_CLASSES = 10_000;

  private static final Pattern NUMBER =
      Pattern.compile("[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?");

  private final List<String> names;
  private final Map<String, Integer> indices = new HashMap<>();

  private LabelNames(List<String> names) {
    this.names = names;
    for (String name : names) {
      indices.put(name, indices.size());
    }
  }

  /** Names in a fixed order. */
  static LabelNames known(List<String> names) {
    return new LabelNames(List.copyOf(names));
  }

  /**
   * Names of the labels that occur: in numeric order if all are numbers, otherwise sorted.
   *
   * @param source where the labels come from, for messages
   * @throws BadInputException if there are too many to be classes
   */
  static LabelNames of(String source, Collection<String> distinct) {
    if (distinct.size() > MAX_CLASSES) {
      throw new BadInputException(
          source
              + " has "
              + distinct.size()
              + " different labels where at most "
              + MAX_CLASSES
              + " classes are expected: numbers on a scale are a task of regression");
    }
    List<String> names = new ArrayList<>(distinct);
    names.sort(Comparator.naturalOrder());
    if (names.stream().allMatch(LabelNames::isNumber)) {
      names.sort(Comparator.comparingDouble(Double::parseDouble));
    }
    return new LabelNames(List.copyOf(names));
  }

  static boolean isNumber(String label) {
    return NUMBER.matcher(label).matches();
  }

  List<String> names() {
    return names;
  }

  /**
   * The index of a label.
   *
   * @throws BadInputException if it is none of the names
   */
  int index(String source, int line, String label) {
    Integer index = indices.get(label);
    if (index == null) {
      String known = String.join(", ", names.subList(0, Math.min(20, names.size())));
      throw TextFile.malformed(
          source,
          line,
          "label '"
              + TextTable.shortened(label)
              + "' is unknown: the labels are "
              + TextTable.shortened(known, 400)
              + (names.size() > 20 ? " and " + (names.size() - 20) + " more" : ""));
    }
    return index;
  }
}

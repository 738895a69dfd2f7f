package dev.sidefade.report;

import dev.sidefade.report.RunReport.PredictionSample;
import dev.sidefade.report.svg.Markup;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The parts of the HTML report that are text and images rather than charts. */
final class ReportText {
  /** Images with fewer pixels across are enlarged without smoothing. */
  private static final int SMALL_IMAGE = 64;

  private static final int MOST_CONFUSIONS = 10;

  /** Longer texts are cut in the gallery. */
  private static final int MOST_CHARACTERS = 240;

  private ReportText() {}

  /** Nested maps as one level with dotted names, every value as text. */
  static Map<String, String> flattened(Map<String, Object> config) {
    Map<String, String> flat = new LinkedHashMap<>();
    flatten("", config, flat);
    return flat;
  }

  private static void flatten(String prefix, Map<?, ?> map, Map<String, String> into) {
    map.forEach((key, value) -> {
      if (value instanceof Map<?, ?> inner && !inner.isEmpty()) {
        flatten(prefix + key + ".", inner, into);
      } else {
        into.put(prefix + key, shown(value));
      }
    });
  }

  private static String shown(Object value) {
    return switch (value) {
      case null -> Units.MISSING;
      case Collection<?> many when many.isEmpty() -> Units.MISSING;
      case Collection<?> many ->
          many.stream().map(ReportText::shown).collect(Collectors.joining(", "));
      case Map<?, ?> map when map.isEmpty() -> Units.MISSING;
      case String text -> text;
      default -> {
        var json = JsonTree.of(value);
        yield json.isJsonPrimitive() ? json.getAsString() : json.toString();
      }
    };
  }

  /** One list item of the gallery. */
  static void prediction(PredictionSample sample, Markup html) {
    String kind = kindOf(sample);
    html.open("li", "class", kind);
    byte[] png = sample.pngImage();
    if (png.length > 0) {
      String alternative = "an example of " + sample.truth();
      String data = "data:image/png;base64," + Base64.getEncoder().encodeToString(png);
      String size = sample.imageWidth() < SMALL_IMAGE ? "small" : "large";
      html.leaf("img", "class", size, "alt", alternative, "src", data);
    }
    if (!sample.text().isEmpty()) {
      html.element("div", shortened(sample.text()), "class", "words");
    }
    String mark = Map.of("open", "", "right", "✓ ", "wrong", "✗ ").get(kind);
    html.element("div", mark + sample.predicted(), "class", "verdict");
    if (sample.isClass()) {
      html.element("div", Units.percent(sample.probability()) + " sure", "class", "muted");
    }
    if (!sample.isRight() && !sample.truth().isEmpty()) {
      html.element("div", "truth: " + sample.truth());
    }
    html.close();
  }

  private static String kindOf(PredictionSample sample) {
    if (!sample.isClass() || sample.truth().isEmpty()) {
      return "open";
    }
    return sample.isRight() ? "right" : "wrong";
  }

  private static String shortened(String text) {
    return text.codePointCount(0, text.length()) <= MOST_CHARACTERS
        ? text
        : text.substring(0, text.offsetByCodePoints(0, MOST_CHARACTERS - 1)) + "…";
  }

  private record Mistake(int truth, int predicted, long count, long total) {}

  /** A table of the most frequent mistakes, nothing where there are none. */
  static void confusions(RunReport report, Markup html) {
    long[][] counts = report.confusion().orElseThrow().counts();
    List<Mistake> mistakes = mistakes(counts);
    if (mistakes.isEmpty()) {
      return;
    }
    html.open("div", "class", "card").element("h3", "Most frequent mistakes");
    html.open("table", "class", "names").open("thead").open("tr");
    for (String column : List.of("Truth", "Predicted", "Rows", "Of the class")) {
      html.element("th", column, "scope", "col");
    }
    html.close().close().open("tbody");
    for (Mistake mistake : mistakes) {
      html.open("tr").element("th", report.classNames().get(mistake.truth), "scope", "row");
      html.element("td", report.classNames().get(mistake.predicted));
      html.element("td", Units.count(mistake.count));
      html.element("td", Units.percent((double) mistake.count / mistake.total)).close();
    }
    html.close().close().close();
  }

  private static List<Mistake> mistakes(long[][] counts) {
    List<Mistake> mistakes = new ArrayList<>();
    for (int truth = 0; truth < counts.length; truth++) {
      long total = 0;
      for (long count : counts[truth]) {
        total += count;
      }
      for (int predicted = 0; predicted < counts.length; predicted++) {
        if (predicted != truth && counts[truth][predicted] > 0) {
          mistakes.add(new Mistake(truth, predicted, counts[truth][predicted], total));
        }
      }
    }
    mistakes.sort(Comparator.comparingLong(Mistake::count).reversed());
    return mistakes.subList(0, Math.min(MOST_CONFUSIONS, mistakes.size()));
  }
}

package dev.sidefade.report;

import dev.sidefade.report.svg.Markup;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/** Tables of measures beside the headline; nothing where there is nothing to tell. */
final class ReportMeasures {
  private record Model(String key, String name) {}

  private static final List<Model> MODELS =
      List.of(
          new Model(RunReport.LINEAR_PROBE, "Linear probe"),
          new Model(RunReport.SIDE, "Side network kept"),
          new Model(RunReport.FADED, "Faded"));

  private static final List<String> SPLITS = List.of(RunReport.VAL, RunReport.TEST);

  private ReportMeasures() {}

  /** Measures other than the one by which models are compared. */
  static void further(RunReport report, Markup html) {
    List<String> measures = new ArrayList<>(report.measures().keySet());
    measures.remove(report.scoreName());
    if (measures.isEmpty()) {
      return;
    }
    List<String> columns = new ArrayList<>(List.of("Model"));
    for (String measure : measures) {
      columns.add(new Score(measure).label() + ", val.");
      columns.add(new Score(measure).label() + ", test");
    }
    List<List<String>> rows = new ArrayList<>();
    for (Model model : MODELS) {
      List<String> row = new ArrayList<>(List.of(model.name));
      for (String measure : measures) {
        for (String split : SPLITS) {
          double value = report.measure(measure, split, model.key).orElse(Double.NaN);
          row.add(new Score(measure).shown(value));
        }
      }
      rows.add(row);
    }
    table("Further measures", columns, rows, html);
  }

  /** Scores with and without the examples that have no labels, where both are known. */
  static void unlabelled(RunReport report, Markup html) {
    Score score = Score.of(report);
    List<List<String>> rows = new ArrayList<>();
    for (Model model : MODELS) {
      for (String split : SPLITS) {
        OptionalDouble with = report.score(split, model.key);
        OptionalDouble without = report.withoutUnlabelled(split, model.key);
        if (with.isPresent() && without.isPresent()) {
          rows.add(
              List.of(
                  model.name + ", " + (split.equals(RunReport.TEST) ? "test" : "validation"),
                  score.shown(without.getAsDouble()),
                  score.shown(with.getAsDouble()),
                  score.signed(with.getAsDouble() - without.getAsDouble())));
        }
      }
    }
    if (!rows.isEmpty()) {
      List<String> columns = List.of("Model", "Without them", "With them", "Difference");
      table("Examples without labels", columns, rows, html);
    }
  }

  /** A heading and a table in a card; the first cell of a row is its name. */
  static void table(String title, List<String> columns, List<List<String>> rows, Markup html) {
    html.element("h2", title);
    html.open("div", "class", "card").open("table", "class", "models");
    html.open("thead").open("tr");
    columns.forEach(column -> html.element("th", column, "scope", "col"));
    html.close().close().open("tbody");
    for (List<String> row : rows) {
      html.open("tr").element("th", row.getFirst(), "scope", "row");
      for (int i = 1; i < row.size(); i++) {
        html.element("td", row.get(i), "data-name", columns.get(i));
      }
      html.close();
    }
    html.close().close().close();
  }
}

package dev.sidefade.text;

import dev.sidefade.tensor.BadInputException;
import dev.sidefade.text.TextTable.Row;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Makes examples of a table.
 *
 * @param limits what the model takes
 */
record TableReader(TextTable table, TextTokenizer tokenizer, TextLimits limits) {

  TextExamples classification(Optional<List<String>> classNames) {
    requireLabels("of a class");
    Set<String> found = new HashSet<>();
    table.rows().forEach(r -> r.label().ifPresent(found::add));
    LabelNames names =
        classNames.map(LabelNames::known).orElseGet(() -> LabelNames.of(table.source(), found));
    int[] labels =
        table.rows().stream()
            .mapToInt(r -> r.label().map(l -> names.index(table.source(), r.line(), l)).orElse(-1))
            .toArray();
    return examples(labels, unknownTargets(), names.names());
  }

  TextExamples regression() {
    requireLabels("that is a number");
    float[] targets = unknownTargets();
    for (int i = 0; i < targets.length; i++) {
      Row row = table.rows().get(i);
      if (row.label().isPresent()) {
        targets[i] = number(row.line(), row.label().get());
      }
    }
    return examples(unknownLabels(), targets, List.of());
  }

  TextExamples unlabelled() {
    return examples(unknownLabels(), unknownTargets(), List.of());
  }

  private TextExamples examples(int[] labels, float[] targets, List<String> names) {
    tokenizer.requireFits(limits.vocabularyRows());
    TokenStore.Builder store = new TokenStore.Builder();
    for (Row row : table.rows()) {
      TextTokenizer.Encoded e = tokenizer.encode(row.text(), row.textB(), limits.maxLength());
      if (e.ids().length == 0) {
        throw TextFile.malformed(
            table.source(),
            row.line(),
            "the tokenizer finds nothing in its text: change or remove the line");
      }
      store.begin(e.ids().length, e.truncated());
      for (int t = 0; t < e.ids().length; t++) {
        tokenizer.requireFits(e.ids()[t], limits.vocabularyRows());
        store.token(e.ids()[t], e.typeIds()[t], -1, -1);
      }
    }
    return new TextExamples(
        store.build(),
        labels,
        targets,
        table.rows().stream().map(TableReader::display).toList(),
        TextExamples.noWords(labels.length),
        names,
        limits.maxLength(),
        tokenizer.padId(),
        table.emptyTexts());
  }

  private static String display(Row row) {
    return row.textB().map(b -> row.text() + " | " + b).orElse(row.text());
  }

  private void requireLabels(String what) {
    if (!table.labelled() || table.rows().stream().allMatch(r -> r.label().isEmpty())) {
      throw new BadInputException(
          table.source()
              + (table.labelled() ? " has no label in any row" : " has no column label (or score)")
              + ": expected a label "
              + what
              + " in at least one row, or give the file as texts without labels");
    }
  }

  private float number(int line, String label) {
    float value = LabelNames.isNumber(label) ? Float.parseFloat(label) : Float.NaN;
    if (Float.isFinite(value)) {
      return value;
    }
    throw TextFile.malformed(
        table.source(),
        line,
        "label '" + TextTable.shortened(label) + "' is not a number (such as 3.75)");
  }

  private int[] unknownLabels() {
    int[] labels = new int[table.rows().size()];
    Arrays.fill(labels, -1);
    return labels;
  }

  private float[] unknownTargets() {
    float[] targets = new float[table.rows().size()];
    Arrays.fill(targets, Float.NaN);
    return targets;
  }
}

package dev.sidefade.text;

import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.Mutator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/** Tables of texts, with commas or with tabs, and lines of texts. */
public final class TableFuzz implements FuzzTarget {
  private static final String COMMAS =
      "\uFEFFid,text,label\r\n1,\"a \"\"b\"\", c\n\td\",x\n2,\u00E9,\"y\"\n\n3,\uD83D\uDE00 z,\n"
          + "4,\"\"\"q\"\"\",x\n5,,\n";
  private static final String TABS =
      "\uFEFFid\ttext\tlabel\r\n1\t\"a \"\"b\"\", c\"\tx\n2\t\u00E9\t\"y\"\n\n3\t\uD83D\uDE00\t\n"
          + "4\t\"q\" and \"r\"\tx\n5\t\t\n";
  private static final String PAIRS = "sentence1\tsentence2\tscore\na\tb\t0.5\nc\td\t1e9\n";

  private final Mutator mutator =
      new Mutator(
          List.of(
              Mutator.bytes(COMMAS),
              Mutator.bytes(TABS),
              Mutator.bytes(COMMAS.replace(",", "\"\t\"")),
              Mutator.bytes(PAIRS),
              Mutator.bytes("a film\n\nanother\tone\n")),
          List.of(
              "\"",
              "\"\"",
              "\t",
              ",",
              "\n",
              "\r\n",
              "\r",
              "text",
              "label",
              "score",
              "text_b",
              "sentence1",
              "\0",
              "\uFEFF",
              "\u2028",
              "\u0085",
              "x".repeat(2000),
              "\u001b[31m"));

  @Override
  public String name() {
    return "tables";
  }

  @Override
  public byte[] mutant(RandomGenerator random) {
    return mutator.mutant(random);
  }

  @Override
  public void read(byte[] input) {
    // the length decides what the file is taken for, so that an input is always read alike
    switch (input.length % 3) {
      case 0 -> check(TextTable.lines("a file", input, input.length % 2 == 0));
      case 1 -> check(TextTable.parse("a file", TextFile.decode("a file", input), true, false));
      default ->
          check(
              TextTable.parse(
                  "a file", TextFile.decode("a file", input), false, input.length % 2 == 0));
    }
  }

  private static void check(TextTable table) {
    Set<String> labels =
        table.rows().stream()
            .map(TextTable.Row::label)
            .flatMap(Optional::stream)
            .collect(Collectors.toSet());
    if (table.rows().isEmpty() || table.rows().stream().anyMatch(row -> row.text().isBlank())) {
      throw new IllegalStateException("a table without a text");
    }
    if (!labels.isEmpty()) {
      LabelNames.of(table.source(), labels);
    }
  }
}

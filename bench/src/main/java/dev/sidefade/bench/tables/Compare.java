package dev.sidefade.bench.tables;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Says what became faster or slower beyond the noise of both results: {@code Compare OLD.json
 * NEW.json [--fail-above PERCENT]}.
 */
public final class Compare {
  private Compare() {}

  /**
   * Exit status: 0 done, 1 something is slower by more than what may be, 2 wrong use or results
   * that cannot be compared.
   */
  public static void main(String[] arguments) throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    try {
      System.exit(run(arguments, out));
    } catch (TableException e) {
      err.println("compare: " + e.getMessage());
      System.exit(2);
    }
  }

  static int run(String[] arguments, PrintStream out) throws IOException {
    List<String> files = new ArrayList<>(Arrays.asList(arguments));
    double most = Double.POSITIVE_INFINITY;
    int option = files.indexOf("--fail-above");
    if (option >= 0) {
      if (option + 1 == files.size()) {
        throw new TableException("--fail-above needs a number of per cent");
      }
      most = percent(files.remove(option + 1));
      files.remove(option);
    }
    if (files.size() != 2) {
      throw new TableException("expected OLD.json NEW.json [--fail-above PERCENT]");
    }
    Map<String, double[]> before = Samples.of(Json.read(Path.of(files.get(0))));
    Map<String, double[]> after = Samples.of(Json.read(Path.of(files.get(1))));
    out.println("| | new over old | 95 % interval | |");
    out.println(Text.rule(1, 2) + " --- |");
    List<String> worse = new ArrayList<>();
    for (Map.Entry<String, double[]> entry : before.entrySet()) {
      if (!after.containsKey(entry.getKey())) {
        continue;
      }
      Ratio ratio = Ratio.of(entry.getValue(), after.get(entry.getKey()));
      out.println(row(entry.getKey(), ratio));
      if (ratio.worseThan(most)) {
        worse.add(entry.getKey());
      }
    }
    before.keySet().stream()
        .filter(name -> !after.containsKey(name))
        .forEach(name -> out.println(Text.row(name, "", "", "only in the old result")));
    after.keySet().stream()
        .filter(name -> !before.containsKey(name))
        .forEach(name -> out.println(Text.row(name, "", "", "only in the new result")));
    if (!worse.isEmpty()) {
      out.println();
      out.println("slower by more than " + Text.three(most) + " %: " + String.join("; ", worse));
    }
    return worse.isEmpty() ? 0 : 1;
  }

  private static String row(String name, Ratio ratio) {
    boolean known = ratio.verdict() != Ratio.Verdict.UNKNOWN;
    return Text.row(
        name,
        Text.fixed(ratio.value(), 3),
        known ? Text.fixed(ratio.low(), 3) + " to " + Text.fixed(ratio.high(), 3) : "",
        ratio.verdict().toString());
  }

  private static double percent(String word) {
    try {
      double value = Double.parseDouble(word);
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new TableException("--fail-above needs a number of per cent from 0 on, got " + word);
  }
}

package dev.sidefade.cli;

import dev.sidefade.AdaptResult;
import dev.sidefade.report.Headline;
import dev.sidefade.report.RunReport;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;

/** What a person reads at the end of an adaptation. */
final class AdaptSummary {
  private AdaptSummary() {}

  /** Prints the comparison and where the results lie; the report last. */
  static void print(AdaptResult result, PrintWriter out) {
    out.println();
    out.println(Headline.asText(result.report()).stripTrailing());
    out.println();
    path(out, "model", result.model());
    result.report().exports().stream()
        .map(RunReport.Export::file)
        .filter(name -> !result.model().orElseThrow().endsWith(name))
        .forEach(name -> path(out, "export", result.model().map(m -> m.resolveSibling(name))));
    path(out, "delta", result.delta());
    path(out, "kept side", result.kept());
    path(out, "metrics", Optional.of(result.metrics()));
    path(out, "report", Optional.of(result.html()));
  }

  private static void path(PrintWriter out, String name, Optional<Path> path) {
    path.ifPresent(file -> out.println("%-10s %s".formatted(name, file)));
  }
}

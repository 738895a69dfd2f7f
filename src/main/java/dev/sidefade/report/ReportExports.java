package dev.sidefade.report;

import dev.sidefade.report.RunReport.Latency;
import dev.sidefade.report.svg.Markup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The table of the files in other precisions, opsets and formats; nothing without any. */
final class ReportExports {
  private static final List<String> COLUMNS =
      List.of("File", "Precision", "Opset", "Size", "Val.", "Test", "Batch 1", "Batch 32");

  private ReportExports() {}

  static void table(RunReport report, Markup html) {
    if (report.exports().isEmpty()) {
      return;
    }
    Score score = Score.of(report);
    List<List<String>> rows = new ArrayList<>();
    for (RunReport.Export file : report.exports()) {
      Map<String, Double> values = file.measures().getOrDefault(report.scoreName(), Map.of());
      rows.add(
          List.of(
              file.file(),
              file.precision(),
              String.valueOf(file.opset()),
              Units.bytes(file.bytes()),
              score.shown(values.getOrDefault(RunReport.VAL, Double.NaN)),
              score.shown(values.getOrDefault(RunReport.TEST, Double.NaN)),
              shown(file.latencyMs().get(RunReport.BATCH_1)),
              shown(file.latencyMs().get(RunReport.BATCH_32))));
    }
    ReportMeasures.table("Exported files", COLUMNS, rows, html);
  }

  private static String shown(@Nullable Latency latency) {
    return Units.milliseconds(latency == null ? Double.NaN : latency.median());
  }
}

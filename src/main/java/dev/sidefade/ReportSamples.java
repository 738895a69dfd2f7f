package dev.sidefade;

import dev.sidefade.report.RunReport;
import dev.sidefade.report.RunReportBuilder;
import dev.sidefade.train.Evaluation;
import dev.sidefade.train.Outcome;
import dev.sidefade.train.RegressionOutcome;
import dev.sidefade.train.SpanOutcome;
import dev.sidefade.train.Task;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** Confusion matrix and some predictions with their examples, as the model sees them. */
final class ReportSamples {
  static final int MOST_CONFUSED = 1000;

  private ReportSamples() {}

  static void add(RunReportBuilder report, AdaptationFigures figures, AdaptationData data, int most)
      throws IOException {
    Map.Entry<String, Outcome> shown = figures.shown();
    Evaluation evaluation;
    switch (shown.getValue()) {
      case Evaluation classes -> evaluation = classes;
      case SpanOutcome spans -> evaluation = spans.words();
      case RegressionOutcome numbers -> {
        return;
      }
    }
    // the square of very many classes says nothing to anybody, and takes gigabytes
    if (data.classNames().size() <= MOST_CONFUSED) {
      report.confusion(shown.getKey(), evaluation.confusion());
    }
    if (data.task() != Task.CLASSES) {
      return;
    }
    boolean ofTest = shown.getKey().equals(RunReport.TEST);
    List<String> names = data.classNames();
    int size = data.shown().size();
    int count = Math.min(most, size);
    for (int i = 0; i < count; i++) {
      // spread over the whole set: class folders come sorted
      int example = (int) ((long) i * size / count);
      int label = evaluation.labels()[example];
      report.prediction(
          data.gallery()
              .sample(
                  ofTest,
                  example,
                  label < 0 ? "" : names.get(label),
                  names.get(evaluation.predicted()[example]),
                  evaluation.probability()[example]));
    }
  }
}

package dev.sidefade.report;

import dev.sidefade.report.RunReport.EpochRow;
import dev.sidefade.report.RunReport.Latency;
import dev.sidefade.report.RunReport.PredictionSample;
import dev.sidefade.report.RunReport.TapSnapshot;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;

/** Reports made up for tests; the numbers mean nothing. */
final class SampleReports {
  private SampleReports() {}

  /** A report in which everything was measured. */
  static RunReport full() {
    List<String> digits = IntStream.range(0, 10).mapToObj(Integer::toString).toList();
    RunReportBuilder builder =
        RunReport.builder("Handwritten digits on a small ViT")
            .task("classification")
            .classNames(digits)
            .seed(7)
            .device("cpu, 2 threads")
            .seconds(101.4)
            .config(config())
            .confusion(RunReport.TEST, confusion(10, 797, new Random(1)))
            .note("There were 600 rows without labels.")
            .environment("java", "25.0.1")
            .environment("onnxruntime", "1.29.0");
    accuracies(builder);
    costs(builder);
    epochs(builder, 30, 7);
    Random random = new Random(3);
    for (int i = 0; i < 12; i++) {
      String truth = digits.get(i % 10);
      String predicted = i % 5 == 4 ? digits.get(random.nextInt(10)) : truth;
      double probability = 0.5 + random.nextDouble() / 2;
      builder.prediction(new PredictionSample(png(truth), truth, predicted, probability));
    }
    return builder.build();
  }

  private static Map<String, Object> config() {
    Map<String, Object> side = new LinkedHashMap<>();
    side.put("kind", "transformer");
    side.put("width", 32);
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("tune", "final-norm");
    config.put("side", side);
    config.put("temperature", 2.0);
    config.put("taps", List.of(0, 2, 4));
    config.put("resume", false);
    config.put("val", null);
    return config;
  }

  private static void accuracies(RunReportBuilder builder) {
    builder
        .accuracy(RunReport.VAL, RunReport.LINEAR_PROBE, 0.915)
        .accuracy(RunReport.VAL, RunReport.SIDE, 0.945)
        .accuracy(RunReport.VAL, RunReport.FADED, 0.935)
        .accuracy(RunReport.TEST, RunReport.LINEAR_PROBE, 0.909)
        .accuracy(RunReport.TEST, RunReport.SIDE, 0.943)
        .accuracy(RunReport.TEST, RunReport.FADED, 0.931);
  }

  private static void costs(RunReportBuilder builder) {
    builder
        .latency(RunReport.BATCH_1, RunReport.ORIGINAL, new Latency(0.712, 0.70, 0.75))
        .latency(RunReport.BATCH_1, RunReport.FADED, new Latency(0.716, 0.70, 0.76))
        .latency(RunReport.BATCH_1, RunReport.KEPT, new Latency(0.983, 0.95, 1.1))
        .latency(RunReport.BATCH_32, RunReport.ORIGINAL, new Latency(12.3, 12.1, 12.9))
        .latency(RunReport.BATCH_32, RunReport.FADED, new Latency(12.3, 12.0, 13.1))
        .latency(RunReport.BATCH_32, RunReport.KEPT, new Latency(14.9, 14.2, 15.8))
        .parameters(RunReport.BACKBONE, 1_204_234)
        .parameters(RunReport.TUNED, 1_546)
        .parameters(RunReport.SIDE, 131_220)
        .memoryBytes(RunReport.TRAINING_PEAK, 48_200_000)
        .memoryBytes(RunReport.TAPS, 7_800_000)
        .memoryBytes("feature_cache", 19_000_000)
        .fileBytes(RunReport.ORIGINAL, 4_812_345)
        .fileBytes(RunReport.FADED, 4_815_901)
        .fileBytes(RunReport.KEPT, 5_340_001)
        .fileBytes(RunReport.DELTA, 7_204);
  }

  private static void epochs(RunReportBuilder builder, int count, int taps) {
    builder.tapNames(IntStream.range(0, taps).mapToObj(i -> "block " + i).toList());
    for (int e = 1; e <= count; e++) {
      double left = 1 - (double) e / count;
      Map<String, Double> losses = new LinkedHashMap<>();
      losses.put("side cross-entropy", 0.05 + 2.2 * Math.exp(-e / 5.0));
      losses.put("backbone cross-entropy", 0.12 + 2.2 * Math.exp(-e / 6.0));
      losses.put("logit distillation", 0.02 + 0.5 * Math.exp(-e / 8.0));
      OptionalDouble faded = OptionalDouble.of(0.935 - 0.5 * Math.exp(-e / 4.0));
      OptionalDouble side = OptionalDouble.of(0.945 - 0.7 * Math.exp(-e / 4.0));
      builder.epoch(new EpochRow(e, losses, faded, side, 3e-3 * left, 1.9));
      int epoch = e;
      List<Double> gates =
          IntStream.range(0, taps)
              .mapToObj(t -> 1 / (1 + Math.exp(-(t - 3.0) * epoch / count)))
              .toList();
      builder.tapSnapshot(new TapSnapshot(e, gates, OptionalDouble.of(left)));
    }
  }

  /** A plausible matrix: mostly right, a few mistakes anywhere. */
  static long[][] confusion(int classes, int rows, Random random) {
    long[][] counts = new long[classes][classes];
    for (int i = 0; i < rows; i++) {
      int truth = random.nextInt(classes);
      counts[truth][random.nextInt(12) == 0 ? random.nextInt(classes) : truth]++;
    }
    return counts;
  }

  static byte[] png(String text) {
    BufferedImage image = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
    Graphics2D graphics = image.createGraphics();
    graphics.setColor(Color.WHITE);
    graphics.setFont(new Font(Font.SERIF, Font.PLAIN, 24));
    graphics.drawString(text, 8, 23);
    graphics.dispose();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}

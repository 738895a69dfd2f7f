package dev.sidefade;

import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSpec;
import dev.sidefade.report.RunReport;
import dev.sidefade.report.RunReportBuilder;
import dev.sidefade.train.Evaluation;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;

/** Confusion matrix and some predictions with their images, as the model sees them. */
final class ReportPictures {
  private ReportPictures() {}

  static void add(
      RunReportBuilder report,
      AdaptationFigures figures,
      AdaptationData data,
      Preprocessing preprocessing,
      int most)
      throws IOException {
    Map.Entry<String, Evaluation> shown = figures.shown();
    Evaluation evaluation = shown.getValue();
    report.confusion(shown.getKey(), evaluation.confusion());
    ImageSource images =
        shown.getKey().equals(RunReport.TEST) ? data.test().orElseThrow() : data.validation();
    ImageSpec spec = AdaptationData.spec(preprocessing);
    List<String> names = data.classNames();
    int count = Math.min(most, images.size());
    for (int i = 0; i < count; i++) {
      // spread over the whole set: class folders come sorted
      int example = (int) ((long) i * images.size() / count);
      int label = evaluation.labels()[example];
      report.prediction(
          new RunReport.PredictionSample(
              png(images, example, spec),
              label < 0 ? "" : names.get(label),
              names.get(evaluation.predicted()[example]),
              evaluation.probability()[example]));
    }
  }

  private static byte[] png(ImageSource images, int example, ImageSpec spec) throws IOException {
    float[] pixels = new float[spec.size()];
    images.decode(example, spec, pixels, 0);
    BufferedImage image =
        new BufferedImage(spec.width(), spec.height(), BufferedImage.TYPE_INT_RGB);
    int plane = spec.height() * spec.width();
    for (int at = 0; at < plane; at++) {
      int rgb = 0;
      for (int c = 0; c < 3; c++) {
        int channel = Math.min(c, spec.channels() - 1);
        float level = pixels[channel * plane + at] * spec.stdOf(channel) + spec.meanOf(channel);
        rgb = rgb << 8 | Math.clamp(Math.round(level * 255), 0, 255);
      }
      image.setRGB(at % spec.width(), at / spec.width(), rgb);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(image, "png", out);
    return out.toByteArray();
  }
}

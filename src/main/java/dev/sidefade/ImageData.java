package dev.sidefade;

import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.data.Augmentation;
import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSources;
import dev.sidefade.data.ImageSpec;
import dev.sidefade.data.Resizing;
import dev.sidefade.data.Split;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Closer;
import dev.sidefade.train.ImageExamples;
import dev.sidefade.train.ImageSet;
import dev.sidefade.train.ImageSubset;
import dev.sidefade.train.Task;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;

/** Opens the images of an adaptation. */
final class ImageData {
  private final AdaptConfig config;
  private final ImageSpec spec;
  private final String input;
  private final Closer opened = new Closer();
  private final List<String> notes = new ArrayList<>();

  private ImageData(AdaptConfig config, ImageSpec spec, String input) {
    this.config = config;
    this.spec = spec;
    this.input = input;
  }

  /**
   * Opens all sources.
   *
   * @param input name of the backbone's input
   */
  static AdaptationData open(AdaptConfig config, Preprocessing preprocessing, String input)
      throws IOException {
    ImageData data = new ImageData(config, spec(preprocessing), input);
    try {
      return data.open();
    } catch (RuntimeException | IOException e) {
      data.opened.close();
      throw e;
    }
  }

  private AdaptationData open() throws IOException {
    ImageSource train = open(config.train(), "training", Optional.empty());
    List<String> classes = train.classNames();
    requireLabels(train, config.train());
    AdaptationData.requireClasses(classes, config.train());
    ImageSource unlabelled =
        config.unlabelled().isEmpty()
            ? null
            : open(config.unlabelled().get(), "unlabelled", Optional.empty());
    ImageSource without = chosen(train, label -> label < 0);
    if (without.size() > 0) {
      notes.add(AdaptationData.unlabelledNote(without.size()));
      unlabelled = new ImageSet(without, unlabelled);
      train = chosen(train, label -> label >= 0);
    }
    Optional<List<String>> fixed = Optional.of(classes);
    ImageSource test = config.test().isEmpty() ? null : open(config.test().get(), "test", fixed);
    ImageSource validation;
    if (config.validation().isPresent()) {
      validation = open(config.validation().get(), "validation", fixed);
      requireLabels(validation, config.validation().get());
    } else {
      Split split = Split.holdOut(train.labels(), AdaptationData.HELD_OUT, config.seed());
      notes.add(AdaptationData.heldOutNote(split.heldOut().length, train.size()));
      validation = new ImageSubset(train, split.heldOut());
      train = new ImageSubset(train, split.train());
    }
    Augmentation augmentation = new Augmentation(config.flip(), config.shift());
    return new AdaptationData(
        Task.CLASSES,
        examples(new ImageSet(train, unlabelled), augmentation),
        train.size(),
        examples(validation, Augmentation.NONE),
        Optional.ofNullable(test).map(images -> examples(images, Augmentation.NONE)),
        classes,
        Optional.empty(),
        notes,
        (ofTest, example, truth, predicted, probability) ->
            new RunReport.PredictionSample(
                png(ofTest ? Objects.requireNonNull(test) : validation, example),
                truth,
                predicted,
                probability),
        opened);
  }

  private static ImageSource chosen(ImageSource images, IntPredicate label) {
    int[] labels = images.labels();
    return new ImageSubset(
        images, IntStream.range(0, labels.length).filter(i -> label.test(labels[i])).toArray());
  }

  private ImageExamples examples(ImageSource images, Augmentation augmentation) {
    return new ImageExamples(images, spec, augmentation, config.seed(), input);
  }

  private ImageSource open(String source, String what, Optional<List<String>> classes)
      throws IOException {
    ImageSource images =
        opened.add(ImageSources.open(source, new ImageSources.Options(config.strict(), classes)));
    if (images.skipped() > 0) {
      notes.add(
          images.skipped()
              + " unreadable "
              + what
              + " images were skipped, the first: "
              + images.skippedReasons().getFirst());
    }
    return images;
  }

  private static void requireLabels(ImageSource images, String source) {
    if (IntStream.of(images.labels()).allMatch(label -> label < 0)) {
      throw new BadInputException(
          "the source "
              + source
              + " has no labels: give a class-folder tree, an IDX file with labels beside it or a"
              + " list file with labels");
    }
  }

  /**
   * How images become the backbone's input: what stands beside the model, unless the user says
   * otherwise.
   */
  static Preprocessing preprocessing(AdaptConfig config, Preprocessing found) {
    return new Preprocessing(
        found.channels(),
        found.height(),
        found.width(),
        config.mean().isEmpty() ? found.mean() : floats(config.mean()),
        config.std().isEmpty() ? found.std() : floats(config.std()),
        found.resize(),
        found.keepsAspect(),
        found.crop());
  }

  static ImageSpec spec(Preprocessing p) {
    return new ImageSpec(
        p.channels(),
        p.height(),
        p.width(),
        p.mean(),
        p.std(),
        new Resizing(interpolation(p.resize()), p.keepsAspect(), p.crop()));
  }

  private static Resizing.Interpolation interpolation(Preprocessing.Resize resize) {
    return switch (resize) {
      case BILINEAR -> Resizing.Interpolation.BILINEAR;
      case BICUBIC -> Resizing.Interpolation.BICUBIC;
    };
  }

  private static float[] floats(List<Double> values) {
    float[] out = new float[values.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = values.get(i).floatValue();
    }
    return out;
  }

  /** The image as the model sees it. */
  private byte[] png(ImageSource images, int example) throws IOException {
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

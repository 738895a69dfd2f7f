package dev.sidefade;

import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSources;
import dev.sidefade.data.ImageSpec;
import dev.sidefade.data.Split;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.train.ImageSet;
import dev.sidefade.train.ImageSubset;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The images of an adaptation, opened and checked.
 *
 * @param train labelled rows, then unlabelled ones
 * @param labelled number of the former
 * @param validation given, or split off the training rows
 * @param test if given
 * @param classNames by label
 * @param notes what the user should know
 * @param opened everything to close
 */
record AdaptationData(
    ImageSource train,
    int labelled,
    ImageSource validation,
    Optional<ImageSource> test,
    List<String> classNames,
    List<String> notes,
    List<ImageSource> opened)
    implements AutoCloseable {
  /** Share of the training rows that is split off when no validation set is given. */
  private static final double HELD_OUT = 0.2;

  static AdaptationData open(AdaptConfig config) throws IOException {
    List<ImageSource> opened = new ArrayList<>();
    try {
      return open(config, opened);
    } catch (RuntimeException | IOException e) {
      opened.forEach(ImageSource::close);
      throw e;
    }
  }

  private static AdaptationData open(AdaptConfig config, List<ImageSource> opened)
      throws IOException {
    List<String> notes = new ArrayList<>();
    ImageSource train = open(config.train(), "training", Optional.empty(), config, opened, notes);
    List<String> classes = train.classNames();
    requireLabels(train, classes, config.train());
    ImageSource unlabelled =
        config.unlabelled().isEmpty()
            ? null
            : open(
                config.unlabelled().get(), "unlabelled", Optional.empty(), config, opened, notes);
    Optional<List<String>> fixed = Optional.of(classes);
    Optional<ImageSource> test =
        config.test().isEmpty()
            ? Optional.empty()
            : Optional.of(open(config.test().get(), "test", fixed, config, opened, notes));
    ImageSource validation;
    if (config.validation().isPresent()) {
      validation = open(config.validation().get(), "validation", fixed, config, opened, notes);
      requireLabels(validation, classes, config.validation().get());
    } else {
      Split split = Split.holdOut(train.labels(), HELD_OUT, config.seed());
      notes.add(
          "No validation set was given: "
              + split.heldOut().length
              + " of "
              + train.size()
              + " training examples were held out for it.");
      validation = new ImageSubset(train, split.heldOut());
      train = new ImageSubset(train, split.train());
    }
    return new AdaptationData(
        new ImageSet(train, unlabelled), train.size(), validation, test, classes, notes, opened);
  }

  private static ImageSource open(
      String source,
      String what,
      Optional<List<String>> classes,
      AdaptConfig config,
      List<ImageSource> opened,
      List<String> notes)
      throws IOException {
    ImageSource images =
        ImageSources.open(source, new ImageSources.Options(config.strict(), classes));
    opened.add(images);
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

  private static void requireLabels(ImageSource train, List<String> classes, String source) {
    if (IntStream.of(train.labels()).allMatch(label -> label < 0)) {
      throw new BadInputException(
          "the source "
              + source
              + " has no labels: give a class-folder tree, an IDX file with labels beside it or a"
              + " list file with labels");
    }
    if (classes.size() < 2) {
      throw new BadInputException(
          "the training source "
              + source
              + " has only one class, "
              + classes
              + ": at least two are needed");
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
        found.crop());
  }

  static ImageSpec spec(Preprocessing p) {
    return new ImageSpec(p.channels(), p.height(), p.width(), p.mean(), p.std(), p.crop());
  }

  private static float[] floats(List<Double> values) {
    float[] out = new float[values.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = values.get(i).floatValue();
    }
    return out;
  }

  @Override
  public void close() {
    opened.forEach(ImageSource::close);
  }
}

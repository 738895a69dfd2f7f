package dev.sidefade;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.data.Augmentation;
import dev.sidefade.data.BatchLoader;
import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSources;
import dev.sidefade.data.ImageSpec;
import dev.sidefade.export.ModelCard;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.ort.OneEnvironment;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Runs a model that {@link Sidefade#adapt} exported on images. The model itself says how images are
 * prepared and what its classes are called. May be used by several threads at once.
 */
public final class Predictor implements AutoCloseable {
  private static final int BATCH = 32;

  private final Path file;
  private final ModelCard card;
  private final ImageSpec spec;
  private final OrtEnvironment environment = OneEnvironment.get();
  private final OrtSession session;
  private final String input;
  private final PredictionListener listener;

  private Predictor(
      Path file, ModelCard card, ImageSpec spec, OrtSession session, PredictionListener listener) {
    this.file = file;
    this.listener = listener;
    this.card = card;
    this.spec = spec;
    this.session = session;
    this.input = session.getInputNames().iterator().next();
  }

  /**
   * Opens a model.
   *
   * @param model file of the exported model
   * @param threads that compute one operator; 0 leaves the choice to ONNX Runtime
   * @return the predictor, to be closed
   * @throws BadInputException if the file is no ONNX model or was not exported by Sidefade
   * @throws IOException if the file cannot be read
   */
  public static Predictor open(Path model, int threads) throws IOException {
    return open(model, threads, PredictionListener.SILENT);
  }

  /**
   * Opens a model whose calls are measured.
   *
   * @param model file of the exported model
   * @param threads that compute one operator; 0 leaves the choice to ONNX Runtime
   * @param listener hears of every call of {@link #predict}
   * @return the predictor, to be closed
   * @throws BadInputException if the file is no ONNX model or was not exported by Sidefade
   * @throws IOException if the file cannot be read
   */
  public static Predictor open(Path model, int threads, PredictionListener listener)
      throws IOException {
    ModelCard card =
        ModelCard.read(OnnxModel.read(model))
            .orElseThrow(() ->
                new BadInputException(
                    model + " does not say what its classes are: use a model that adapt exported"));
    Preprocessing preprocessing =
        card.preprocessing()
            .orElseThrow(() ->
                new BadInputException(
                    model
                        + (card.text().isPresent()
                            ? " takes texts and no images: give its tokenizer with --tokenizer"
                            : " does not take images: it cannot be used here")));
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setMemoryPatternOptimization(false);
      OrtSession session = OneEnvironment.get().createSession(model.toString(), options);
      return new Predictor(model, card, ImageData.spec(preprocessing), session, listener);
    } catch (OrtException e) {
      throw new BadInputException(
          "ONNX Runtime cannot load "
              + model
              + ": "
              + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
          e);
    }
  }

  /** {@return names of the classes in the order of the logits} */
  public List<String> labels() {
    return card.labels();
  }

  /**
   * {@return the {@code top} most probable classes of an image file, the most probable first}
   *
   * @param image the image file
   * @param top number of classes at most
   * @throws BadInputException if there is no such file, or it is no image
   * @throws IOException if the file cannot be read
   */
  public List<Prediction> predict(Path image, int top) throws IOException {
    long begin = System.nanoTime();
    try (ImageSource source = ImageSources.single(image)) {
      float[] pixels = new float[spec.size()];
      source.decode(0, spec, pixels, 0);
      float[] logits = run(FloatBuffer.wrap(pixels), 1)[0];
      List<Prediction> ranked = Ranking.of(logits, labels()).stream().limit(top).toList();
      listener.predicted(1, Duration.ofNanos(System.nanoTime() - begin));
      return ranked;
    }
  }

  /**
   * Runs the model once on an empty image, so that the first real one does not wait for ONNX
   * Runtime to take its memory. The listener does not hear of it.
   */
  public void warmUp() {
    run(FloatBuffer.allocate(spec.size()), 1);
  }

  /**
   * Share of right answers, number of labelled examples, number of unreadable ones that were
   * skipped, and which classes were taken for which.
   *
   * @param accuracy share of right answers, in [0, 1]
   * @param examples number of images with a label
   * @param skipped number of images that could not be read
   * @param confusion confusion[truth][predicted]; empty for more than 1000 classes, whose matrix
   *     nobody reads and may not fit into memory
   */
  public record Evaluation(double accuracy, long examples, int skipped, long[][] confusion) {}

  /**
   * {@return accuracy over labelled images}
   *
   * @param source as {@link AdaptConfig#train}; folder names are looked up in the model's classes
   * @param strict whether one unreadable image is an error
   * @throws IOException if an image cannot be read
   */
  public Evaluation evaluate(String source, boolean strict) throws IOException {
    Optional<List<String>> classes = Optional.of(labels());
    try (ImageSource images =
        ImageSources.open(source, new ImageSources.Options(strict, classes))) {
      int counted = labels().size() <= ReportSamples.MOST_CONFUSED ? labels().size() : 0;
      long[][] confusion = new long[counted][counted];
      int[] order = IntStream.range(0, images.size()).filter(i -> images.label(i) >= 0).toArray();
      if (order.length == 0) {
        throw new BadInputException("the source " + source + " has no labels to compare with");
      }
      long right = 0;
      try (BatchLoader loader =
          new BatchLoader(images, spec, Augmentation.NONE, 0, 0, order, BATCH)) {
        for (var batch = loader.next(); batch.isPresent(); batch = loader.next()) {
          right += count(batch.get(), confusion);
        }
      }
      return new Evaluation(
          (double) right / order.length, order.length, images.skipped(), confusion);
    }
  }

  /** How many of a batch are right; counts all where there is a matrix. */
  private int count(BatchLoader.Batch batch, long[][] confusion) {
    FloatBuffer pixels =
        batch
            .images()
            .segment()
            .asByteBuffer()
            .order(java.nio.ByteOrder.nativeOrder())
            .asFloatBuffer();
    float[][] logits = run(pixels, batch.size());
    int right = 0;
    for (int i = 0; i < batch.size(); i++) {
      int best = 0;
      for (int c = 1; c < logits[i].length; c++) {
        best = logits[i][c] > logits[i][best] ? c : best;
      }
      right += best == batch.labels()[i] ? 1 : 0;
      if (confusion.length > 0) {
        confusion[batch.labels()[i]][best]++;
      }
    }
    return right;
  }

  private float[][] run(FloatBuffer pixels, int batch) {
    long[] shape = {batch, spec.channels(), spec.height(), spec.width()};
    try (OnnxTensor images = OnnxTensor.createTensor(environment, pixels, shape);
        OrtSession.Result result = session.run(Map.of(input, images))) {
      return (float[][]) result.get(0).getValue();
    } catch (OrtException e) {
      throw new IllegalStateException(
          "ONNX Runtime failed on "
              + file
              + ": "
              + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
          e);
    }
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException("ONNX Runtime failed to close " + file, e);
    }
  }
}

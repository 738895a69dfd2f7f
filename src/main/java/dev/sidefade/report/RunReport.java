package dev.sidefade.report;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Everything that a finished run has to tell, immutable. A number that is not finite, and a name
 * that is not in its map, was not measured. Maps that have an order keep it, others are sorted by
 * name, so that the same report always gives the same bytes. Make one with {@link #builder}.
 *
 * @param title what it is called
 * @param task kind of task in words, such as {@code classification}
 * @param classNames in the order of the model's outputs
 * @param seed of the run
 * @param device what computed, for people
 * @param seconds of the whole run
 * @param config every option of the run; nested maps and lists are welcome
 * @param history one row per finished epoch
 * @param scoreName the measure by which models are compared, larger is better: {@link #ACCURACY},
 *     {@link #F1} or {@link #SPEARMAN}
 * @param measures measure ({@link #ACCURACY}, {@link #F1}, {@link #SPEARMAN}, {@link #PEARSON},
 *     {@link #MSE}, others) to split ({@link #VAL}, {@link #TEST}) to model ({@link #LINEAR_PROBE},
 *     {@link #SIDE}, {@link #FADED}, others) to its value; shares are in [0, 1]
 * @param withoutUnlabelled split to model to the score of the same training without the rows that
 *     have no labels
 * @param latencyMs batch ({@link #BATCH_1}, {@link #BATCH_32}) to model ({@link #ORIGINAL}, {@link
 *     #FADED}, {@link #KEPT}) to milliseconds per call
 * @param parameters counts: {@link #BACKBONE}, {@link #TUNED}, {@link #SIDE}, others
 * @param memoryBytes {@link #TRAINING_PEAK}, {@link #TAPS}, {@link #ACTIVATIONS_KEPT}, {@link
 *     #FEATURE_CACHE}, others
 * @param fileBytes {@link #ORIGINAL}, {@link #FADED}, {@link #KEPT}, {@link #DELTA}, others
 * @param confusion of each split
 * @param exports files of the adapted model in other precisions, opsets and formats, {@code
 *     model.onnx} first; empty where none were asked for
 * @param tapNames of the side network's taps, the shallowest first
 * @param tapSnapshots gates and mask as they were at the end of epochs
 * @param predictions some examples with what the faded model says
 * @param environment names to versions and machine, such as {@code java} or {@code onnxruntime}
 * @param notes plain sentences for the reader
 */
public record RunReport(
    String title,
    String task,
    List<String> classNames,
    long seed,
    String device,
    double seconds,
    Map<String, Object> config,
    List<EpochRow> history,
    String scoreName,
    Map<String, Map<String, Map<String, Double>>> measures,
    Map<String, Map<String, Double>> withoutUnlabelled,
    Map<String, Map<String, Latency>> latencyMs,
    Map<String, Long> parameters,
    Map<String, Long> memoryBytes,
    Map<String, Long> fileBytes,
    List<Export> exports,
    Optional<Confusion> confusion,
    List<String> tapNames,
    List<TapSnapshot> tapSnapshots,
    List<PredictionSample> predictions,
    Map<String, String> environment,
    List<String> notes) {
  public static final String ACCURACY = "accuracy";
  public static final String F1 = "f1";
  public static final String SPEARMAN = "spearman";
  public static final String PEARSON = "pearson";
  public static final String MSE = "mse";
  public static final String VAL = "val";
  public static final String TEST = "test";
  public static final String LINEAR_PROBE = "linear_probe";
  public static final String SIDE = "side";
  public static final String FADED = "faded";
  public static final String BATCH_1 = "batch1";
  public static final String BATCH_32 = "batch32";
  public static final String ORIGINAL = "original";
  public static final String KEPT = "kept";
  public static final String DELTA = "delta";
  public static final String BACKBONE = "backbone";
  public static final String TUNED = "tuned";
  public static final String TRAINING_PEAK = "training_peak";

  /**
   * In {@link #memoryBytes}: the peak while the linear probe alone was trained, where it was
   * measured.
   */
  public static final String PROBE_PEAK = "linear_probe_peak";

  /** In {@link #memoryBytes}: frozen features that one step reads. */
  public static final String TAPS = "taps";

  /**
   * In {@link #memoryBytes}: what a step keeps of the backbone's inside for the gradients of its
   * constants.
   */
  public static final String ACTIVATIONS_KEPT = "activations_kept";

  /** In {@link #memoryBytes}: features that are computed once and read in every epoch. */
  public static final String FEATURE_CACHE = "feature_cache";

  /** Copies what can change. */
  public RunReport {
    classNames = List.copyOf(classNames);
    config = Ordered.deepCopy(config);
    history = List.copyOf(history);
    measures = Ordered.copyOfDeeplyNested(measures);
    withoutUnlabelled = Ordered.copyOfNested(withoutUnlabelled);
    latencyMs = Ordered.copyOfNested(latencyMs);
    parameters = Ordered.copyOf(parameters);
    memoryBytes = Ordered.copyOf(memoryBytes);
    fileBytes = Ordered.copyOf(fileBytes);
    exports = List.copyOf(exports);
    tapNames = List.copyOf(tapNames);
    tapSnapshots = List.copyOf(tapSnapshots);
    predictions = List.copyOf(predictions);
    environment = Ordered.copyOf(environment);
    notes = List.copyOf(notes);
    int taps = tapNames.size();
    for (TapSnapshot snapshot : tapSnapshots) {
      if (snapshot.gates.size() != taps) {
        throw new IllegalArgumentException(
            "epoch %d has %d gates for %d taps"
                .formatted(snapshot.epoch, snapshot.gates.size(), taps));
      }
    }
    int classes = classNames.size();
    if (confusion.isPresent() && confusion.get().counts.length != classes) {
      throw new IllegalArgumentException(
          "the confusion matrix has %d rows for %d class names"
              .formatted(confusion.get().counts.length, classes));
    }
  }

  /**
   * Starts a report about which nothing but its title is known.
   *
   * @param title what it is called
   * @return the builder
   */
  public static RunReportBuilder builder(String title) {
    return new RunReportBuilder(title);
  }

  /**
   * {@return a measure of a model on a split, empty where it was not measured}
   *
   * @param measure name of the measure
   * @param split name of the split
   * @param model the model
   */
  public OptionalDouble measure(String measure, String split, String model) {
    return finite(measures.getOrDefault(measure, Map.of()).getOrDefault(split, Map.of()), model);
  }

  /**
   * {@return the measure by which models are compared, empty where it was not measured}
   *
   * @param split name of the split
   * @param model the model
   */
  public OptionalDouble score(String split, String model) {
    return measure(scoreName, split, model);
  }

  /**
   * {@return the accuracy of a model on a split, empty where it was not measured}
   *
   * @param split name of the split
   * @param model the model
   */
  public OptionalDouble accuracy(String split, String model) {
    return measure(ACCURACY, split, model);
  }

  /**
   * {@return the score of the same training without rows that have no labels, empty where it is
   * unknown}
   *
   * @param split name of the split
   * @param model the model
   */
  public OptionalDouble withoutUnlabelled(String split, String model) {
    return finite(withoutUnlabelled.getOrDefault(split, Map.of()), model);
  }

  private static OptionalDouble finite(Map<String, Double> values, String model) {
    Double value = values.get(model);
    return value == null || !Double.isFinite(value)
        ? OptionalDouble.empty()
        : OptionalDouble.of(value);
  }

  /**
   * {@return the latency of a model at a batch size, empty where it was not measured}
   *
   * @param batch name of the batch size
   * @param model the model
   */
  public Optional<Latency> latency(String batch, String model) {
    return Optional.ofNullable(latencyMs.getOrDefault(batch, Map.of()).get(model))
        .filter(latency -> Double.isFinite(latency.median));
  }

  /**
   * One epoch of training.
   *
   * @param epoch counted from 1
   * @param losses mean of each loss term over the epoch, by name
   * @param valFaded score of the backbone alone on the validation rows
   * @param valSide score of the side network on the validation rows
   * @param learningRate of the side network at the end of the epoch
   * @param seconds that the epoch took, evaluation included
   */
  public record EpochRow(
      int epoch,
      Map<String, Double> losses,
      OptionalDouble valFaded,
      OptionalDouble valSide,
      double learningRate,
      double seconds) {
    /** Copies the map. */
    public EpochRow {
      losses = Ordered.copyOf(losses);
    }
  }

  /**
   * Milliseconds per call: the median and the interval that was seen; NaN ends mean that none is
   * known.
   *
   * @param median half of the calls took less
   * @param low lower end
   * @param high upper end
   */
  public record Latency(double median, double low, double high) {}

  /**
   * One file of the adapted model, measured as its users run it.
   *
   * @param file its name in the folder of the results
   * @param precision of its weights: {@code fp32}, {@code fp16} or {@code int8}
   * @param opset of its operators
   * @param format {@code onnx} or {@code ort}
   * @param bytes its size, with external data beside it
   * @param measures measure to split to value, as in {@link RunReport#measures}
   * @param latencyMs batch to milliseconds per call; empty where it was not measured
   */
  public record Export(
      String file,
      String precision,
      long opset,
      String format,
      long bytes,
      Map<String, Map<String, Double>> measures,
      Map<String, Latency> latencyMs) {
    /** Copies the maps. */
    public Export {
      measures = Ordered.copyOfNested(measures);
      latencyMs = Ordered.copyOf(latencyMs);
    }
  }

  /**
   * How often each class was taken for each.
   *
   * @param split the rows that were counted
   * @param counts square; {@code counts[truth][predicted]}
   */
  public record Confusion(String split, long[][] counts) {
    /** Copies the counts, which must be square. */
    public Confusion {
      counts = copy(counts);
      for (long[] row : counts) {
        if (row.length != counts.length) {
          throw new IllegalArgumentException(
              "a confusion matrix of " + counts.length + " rows has a row of " + row.length);
        }
      }
    }

    /** {@return a copy of {@code counts[truth][predicted]}} */
    @Override
    public long[][] counts() {
      return copy(counts);
    }

    private static long[][] copy(long[][] matrix) {
      long[][] copy = new long[matrix.length][];
      for (int i = 0; i < copy.length; i++) {
        copy[i] = matrix[i].clone();
      }
      return copy;
    }
  }

  /**
   * The ladder at the end of an epoch.
   *
   * @param epoch from 1
   * @param gates one per tap in [0, 1]: the share that is taken from the side state, not the
   *     backbone
   * @param maskKeepRatio share of tokens that the mask keeps, empty where there is no mask
   */
  public record TapSnapshot(int epoch, List<Double> gates, OptionalDouble maskKeepRatio) {
    /** Copies the list. */
    public TapSnapshot {
      gates = List.copyOf(gates);
    }
  }

  /**
   * One example with what the faded model says about it.
   *
   * @param pngImage the example as a PNG file, empty where it is no image
   * @param text the example in words, empty where it is an image
   * @param truth the right answer, empty where none is known
   * @param predicted what the model says
   * @param probability of the predicted class, in [0, 1]; NaN where a number was predicted
   */
  public record PredictionSample(
      byte[] pngImage, String text, String truth, String predicted, double probability) {
    private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

    /** Copies the image, which must be a PNG file or empty. */
    public PredictionSample {
      pngImage = pngImage.clone();
      if (pngImage.length > 0 && !startsAsPng(pngImage)) {
        throw new IllegalArgumentException("the image of a prediction must be a PNG file or empty");
      }
    }

    /**
     * A sample without words.
     *
     * @param pngImage the example as a PNG file
     * @param truth its label
     * @param predicted what the model says
     * @param probability of what is predicted, in [0, 1]
     */
    public PredictionSample(byte[] pngImage, String truth, String predicted, double probability) {
      this(pngImage, "", truth, predicted, probability);
    }

    /**
     * {@return a sample that is no image}
     *
     * @param text the example in words
     * @param truth its label
     * @param predicted what the model says
     * @param probability of what is predicted, in [0, 1]
     */
    public static PredictionSample ofText(
        String text, String truth, String predicted, double probability) {
      return new PredictionSample(new byte[0], text, truth, predicted, probability);
    }

    private static boolean startsAsPng(byte[] bytes) {
      return bytes.length >= 24
          && java.util.Arrays.equals(bytes, 0, PNG.length, PNG, 0, PNG.length);
    }

    /** {@return a copy of the PNG file; empty where the example is no image} */
    @Override
    public byte[] pngImage() {
      return pngImage.clone();
    }

    /** {@return whether the answer is a class, which is right or wrong} */
    public boolean isClass() {
      return Double.isFinite(probability);
    }

    /** {@return whether the prediction is the truth} */
    public boolean isRight() {
      return truth.equals(predicted);
    }

    /** Width in pixels as the PNG header says, 0 without an image. */
    int imageWidth() {
      return pngImage.length == 0 ? 0 : java.nio.ByteBuffer.wrap(pngImage).getInt(16);
    }
  }
}

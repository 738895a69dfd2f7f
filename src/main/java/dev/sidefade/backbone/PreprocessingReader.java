package dev.sidefade.backbone;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Finds how images must be prepared for a model: in {@code NAME.json} beside {@code NAME.onnx}, in
 * {@code preprocessor_config.json} of the same folder, in the model's metadata; where nothing is
 * said, mean and std are 0.5.
 */
final class PreprocessingReader {
  /** Metadata property of a model that holds {@link Preprocessing#toJson()}. */
  static final String PROPERTY = "sidefade.preprocessing";

  private static final double EIGHT_BITS = 1 / 255.0;
  private static final int PIL_BILINEAR = 2;
  private static final int PIL_BICUBIC = 3;

  private PreprocessingReader() {}

  /**
   * The pre-processing of the model at {@code file}.
   *
   * @param file the model, or null when it came from memory
   * @param channels what the model's input says; -1 where it leaves it open; so also height and
   *     width
   * @throws BadInputException if a source is malformed, contradicts the model, or nothing says how
   *     large images are
   */
  static Preprocessing read(
      Path file, Map<String, String> metadata, int channels, int height, int width)
      throws IOException {
    Optional<JsonFields> fields = file == null ? Optional.empty() : beside(file);
    if (fields.isEmpty() && metadata.containsKey(PROPERTY)) {
      String source = "metadata property " + PROPERTY;
      fields = Optional.of(JsonFields.parse(source, metadata.get(PROPERTY)));
    }
    if (fields.isPresent()) {
      return fromFields(fields.get(), channels, height, width);
    }
    if (channels < 1 || height < 1 || width < 1) {
      throw new BadInputException(
          "the model leaves the size of its images open ("
              + channels
              + "x"
              + height
              + "x"
              + width
              + "); say \"preprocessing\": {\"channels\": .., \"size\": [height, width]} in a JSON"
              + " file of the same name beside it");
    }
    return Preprocessing.standard(channels, height, width);
  }

  /** The JSON document {@code NAME.json} beside {@code NAME.onnx}, if there is one. */
  static Optional<JsonFields> document(Path file) throws IOException {
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return parse(file.resolveSibling((dot > 0 ? name.substring(0, dot) : name) + ".json"));
  }

  /** Reads one object; sizes of -1 are not known from the model. */
  static Preprocessing fromFields(JsonFields fields, int channels, int height, int width) {
    checkScale(fields);
    boolean normalise = fields.flag("do_normalize").orElse(true);
    float[] mean = normalise ? floats(fields, "mean", "image_mean", 0.5f) : new float[] {0};
    float[] std = normalise ? floats(fields, "std", "image_std", 0.5f) : new float[] {1};
    int depth = agree(fields, "channels", fields.size("channels"), channels);
    int[] size = size(fields, height, width);
    double crop = crop(fields, size);
    try {
      return new Preprocessing(
          depth,
          size[0],
          size[1],
          mean,
          std,
          interpolation(fields),
          keepsAspect(fields, crop),
          crop);
    } catch (BadInputException e) {
      throw new BadInputException(fields.source() + ": " + e.getMessage(), e);
    }
  }

  private static Optional<JsonFields> beside(Path file) throws IOException {
    Optional<JsonFields> document = document(file);
    if (document.isPresent()) {
      Optional<JsonFields> inner = document.get().child("preprocessing");
      if (inner.isPresent()) {
        return inner;
      }
      if (document.get().has("image_mean") || document.get().has("do_normalize")) {
        return document;
      }
    }
    return parse(file.resolveSibling("preprocessor_config.json"));
  }

  private static Optional<JsonFields> parse(Path json) throws IOException {
    if (!Files.isRegularFile(json)) {
      return Optional.empty();
    }
    try {
      return Optional.of(JsonFields.parse(json.getFileName().toString(), Files.readString(json)));
    } catch (CharacterCodingException e) {
      throw new BadInputException(
          json.getFileName() + " is not UTF-8 text; correct or remove it", e);
    }
  }

  /** Only scaling by 1/255 exists: anything else must not pass in silence. */
  private static void checkScale(JsonFields fields) {
    fields
        .number("rescale_factor")
        .filter(factor -> Math.abs(factor - EIGHT_BITS) > 1e-6)
        .ifPresent(factor -> {
          throw fields.wrong("rescale_factor", "1/255");
        });
    if (!fields.flag("do_rescale").orElse(true)) {
      throw fields.wrong("do_rescale", "true: pixels are always scaled to 0..1");
    }
  }

  /**
   * {@code resize} is ours, {@code interpolation} timm's, {@code resample} a number of PIL's in the
   * files of transformers.
   *
   * @throws BadInputException if it is one that does not exist here
   */
  private static Preprocessing.Resize interpolation(JsonFields fields) {
    for (String key : List.of("resize", "interpolation")) {
      Optional<String> said = fields.text(key);
      if (said.isPresent()) {
        return named(said.get())
            .orElseThrow(() -> fields.wrong(key, "\"bilinear\" or \"bicubic\""));
      }
    }
    Optional<Double> number = fields.number("resample");
    if (number.isPresent() && number.get() != PIL_BILINEAR && number.get() != PIL_BICUBIC) {
      throw fields.wrong("resample", "2 (bilinear) or 3 (bicubic)");
    }
    return number.isPresent() && number.get() == PIL_BICUBIC
        ? Preprocessing.Resize.BICUBIC
        : Preprocessing.Resize.BILINEAR;
  }

  private static Optional<Preprocessing.Resize> named(String text) {
    return Arrays.stream(Preprocessing.Resize.values())
        .filter(resize -> text.toUpperCase(Locale.ROOT).contains(resize.name()))
        .findFirst();
  }

  /**
   * What {@code aspect} says, or timm's {@code crop_mode}. Where neither does: kept where the files
   * of timm and transformers keep it (a {@code crop_pct}, a shortest edge, one number as the size
   * before the crop), stretched where they give both sides; in ours kept where something is cut
   * off.
   */
  private static boolean keepsAspect(JsonFields fields, double crop) {
    Optional<String> said = fields.text("aspect");
    if (said.isPresent()) {
      return switch (said.get()) {
        case Preprocessing.KEEP -> true;
        case Preprocessing.STRETCH -> false;
        default -> throw fields.wrong("aspect", "\"keep\" or \"stretch\"");
      };
    }
    if (fields.text("crop_mode").filter("squash"::equals).isPresent()) {
      return false;
    }
    if (fields.has("crop")) {
      return crop < 1;
    }
    if (fields.has("crop_pct") || shortestEdge(fields).isPresent()) {
      return true;
    }
    return cutsCentre(fields)
        && !makesSquare(fields)
        && !(fields.has("size") && fields.object().get("size").isJsonObject());
  }

  /** Processors of transformers for which one number as size is both sides. */
  private static boolean makesSquare(JsonFields fields) {
    String processor =
        fields
            .text("image_processor_type")
            .or(() -> fields.text("feature_extractor_type"))
            .orElse("");
    return processor.startsWith("DeiT") || processor.startsWith("Beit");
  }

  private static float[] floats(JsonFields fields, String key, String otherKey, float otherwise) {
    return fields
        .floats(key)
        .or(() -> fields.floats(otherKey))
        .orElseGet(() -> new float[] {otherwise});
  }

  /** What the file says must be what the model says, where both say something. */
  private static int agree(JsonFields fields, String key, Optional<Integer> said, int model) {
    if (said.isPresent() && model > 0 && said.get() != model) {
      throw fields.wrong(key, model + " as in the model's input");
    }
    if (said.isEmpty() && model < 1) {
      throw new BadInputException(
          fields.source()
              + " must say "
              + fields.path()
              + key
              + ", because the model leaves it open");
    }
    return said.orElse(model);
  }

  /**
   * Height and width of the model's input: {@code crop_size} beats {@code size} where the centre is
   * cut out.
   */
  private static int[] size(JsonFields fields, int height, int width) {
    String key = cutsCentre(fields) ? "crop_size" : "size";
    Optional<int[]> said =
        key.equals("size") && shortestEdge(fields).isPresent()
            ? shortestEdge(fields).map(edge -> new int[] {edge, edge})
            : fields.heightWidth(key);
    return new int[] {
      agree(fields, key, said.map(sides -> sides[0]), height),
      agree(fields, key, said.map(sides -> sides[1]), width)
    };
  }

  private static double crop(JsonFields fields, int[] size) {
    Optional<Double> said = fields.number("crop").or(() -> fields.number("crop_pct"));
    if (said.isEmpty() && cutsCentre(fields)) {
      int[] resized =
          shortestEdge(fields)
              .map(edge -> new int[] {edge, edge})
              .or(() -> fields.heightWidth("size"))
              .orElse(size);
      return Math.min(1, (double) size[0] / resized[0]);
    }
    double crop = said.orElse(1.0);
    if (!(crop > 0 && crop <= 1)) {
      throw fields.wrong(fields.has("crop") ? "crop" : "crop_pct", "in (0, 1]");
    }
    return crop;
  }

  private static boolean cutsCentre(JsonFields fields) {
    return fields.has("crop_size") && fields.flag("do_center_crop").orElse(true);
  }

  private static Optional<Integer> shortestEdge(JsonFields fields) {
    boolean object = fields.has("size") && fields.object().get("size").isJsonObject();
    return object ? fields.child("size").orElseThrow().size("shortest_edge") : Optional.empty();
  }
}

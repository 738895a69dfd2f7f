package dev.sidefade.export;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A file with only what training changed: {@code norm.scale}, {@code norm.shift} (where the final
 * norm was tuned), {@code head.weight} and {@code head.bias}, other constants under the names of
 * {@link TunedModel}, and low-rank changes as their factors {@code sidefade.linear.N.a} and {@code
 * sidefade.linear.N.b}; with the model's card and the hash of the backbone that it belongs to.
 * Applied to that backbone it gives the exported model, byte for byte.
 */
public final class Delta {
  private static final String FORMAT = "sidefade.delta";

  /** Version of a file with the tensors of the end only. */
  private static final String TAIL_ONLY = "1";

  /** Version of a file with constants or low-rank changes besides. */
  private static final String WITH_CONSTANTS = "2";

  private static final String POOLING = "sidefade.pooling";
  private static final String BASE_DATA = "sidefade.base_data_sha256";

  private Delta() {}

  /**
   * Writes the file, whole or not at all. The card must name this backbone.
   *
   * @param file the file
   * @param backbone the pretrained model and what it is made of
   * @param tuned what was tuned
   * @param card what the model will say of itself
   * @throws IOException if the file cannot be written
   */
  public static void write(Path file, Backbone backbone, TunedModel tuned, ModelCard card)
      throws IOException {
    Map<String, String> texts = new LinkedHashMap<>(card.properties());
    texts.put(FORMAT, tuned.isTailOnly() ? TAIL_ONLY : WITH_CONSTANTS);
    texts.put(POOLING, tuned.tail().pooling().name().toLowerCase(Locale.ROOT));
    Hashes.ofExternalData(backbone.model()).ifPresent(hash -> texts.put(BASE_DATA, hash));
    if (!card.baseSha256().equals(backbone.hash())) {
      throw new IllegalArgumentException(
          "the card names the backbone " + card.baseSha256() + ", but it is " + backbone.hash());
    }
    Safetensors.write(file, DeltaTensors.of(tuned), texts);
  }

  /**
   * Makes the faded model of a backbone and a delta.
   *
   * @param base the pretrained model
   * @param delta the delta of it
   * @param out the model to write
   * @throws BadInputException if one of the files is missing or malformed, or the backbone is not
   *     the one that the delta was trained on
   * @throws IOException if a file cannot be read or written
   */
  public static void apply(Path base, Path delta, Path out) throws IOException {
    apply(base, delta, out, ExportPlan.PLAIN);
  }

  /**
   * As {@link #apply(Path, Path, Path)}, with further files beside {@code out}.
   *
   * @param base the pretrained model
   * @param delta the delta of it
   * @param out the model to write
   * @param exports the further files
   * @return those files, in their order
   * @throws BadInputException also if the model cannot be written in the opset that is asked for;
   *     then nothing is written
   * @throws IllegalStateException if ONNX Runtime does not load one of the further files
   * @throws IOException if a file cannot be read or written
   */
  public static List<Path> apply(Path base, Path delta, Path out, ExportPlan exports)
      throws IOException {
    Safetensors.Content content = Safetensors.read(delta);
    Map<String, String> texts = content.metadata();
    boolean tailOnly = TAIL_ONLY.equals(texts.get(FORMAT));
    if (!tailOnly && !WITH_CONSTANTS.equals(texts.get(FORMAT))) {
      throw new BadInputException(
          delta
              + " is a safetensors file but no delta of this version of Sidefade; use the one that"
              + " adapt wrote");
    }
    ModelCard card = ModelCard.of(texts);
    Pooling pooling = pooling(delta, texts.get(POOLING));
    TunedModel tuned = DeltaTensors.read(delta, content.tensors(), pooling, tailOnly);
    if (!Files.isRegularFile(base)) {
      throw new BadInputException("there is no model file " + base + "; check the path");
    }
    refuseOther(base, delta, card.baseSha256(), Sha256.ofFile(base));
    try (Backbone backbone = Backbone.load(base)) {
      if (texts.containsKey(BASE_DATA)) {
        String data = Hashes.ofExternalData(backbone.model()).orElse("none");
        refuseOther(
            base.resolveSibling("the data beside " + base.getFileName()),
            delta,
            texts.get(BASE_DATA),
            data);
      }
      OnnxModel model = FadedModel.build(backbone, tuned, card);
      exports.check(model);
      Export.write(model, out);
      return List.copyOf(exports.write(model, out, Optional.empty()).values());
    }
  }

  private static void refuseOther(Path base, Path delta, String wanted, String found) {
    if (!wanted.equals(found)) {
      throw new BadInputException(
          delta
              + " was trained on a backbone with SHA-256 "
              + wanted
              + ", but "
              + base
              + " has "
              + found
              + "; use the backbone that it was trained on");
    }
  }

  private static Pooling pooling(Path delta, @Nullable String name) {
    for (Pooling pooling : Pooling.values()) {
      if (pooling.name().toLowerCase(Locale.ROOT).equals(name)) {
        return pooling;
      }
    }
    throw new BadInputException(
        delta
            + " names the read-out "
            + name
            + ", but cls, mean, cls_mean or tokens was expected; use the one that adapt wrote");
  }
}

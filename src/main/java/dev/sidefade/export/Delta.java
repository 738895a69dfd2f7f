package dev.sidefade.export;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A file with only what training changed: {@code norm.scale}, {@code norm.shift} (where the norm
 * was tuned), {@code head.weight} and {@code head.bias}, with the model's card and the hash of the
 * backbone that it belongs to. Applied to that backbone it gives the exported model, byte for byte.
 */
public final class Delta {
  private static final String FORMAT = "sidefade.delta";
  private static final String POOLING = "sidefade.pooling";
  private static final String BASE_DATA = "sidefade.base_data_sha256";

  private Delta() {}

  /** Writes the file, whole or not at all. The card must name this backbone. */
  public static void write(Path file, Backbone backbone, TunedTail tail, ModelCard card)
      throws IOException {
    Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
    tail.normScale().ifPresent(scale -> tensors.put("norm.scale", vector(scale)));
    tail.normShift().ifPresent(shift -> tensors.put("norm.shift", vector(shift)));
    long rows = tail.headWeight().length / tail.classes();
    tensors.put("head.weight", new Safetensors.Entry(tail.headWeight(), rows, tail.classes()));
    tensors.put("head.bias", vector(tail.headBias()));
    Map<String, String> texts = new LinkedHashMap<>(card.properties());
    texts.put(FORMAT, "1");
    texts.put(POOLING, tail.pooling().name().toLowerCase(Locale.ROOT));
    Hashes.ofExternalData(backbone.model()).ifPresent(hash -> texts.put(BASE_DATA, hash));
    if (!card.baseSha256().equals(backbone.hash())) {
      throw new IllegalArgumentException(
          "the card names the backbone " + card.baseSha256() + ", but it is " + backbone.hash());
    }
    Safetensors.write(file, tensors, texts);
  }

  /**
   * Makes the faded model of a backbone and a delta.
   *
   * @throws BadInputException if one of the files is missing or malformed, or the backbone is not
   *     the one that the delta was trained on
   */
  public static void apply(Path base, Path delta, Path out) throws IOException {
    Safetensors.Content content = Safetensors.read(delta);
    Map<String, String> texts = content.metadata();
    if (!"1".equals(texts.get(FORMAT))) {
      throw new BadInputException(
          delta
              + " is a safetensors file but no delta of this version of Sidefade; use the one that"
              + " adapt wrote");
    }
    ModelCard card = ModelCard.of(texts);
    TunedTail tail = tail(delta, content);
    if (!Files.isRegularFile(base)) {
      throw new BadInputException("there is no model file " + base + "; check the path");
    }
    refuseOther(base, delta, card.baseSha256(), Hashes.ofFile(base));
    try (Backbone backbone = Backbone.load(base)) {
      if (texts.containsKey(BASE_DATA)) {
        String data = Hashes.ofExternalData(backbone.model()).orElse("none");
        refuseOther(
            base.resolveSibling("the data beside " + base.getFileName()),
            delta,
            texts.get(BASE_DATA),
            data);
      }
      Export.write(FadedModel.build(backbone, tail, card), out);
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

  private static TunedTail tail(Path delta, Safetensors.Content content) {
    float[] weight = tensor(delta, content, "head.weight", 2);
    float[] bias = tensor(delta, content, "head.bias", 1);
    boolean norm =
        content.tensors().containsKey("norm.scale") || content.tensors().containsKey("norm.shift");
    return new TunedTail(
        pooling(delta, content.metadata().get(POOLING)),
        norm ? Optional.of(tensor(delta, content, "norm.scale", 1)) : Optional.empty(),
        norm ? Optional.of(tensor(delta, content, "norm.shift", 1)) : Optional.empty(),
        weight,
        bias,
        bias.length);
  }

  private static float[] tensor(Path delta, Safetensors.Content content, String name, int rank) {
    Safetensors.Entry entry = content.tensors().get(name);
    if (entry == null || entry.dims().length != rank) {
      throw new BadInputException(
          delta
              + " has no tensor "
              + name
              + " of "
              + rank
              + (rank == 1 ? " dimension" : " dimensions")
              + "; use the one that adapt wrote");
    }
    return entry.values();
  }

  private static Pooling pooling(Path delta, String name) {
    for (Pooling pooling : Pooling.values()) {
      if (pooling.name().toLowerCase(Locale.ROOT).equals(name)) {
        return pooling;
      }
    }
    throw new BadInputException(
        delta
            + " names the read-out "
            + name
            + ", but cls, mean or cls_mean was expected; use the one that adapt wrote");
  }

  private static Safetensors.Entry vector(float[] values) {
    return new Safetensors.Entry(values, values.length);
  }
}

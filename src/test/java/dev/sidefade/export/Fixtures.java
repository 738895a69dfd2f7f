package dev.sidefade.export;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.InputSpec;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/** Backbones to export, and examples to run them on. */
final class Fixtures {
  static final int TEXT_TOKENS = 7;

  /** Image backbones whose norms stand in front of the pooling. */
  static final List<String> IMAGES =
      List.of(
          "vit_timm_legacy14",
          "vit_timm_legacy17",
          "vit_timm_shared_legacy17",
          "vit_timm_dynamo18",
          "vit_timm_dynamo20",
          "vit_timm_external_dynamo20",
          "vit_timm_eager_dynamo20",
          "vit_timm_avg_legacy14",
          "vit_timm_avg_legacy17",
          "vit_timm_layerscale_dynamo20",
          "deit_distilled_legacy17",
          "vit_hf_legacy14",
          "vit_hf_dynamo20",
          "vit_hf_model_legacy17");

  /** Text backbones with an attention mask. */
  static final List<String> TEXTS =
      List.of(
          "bert_model_legacy14",
          "bert_legacy17",
          "bert_sdpa_legacy17",
          "bert_dynamo20",
          "roberta_legacy14",
          "roberta_dynamo20",
          "distilbert_model_legacy11",
          "distilbert_dynamo20",
          "minilm_legacy11");

  private Fixtures() {}

  static Stream<String> imagesAndTexts() {
    return Stream.concat(IMAGES.stream(), TEXTS.stream());
  }

  static Path model(String name) {
    return resource("/models/" + name + ".onnx");
  }

  static Path demo() {
    return resource("/dev/sidefade/demo/vit28p7d128.onnx");
  }

  static Path resource(String name) {
    URL url = Fixtures.class.getResource(name);
    if (url == null) {
      throw new IllegalStateException("test resource " + name + " is missing");
    }
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Seeded examples for all inputs; the last tokens of texts are padding. */
  static Map<String, Tensor> inputs(Backbone backbone, long batch, long seed, Arena arena) {
    Random random = new Random(seed);
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    for (InputSpec input : backbone.structure().inputs()) {
      long[] dims = input.dims().stream().mapToLong(dim -> dim < 0 ? TEXT_TOKENS : dim).toArray();
      dims[0] = batch;
      if (input.type() == ElementType.FLOAT) {
        Tensor tensor = zeros(arena, DType.F32, dims);
        for (long i = 0; i < tensor.size(); i++) {
          tensor.set(i, (float) random.nextGaussian());
        }
        inputs.put(input.name(), tensor);
      } else {
        inputs.put(input.name(), integers(arena, input.name(), dims, random));
      }
    }
    return inputs;
  }

  /** [batch * tokens] of floats, 0 = padding; null for images. */
  static Tensor valid(Map<String, Tensor> inputs, Arena arena) {
    Tensor mask = inputs.get("attention_mask");
    if (mask == null) {
      return null;
    }
    Tensor valid = zeros(arena, DType.F32, mask.size());
    for (long i = 0; i < mask.size(); i++) {
      valid.set(i, mask.segment().getAtIndex(ValueLayout.JAVA_LONG, i));
    }
    return valid;
  }

  static TokenLayout layout(Backbone backbone, int batch) {
    int tokens = (int) (backbone.tokens() < 0 ? TEXT_TOKENS : backbone.tokens());
    int prefix = (int) FadedModel.prefixTokens(backbone.structure());
    return new TokenLayout(batch, tokens, prefix, 0, 0);
  }

  static Tensor zeros(Arena arena, DType type, long... dims) {
    Shape shape = Shape.of(dims);
    return Tensor.wrap(arena.allocate(shape.size() * type.bytes(), 64), shape, type);
  }

  private static Tensor integers(Arena arena, String name, long[] dims, Random random) {
    Tensor tensor = zeros(arena, DType.I64, dims);
    for (long i = 0; i < tensor.size(); i++) {
      long row = i / dims[1];
      long column = i % dims[1];
      long value =
          switch (name) {
            case "attention_mask" -> column < dims[1] - row % 4 ? 1 : 0;
            case "token_type_ids" -> 0;
            default -> random.nextInt(20);
          };
      tensor.segment().setAtIndex(ValueLayout.JAVA_LONG, i, value);
    }
    return tensor;
  }
}

package dev.sidefade.backbone;

import static dev.sidefade.backbone.BackboneStructure.Kind.POST_NORM;
import static dev.sidefade.backbone.BackboneStructure.Kind.PRE_NORM;
import static dev.sidefade.backbone.ReadOut.Kind.CLS;
import static dev.sidefade.backbone.ReadOut.Kind.MEAN;
import static dev.sidefade.backbone.ReadOut.Kind.NONE;
import static dev.sidefade.backbone.ReadOut.Kind.POOLER;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A test model and what is known of it from how it was made. */
record Fixture(
    String name,
    BackboneStructure.Kind kind,
    int blocks,
    int norms,
    Norm.Form form,
    ReadOut.Kind readOut,
    long skipped,
    boolean beforeNorm,
    long classes,
    long tokens,
    Optional<TokenGrid> grid) {

  private static final Norm.Form OP = Norm.Form.OPERATOR;
  private static final Norm.Form CHAIN = Norm.Form.DECOMPOSED;

  /** All test models that have a structure. */
  static List<Fixture> all() {
    return List.of(
        vit("vit_timm_legacy14", 3, CHAIN, CLS, 5, 1),
        vit("vit_timm_legacy17", 3, OP, CLS, 5, 1),
        vit("vit_timm_shared_legacy17", 2, OP, CLS, 5, 1),
        vit("vit_timm_dynamo18", 2, OP, CLS, 5, 1),
        vit("vit_timm_dynamo20", 2, OP, CLS, 5, 1),
        vit("vit_timm_external_dynamo20", 1, OP, CLS, 5, 1),
        new Fixture(
            "vit_timm_eager_dynamo20", PRE_NORM, 2, 5, OP, CLS, 0, false, 5, 9, grid(2, 4, 1)),
        new Fixture(
            "vit_timm_avg_legacy14", PRE_NORM, 2, 5, CHAIN, MEAN, 1, false, 5, 10, grid(3, 3, 1)),
        new Fixture(
            "vit_timm_avg_legacy17", PRE_NORM, 2, 5, OP, MEAN, 1, false, 5, 10, grid(3, 3, 1)),
        new Fixture(
            "vit_timm_avg_fcnorm_dynamo20", PRE_NORM, 2, 5, OP, MEAN, 0, true, 5, 9, grid(3, 3, 0)),
        // every block has norms of queries and keys besides its own two
        new Fixture(
            "vit_timm_layerscale_dynamo20",
            PRE_NORM,
            2,
            9,
            OP,
            CLS,
            0,
            false,
            5,
            12,
            grid(3, 3, 3)),
        // two heads, averaged: neither is the output
        vit("deit_distilled_legacy17", 2, OP, CLS, 0, 2),
        vit("vit_hf_legacy14", 2, CHAIN, CLS, 5, 1),
        vit("vit_hf_dynamo20", 2, OP, CLS, 5, 1),
        vit("vit_hf_model_legacy17", 2, OP, POOLER, 0, 1),
        vit("vit12_legacy17", 12, OP, CLS, 5, 1),
        vit("vit12_dynamo20", 12, OP, CLS, 5, 1),
        bert("bert_model_legacy14", 2, CHAIN, 0),
        bert("bert_model_dynamo18", 2, OP, 0),
        bert("bert_legacy14", 2, CHAIN, 5),
        bert("bert_legacy17", 2, OP, 5),
        bert("bert_sdpa_legacy17", 2, OP, 5),
        bert("bert_dynamo18", 3, OP, 5),
        bert("bert_dynamo20", 2, OP, 5),
        bert("bert_eager_dynamo20", 2, OP, 5),
        bert("minilm_legacy11", 3, CHAIN, 0),
        bert("minilm_legacy14", 3, CHAIN, 0),
        bert("roberta_legacy14", 2, CHAIN, 5),
        bert("roberta_legacy17", 2, OP, 5),
        bert("roberta_dynamo18", 2, OP, 5),
        bert("roberta_dynamo20", 2, OP, 5),
        bert("roberta_model_legacy17", 2, OP, 0),
        bert("distilbert_legacy14", 2, CHAIN, 5),
        bert("distilbert_legacy17", 2, OP, 5),
        bert("distilbert_dynamo18", 2, OP, 5),
        bert("distilbert_dynamo20", 2, OP, 5),
        // tokens are all that comes out of DistilBERT without a classifier
        text("distilbert_model_legacy11", 2, CHAIN, NONE, 0));
  }

  static Stream<String> names() {
    return all().stream().map(Fixture::name);
  }

  boolean text() {
    return kind == POST_NORM;
  }

  /** What the model is fed: token types are something that only BERT has. */
  List<String> inputs() {
    if (!text()) {
      return List.of(name.startsWith("vit_hf") ? "pixel_values" : "image");
    }
    boolean types = name.startsWith("bert") || name.startsWith("minilm");
    return types
        ? List.of("input_ids", "attention_mask", "token_type_ids")
        : List.of("input_ids", "attention_mask");
  }

  /** What its norms add to the variance. */
  float epsilon() {
    if (name.startsWith("roberta")) {
      return 1e-5f;
    }
    return inputs().contains("image") ? 1e-6f : 1e-12f;
  }

  private static Fixture vit(
      String name, int blocks, Norm.Form form, ReadOut.Kind readOut, long classes, long prefix) {
    return new Fixture(
        name,
        PRE_NORM,
        blocks,
        2 * blocks + 1,
        form,
        readOut,
        0,
        false,
        classes,
        9 + prefix,
        grid(3, 3, prefix));
  }

  private static Fixture bert(String name, int blocks, Norm.Form form, long classes) {
    return text(name, blocks, form, POOLER, classes);
  }

  private static Fixture text(
      String name, int blocks, Norm.Form form, ReadOut.Kind readOut, long classes) {
    return new Fixture(
        name,
        POST_NORM,
        blocks,
        2 * blocks + 1,
        form,
        readOut,
        0,
        false,
        classes,
        -1,
        Optional.empty());
  }

  private static Optional<TokenGrid> grid(long height, long width, long prefix) {
    return Optional.of(new TokenGrid(height, width, prefix));
  }

  @Override
  public String toString() {
    return name;
  }
}

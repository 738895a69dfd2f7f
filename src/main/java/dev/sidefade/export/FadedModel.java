package dev.sidefade.export;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.backbone.ConstantReplacement;
import dev.sidefade.backbone.Norm;
import dev.sidefade.backbone.OwnConstant;
import dev.sidefade.backbone.ReadOut;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.ModelCheck;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.BadInputException;
import java.util.List;
import java.util.Locale;

/**
 * The backbone's graph with what training made of its end. Where the model's own read-out is the
 * one that was trained and its head is found, nothing but constants changes; otherwise what stands
 * behind the final norm is replaced. Nothing of a side network is in it.
 */
public final class FadedModel {
  private FadedModel() {}

  /**
   * {@return how many leading tokens a mean read-out leaves out: those of no place in the image; 0
   * for text} Training must pool with the same number ({@link
   * dev.sidefade.kernels.TokenLayout#prefix}).
   *
   * @param structure what its graph is made of
   */
  public static long prefixTokens(BackboneStructure structure) {
    return TokenPooling.prefixTokens(structure);
  }

  /**
   * Builds the model; the backbone's own is left as it is. It has one output, the logits [batch,
   * classes] ([batch, tokens, classes] where tokens are not pooled; one class is a regression),
   * under the name that the original's logits have ({@code logits} where there are none).
   *
   * @param backbone the pretrained model and what it is made of
   * @param tuned what was tuned
   * @param card what the model will say of itself
   * @return a new model
   * @throws BadInputException if what was tuned does not fit the backbone, or its read-out cannot
   *     be had
   */
  public static OnnxModel build(Backbone backbone, TunedModel tuned, ModelCard card) {
    BackboneStructure structure = backbone.structure();
    TunedTail tail = tuned.tail();
    check(structure, tail);
    OnnxModel model = backbone.model().copy();
    // first, for norms and linear layers are found by their place in the whole graph
    ConstantReplacement.replace(model, structure, FoldedConstants.of(backbone, tuned));
    if (tail.normShift().isPresent()) {
      structure
          .finalNorm()
          .filter(norm -> norm.bias().isEmpty())
          .ifPresent(norm -> addShift(model.graph(), norm, tail.normShift().get()));
    }
    if (structure.head().isPresent() && isOwnReadOut(structure, tail.pooling())) {
      HeadReplacement.replace(model, structure.head().get(), tail);
    } else {
      TailReplacement.replace(model, backbone, tail);
    }
    card.writeTo(model);
    ModelCheck.check(model);
    return model;
  }

  private static void check(BackboneStructure structure, TunedTail tail) {
    long width = structure.finalNorm().map(Norm::width).orElse((long) structure.lastTap().width());
    if (tail.width() != width) {
      throw new BadInputException(
          "the tuned head reads "
              + tail.width()
              + " features of a token, but the backbone has "
              + width
              + "; use the backbone that it was trained on");
    }
    if (tail.normScale().isPresent() && structure.finalNorm().isEmpty()) {
      throw new BadInputException(
          "the final norm was tuned, but the backbone has none; use the backbone that was trained");
    }
    if (poolsFirst(structure) && !isOwnReadOut(structure, tail.pooling())) {
      String own = structure.readOut().kind().name().toLowerCase(Locale.ROOT);
      throw new BadInputException(
          "the backbone pools its tokens before its final norm, so that only its own read-out can"
              + " be had; use the read-out "
              + own);
    }
  }

  /** Whether the tokens that enter the final norm are one vector already. */
  static boolean poolsFirst(BackboneStructure structure) {
    return structure.readOut().beforeNorm()
        && structure
            .finalNorm()
            .filter(norm -> !norm.input().equals(structure.lastTap().value()))
            .isPresent();
  }

  /** Whether the graph pools as it was trained, over the same tokens and after the same norm. */
  private static boolean isOwnReadOut(BackboneStructure structure, Pooling pooling) {
    ReadOut own = structure.readOut();
    boolean first = poolsFirst(structure);
    if (own.beforeNorm() && !first) {
      return false; // a second norm behind the pooling, which was not trained
    }
    return switch (own.kind()) {
      case CLS -> pooling == Pooling.CLS;
      case MEAN ->
          pooling == Pooling.MEAN
              && (first || own.skippedTokens() == prefixTokens(structure))
              && TokenPooling.maskInput(structure).isEmpty();
      case POOLER, NONE -> false;
    };
  }

  /** A norm without a shift gets one; a chain that ended with the scale gets its Add. */
  private static void addShift(OnnxGraph graph, Norm norm, float[] shift) {
    OnnxNode last = graph.producerOf(norm.output()).orElseThrow();
    if (norm.form() == Norm.Form.OPERATOR) {
      OwnConstant.replace(graph, last, 2, shift, shift.length);
      return;
    }
    String output = last.output(0);
    String scaled = graph.uniqueName(output + ".scaled");
    last.outputs().set(0, scaled);
    String name = graph.uniqueName(output + ".shift");
    OnnxNode add = new OnnxNode(name, "Add", List.of(scaled, name), List.of(output));
    graph.addInitializer(Initializer.floats(name, shift, shift.length));
    graph.nodes().add(graph.nodes().indexOf(last) + 1, add);
  }
}

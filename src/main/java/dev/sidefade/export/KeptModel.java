package dev.sidefade.export;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.backbone.ConstantReplacement;
import dev.sidefade.layers.Parameters;
import dev.sidefade.onnx.ModelCheck;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.side.SideConfig;
import dev.sidefade.tensor.BadInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Backbone and side network in one graph, whose output is the side network's logits. */
public final class KeptModel {
  private KeptModel() {}

  /**
   * Builds the model; the backbone's own is left as it is. What the taps do not need of the
   * backbone, its last norm and its head, is not in it. Nothing is masked, as always in evaluation.
   *
   * @param backbone the pretrained model and what it is made of
   * @param tuned what was tuned beside the side network, which then read the taps of the tuned
   *     backbone: its constants are in the model, but not its end, which comes behind all taps
   * @param config shape of the side network
   * @param taps numbers of the backbone's taps that the side network reads, as many as {@link
   *     SideConfig#tapWidths}
   * @param parameters of the side network under the names that it declares
   * @param card what the model will say of itself
   * @return a new model
   * @throws BadInputException if the taps do not fit the backbone or the side network, or what was
   *     tuned does not fit the backbone
   */
  public static OnnxModel build(
      Backbone backbone,
      Optional<TunedModel> tuned,
      SideConfig config,
      List<Integer> taps,
      Parameters parameters,
      ModelCard card) {
    List<String> values = tapValues(backbone.structure(), config, taps);
    OnnxModel model = backbone.model().copy();
    tuned.ifPresent(t ->
        ConstantReplacement.replace(
            model, backbone.structure(), FoldedConstants.inside(backbone, t)));
    String wanted = Logits.name(model.graph(), backbone.structure());
    TailReplacement.cutBehind(model, values.stream().distinct().toList());
    SideNodes side = new SideNodes(model, backbone, config, parameters);
    side.build(values, wanted);
    card.writeTo(model);
    ModelCheck.check(model);
    return model;
  }

  private static List<String> tapValues(
      BackboneStructure structure, SideConfig config, List<Integer> taps) {
    if (taps.size() != config.tapWidths().size()) {
      throw new BadInputException(
          taps.size()
              + " taps were chosen for a side network that reads "
              + config.tapWidths().size()
              + "; choose the taps that it was trained on");
    }
    List<String> values = new ArrayList<>();
    for (int i = 0; i < taps.size(); i++) {
      int number = taps.get(i);
      if (number < 0 || number >= structure.taps().size()) {
        throw new BadInputException(
            "there is no tap "
                + number
                + ": the backbone has taps 0 to "
                + structure.blocks()
                + "; choose the taps that the side network was trained on");
      }
      BackboneStructure.Tap tap = structure.taps().get(number);
      if (tap.width() != config.tapWidths().get(i)) {
        throw new BadInputException(
            "tap "
                + number
                + " has a width of "
                + tap.width()
                + ", but the side network reads "
                + config.tapWidths().get(i)
                + "; use the backbone that it was trained on");
      }
      values.add(tap.value());
    }
    return values;
  }
}

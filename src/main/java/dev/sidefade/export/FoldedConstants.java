package dev.sidefade.export;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.ConstantReplacement;
import dev.sidefade.backbone.LinearFinder;
import dev.sidefade.backbone.LinearLayer;
import dev.sidefade.backbone.Norm;
import dev.sidefade.tensor.BadInputException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The values that a backbone's constants get: low-rank changes are added to their weights. */
final class FoldedConstants {
  private final Backbone backbone;
  private final Map<String, LinearLayer> layers = new HashMap<>();

  /** Lengths of the vectors that may be replaced. */
  private final Map<String, Long> lengths = new HashMap<>();

  private FoldedConstants(Backbone backbone) {
    this.backbone = backbone;
    for (Norm norm : backbone.structure().norms()) {
      lengths.put(norm.scaleInput(), norm.width());
      if (norm.bias().isPresent()) {
        lengths.put(norm.biasInput(), norm.width());
      }
    }
    List<LinearLayer> found = LinearFinder.find(backbone.model(), backbone.structure());
    for (LinearLayer layer : found) {
      layers.put(TunedModel.linear(layer.position()), layer);
      if (layer.bias().isPresent()) {
        lengths.put(layer.biasName(), layer.out());
      }
    }
  }

  /**
   * New values by the names of {@link ConstantReplacement}, those of the final norm too.
   *
   * @throws BadInputException if the backbone has no such constant, or one of another size, or the
   *     final norm is given twice
   */
  static Map<String, float[]> of(Backbone backbone, TunedModel tuned) {
    FoldedConstants constants = new FoldedConstants(backbone);
    Map<String, float[]> values = constants.inside(tuned);
    constants.addFinalNorm(tuned.tail(), values);
    return values;
  }

  /** As {@link #of}, without what belongs to the end of the model. */
  static Map<String, float[]> inside(Backbone backbone, TunedModel tuned) {
    return new FoldedConstants(backbone).inside(tuned);
  }

  private Map<String, float[]> inside(TunedModel tuned) {
    tuned.constants().forEach(this::check);
    Map<String, float[]> values = new TreeMap<>(tuned.constants());
    tuned
        .lowRank()
        .forEach((name, change) -> {
          String weight = layer(name, change).weightName();
          float[] present = ConstantReplacement.weight(backbone, weight);
          values.put(
              weight, ConstantReplacement.merged(present, change.a(), change.b(), change.rank()));
        });
    return values;
  }

  /** A shift is left out where the backbone's norm has none. */
  private void addFinalNorm(TunedTail tail, Map<String, float[]> values) {
    if (tail.normScale().isEmpty()) {
      return;
    }
    Norm norm = backbone.structure().finalNorm().orElseThrow();
    boolean twice = values.put(norm.scaleInput(), tail.normScale().get()) != null;
    if (norm.bias().isPresent()) {
      twice |= values.put(norm.biasInput(), tail.normShift().orElseThrow()) != null;
    }
    if (twice) {
      throw new BadInputException(
          "the final norm was tuned twice, as the end of the model and as "
              + norm.scaleInput()
              + "; give it once");
    }
  }

  private void check(String name, float[] values) {
    Long length = lengths.get(name);
    if (length == null) {
      throw new BadInputException(
          "the backbone "
              + backbone.file().getFileName()
              + " has no constant "
              + name
              + "; use the backbone that it was trained on");
    }
    if (length != values.length) {
      throw new BadInputException(
          name
              + " was tuned with "
              + values.length
              + " values, but the backbone's has "
              + length
              + "; use the backbone that it was trained on");
    }
  }

  private LinearLayer layer(String name, LowRank change) {
    LinearLayer layer = layers.get(name);
    if (layer == null) {
      throw new BadInputException(
          "the backbone "
              + backbone.file().getFileName()
              + " has no linear layer "
              + name
              + "; use the backbone that it was trained on");
    }
    if (layer.in() != change.in() || layer.out() != change.out()) {
      throw new BadInputException(
          "the low-rank change of "
              + name
              + " is for a weight ["
              + change.in()
              + ", "
              + change.out()
              + "], but the backbone's is ["
              + layer.in()
              + ", "
              + layer.out()
              + "]; use the backbone that it was trained on");
    }
    return layer;
  }
}

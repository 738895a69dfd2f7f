package dev.sidefade.backbone;

import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Lists the constants inside a backbone that a {@link Tuning} tunes. */
public final class TunableConstants {
  private final OnnxGraph graph;
  private final ConstantSites sites;
  private final Set<OnnxNode> working;
  private final List<TunableConstant> constants = new ArrayList<>();

  private TunableConstants(OnnxGraph graph, BackboneStructure structure, ConstantSites sites) {
    this.graph = graph;
    this.sites = sites;
    List<TrunkOutput> outputs = TrunkOutput.of(structure, TrunkSpec.of(0, List.of()));
    this.working = behind(graph, outputs.get(TrunkOutput.finalInput(structure, outputs)).value());
  }

  /**
   * {@return the constants in the order of execution: first scale and shift of each norm, then the
   * biases, then A and B of each linear layer}
   *
   * @param backbone the pretrained model and what it is made of
   * @param tuning what is to be tuned
   * @throws BadInputException if the backbone has fewer blocks, too small weights for the rank, or
   *     nothing of what is to be tuned
   */
  public static List<TunableConstant> of(Backbone backbone, Tuning tuning) {
    return of(backbone.model(), backbone.structure(), tuning);
  }

  /**
   * {@return the constants of a whole backbone's model, as {@link #of(Backbone, Tuning)}}
   *
   * @param model the backbone's model
   * @param structure what its graph is made of
   * @param tuning what is to be tuned
   */
  public static List<TunableConstant> of(
      OnnxModel model, BackboneStructure structure, Tuning tuning) {
    return of(model.graph(), structure, new ConstantSites(model.graph(), structure), tuning);
  }

  static List<TunableConstant> of(
      OnnxGraph graph, BackboneStructure structure, ConstantSites sites, Tuning tuning) {
    TunableConstants found = new TunableConstants(graph, structure, sites);
    int first = tuning.firstBlock(structure.blocks());
    if (tuning.withNorms()) {
      found.addNorms(structure, first);
    }
    if (tuning.withBiases()) {
      found.addBiases(first);
    }
    if (tuning.rank() > 0) {
      found.addLowRank(first, tuning.rank());
    }
    found.refuseMissing(tuning);
    if (found.constants.isEmpty()) {
      throw new BadInputException(
          "the backbone has no constants in front of its final norm that "
              + tuning
              + " could tune; tune something else");
    }
    return List.copyOf(found.constants);
  }

  /** Norms alone would be learned, without a word, where weights are stored in another type. */
  private void refuseMissing(Tuning tuning) {
    boolean weights = tuning.rank() > 0 && constants.stream().noneMatch(TunableConstant::lowRank);
    boolean biases =
        tuning.withBiases()
            && constants.stream().noneMatch(c -> c.kind() == TunableConstant.Kind.BIAS);
    if (weights || biases) {
      throw new BadInputException(
          "the backbone has no "
              + (weights ? "weights" : "biases")
              + " in float32 in front of its final norm that "
              + tuning
              + " could tune; use the float32 export, or tune something else");
    }
  }

  private void addNorms(BackboneStructure structure, int first) {
    Optional<String> last = structure.finalNorm().map(Norm::scaleInput);
    for (Norm norm : structure.norms()) {
      boolean tuned = norm.block() >= first && !last.equals(Optional.of(norm.scaleInput()));
      if (tuned && works(norm.scaleInput())) {
        addVector(norm.scaleInput(), TunableConstant.Kind.NORM_SCALE, norm.block());
        if (sites.find(norm.biasInput()).isPresent()) {
          addVector(norm.biasInput(), TunableConstant.Kind.NORM_SHIFT, norm.block());
        }
      }
    }
  }

  private void addBiases(int first) {
    for (LinearFinder.Found found : sites.layers()) {
      LinearLayer layer = found.layer();
      if (layer.block() >= first && layer.bias().isPresent() && works(layer.biasName())) {
        addVector(layer.biasName(), TunableConstant.Kind.BIAS, layer.block());
      }
    }
  }

  private void addLowRank(int first, int rank) {
    for (LinearFinder.Found found : sites.layers()) {
      LinearLayer layer = found.layer();
      if (layer.block() < first || !working.contains(found.node())) {
        continue;
      }
      if (rank > Math.min(layer.in(), layer.out())) {
        throw new BadInputException(
            "the rank "
                + rank
                + " is larger than a weight of "
                + layer.in()
                + " x "
                + layer.out()
                + " can have; give a smaller rank");
      }
      add(layer.lowRankIn(), TunableConstant.Kind.LOW_RANK_IN, layer, layer.in(), rank);
      add(layer.lowRankOut(), TunableConstant.Kind.LOW_RANK_OUT, layer, rank, layer.out());
    }
  }

  private void add(String name, TunableConstant.Kind kind, LinearLayer layer, long... dims) {
    constants.add(new TunableConstant(name, kind, layer.block(), Shape.of(dims), Optional.empty()));
  }

  private void addVector(String name, TunableConstant.Kind kind, int block) {
    String value = sites.find(name).orElseThrow().value();
    Initializer present = GraphEdit.constantValue(graph, value).orElseThrow().withName(name);
    Shape shape = Shape.of(present.dims());
    constants.add(new TunableConstant(name, kind, block, shape, Optional.of(present)));
  }

  /** Whether what enters the final norm depends on a constant. */
  private boolean works(String name) {
    return sites.find(name).filter(site -> working.contains(site.user())).isPresent();
  }

  private static Set<OnnxNode> behind(OnnxGraph graph, String value) {
    Set<OnnxNode> nodes = new HashSet<>();
    List<String> open = new ArrayList<>(List.of(value));
    while (!open.isEmpty()) {
      Optional<OnnxNode> node = graph.producerOf(open.removeLast());
      if (node.isPresent() && nodes.add(node.get())) {
        open.addAll(node.get().inputs());
      }
    }
    return nodes;
  }
}
